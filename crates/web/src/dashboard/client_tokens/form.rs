//! The form of a token's name, description and restrictions: what was typed, the body of the API that it stands for, and
//! what is wrong with it, each beside its field.

use serde_json::{Map, Value, json};
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds, Restrictions};

use crate::dashboard::fields::Fields;
use crate::error::Problem;

/// The fields as they are typed.
#[derive(Clone, Debug, Default)]
pub(super) struct TokenForm {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) allowed_origins: String,
    pub(super) allowed_networks: String,
    pub(super) scopes: String,
    /// UTC, as `datetime-local` has it.
    pub(super) expires_at: String,
    pub(super) requests: String,
    pub(super) period_seconds: String,
    report_only: RestrictionKinds,
    /// Of the token that the form was filled from; empty for a new one.
    version: String,
    problems: Vec<Problem>,
}

impl TokenForm {
    /// What was typed.
    pub(super) fn typed(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            allowed_origins: text("allowed_origins"),
            allowed_networks: text("allowed_networks"),
            scopes: text("scopes"),
            expires_at: text("expires_at"),
            requests: text("requests"),
            period_seconds: text("period_seconds"),
            report_only: fields
                .list("report_only")
                .filter_map(RestrictionKind::from_name)
                .collect(),
            version: text("version"),
            problems: Vec::new(),
        }
    }

    /// What a token is at present.
    pub(super) fn of(token: &ClientToken) -> Self {
        let Restrictions {
            allowed_origins,
            allowed_networks,
            scopes,
            expires_at,
            rate_limit,
            report_only,
        } = token.restrictions.as_deref().cloned().unwrap_or_default();
        Self {
            name: token.name.clone(),
            description: token.description.clone().unwrap_or_default(),
            allowed_origins: lines(allowed_origins),
            allowed_networks: lines(allowed_networks),
            scopes: lines(scopes),
            expires_at: expires_at.map_or(String::new(), |at| local(&at.to_string())),
            requests: rate_limit.map_or(String::new(), |limit| limit.requests.to_string()),
            period_seconds: rate_limit.map_or(String::new(), |limit| limit.period_seconds.to_string()),
            report_only,
            version: token.version.to_string(),
            problems: Vec::new(),
        }
    }

    /// Which version of the token it was filled from, as text.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// As if it had been filled from this version.
    pub(super) fn of_version(self, version: String) -> Self {
        Self { version, ..self }
    }

    /// With what is wrong.
    pub(super) fn refused(self, problems: Vec<Problem>) -> Self {
        Self { problems, ..self }
    }

    /// The body of the API: every field is in it, so what was left empty is taken away.
    pub(super) fn body(&self) -> Map<String, Value> {
        let list = |text: &str| {
            let entries: Vec<&str> = entries(text).collect();
            if entries.is_empty() {
                Value::Null
            } else {
                json!(entries)
            }
        };
        let restrictions = json!({
            "allowed_origins": list(&self.allowed_origins),
            "allowed_networks": list(&self.allowed_networks),
            "scopes": list(&self.scopes),
            "expires_at": text_or_null(&utc(&self.expires_at)),
            "rate_limit": self.rate_limit(),
            "report_only": self.report_only.iter().map(RestrictionKind::name).collect::<Vec<_>>(),
        });
        let body = [
            ("name", json!(self.name)),
            ("description", text_or_null(&self.description)),
            ("restrictions", restrictions),
        ];
        body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn rate_limit(&self) -> Value {
        let fields = [("requests", &self.requests), ("period_seconds", &self.period_seconds)];
        let given: Map<String, Value> = fields
            .into_iter()
            .filter(|(_, text)| !text.trim().is_empty())
            .map(|(name, text)| {
                let number = text.trim().parse::<i64>();
                (
                    name.to_owned(),
                    number.map_or_else(|_| json!(text), |number| json!(number)),
                )
            })
            .collect();
        if given.is_empty() {
            Value::Null
        } else {
            Value::Object(given)
        }
    }

    /// Whether this restriction is only to be reported.
    pub(super) fn reports(&self, name: &str) -> bool {
        RestrictionKind::from_name(name).is_some_and(|kind| self.report_only.contains(kind))
    }

    /// What is wrong, with the names that the form has for its fields.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let named = |problem: &Problem| {
            let place = Place::of(&problem.field);
            let label = label(place.field);
            let entry = place.entry.and_then(|number| self.entry(place.field, number));
            let field = match entry {
                Some(entry) => format!("{label}, \u{201c}{entry}\u{201d}"),
                None => label.to_owned(),
            };
            Problem::new(field, problem.message.clone())
        };
        self.problems.iter().map(named).collect()
    }

    /// What is wrong with one field; empty when nothing is.
    pub(super) fn error(&self, field: &str) -> String {
        let mut texts = Vec::new();
        for problem in &self.problems {
            let place = Place::of(&problem.field);
            if place.field == field {
                let entry = place.entry.and_then(|number| self.entry(field, number));
                let entry = entry.map_or(String::new(), |entry| format!("{entry}: "));
                texts.push(format!("{entry}{}", problem.message));
            }
        }
        texts.join("; ")
    }

    fn entry(&self, field: &str, number: usize) -> Option<String> {
        let text = match field {
            "allowed_origins" => &self.allowed_origins,
            "allowed_networks" => &self.allowed_networks,
            "scopes" => &self.scopes,
            _ => return None,
        };
        let entry = entries(text).nth(number)?;
        Some(entry.chars().take(60).collect())
    }
}

