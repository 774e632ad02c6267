//! Notification settings: which event types go to which destination.

use crate::event::EventType;
use crate::id::{NotificationSettingId, WorkspaceId};
use crate::signature::EndpointSecret;
use crate::text::TextRule;
use crate::time::Timestamp;

/// The description of a notification setting.
pub const DESCRIPTION: TextRule = TextRule {
    min: 1,
    max: 500,
    multi_line: true,
};
/// A destination: a URL or an email address.
pub const DESTINATION: TextRule = TextRule {
    min: 1,
    max: 2_048,
    multi_line: false,
};
/// How many settings of a workspace may be active at once. Contract, section 9.
pub const MOST_ACTIVE: usize = 10;

/// What kind of destination it is. Never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DestinationType {
    /// Signed requests to a URL.
    Url,
    /// Mail to an address.
    Email,
}

impl DestinationType {
    /// Both, as the contract orders them.
    pub const ALL: [Self; 2] = [Self::Email, Self::Url];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Email => "email",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Which events a destination gets: real ones, simulated ones, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrafficSource {
    /// Real events only.
    Platform,
    /// Simulated events only.
    Simulation,
    /// Both.
    All,
}

impl TrafficSource {
    /// All three, as the contract orders them.
    pub const ALL: [Self; 3] = [Self::Platform, Self::Simulation, Self::All];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Simulation => "simulation",
            Self::All => "all",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Whether real events go there.
    pub const fn takes_real(self) -> bool {
        matches!(self, Self::Platform | Self::All)
    }

    /// Whether simulated events go there.
    pub const fn takes_simulated(self) -> bool {
        matches!(self, Self::Simulation | Self::All)
    }
}

/// A notification setting as the store keeps it.
#[derive(Clone, Debug)]
pub struct NotificationSetting {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// `ntfset_…`
    pub id: NotificationSettingId,
    /// Within [`DESCRIPTION`].
    pub description: String,
    /// What kind of destination.
    pub destination_type: DestinationType,
    /// A URL or an address, by the type.
    pub destination: String,
    /// Whether anything is sent there.
    pub active: bool,
    /// The version of the contract that payloads follow.
    pub api_version: u32,
    /// Kept and shown; no payload of ours has such fields.
    pub include_sensitive_fields: bool,
    /// Real events, simulated ones, or both.
    pub traffic_source: TrafficSource,
    /// The names subscribed to, in the order given; any that the contract knows.
    pub subscribed_events: Vec<String>,
    /// What deliveries are signed with.
    pub secret: EndpointSecret,
    /// During a rotation, the secret before, and until when it is still tried.
    pub previous_secret: Option<(EndpointSecret, Timestamp)>,
    /// Since when every attempt has failed; `None` after a success, and before the first attempt.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last changed it.
    pub updated_at: Timestamp,
    /// Counts the changes: 1 when made. A write names the version it saw, and doesn't happen if another came first.
    pub version: i64,
}

impl NotificationSetting {
    /// Whether a real event of this type goes there.
    pub fn wants(&self, event_type: EventType) -> bool {
        self.active
            && self.traffic_source.takes_real()
            && self.subscribed_events.iter().any(|name| name == event_type.name())
    }

    /// Whether the two would send the same to the same place. The contract's question Q7.
    pub fn duplicates(&self, other: &Self) -> bool {
        let sorted = |setting: &Self| {
            let mut names = setting.subscribed_events.clone();
            names.sort_unstable();
            names
        };
        self.destination_type == other.destination_type
            && self.destination == other.destination
            && self.traffic_source == other.traffic_source
            && self.api_version == other.api_version
            && self.include_sensitive_fields == other.include_sensitive_fields
            && sorted(self) == sorted(other)
    }
}
