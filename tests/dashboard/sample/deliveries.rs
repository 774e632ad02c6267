//! How the shop's receivers took what they were told: one always, one hardly ever.

use std::time::Duration;

use tollgate_domain::ambient::Clock;
use tollgate_domain::id::NotificationLogId;
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::time::Timestamp;
use tollgate_service::ambient::SystemClock;
use tollgate_storage::{AttemptRecord, Change, Outcome, Write};

use super::shop::Shop;
use super::{DAY, HOUR, MINUTE, WAREHOUSE};

impl Shop {
    /// Delivers what is due, as a worker would have at that time.
    pub(super) async fn deliver(&self) {
        let all = self.storage.all_notification_settings(self.owner.workspace().id).await;
        for setting in all.unwrap() {
            let now = self.clock.now().plus(Duration::from_secs(1));
            let write = Write::LeaseNotifications {
                setting: setting.id,
                now,
                until: now.plus(MINUTE),
                limit: 100,
            };
            let leased = self.storage.commit(Change::silent(write)).await.unwrap();
            let Outcome::Leased(due) = leased else {
                panic!("{leased:?}")
            };
            for notification in due {
                self.attempts(&setting, &notification).await;
            }
        }
    }

    /// Up to four attempts, each later than the one before by more; what isn't taken by now is tried again tonight.
    async fn attempts(&self, setting: &NotificationSetting, notification: &Notification) {
        let mut at = self.clock.now().plus(Duration::from_millis(40 + self.dice.below(900)));
        let is_recent = at > SystemClock.now().minus(DAY);
        let refuses = setting.destination == WAREHOUSE && self.dice.below(5) > 0;
        let count = if refuses { 4 } else { 1 };
        for number in 1..=count {
            let status = match (refuses, number == count && !is_recent) {
                (false, _) => NotificationStatus::Delivered,
                (true, false) => NotificationStatus::NeedsRetry,
                (true, true) => NotificationStatus::Failed,
            };
            let retry_at = (status == NotificationStatus::NeedsRetry).then(|| SystemClock.now().plus(6 * HOUR));
            let record = AttemptRecord {
                workspace: setting.workspace,
                setting: setting.id,
                attempts: vec![self.attempt(notification, at, refuses)],
                status,
                retry_at,
                at: at.plus(Duration::from_millis(200)),
            };
            let recorded = self.storage.commit(Change::silent(Write::RecordAttempt(record))).await;
            recorded.unwrap();
            at = at.plus(number * number * 7 * MINUTE);
        }
    }

    fn attempt(&self, notification: &Notification, attempted_at: Timestamp, refuses: bool) -> DeliveryAttempt {
        let (code, body, problem, duration_ms) = match (refuses, self.dice.below(4)) {
            (true, 0) => (0, "", Some("the receiver didn't answer within 5 seconds"), 5_000),
            (true, _) => (503, "{\"error\":\"stocktaking, back at six\"}", None, 41),
            (false, _) => (200, "{\"received\":true}", None, 30 + self.dice.below(200)),
        };
        DeliveryAttempt {
            id: self.log_id(),
            notification: notification.id,
            response_code: code,
            response_content_type: (!body.is_empty()).then(|| "application/json".to_owned()),
            response_body: body.to_owned(),
            problem: problem.map(str::to_owned),
            attempted_at,
            duration_ms: u32::try_from(duration_ms).unwrap(),
        }
    }

    fn log_id(&self) -> NotificationLogId {
        let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
        let letter = |_| char::from(alphabet[usize::try_from(self.dice.below(32)).unwrap()]);
        let tail: String = (0..23).map(letter).collect();
        NotificationLogId::from_tail(&format!("01k{tail}")).unwrap()
    }
}
