//! A token as the API shows it, and as people read it.

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Map, Value};
use tollgate_domain::restriction::RestrictionKind;

use crate::commands::api_client::Raw;

/// What Tollgate alone shows is absent in another server's answer; then nobody knows.
#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(skip)]
    is_of_tollgate: bool,
    pub(super) id: String,
    pub(super) token: String,
    pub(super) name: String,
    description: Option<String>,
    status: String,
    created_at: String,
    updated_at: String,
    pub(super) revoked_at: Option<String>,
    restrictions: Option<Map<String, Value>>,
    pub(super) revoke_at: Option<String>,
    pub(super) last_used_at: Option<String>,
}

pub(super) fn read(raw: &Raw) -> anyhow::Result<Shown> {
    let answer: Value = serde_json::from_str(raw.get())?;
    let is_of_tollgate = answer.get("last_used_at").is_some();
    let token: Shown = serde_json::from_value(answer).context("the server's answer isn't a client token")?;
    Ok(Shown {
        is_of_tollgate,
        ..token
    })
}

/// What a [`row`](Shown::row) tells.
pub(super) const COLUMNS: [&str; 8] = [
    "ID",
    "TOKEN",
    "STATUS",
    "CREATED",
    "LAST USED",
    "REVOKE AT",
    "RESTRICTED",
    "NAME",
];

const NONE: &str = "-";

impl Shown {
    pub(super) fn row(&self) -> [String; 8] {
        let kinds: Vec<&str> = self.restricted().map(|(kind, _)| kind.name()).collect();
        let restricted = if kinds.is_empty() {
            NONE.to_owned()
        } else {
            kinds.join(",")
        };
        [
            self.id.clone(),
            self.token.clone(),
            self.status.clone(),
            self.created_at.clone(),
            if self.is_of_tollgate {
                or_none(self.last_used_at.as_deref())
            } else {
                "?".to_owned()
            },
            or_none(self.revoke_at.as_deref()),
            restricted,
            self.name.clone(),
        ]
    }

    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("id", self.id.clone()),
            ("token", self.token.clone()),
            ("name", self.name.clone()),
            ("description", or_none(self.description.as_deref())),
            ("status", self.status.clone()),
            ("created_at", self.created_at.clone()),
            ("updated_at", self.updated_at.clone()),
            ("revoked_at", or_none(self.revoked_at.as_deref())),
        ];
        if self.is_of_tollgate {
            facts.push(("revoke_at", or_none(self.revoke_at.as_deref())));
            facts.push(("last_used_at", or_none(self.last_used_at.as_deref())));
        }
        let restricted = self.restricted();
        facts.extend(restricted.map(|(kind, value)| (kind.name(), self.told(kind, value))));
        facts
    }

    /// What the token is narrowed to.
    fn restricted(&self) -> impl Iterator<Item = (RestrictionKind, &Value)> {
        let value_of = |kind: RestrictionKind| Some((kind, self.restrictions.as_ref()?.get(kind.name())?));
        RestrictionKind::ALL
            .into_iter()
            .filter_map(value_of)
            .filter(|(_, value)| !value.is_null())
    }

    fn told(&self, kind: RestrictionKind, value: &Value) -> String {
        let value = match value {
            Value::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                items.join(", ")
            }
            Value::Object(limit) => {
                let number = |name| limit.get(name).and_then(Value::as_u64).unwrap_or_default();
                format!("{}/{}s", number("requests"), number("period_seconds"))
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if self.is_only_reported(kind) {
            format!("{value} (only reported)")
        } else {
            value
        }
    }

    fn is_only_reported(&self, kind: RestrictionKind) -> bool {
        let kinds = self
            .restrictions
            .as_ref()
            .and_then(|restrictions| restrictions.get("report_only"));
        let mut kinds = kinds.and_then(Value::as_array).into_iter().flatten();
        kinds.any(|name| name == kind.name())
    }
}

fn or_none(text: Option<&str>) -> String {
    text.unwrap_or(NONE).to_owned()
}
