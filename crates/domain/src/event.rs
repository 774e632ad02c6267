//! Events: immutable facts, written in the same commit as the change they tell of.

use std::fmt;
use std::net::IpAddr;

use crate::id::{ApiKeyId, EventId, UserId, WorkspaceId};
use crate::time::Timestamp;

/// The event types that Tollgate emits; [`catalogue`] has every name that the contract knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// A client token was made.
    ClientTokenCreated,
    /// A client token changed, revocation included.
    ClientTokenUpdated,
    /// A client token was revoked.
    ClientTokenRevoked,
    /// An API key was made.
    ApiKeyCreated,
    /// An API key's name, description or permissions changed.
    ApiKeyUpdated,
    /// An API key has seven days left, or fewer.
    ApiKeyExpiring,
    /// An API key's time is over.
    ApiKeyExpired,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// For the audit trail only: a notification setting was made.
    NotificationSettingCreated,
    /// For the audit trail only: a notification setting changed.
    NotificationSettingUpdated,
    /// For the audit trail only: a notification setting had failed for too long and was switched off.
    NotificationSettingDeactivated,
    /// For the audit trail only: a notification setting was deleted.
    NotificationSettingDeleted,
    /// For the audit trail only: the workspace has another name.
    WorkspaceRenamed,
    /// For the audit trail only: somebody was invited to the workspace.
    MemberInvited,
    /// For the audit trail only: an invitation was taken back.
    InvitationWithdrawn,
    /// For the audit trail only: somebody took an invitation.
    MemberJoined,
    /// For the audit trail only: a member has another role.
    MemberRoleChanged,
    /// For the audit trail only: somebody is no member any more.
    MemberRemoved,
    /// For the audit trail only: a link was made that lets a member choose a new password.
    PasswordResetIssued,
    /// For the audit trail only: a member has another password.
    PasswordChanged,
    /// For the audit trail only: a link was made that signs a member in.
    SignInLinkIssued,
    /// For the audit trail only: a member has another passkey.
    PasskeyAdded,
    /// For the audit trail only: a member has a passkey less.
    PasskeyRemoved,
    /// For the audit trail only: a member signed in.
    SignedIn,
    /// For the audit trail only: a member signed out.
    SignedOut,
    /// For the audit trail only: all sessions of a member were ended.
    SignedOutEverywhere,
}

impl EventType {
    /// All that the contract knows: listed, and told to receivers.
    pub const ALL: [Self; 8] = [
        Self::ClientTokenCreated,
        Self::ClientTokenUpdated,
        Self::ClientTokenRevoked,
        Self::ApiKeyCreated,
        Self::ApiKeyUpdated,
        Self::ApiKeyExpiring,
        Self::ApiKeyExpired,
        Self::ApiKeyRevoked,
    ];

    /// Ours: for the audit trail only, neither listed nor told to receivers.
    pub const AUDIT_ONLY: [Self; 18] = [
        Self::NotificationSettingCreated,
        Self::NotificationSettingUpdated,
        Self::NotificationSettingDeactivated,
        Self::NotificationSettingDeleted,
        Self::WorkspaceRenamed,
        Self::MemberInvited,
        Self::InvitationWithdrawn,
        Self::MemberJoined,
        Self::MemberRoleChanged,
        Self::MemberRemoved,
        Self::PasswordResetIssued,
        Self::PasswordChanged,
        Self::SignInLinkIssued,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::SignedIn,
        Self::SignedOut,
        Self::SignedOutEverywhere,
    ];

    /// What happens to client tokens.
    pub const CLIENT_TOKEN: [Self; 3] = [
        Self::ClientTokenCreated,
        Self::ClientTokenUpdated,
        Self::ClientTokenRevoked,
    ];

