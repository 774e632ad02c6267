//! Events: what happened in a workspace.

use tollgate_domain::event::Event;
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

impl Service {
    /// A page of the caller's events.
    pub async fn events(&self, caller: &Caller, page: &EventPage) -> Result<Slice<Event>, EventError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        Ok(self.storage.events(caller.workspace_id(), page).await?)
    }
}
