//! Replaying all that failed at a destination at once: after a receiver was down for longer than the retries last.

use tokio::task::JoinSet;
use tollgate_domain::id::{NotificationId, NotificationSettingId};
use tollgate_domain::notification::{Notification, NotificationOrigin, NotificationStatus};
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{NotificationPage, Order, Page};

use crate::{Caller, NotificationError, Service};

/// How many notifications one call replays at most.
pub const MOST_REPLAYED: usize = 500;
/// How many are read at once.
const LOOK: usize = 200;
/// How many are committed at once: the store makes one commit of those that come together.
const AT_ONCE: usize = 50;

/// Which notifications are to be replayed.
#[derive(Clone, Debug)]
pub struct FailedNotifications {
    /// That were to go there.
    pub setting: NotificationSettingId,
    /// Of events from this moment on.
    pub from: Option<Timestamp>,
    /// Of events up to this moment, itself included.
    pub to: Option<Timestamp>,
    /// Also those that were replayed before; a failed replay itself never is.
    pub again: bool,
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToReplay {
    /// [`MOST_REPLAYED`] at most.
    pub count: usize,
    /// Whether there are more.
    pub has_more: bool,
}

impl Service {
    /// How many notifications [`replay_failed_notifications`](Self::replay_failed_notifications) would replay now.
    pub async fn failed_notifications(
        &self,
        caller: &Caller,
        which: &FailedNotifications,
    ) -> Result<ToReplay, NotificationError> {
        let (found, has_more) = self.find_failed(caller, which).await?;
        Ok(ToReplay {
            count: found.len(),
            has_more,
        })
    }

    /// Replays the oldest of these, and tells how many it were. When the store fails in between, those that were replayed
    /// until then count as replayed: asking again goes on with the rest.
    pub async fn replay_failed_notifications(
        &self,
        caller: &Caller,
        which: &FailedNotifications,
    ) -> Result<ToReplay, NotificationError> {
        caller.require(Permission::NOTIFICATION_WRITE)?;
        let (found, has_more) = self.find_failed(caller, which).await?;
        let workspace = caller.workspace_id();
        let mut count = 0;
        for some in found.chunks(AT_ONCE) {
            let mut committing = JoinSet::new();
            for &original in some {
                let at = self.clock.now();
                let replay = (self.next_id(at), at); // here, so that the replays are in the order of the originals
                let service = self.clone();
                committing.spawn(async move { service.commit_replay(workspace, original, replay).await });
            }
            for committed in committing.join_all().await {
                match committed {
                    Ok(_) => count += 1,
                    Err(NotificationError::NotFound) => {} // removed since it was read
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(ToReplay { count, has_more })
    }

    /// The oldest, and whether there are more.
    async fn find_failed(
        &self,
        caller: &Caller,
        which: &FailedNotifications,
    ) -> Result<(Vec<NotificationId>, bool), NotificationError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let asked = NotificationPage {
                page: Page {
                    after,
                    order: Order::Ascending,
                    limit: LOOK,
                    count: false,
                },
                settings: vec![which.setting],
                statuses: vec![NotificationStatus::Failed],
                search: None,
                subject: None,
                from: which.from,
                to: which.to,
            };
            let slice = self.notifications(caller, &asked).await?;
            after = slice.items.last().map(|notification| notification.id);
            let wanted = |notification: &&Notification| {
                let again = which.again || notification.replayed_at.is_none();
                again && notification.origin == NotificationOrigin::Event
            };
            found.extend(slice.items.iter().filter(wanted).map(|notification| notification.id));
            if found.len() > MOST_REPLAYED || !slice.has_more {
                let has_more = found.len() > MOST_REPLAYED;
                found.truncate(MOST_REPLAYED);
                return Ok((found, has_more));
            }
        }
    }
}
