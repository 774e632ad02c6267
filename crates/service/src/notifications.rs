//! Notifications: list, get, their delivery attempts, replay.

use tollgate_domain::id::{EventId, NotificationId, NotificationLogKind, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationOrigin};
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::Hour;
use tollgate_storage::{
    Change, DeliveryCount, DeliveryTotal, NotificationPage, Outcome, Page, Slice, StorageError, Write,
};

use crate::{Caller, Denied, Service};

/// How far back deliveries are told hour by hour: 31 days.
const MOST_HOURS: u32 = 31 * 24;

/// Why a notification use-case refused. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// The permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Also for another workspace's notification, and for one that is too old or whose setting is gone.
    #[error("no such notification")]
    NotFound,
    /// It is still on its way.
    #[error("only notifications that were delivered or have failed can be replayed")]
    NotFinal,
    /// It is a replay itself.
    #[error("a replay can't be replayed")]
    IsReplay,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Service {
    /// A page of the caller's notifications.
    pub async fn notifications(
        &self,
        caller: &Caller,
        page: &NotificationPage,
    ) -> Result<Slice<Notification>, NotificationError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        Ok(self.storage.notifications(caller.workspace_id(), page).await?)
    }

    /// One of the caller's notifications.
    pub async fn notification(&self, caller: &Caller, id: NotificationId) -> Result<Notification, NotificationError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        let found = self.storage.notification(caller.workspace_id(), id).await?;
        found.ok_or(NotificationError::NotFound)
    }

    /// The notifications of one of the caller's events, its replays among them, newest first, at most `limit`.
    pub async fn notifications_of_event(
        &self,
        caller: &Caller,
        event: EventId,
        limit: usize,
    ) -> Result<Vec<Notification>, NotificationError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        Ok(self
            .storage
            .notifications_of(caller.workspace_id(), event, limit)
            .await?)
    }

    /// A page of the attempts to deliver one of the caller's notifications.
    pub async fn delivery_attempts(
        &self,
        caller: &Caller,
        id: NotificationId,
        page: &Page<NotificationLogKind>,
    ) -> Result<Slice<DeliveryAttempt>, NotificationError> {
        self.notification(caller, id).await?;
        Ok(self.storage.delivery_attempts(id, page).await?)
    }

    /// How the attempts to deliver to the caller's destinations went, or to one of them, in each of the last `hours`, the
    /// present one included; oldest first, with those in which there were none.
    pub async fn delivery_counts(
        &self,
        caller: &Caller,
        setting: Option<NotificationSettingId>,
        hours: u32,
    ) -> Result<Vec<DeliveryCount>, NotificationError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        let last = Hour::of(self.clock.now());
        let first = last.minus(hours.clamp(1, MOST_HOURS) - 1);
        let found = self
            .storage
            .delivery_counts(caller.workspace_id(), setting, first)
            .await?;
        let mut found = found.into_iter().peekable();
        let each = (first.0..=last.0).map(|hour| {
            found.next_if(|count| count.hour.0 == hour).unwrap_or(DeliveryCount {
                hour: Hour(hour),
                delivered: 0,
                failed: 0,
            })
        });
        Ok(each.collect())
    }

    /// How the attempts went for each of the caller's destinations that had any in the last `hours`, the present one
    /// included.
    pub async fn delivery_totals(&self, caller: &Caller, hours: u32) -> Result<Vec<DeliveryTotal>, NotificationError> {
        caller.require(Permission::NOTIFICATION_READ)?;
        let last = Hour::of(self.clock.now());
        let first = last.minus(hours.clamp(1, MOST_HOURS) - 1);
        Ok(self.storage.delivery_totals(caller.workspace_id(), first).await?)
    }

    /// Has the event delivered once more, as a notification of its own; gives its id.
    pub async fn replay_notification(
        &self,
        caller: &Caller,
        id: NotificationId,
    ) -> Result<NotificationId, NotificationError> {
        caller.require(Permission::NOTIFICATION_WRITE)?;
        let workspace = caller.workspace_id();
        let original = self.storage.notification(workspace, id).await?;
        let original = original.ok_or(NotificationError::NotFound)?;
        if original.origin != NotificationOrigin::Event {
            return Err(NotificationError::IsReplay);
        }
        if !original.status.is_final() {
            return Err(NotificationError::NotFinal);
        }
        let at = self.clock.now();
        self.commit_replay(workspace, id, (self.next_id(at), at)).await
    }

    /// As the notification `id`. Whatever the original is: the store replays none that is gone.
    pub(crate) async fn commit_replay(
        &self,
        workspace: WorkspaceId,
        original: NotificationId,
        (id, at): (NotificationId, Timestamp),
    ) -> Result<NotificationId, NotificationError> {
        let write = Write::ReplayNotification {
            workspace,
            original,
            id,
            at,
        };
        match self.storage.commit(Change::silent(write)).await? {
            Outcome::Applied { .. } => Ok(id),
            _ => Err(NotificationError::NotFound),
        }
    }
}
