//! Events: what happened in a workspace.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tollgate_domain::event::Event;
use tollgate_domain::id::EventId;
use tollgate_domain::permission::Permission;
use tollgate_storage::{EventPage, Slice, StorageError};

use crate::{Caller, Denied, Service};

/// Why events weren't listed.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What happened after a place in the sequence.
#[derive(Clone, Debug)]
pub struct Followed {
    /// With their places, in order.
    pub events: Vec<(u64, Event)>,
    /// Where to go on: everything of this workspace up to here has been given.
    pub sequence: u64,
}

impl Service {
    /// A page of the caller's events.
    pub async fn events(&self, caller: &Caller, page: &EventPage) -> Result<Slice<Event>, EventError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        Ok(self.storage.events(caller.workspace_id(), page).await?)
    }

    /// One of the caller's events, unless it is for the audit trail only.
    pub async fn public_event(&self, caller: &Caller, id: EventId) -> Result<Option<Event>, EventError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        let found = self.storage.event(caller.workspace_id(), id).await?;
        Ok(found.filter(|event| event.event_type.is_public()))
    }

    /// What happened in the caller's workspace after place `after`, at most `limit` events; waits up to `wait` for the
    /// first. Without a place, tells the present one.
    pub async fn follow_events(
        &self,
        caller: &Caller,
        after: Option<u64>,
        limit: usize,
        wait: Duration,
    ) -> Result<Followed, EventError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        let Some(after) = after else {
            return Ok(Followed {
                events: Vec::new(),
                sequence: self.storage.sequence().await?,
            });
        };
        let deadline = Instant::now() + wait;
        let mut pulse = self.storage.pulse();
        loop {
            let upto = pulse.borrow_and_update().sequence;
            let events = self
                .storage
                .workspace_events_between(caller.workspace_id(), after, upto, limit)
                .await?;
            let sequence = match events.last() {
                Some((place, _)) if events.len() == limit => *place,
                _ => upto.max(after),
            };
            if !events.is_empty() || Instant::now() >= deadline {
                return Ok(Followed { events, sequence });
            }
            // Either the store rings, or the time is over; both are looked at above.
            let _ = timeout_at(deadline, pulse.changed()).await;
        }
    }
}