    /// What happens to API keys.
    pub const API_KEY: [Self; 5] = [
        Self::ApiKeyCreated,
        Self::ApiKeyUpdated,
        Self::ApiKeyExpiring,
        Self::ApiKeyExpired,
        Self::ApiKeyRevoked,
    ];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientTokenCreated => "client_token.created",
            Self::ClientTokenUpdated => "client_token.updated",
            Self::ClientTokenRevoked => "client_token.revoked",
            Self::ApiKeyCreated => "api_key.created",
            Self::ApiKeyUpdated => "api_key.updated",
            Self::ApiKeyExpiring => "api_key.expiring",
            Self::ApiKeyExpired => "api_key.expired",
            Self::ApiKeyRevoked => "api_key.revoked",
            Self::NotificationSettingCreated => "notification_setting.created",
            Self::NotificationSettingUpdated => "notification_setting.updated",
            Self::NotificationSettingDeactivated => "notification_setting.deactivated",
            Self::NotificationSettingDeleted => "notification_setting.deleted",
            Self::WorkspaceRenamed => "workspace.renamed",
            Self::MemberInvited => "member.invited",
            Self::InvitationWithdrawn => "member.invitation_withdrawn",
            Self::MemberJoined => "member.joined",
            Self::MemberRoleChanged => "member.role_changed",
            Self::MemberRemoved => "member.removed",
            Self::PasswordResetIssued => "user.password_reset_issued",
            Self::PasswordChanged => "user.password_changed",
            Self::SignInLinkIssued => "user.sign_in_link_issued",
            Self::PasskeyAdded => "user.passkey_added",
            Self::PasskeyRemoved => "user.passkey_removed",
            Self::SignedIn => "user.signed_in",
            Self::SignedOut => "user.signed_out",
            Self::SignedOutEverywhere => "user.signed_out_everywhere",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain(Self::AUDIT_ONLY)
            .find(|event_type| event_type.name() == name)
    }

    /// Whether the contract knows it: whether it is listed and told to receivers.
    pub fn is_public(self) -> bool {
        !Self::AUDIT_ONLY.contains(&self)
    }
}

/// Who caused an event. For the audit trail; never in the public payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A request with this API key.
    ApiKey(ApiKeyId),
    /// A person who signed in, or who used a link that was made for them.
    Person(UserId),
    /// A person at the command line of the machine.
    CommandLine,
    /// Time itself: an expiry.
    Clock,
}

impl Actor {
    /// The kind, as the store names it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::Person(_) => "person",
            Self::CommandLine => "command_line",
            Self::Clock => "clock",
        }
    }

    /// Which one of its kind, where the kind has several.
    pub fn id(self) -> Option<String> {
        match self {
            Self::ApiKey(id) => Some(id.to_string()),
            Self::Person(id) => Some(id.to_string()),
            Self::CommandLine | Self::Clock => None,
        }
    }

    /// From what [`kind`](Self::kind) and [`id`](Self::id) gave.
    pub fn from_parts(kind: &str, id: Option<&str>) -> Option<Self> {
        match (kind, id) {
            ("api_key", Some(id)) => ApiKeyId::parse(id).ok().map(Self::ApiKey),
            ("person", Some(id)) => UserId::parse(id).ok().map(Self::Person),
            ("command_line", None) => Some(Self::CommandLine),
            ("clock", None) => Some(Self::Clock),
            _ => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(id) => write!(f, "{id}"),
            Self::Person(id) => write!(f, "{id}"),
            other => f.write_str(other.kind()),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The tenant it happened in.
    pub workspace: WorkspaceId,
    /// `evt_…`
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// When.
    pub occurred_at: Timestamp,
    /// The id of the entity it happened to.
    pub subject: String,
    /// The whole entity as it was just after, as JSON text: exactly the bytes that the wire shows.
    pub data: String,
    /// Who caused it.
    pub actor: Actor,
    /// From where, as far as it is known. For the audit trail, as the actor.
    pub address: Option<IpAddr>,
}

/// An event type as `GET /event-types` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTypeDescription {
    /// `client_token.created`
    pub name: String,
    /// `Occurs when a client token is created.`
    pub description: String,
    /// `Client Token`
    pub group: String,
}

