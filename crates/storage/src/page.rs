//! Pages: keyset, never offset, so that the last page costs what the first does.

use tollgate_domain::api_key::ApiKeyStatus;
use tollgate_domain::client_token::ClientTokenStatus;
use tollgate_domain::event::EventType;
use tollgate_domain::id::{
    ApiKeyKind, ClientTokenKind, EventKind, Id, Kind, NotificationKind, NotificationSettingId, NotificationSettingKind,
    SimulationKind,
};
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::notification_setting::TrafficSource;
use tollgate_domain::simulation::SimulationStatus;
use tollgate_domain::time::Timestamp;

/// Which way a page runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// Where a page starts, which way it runs and how long it is.
#[derive(Clone, Copy, Debug)]
pub struct Page<K: Kind> {
    /// Strictly after this id, in the order asked for; from the beginning when absent.
    pub after: Option<Id<K>>,
    /// By id.
    pub order: Order,
    /// At most this many items; 1 or more.
    pub limit: usize,
    /// Whether the total is wanted.
    pub count: bool,
}

/// A page of client tokens.
#[derive(Clone, Debug)]
pub struct ClientTokenPage {
    /// Where, which way, how long.
    pub page: Page<ClientTokenKind>,
    /// Only these; all when empty.
    pub statuses: Vec<ClientTokenStatus>,
}

/// A page of API keys.
#[derive(Clone, Copy, Debug)]
pub struct ApiKeyPage {
    /// Where, which way, how long.
    pub page: Page<ApiKeyKind>,
    /// Only these, as the store has them; all when absent.
    pub status: Option<ApiKeyStatus>,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// Where, which way, how long.
    pub page: Page<EventKind>,
    /// Only these; all public ones when `None`. `Some` of nothing gives nothing.
    pub types: Option<Vec<EventType>>,
}

/// A page of notification settings.
#[derive(Clone, Debug)]
pub struct NotificationSettingPage {
    /// Where, which way, how long.
    pub page: Page<NotificationSettingKind>,
    /// Only active ones, or only others; both when absent.
    pub active: Option<bool>,
    /// Only with this source; all when absent.
    pub traffic_source: Option<TrafficSource>,
}

/// A page of notifications.
#[derive(Clone, Debug)]
pub struct NotificationPage {
    /// Where, which way, how long.
    pub page: Page<NotificationKind>,
    /// Only of these settings; all when empty.
    pub settings: Vec<NotificationSettingId>,
    /// Only with one of these; all when empty.
    pub statuses: Vec<NotificationStatus>,
    /// Only those whose id or event type contains this, letter for letter.
    pub search: Option<String>,
    /// Only of entities with this id.
    pub subject: Option<String>,
    /// Only of events from this moment on.
    pub from: Option<Timestamp>,
    /// Only of events up to this moment, itself included.
    pub to: Option<Timestamp>,
}

/// A page of simulations.
#[derive(Clone, Debug)]
pub struct SimulationPage {
    /// Where, which way, how long.
    pub page: Page<SimulationKind>,
    /// Only to these settings; all when empty.
    pub settings: Vec<NotificationSettingId>,
    /// Only with one of these ids; all when empty.
    pub ids: Vec<Id<SimulationKind>>,
    /// Only with one of these; all when empty.
    pub statuses: Vec<SimulationStatus>,
}

/// A page of what is only filtered by its ids: simulation runs, simulation events.
#[derive(Clone, Debug)]
pub struct IdPage<K: Kind> {
    /// Where, which way, how long.
    pub page: Page<K>,
    /// Only with one of these ids; all when empty.
    pub ids: Vec<Id<K>>,
}

/// Totals are exact up to here; one more stands for "more than that". The contract's number.
pub const TOTAL_CAP: u64 = 100_000;

/// What a page holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T> {
    /// In the order asked for.
    pub items: Vec<T>,
    /// Whether more follow.
    pub has_more: bool,
    /// How many the filter lets through altogether, whatever the cursor: from counters kept in the same commit as the
    /// rows, so no row is counted. `None` when it wasn't asked for, or when no counter tells of the filter.
    pub total: Option<u64>,
}

impl<T> Slice<T> {
    /// From one item more than the page may hold, if there is one more.
    pub fn from_one_more(mut items: Vec<T>, limit: usize, total: Option<u64>) -> Self {
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more, total }
    }
}
