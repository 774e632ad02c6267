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
    wrong: Vec<Wrong>,
}

/// What is wrong with one field.
#[derive(Clone, Debug)]
struct Wrong {
    field: String,
    /// With this one of several.
    entry: Option<String>,
    message: String,
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
            wrong: Vec::new(),
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
            wrong: Vec::new(),
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

    /// With what the API says is wrong.
    pub(super) fn refused(self, problems: &[Problem]) -> Self {
        let wrong = problems.iter().flat_map(|problem| self.wrong(problem)).collect();
        Self { wrong, ..self }
    }

    /// A problem of the body, as one of the form's fields.
    fn wrong(&self, problem: &Problem) -> Vec<Wrong> {
        let path = problem.field.strip_prefix("restrictions.").unwrap_or(&problem.field);
        let message = problem.message.as_str();
        let wrong = |field: &str, message: &str| Wrong {
            field: field.to_owned(),
            entry: None,
            message: message.to_owned(),
        };
        match path.split_once('.').unwrap_or((path, "")) {
            ("report_only", _) => {
                let unrestricted = self.report_only.iter().filter(|kind| self.is_empty(*kind));
                let untick = |kind: RestrictionKind| {
                    wrong(
                        &format!("report-{}", kind.name()),
                        "Fill in what is to be reported, or untick this",
                    )
                };
                unrestricted.map(untick).collect()
            }
            // What is missing is told of the whole.
            ("rate_limit", "") => match message.strip_suffix(" is required") {
                Some(missing) => vec![wrong(missing, "Must be given together with the other")],
                None => vec![wrong("requests", message)],
            },
            ("rate_limit", field) if message.starts_with("Invalid type") => {
                vec![wrong(field, "Must be a whole number")]
            }
            ("rate_limit", field) => vec![wrong(field, message)],
            ("expires_at", _) => vec![wrong("expires_at", "Must be a time, such as 2027-01-31 12:00")],
            ("name", _) if self.name.is_empty() => vec![wrong("name", "Must be given")],
            (field, entry) => {
                let entry = entry.parse().ok().and_then(|number| self.entry(field, number));
                vec![Wrong {
                    entry,
                    ..wrong(field, message)
                }]
            }
        }
    }

    fn is_empty(&self, kind: RestrictionKind) -> bool {
        let text = match kind {
            RestrictionKind::AllowedOrigins => &self.allowed_origins,
            RestrictionKind::AllowedNetworks => &self.allowed_networks,
            RestrictionKind::Scopes => &self.scopes,
            RestrictionKind::ExpiresAt => &self.expires_at,
            RestrictionKind::RateLimit => &self.requests,
        };
        text.trim().is_empty()
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
        let named = |wrong: &Wrong| {
            let label = label(&wrong.field);
            let field = match &wrong.entry {
                Some(entry) => format!("{label}, \u{201c}{entry}\u{201d}"),
                None => label.to_owned(),
            };
            Problem::new(field, wrong.message.clone())
        };
        self.wrong.iter().map(named).collect()
    }

    /// What is wrong with one field; empty when nothing is.
    pub(super) fn error(&self, field: &str) -> String {
        let here = self.wrong.iter().filter(|wrong| wrong.field == field);
        let texts = here.map(|wrong| match &wrong.entry {
            Some(entry) => format!("{entry}: {}", wrong.message),
            None => wrong.message.clone(),
        });
        texts.collect::<Vec<_>>().join("; ")
    }

    /// What is wrong with reporting one kind of restriction only.
    pub(super) fn report_error(&self, kind: &str) -> String {
        self.error(&format!("report-{kind}"))
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
        "report-allowed_origins" => "Only report origins",
        "report-allowed_networks" => "Only report networks",
        "report-scopes" => "Only report scopes",
        "report-expires_at" => "Only report the time",
        "report-rate_limit" => "Only report the rate limit",
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
        let form = form.refused(&refused.problems);
        assert_eq!(form.error("name"), "Must be given");
        assert!(form.error("allowed_origins").starts_with("https://a.example/path: "));
        assert_eq!(form.error("expires_at"), "Must be a time, such as 2027-01-31 12:00");
        assert_eq!(form.error("requests"), "Must be a whole number");
        assert_eq!(form.error("period_seconds"), "Must be given together with the other");
        assert_eq!(form.error("scopes"), "");
        let named: Vec<_> = form.problems().into_iter().map(|problem| problem.field).collect();
        assert!(named.contains(&"Allowed origins, \u{201c}https://a.example/path\u{201d}".to_owned()));
        assert!(named.contains(&"Rate limit, requests".to_owned()));
        assert!(named.contains(&"Expires at".to_owned()));
    }

    #[test]
    fn what_is_ticked_but_not_restricted_is_told_at_the_tick() {
        let form = typed("name=a&scopes=cart&report_only=scopes&report_only=expires_at");
        let form = form.refused(&[Problem::new("restrictions.report_only", "no")]);
        assert!(form.error("report-expires_at").starts_with("Fill in"));
        assert_eq!(form.error("report-scopes"), "");
        assert_eq!(form.problems()[0].field, "Only report the time");
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
