//! What a simulated event tells of: an invented entity, or a real one, with the properties that somebody gave instead.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::ambient::Entropy;
use crate::api_key::{ApiKey, ApiKeyStatus, SecretDigest};
use crate::client_token::{ClientToken, ClientTokenStatus, TokenText};
use crate::event::EventType;
use crate::id::{ApiKeyId, ClientTokenId};
use crate::permission::{Permission, PermissionSet};
use crate::time::Timestamp;
use crate::workspace::Workspace;

/// How long ago the demo's entities were made, where they weren't made just now.
const AGE: Duration = Duration::from_hours(30 * 24);
/// How long a demo's key lives.
const LIFE: Duration = Duration::from_hours(90 * 24);
/// How long before its end a key's expiry is announced. Contract, section 5.
const ANNOUNCED_BEFORE: Duration = Duration::from_hours(7 * 24);
/// How long ago the demo's key was last used.
const LAST_USE: Duration = Duration::from_hours(2);

/// What an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entity {
    /// A client token.
    ClientToken,
    /// An API key.
    ApiKey,
}

impl Entity {
    /// What an event of this type tells of; `None` for those that can't be simulated.
    pub fn of(event_type: EventType) -> Option<Self> {
        match event_type {
            EventType::ClientTokenCreated | EventType::ClientTokenUpdated | EventType::ClientTokenRevoked => {
                Some(Self::ClientToken)
            }
            EventType::ApiKeyCreated
            | EventType::ApiKeyUpdated
            | EventType::ApiKeyExpiring
            | EventType::ApiKeyExpired
            | EventType::ApiKeyRevoked => Some(Self::ApiKey),
            EventType::NotificationSettingCreated
            | EventType::NotificationSettingUpdated
            | EventType::NotificationSettingDeactivated
            | EventType::NotificationSettingDeleted
            | EventType::WorkspaceRenamed
            | EventType::MemberInvited
            | EventType::InvitationWithdrawn
            | EventType::MemberJoined
            | EventType::MemberRoleChanged
            | EventType::MemberRemoved
            | EventType::PasswordResetIssued
            | EventType::PasswordChanged
            | EventType::SignInLinkIssued
            | EventType::PasskeyAdded
            | EventType::PasskeyRemoved
            | EventType::SignedIn
            | EventType::SignedOut
            | EventType::SignedOutEverywhere => None,
        }
    }

