//! Settings from a TOML file, each with its line. No value is quoted in an error: one of them holds a password.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::Invalid;
use super::setting::{ALL, Given, Kind, Place, Setting};

/// What the file gives.
pub fn read(path: &Path) -> Result<Vec<Given>, Invalid> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Invalid(format!("can't read the configuration file {}: {error}", path.display())))?;
    parse(path, &text)
}

/// The same, of a text that is in memory already.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Given>, Invalid> {
    let line_of = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| {
        let line = line_of(error.span().map_or(0, |span| span.start));
        Invalid(format!("{}, line {line}: {}", path.display(), error.message()))
    })?;
    let mut given = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let name = key.get_ref().as_ref();
        let Some(setting) = Setting::named(name) else {
            let known: Vec<&str> = ALL.iter().map(|setting| setting.name).collect();
            return Err(Invalid(format!(
                "unknown setting {name:?} in {}, line {line}; the known ones are: {}",
                path.display(),
                known.join(", ")
            )));
        };
        let place = Place::File(path.to_owned(), line, setting.name);
        let values = values(setting, value.get_ref()).ok_or_else(|| {
            let form = match setting.kind {
                Kind::Text => "a text in quotes",
                Kind::Number => "a number without quotes",
                Kind::List => "a list of texts, such as [\"10.0.0.0/8\", \"fd00::/8\"]",
                Kind::Switch => "true or false, without quotes",
                Kind::Numbers => "a list of numbers, such as [60, 240, 540]",
            };
            Invalid(format!("{place} must be written as {form}"))
        })?;
        given.push(Given { setting, values, place });
    }
    Ok(given)
}

/// The value as texts; `None` when it is of another kind.
fn values(setting: &Setting, value: &DeValue<'_>) -> Option<Vec<String>> {
    match (setting.kind, value) {
        (Kind::Text, DeValue::String(text)) => Some(vec![text.to_string()]),
        (Kind::Number, DeValue::Integer(number)) => Some(vec![number.to_string()]),
        (Kind::Switch, DeValue::Boolean(switch)) => Some(vec![switch.to_string()]),
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect(),
        (Kind::Numbers, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_integer().map(ToString::to_string))
            .collect(),
        _ => None,
    }
}
