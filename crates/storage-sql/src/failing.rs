//! What the attempts of one commit say of a setting, noted once for all of them; the same in both stores.

use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::time::Timestamp;
use tollgate_storage::AttemptRecord;

/// Since when every attempt, from the last success on, has failed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failing {
    /// Whether there was a success.
    pub(crate) anew: bool,
    pub(crate) since: Option<Timestamp>,
}

impl Failing {
    pub(crate) fn add(&mut self, record: &AttemptRecord) {
        if record.status == NotificationStatus::Delivered {
            *self = Self {
                anew: true,
                since: None,
            };
        } else if self.since.is_none() {
            self.since = Some(record.at);
        }
    }
}