/// Where a problem is: `restrictions.allowed_origins.2` is the third entry of that field.
struct Place<'a> {
    field: &'a str,
    entry: Option<usize>,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let path = path.strip_prefix("restrictions.").unwrap_or(path);
        match path.split_once('.') {
            // What is missing of it is told of the whole.
            Some(("rate_limit", field)) => Self { field, entry: None },
            None if path == "rate_limit" => Self {
                field: "requests",
                entry: None,
            },
            Some((field, entry)) => Self {
                field,
                entry: entry.parse().ok(),
            },
            None => Self {
                field: path,
                entry: None,
            },
        }
    }
}

/// What the form calls a field.
fn label(field: &str) -> &str {
    match field {
        "name" => "Name",
        "description" => "Description",
        "allowed_origins" => "Allowed origins",
        "allowed_networks" => "Allowed networks",
        "scopes" => "Scopes",
        "expires_at" => "Expires at",
        "requests" => "Rate limit, requests",
        "period_seconds" => "Rate limit, seconds",
        "report_only" => "Only report",
        other => other,
    }
}

fn lines<T: ToString>(list: Option<Vec<T>>) -> String {
    let lines: Vec<String> = list.unwrap_or_default().iter().map(T::to_string).collect();
    lines.join("\n")
}

/// The lines that aren't blank.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn text_or_null(text: &str) -> Value {
    if text.trim().is_empty() {
        Value::Null
    } else {
        json!(text)
    }
}

/// A time as people and browsers write it, as the API has it: `2026-03-02 09:15` is `2026-03-02T09:15Z`.
pub(super) fn utc(typed: &str) -> String {
    let text = typed.trim().trim_end_matches("UTC").trim_end().replacen(' ', "T", 1);
    let time = text.get(10..).unwrap_or_default();
    if time.starts_with('T') && !time.contains(['Z', '+', '-']) {
        format!("{text}Z")
    } else {
        text
    }
}

/// The other way, for `datetime-local`, which would show a time that is finer than a millisecond as none.
fn local(time: &str) -> String {
    let millis = time.get(..23).unwrap_or(time);
    millis.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use tollgate_domain::time::Timestamp;

    use super::*;
    use crate::native::client_tokens::CREATE;

    fn typed(query: &str) -> TokenForm {
        TokenForm::typed(&Fields::parse(query.as_bytes()))
    }

    #[test]
    fn the_form_is_the_body_of_the_api() {
        let form = typed(
            "name=Shop&description=&allowed_origins=https%3A%2F%2Fa.example%0D%0A%0D%0A+https%3A%2F%2Fb.example&scopes=cart\
             &expires_at=2027-01-31T12%3A00&requests=100&period_seconds=60&report_only=scopes",
        );
        let expected = json!({
            "name": "Shop",
            "description": null,
            "restrictions": {
                "allowed_origins": ["https://a.example", "https://b.example"],
                "allowed_networks": null,
                "scopes": ["cart"],
                "expires_at": "2027-01-31T12:00Z",
                "rate_limit": { "requests": 100, "period_seconds": 60 },
                "report_only": ["scopes"],
            },
        });
        assert_eq!(Value::Object(form.body()), expected);
        assert!(form.reports("scopes") && !form.reports("rate_limit"));
        CREATE.check(form.body()).unwrap();
    }

    #[test]
    fn what_is_wrong_is_told_beside_its_field() {
        let form = typed(
            "name=&allowed_origins=https%3A%2F%2Fa.example%0A%0Ahttps%3A%2F%2Fa.example%2Fpath&expires_at=soon&requests=many",
        );
        let refused = CREATE.check(form.body()).unwrap_err();
        let form = form.refused(refused.problems);
        assert!(form.error("name").contains("greater than or equal to 1"));
        assert!(form.error("allowed_origins").starts_with("https://a.example/path: "));
        assert_eq!(form.error("expires_at"), "Does not match format 'date-time'");
        assert!(form.error("requests").contains("period_seconds is required"));
        assert_eq!(form.error("scopes"), "");
        let named: Vec<_> = form.problems().into_iter().map(|problem| problem.field).collect();
        assert!(named.contains(&"Allowed origins, \u{201c}https://a.example/path\u{201d}".to_owned()));
        assert!(named.contains(&"Rate limit, requests".to_owned()));
        assert!(named.contains(&"Expires at".to_owned()));
    }

    #[test]
    fn times_are_read_as_people_and_browsers_write_them() {
        for (typed, sent) in [
            ("2026-03-02T09:15", "2026-03-02T09:15Z"),
            ("2026-03-02T09:15:04.5", "2026-03-02T09:15:04.5Z"),
            (" 2026-03-02 09:15 UTC ", "2026-03-02T09:15Z"),
            ("2026-03-02T09:15:04Z", "2026-03-02T09:15:04Z"),
            ("2026-03-02T09:15:04+02:00", "2026-03-02T09:15:04+02:00"),
            ("2026-03-02", "2026-03-02"),
            ("soon", "soon"),
            ("", ""),
        ] {
            assert_eq!(utc(typed), sent);
        }
        for time in [
            "2026-03-02T09:15:00.000000Z",
            "2026-03-02T09:10:00.000000Z",
            "2026-03-02T09:15:04.000000Z",
            "2026-03-02T09:15:10.000000Z",
            "2026-03-02T09:15:04.120000Z",
        ] {
            let back = Timestamp::parse(&utc(&local(time)));
            assert_eq!(back, Timestamp::parse(time), "{}", local(time));
        }
        assert_eq!(local("2026-03-02T09:15:00.123456Z"), "2026-03-02T09:15:00.123");
    }
}