/// Every event type that the contract knows, in the order of its list: entity, then what can happen to it.
#[rustfmt::skip]
const KNOWN: [(&str, &[&str]); 18] = [
    ("address", &["created", "imported", "updated"]),
    ("adjustment", &["created", "updated"]),
    ("api_key", &["created", "expired", "expiring", "revoked", "updated"]),
    ("api_key_exposure", &["created"]),
    ("api_key_rotation", &["created", "updated"]),
    ("business", &["created", "imported", "updated"]),
    ("client_token", &["created", "revoked", "updated"]),
    ("customer", &["created", "imported", "updated"]),
    ("discount", &["created", "imported", "updated"]),
    ("discount_group", &["created", "updated"]),
    ("invoice", &["canceled", "created", "issued", "overdue", "paid", "scheduled"]),
    ("payment_method", &["saved", "deleted"]),
    ("payout", &["created", "paid"]),
    ("price", &["created", "imported", "updated"]),
    ("product", &["created", "imported", "updated"]),
    ("report", &["created", "updated"]),
    ("subscription", &["activated", "canceled", "created", "imported", "past_due", "paused", "resumed", "trialing", "updated"]),
    ("transaction", &["billed", "canceled", "completed", "created", "paid", "past_due", "payment_failed", "ready", "revised", "updated"]),
];

/// Every event type that the contract knows. Names are the contract's; descriptions follow one rule, which gives the
/// contract's own words for client tokens and API keys.
pub fn catalogue() -> Vec<EventTypeDescription> {
    KNOWN
        .iter()
        .flat_map(|(entity, verbs)| verbs.iter().map(|verb| describe(entity, verb)))
        .collect()
}

fn describe(entity: &str, verb: &str) -> EventTypeDescription {
    let name = format!("{entity}.{verb}");
    let words: Vec<&str> = entity
        .split('_')
        .map(|word| if word == "api" { "API" } else { word })
        .collect();
    let article = if entity.starts_with(['a', 'i']) { "an" } else { "a" };
    let happens = match verb {
        "expired" => "has expired".to_owned(),
        "past_due" => "becomes past due".to_owned(),
        "payment_failed" => "could not be paid".to_owned(),
        verb => format!("is {verb}"),
    };
    let group: Vec<String> = words.iter().map(|word| capitalized(word)).collect();
    EventTypeDescription {
        name,
        description: format!("Occurs when {article} {} {happens}.", words.join(" ")),
        group: group.join(" "),
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emitted_type_is_in_the_catalogue() {
        let known = catalogue();
        for event_type in EventType::ALL {
            assert!(
                known.iter().any(|described| described.name == event_type.name()),
                "{}",
                event_type.name()
            );
            assert_eq!(EventType::from_name(event_type.name()), Some(event_type));
        }
    }

    #[test]
    fn descriptions_are_the_contracts() {
        let described = |name: &str| {
            catalogue()
                .into_iter()
                .find(|described| described.name == name)
                .unwrap()
        };
        for (name, description, group) in [
            (
                "client_token.created",
                "Occurs when a client token is created.",
                "Client Token",
            ),
            (
                "client_token.updated",
                "Occurs when a client token is updated.",
                "Client Token",
            ),
            (
                "client_token.revoked",
                "Occurs when a client token is revoked.",
                "Client Token",
            ),
            ("api_key.created", "Occurs when an API key is created.", "API Key"),
            ("api_key.updated", "Occurs when an API key is updated.", "API Key"),
            ("api_key.expiring", "Occurs when an API key is expiring.", "API Key"),
            ("api_key.expired", "Occurs when an API key has expired.", "API Key"),
            ("api_key.revoked", "Occurs when an API key is revoked.", "API Key"),
            (
                "discount_group.created",
                "Occurs when a discount group is created.",
                "Discount Group",
            ),
        ] {
            let found = described(name);
            assert_eq!(
                (found.description.as_str(), found.group.as_str()),
                (description, group),
                "{name}"
            );
        }
    }

    #[test]
    fn an_actor_reads_back_from_its_parts() {
        let key = ApiKeyId::parse("apikey_01khqw72q437v2n2wtbrraawbn").unwrap();
        let person = UserId::parse("usr_01khqw72q437v2n2wtbrraawbn").unwrap();
        for actor in [
            Actor::ApiKey(key),
            Actor::Person(person),
            Actor::CommandLine,
            Actor::Clock,
        ] {
            assert_eq!(Actor::from_parts(actor.kind(), actor.id().as_deref()), Some(actor));
        }
        assert_eq!(Actor::from_parts("api_key", None), None);
        assert_eq!(
            Actor::from_parts("person", Some("apikey_01khqw72q437v2n2wtbrraawbn")),
            None
        );
    }
}
