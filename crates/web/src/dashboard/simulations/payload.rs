//! The payload that somebody typed: JSON by JSON's own rules, and where in the text something is wrong.

use serde_json::{Map, Value};

use crate::dashboard::mistakes::Mistakes;
use crate::error::{ApiError, Problem};
use crate::extract::json;

/// What the form calls it.
pub(super) const LABEL: &str = "Payload";

/// Bytes; the form comes back with it when something is wrong.
pub(super) const LONGEST: usize = 16 * 1024;

/// The object in the text; `None` when it is blank.
pub(super) fn parse(text: &str) -> Result<Option<Map<String, Value>>, Mistakes> {
    let wrong = |message: &str| Err(Mistakes::one("payload", LABEL, message));
    if text.trim().is_empty() {
        return Ok(None);
    }
    if text.len() > LONGEST {
        return wrong(&format!("is longer than {} KiB, which no event is", LONGEST / 1024));
    }
    let mut duplicates = Vec::new();
    match json::read(text.as_bytes(), &mut duplicates) {
        Err(error) => wrong(&format!("is no JSON: {error}")),
        Ok(_) if !duplicates.is_empty() => {
            let twice = &duplicates[0].field;
            wrong(&format!("has {twice} more than once"))
        }
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) => wrong("is no object: it begins with { and ends with }"),
    }
}

/// A refusal that names properties of the payload, saying in which line and column of the text each is.
pub(super) fn with_places(error: ApiError, text: &str) -> ApiError {
    let placed = |problem: Problem| {
        let in_payload = problem.field.strip_prefix("payload.");
        let named = in_payload.map(|path| path.split('.').next().unwrap_or_default());
        let unknown = || {
            let rest = problem.message.strip_prefix("Additional property ")?;
            rest.strip_suffix(" is not allowed")
        };
        let Some(property) = named.or_else(unknown) else {
            return problem;
        };
        let place =
            place(text, property).map_or_else(String::new, |(line, column)| format!(" (line {line}, column {column})"));
        let message = match named {
            Some(_) => format!("{property}: {}{place}", problem.message),
            None => format!("{}{place}", problem.message),
        };
        Problem::new(problem.field, message)
    };
    ApiError {
        problems: error.problems.into_iter().map(placed).collect(),
        ..error
    }
}

/// Line and column, from 1, where the object in the text has this property; columns count characters.
fn place(text: &str, property: &str) -> Option<(usize, usize)> {
    let (mut depth, mut line, mut column) = (0_usize, 1, 0);
    let mut name: Option<((usize, usize), String)> = None;
    let mut last: Option<((usize, usize), String)> = None;
    let mut escaped = false;
    for letter in text.chars() {
        column += 1;
        if letter == '\n' {
            line += 1;
            column = 0;
        }
        if let Some((_, spelled)) = &mut name {
            if letter == '"' && !escaped {
                last = name.take();
            } else {
                escaped = !escaped && letter == '\\';
                spelled.push(letter);
            }
            continue;
        }
        match letter {
            '"' => name = Some(((line, column), String::new())),
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            // Only the name of a property is before a colon.
            ':' if depth == 1 => {
                let (at, spelled) = last.take()?;
                let read: Option<String> = serde_json::from_str(&format!("\"{spelled}\"")).ok();
                if read.as_deref() == Some(property) {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_told_with_line_and_column() {
        let mistakes = parse("{\n  \"a\": 1,\n  oops\n}").unwrap_err();
        let told = mistakes.at("payload").unwrap();
        assert!(told.contains("line 3 column 3"), "{told}");
        let mistakes = parse("{\"a\":1,\"a\":2}").unwrap_err();
        assert_eq!(mistakes.at("payload"), Some("has a more than once"));
        assert!(parse("[]").is_err());
        assert!(parse(&" {}".repeat(LONGEST)).is_err());
    }

    #[test]
    fn a_blank_payload_is_none_and_an_object_is_taken() {
        assert_eq!(parse(" \n").unwrap(), None);
        assert_eq!(parse("{\"a\":1}").unwrap().unwrap()["a"], 1);
    }

    #[test]
    fn a_property_is_found_where_the_object_itself_has_it() {
        let text = "{\n  \"inner\": {\"name\": \"status\", \"x\": [\"name\"]},\n  \"n\\u0061me\": \"é\\\"{\",\n  \"é\": 1, \"last\": 2\n}";
        assert_eq!(place(text, "inner"), Some((2, 3)));
        assert_eq!(place(text, "name"), Some((3, 3)));
        assert_eq!(place(text, "last"), Some((4, 11)));
        assert_eq!(place(text, "status"), None);
        assert_eq!(place("no json", "status"), None);
    }

    #[test]
    fn a_refusal_names_the_place_of_the_property() {
        let error = ApiError::bad_request(vec![
            Problem::new("payload.status", "must be one of these"),
            Problem::new("payload", "Additional property extra is not allowed"),
            Problem::new("type", "Required"),
        ]);
        let placed = with_places(error, "{\n\"status\": 1,\n \"extra\": 2}");
        let told: Vec<&str> = placed.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "status: must be one of these (line 2, column 1)",
                "Additional property extra is not allowed (line 3, column 2)",
                "Required"
            ]
        );
    }
}
