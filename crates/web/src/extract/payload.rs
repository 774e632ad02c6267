//! The payload of a simulation: properties of the entity that its event tells of, in the contract's own types.

use serde_json::{Map, Value};
use tollgate_domain::api_key::ApiKeyStatus;
use tollgate_domain::client_token::ClientTokenStatus;
use tollgate_domain::event::EventType;
use tollgate_domain::id::{ApiKeyId, ClientTokenId};
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation_payload::Entity;
use tollgate_domain::text;

use crate::error::ApiError;
use crate::extract::body::{Field, FieldKind, Shape};

/// The property of a body that holds it.
pub(crate) const PAYLOAD: Field = Field {
    name: "payload",
    description: "Properties of the entity instead of the demo's; null for the demo alone. The `id` of an entity of the \
                  workspace has its values sent instead of the demo's.",
    kind: FieldKind::Object(&[&CLIENT_TOKEN, &API_KEY]),
    required: false,
    nullable: true,
};

const fn property(name: &'static str, kind: FieldKind) -> Field {
    Field {
        name,
        description: "As in the entity.",
        kind,
        required: false,
        nullable: false,
    }
}

const fn nullable(name: &'static str, kind: FieldKind) -> Field {
    Field {
        nullable: true,
        ..property(name, kind)
    }
}

const CLIENT_TOKEN: Shape = Shape {
    name: "SimulatedClientToken",
    fields: &[
        property(
            "id",
            FieldKind::Pattern {
                pattern: r"^ctkn_[a-z\d]{26}$",
                matches: |text| ClientTokenId::parse(text).is_ok(),
            },
        ),
        property(
            "token",
            FieldKind::Pattern {
                pattern: "^(test|live)_[a-zA-Z0-9]{27}$",
                matches: is_token,
            },
        ),
        property("name", FieldKind::Text(text::NAME)),
        nullable("description", FieldKind::Text(text::CLIENT_TOKEN_DESCRIPTION)),
        property(
            "status",
            FieldKind::Choice(&[ClientTokenStatus::Active.name(), ClientTokenStatus::Revoked.name()]),
        ),
        property("created_at", FieldKind::Time),
        property("updated_at", FieldKind::Time),
        nullable("revoked_at", FieldKind::Time),
    ],
    at_least: 0,
};

const API_KEY: Shape = Shape {
    name: "SimulatedApiKey",
    fields: &[
        property(
            "id",
            FieldKind::Pattern {
                pattern: r"^apikey_[a-z\d]{26}$",
                matches: |text| ApiKeyId::parse(text).is_ok(),
            },
        ),
        property("name", FieldKind::Text(text::NAME)),
        nullable("description", FieldKind::Text(text::API_KEY_DESCRIPTION)),
        property(
            "status",
            FieldKind::Choice(&[
                ApiKeyStatus::Active.name(),
                ApiKeyStatus::Expired.name(),
                ApiKeyStatus::Revoked.name(),
            ]),
        ),
        property(
            "key",
            FieldKind::Pattern {
                pattern: r"^[a-z\d_]*\*{4}$",
                matches: is_redacted_key,
            },
        ),
        nullable("permissions", FieldKind::Names(permissions)),
        nullable("expires_at", FieldKind::Time),
        nullable("last_used_at", FieldKind::Time),
        property("created_at", FieldKind::Time),
        property("updated_at", FieldKind::Time),
        property("rotatable", FieldKind::Flag),
    ],
    at_least: 0,
};

/// Holds a payload against the entity that an event of this type tells of.
pub(crate) fn check(event_type: EventType, payload: &Map<String, Value>) -> Result<(), ApiError> {
    let shape = match Entity::of(event_type) {
        Some(Entity::ApiKey) => &API_KEY,
        Some(Entity::ClientToken) | None => &CLIENT_TOKEN,
    };
    shape.check_at(PAYLOAD.name, payload)
}

/// Also one that was never ours: its checksum isn't looked at.
fn is_token(text: &str) -> bool {
    let rest = text.strip_prefix("test_").or_else(|| text.strip_prefix("live_"));
    rest.is_some_and(|rest| rest.len() == 27 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_redacted_key(text: &str) -> bool {
    let shown = text.strip_suffix("****");
    shown.is_some_and(|shown| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        shown.len() <= 100 && shown.bytes().all(plain)
    })
}

fn permissions() -> Vec<String> {
    Permission::all()
        .map(|permission| permission.name().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_has_the_entitys_properties_in_their_order() {
        for (entity, shape) in [(Entity::ClientToken, &CLIENT_TOKEN), (Entity::ApiKey, &API_KEY)] {
            let names: Vec<&str> = shape.fields.iter().map(|field| field.name).collect();
            assert_eq!(names, entity.properties());
        }
    }
}
