//! What happened to one thing, and who did it: the last part of its page.

use tollgate_domain::id::EventId;
use tollgate_service::{AuditEntry, HistoryOf};

use super::audit::words::{Doer, happened};
use super::failure::Failure;
use super::moment::Moment;
use super::session::Visit;
use crate::App;

const PER_PAGE: usize = 10;

/// A page of it, the newest first.
pub(super) struct History {
    pub(super) entries: Vec<Entry>,
    /// Where older ones begin.
    pub(super) next: Option<EventId>,
    pub(super) is_first: bool,
}

pub(super) struct Entry {
    pub(super) at: Moment,
    pub(super) happened: String,
    pub(super) doer: Doer,
    /// Empty where it isn't known, or not for this role.
    pub(super) address: String,
}

impl History {
    /// From `before` on, as an address has it: an event's id, or nothing.
    pub(super) async fn of(app: &App, visit: &Visit, of: HistoryOf, before: &str) -> Result<Self, Failure> {
        let after = EventId::parse(before).ok();
        let trail = app.service.history(&visit.caller, of, after, PER_PAGE).await?;
        let entry = |AuditEntry { event, actor_name }| Entry {
            at: Moment(event.occurred_at),
            happened: happened(event.event_type),
            doer: Doer::of(event.actor, actor_name),
            address: event.address.map_or(String::new(), |address| address.to_string()),
        };
        Ok(Self {
            entries: trail.entries.into_iter().map(entry).collect(),
            next: trail.next,
            is_first: after.is_none(),
        })
    }
}
