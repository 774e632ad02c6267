//! What the audit trail is asked for, and how a search that looks at one row after the other ends.

use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::id::{EventId, Id, Kind};
use tollgate_domain::time::Timestamp;

/// A page of a workspace's events of all types, newest first.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Strictly before this event; the newest first when absent. It need not exist.
    pub after: Option<EventId>,
    /// At most this many events; 1 or more.
    pub limit: usize,
    /// Only of these types; of all when empty.
    pub types: Vec<EventType>,
    /// Only what this one caused.
    pub actor: Option<Actor>,
    /// Only what happened to the entity with this id.
    pub subject: Option<String>,
    /// Only from this millisecond on. An event is as old as its id.
    pub from: Option<Timestamp>,
    /// Only up to this millisecond, itself included.
    pub to: Option<Timestamp>,
}

impl AuditPage {
    /// Everything, from the newest on.
    pub const fn newest(limit: usize) -> Self {
        Self {
            after: None,
            limit,
            types: Vec::new(),
            actor: None,
            subject: None,
            from: None,
            to: None,
        }
    }
}

/// What a search found that stops when it has looked at as many rows as it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Searched<K: Kind, T> {
    /// In the order asked for.
    pub items: Vec<T>,
    /// Where to go on: strictly behind this id. `None` when nothing is left to look at.
    pub next: Option<Id<K>>,
    /// Whether the search ended because it had looked at as many rows as it may: what lies behind them isn't known.
    pub cut_short: bool,
}

impl<K: Kind, T> Searched<K, T> {
    /// From one item more than the page may hold, if there is one more.
    pub fn from_one_more(mut items: Vec<T>, limit: usize, id: impl Fn(&T) -> Id<K>) -> Self {
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(id);
        Self {
            items,
            next,
            cut_short: false,
        }
    }

    /// From what was found up to the last row that might be looked at, which is this one.
    pub const fn cut_short(items: Vec<T>, last: Id<K>) -> Self {
        Self {
            items,
            next: Some(last),
            cut_short: true,
        }
    }
}
