//! Notification settings, and notifications in each state without anything being sent.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tollgate_delivery::Mailer;
use tollgate_domain::ambient::Clock;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{NotificationId, NotificationLogId, NotificationSettingId};
use tollgate_domain::notification::{DeliveryAttempt, NotificationStatus};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{AttemptRecord, Change, Outcome, Write};

use super::{Answer, TestApp, at, request};

/// Where a setting goes when it doesn't matter: a public address, so that no name needs to be resolved.
pub(crate) const RECEIVER: &str = "https://8.8.8.8/hooks";

/// Makes destinations and logs differ.
static NUMBER: AtomicU64 = AtomicU64::new(1);

fn number() -> u64 {
    NUMBER.fetch_add(1, Ordering::SeqCst)
}

/// Makes email destinations possible; nothing is ever sent.
pub(crate) fn mailer() -> Mailer {
    Mailer::new("smtp://localhost:1", "tollgate@shop.example").expect("a server and an address")
}

/// A setting that could be created, at a destination of its own, with these properties instead of others.
pub(crate) fn new_setting(instead: &Value) -> Value {
    let mut body = json!({
        "description": "Token audit log",
        "type": "url",
        "destination": format!("{RECEIVER}/{}", number()),
        "subscribed_events": ["client_token.created"],
    });
    for (name, value) in instead.as_object().expect("properties") {
        body[name] = value.clone();
    }
    body
}

/// `/notification-settings/ntfset_…`
pub(crate) fn path_of(setting: &Value) -> String {
    format!("/notification-settings/{}", at(setting, "id"))
}

impl TestApp {
    /// A notification setting with these properties instead of others, as it was answered.
    pub(crate) async fn setting(&self, instead: &Value) -> Value {
        let answer = self.post("/notification-settings", &new_setting(instead)).await;
        answer.data(201).clone()
    }

    /// `DELETE`, with the key that may do everything.
    pub(crate) async fn delete(&self, target: &str) -> Answer {
        self.send(request("DELETE", target).by(&self.key)).await
    }

    /// The notifications of the home workspace, newest first.
    pub(crate) async fn notifications(&self) -> Vec<Value> {
        self.get("/notifications").await.items().to_vec()
    }

    /// The newest of them.
    pub(crate) async fn newest_notification(&self) -> Value {
        self.notifications().await.first().expect("a notification").clone()
    }

    /// An attempt to deliver this notification, made now and answered with `code`.
    pub(crate) fn attempt(&self, notification: &Value, code: u16) -> DeliveryAttempt {
        DeliveryAttempt {
            id: NotificationLogId::from_tail(&format!("01kjpx8smt{:016}", number())).expect("26 letters and digits"),
            notification: NotificationId::parse(at(notification, "id")).expect("an id"),
            response_code: code,
            response_content_type: (code > 0).then(|| "text/plain; charset=UTF-8".to_owned()),
            response_body: String::new(),
            problem: (code == 0).then(|| "connection refused".to_owned()),
            attempted_at: self.clock.now(),
            duration_ms: 7,
        }
    }

    /// As a deliverer would record it.
    pub(crate) async fn record(
        &self,
        notification: &Value,
        attempts: Vec<DeliveryAttempt>,
        status: NotificationStatus,
        retry_at: Option<Timestamp>,
    ) {
        let record = AttemptRecord {
            workspace: self.home.workspace.id,
            setting: setting_of(notification),
            attempts,
            status,
            retry_at,
            at: self.clock.now(),
        };
        let outcome = self.committed(Write::RecordAttempt(record)).await;
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    }

    /// One attempt that leaves the notification like this; the notification as it is then.
    pub(crate) async fn attempted(&self, notification: &Value, status: NotificationStatus) -> Value {
        let code = if status == NotificationStatus::Delivered {
            200
        } else {
            503
        };
        let retry_at = (status == NotificationStatus::NeedsRetry).then(|| self.clock.now().plus(super::HOUR));
        let attempts = vec![self.attempt(notification, code)];
        self.record(notification, attempts, status, retry_at).await;
        let answer = self.get(&format!("/notifications/{}", at(notification, "id"))).await;
        answer.data(200).clone()
    }

    /// Takes what is due of a setting, as a deliverer would; how many that were.
    pub(crate) async fn lease(&self, setting: &Value) -> usize {
        let now = self.clock.now();
        let lease = Write::LeaseNotifications {
            setting: NotificationSettingId::parse(at(setting, "id")).expect("an id"),
            now,
            until: now.plus(super::HOUR),
            limit: 100,
        };
        match self.committed(lease).await {
            Outcome::Leased(notifications) => notifications.len(),
            outcome => panic!("{outcome:?}"),
        }
    }

    async fn committed(&self, write: Write) -> Outcome {
        let committed = self.store().commit(Change::silent(write)).await;
        committed.expect("the store commits")
    }

    /// What the audit trail alone holds of the home workspace, oldest first.
    pub(crate) async fn audit_trail(&self) -> Vec<Event> {
        let upto = self.store().sequence().await.expect("the store answers");
        let events = self.store().events_between(0, upto, &EventType::AUDIT_ONLY).await;
        let events = events.expect("the store answers").into_iter().map(|(_, event)| event);
        events
            .filter(|event| event.workspace == self.home.workspace.id)
            .collect()
    }
}

fn setting_of(notification: &Value) -> NotificationSettingId {
    NotificationSettingId::parse(at(notification, "notification_setting_id")).expect("an id")
}
