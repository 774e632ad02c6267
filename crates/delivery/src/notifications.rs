//! Delivers a notification once, and tells what follows from that.

use tollgate_domain::environment::Environment;
use tollgate_domain::notification::{self, DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_storage::AttemptRecord;

use crate::attempt::{Attempt, Parcel};
use crate::worker::Delivery;

impl Delivery {
    /// One attempt, and where it leaves the notification.
    pub(crate) async fn deliver(
        &self,
        setting: &NotificationSetting,
        environment: Environment,
        notification: &Notification,
    ) -> AttemptRecord {
        let event = &notification.event;
        let parcel = Parcel {
            event_id: event.id.to_string(),
            event_type: event.event_type,
            subject: &event.subject,
            occurred_at: event.occurred_at,
            notification_id: &notification.id,
            payload: notification::payload(event, notification.id),
        };
        let attempted = self.attempt(setting, parcel).await;
        let answer = &attempted.last.answer;
        let at = self.clock.now();
        let schedule = self.settings.schedule(environment);
        let delay = schedule.delay_after(notification.times_attempted + 1, answer.retry_after);
        let (status, retry_at) = match delay {
            _ if answer.is_success() => (NotificationStatus::Delivered, None),
            Some(delay) => (NotificationStatus::NeedsRetry, Some(at.plus(delay))),
            None => (NotificationStatus::Failed, None),
        };
        let attempts = attempted.first.into_iter().chain([attempted.last]);
        AttemptRecord {
            workspace: notification.workspace,
            setting: setting.id,
            attempts: attempts.map(|attempt| self.logged(notification, attempt)).collect(),
            status,
            retry_at,
            at,
        }
    }

    fn logged(&self, notification: &Notification, attempt: Attempt) -> DeliveryAttempt {
        let Attempt { at, answer } = attempt;
        DeliveryAttempt {
            id: self.ids.next(at, self.entropy.as_ref()),
            notification: notification.id,
            response_code: answer.status,
            response_content_type: answer.content_type,
            response_body: answer.body,
            problem: answer.problem,
            attempted_at: at,
            duration_ms: u32::try_from(answer.took.as_millis()).unwrap_or(u32::MAX),
        }
    }
}