    /// The names of its properties, in the contract's order.
    pub const fn properties(self) -> &'static [&'static str] {
        match self {
            Self::ClientToken => &[
                "id",
                "token",
                "name",
                "description",
                "status",
                "created_at",
                "updated_at",
                "revoked_at",
            ],
            Self::ApiKey => &[
                "id",
                "name",
                "description",
                "status",
                "key",
                "permissions",
                "expires_at",
                "last_used_at",
                "created_at",
                "updated_at",
                "rotatable",
            ],
        }
    }

    /// The entity as JSON text, in the contract's order: what `given` has, and `base` for the rest.
    pub fn merged(self, base: &Value, given: &Map<String, Value>) -> String {
        let properties: Vec<String> = self
            .properties()
            .iter()
            .map(|name| format!(r#""{name}":{}"#, given.get(*name).unwrap_or(&base[*name])))
            .collect();
        format!("{{{}}}", properties.join(","))
    }
}

/// An invented client token, as it would be after an event of this type at `now`.
pub fn demo_client_token(
    event_type: EventType,
    workspace: &Workspace,
    id: ClientTokenId,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> ClientToken {
    let revoked = event_type == EventType::ClientTokenRevoked;
    let created_at = if event_type == EventType::ClientTokenCreated {
        now
    } else {
        now.minus(AGE)
    };
    ClientToken {
        workspace: workspace.id,
        id,
        token: TokenText::generate(workspace.environment, entropy),
        name: "Pricing page".to_owned(),
        description: Some("Shows localized prices on the public pricing page.".to_owned()),
        status: if revoked {
            ClientTokenStatus::Revoked
        } else {
            ClientTokenStatus::Active
        },
        created_at,
        updated_at: now,
        revoked_at: revoked.then_some(now),
        restrictions: None,
        revoke_at: None,
        version: 1,
    }
}

/// An invented API key, as it would be after an event of this type at `now`. It has no secret.
pub fn demo_api_key(event_type: EventType, workspace: &Workspace, id: ApiKeyId, now: Timestamp) -> ApiKey {
    let (status, created_at, updated_at) = match event_type {
        EventType::ApiKeyCreated => (ApiKeyStatus::Active, now, now),
        // Announcing is no change.
        EventType::ApiKeyExpiring => {
            let created_at = now.plus(ANNOUNCED_BEFORE).minus(LIFE);
            (ApiKeyStatus::Active, created_at, created_at)
        }
        EventType::ApiKeyExpired => (ApiKeyStatus::Expired, now.minus(LIFE), now),
        EventType::ApiKeyRevoked => (ApiKeyStatus::Revoked, now.minus(AGE), now),
        _ => (ApiKeyStatus::Active, now.minus(AGE), now),
    };
    let granted = [
        Permission::CLIENT_TOKEN_READ,
        Permission::CLIENT_TOKEN_WRITE,
        Permission::NOTIFICATION_READ,
    ];
    ApiKey {
        workspace: workspace.id,
        environment: workspace.environment,
        id,
        name: "Storefront backend".to_owned(),
        description: Some("Issues client tokens for the storefront.".to_owned()),
        digest: SecretDigest([0; 32]),
        status,
        permissions: granted.into_iter().collect::<PermissionSet>(),
        expires_at: Some(created_at.plus(LIFE)),
        expiring_announced_at: None,
        last_used_at: (event_type != EventType::ApiKeyCreated).then(|| now.minus(LAST_USE)),
        created_at,
        updated_at,
        version: 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::environment::Environment;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-03-09T16:40:51.907412Z").unwrap()
    }

    fn workspace() -> Workspace {
        Workspace {
            id: crate::id::Id::from_tail("01khxpvseb2c6yh7kamebc4fdp").unwrap(),
            name: "Shop".to_owned(),
            environment: Environment::Sandbox,
            created_at: now(),
        }
    }

    /// The demo of a type as JSON text, by its snapshot.
    fn demo(event_type: EventType) -> String {
        let tail = "01kjpx8smtt7yvcqtc63b3kq74";
        match Entity::of(event_type).unwrap() {
            Entity::ClientToken => {
                let id = ClientTokenId::from_tail(tail).unwrap();
                serde_json::to_string(&demo_client_token(event_type, &workspace(), id, now(), &Fixed).snapshot())
            }
            Entity::ApiKey => {
                let id = ApiKeyId::from_tail(tail).unwrap();
                serde_json::to_string(&demo_api_key(event_type, &workspace(), id, now()).snapshot())
            }
        }
        .unwrap()
    }

    #[test]
    fn nothing_given_is_the_entity_itself_byte_for_byte() {
        for event_type in crate::simulation::TYPES {
            let entity = Entity::of(event_type).unwrap();
            let demo = demo(event_type);
            let base: Value = serde_json::from_str(&demo).unwrap();
            assert_eq!(entity.merged(&base, &Map::new()), demo, "{}", event_type.name());
        }
    }

    #[test]
    fn what_is_given_stands_in_its_place_and_the_rest_stays() {
        let demo: Value = serde_json::from_str(&demo(EventType::ClientTokenRevoked)).unwrap();
        let given = json!({ "revoked_at": null, "name": "a \"name\"" });
        let merged = Entity::ClientToken.merged(&demo, given.as_object().unwrap());
        let mut expected = demo;
        expected["revoked_at"] = Value::Null;
        expected["name"] = "a \"name\"".into();
        assert_eq!(serde_json::from_str::<Value>(&merged).unwrap(), expected);
        assert!(merged.ends_with(r#""revoked_at":null}"#), "{merged}");
    }

    #[test]
    fn each_demo_is_as_the_event_leaves_it() {
        let now = now().to_string();
        let after = |event_type| -> Value { serde_json::from_str(&demo(event_type)).unwrap() };
        let created = after(EventType::ClientTokenCreated);
        assert_eq!(
            (&created["created_at"], &created["updated_at"]),
            (&json!(now), &json!(now))
        );
        let revoked = after(EventType::ClientTokenRevoked);
        assert_eq!(
            (&revoked["status"], &revoked["revoked_at"]),
            (&json!("revoked"), &json!(now))
        );
        let expired = after(EventType::ApiKeyExpired);
        assert_eq!(
            (&expired["status"], &expired["expires_at"]),
            (&json!("expired"), &json!(now))
        );
        let expiring = after(EventType::ApiKeyExpiring);
        assert_eq!(expiring["expires_at"], "2026-03-16T16:40:51.907412Z");
        assert_eq!(after(EventType::ApiKeyCreated)["last_used_at"], Value::Null);
        assert_eq!(after(EventType::ApiKeyRevoked)["key"], "pdl_sdbx_apikey_01kjpx8smt****");
    }
}
