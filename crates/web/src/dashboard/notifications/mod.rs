//! Deliveries: notifications, what became of them, and sending them once more.

mod chart;
mod detail;
mod list;
mod replay;
mod replay_failed;
mod words;

use tollgate_domain::id::NotificationId;
use tollgate_domain::notification::Notification;
use tollgate_domain::permission::Permission;
use tollgate_service::NotificationError;

use super::failure::Failure;
use super::moment::Moment;
use super::notification_settings::Choice;
use super::row::{Right, Row};
use crate::error::ApiError;

pub(super) use chart::{Chart, HEIGHT, WIDTH, chart};
pub(super) use words::{Outcome, duration, outcome};

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::NOTIFICATION_READ);
    let write = Right::Permission(Permission::NOTIFICATION_WRITE);
    vec![
        Row::get("/dashboard/notifications/deliveries", read, list::show),
        Row::get("/dashboard/notifications/deliveries/{id}", read, detail::show),
        Row::get(
            "/dashboard/notifications/deliveries/{id}/payload.json",
            read,
            detail::payload,
        ),
        Row::get(
            "/dashboard/notifications/deliveries/{id}/attempts/{attempt}/answer.txt",
            read,
            detail::answer,
        ),
        Row::post("/dashboard/notifications/deliveries/{id}/replay", write, replay::replay),
        Row::get("/dashboard/notifications/replay-failed", write, replay_failed::ask),
        Row::post("/dashboard/notifications/replay-failed", write, replay_failed::replay),
    ]
}

/// A delivery in a list.
pub(super) struct Listed {
    pub(super) id: NotificationId,
    pub(super) event_type: &'static str,
    /// The id of what it tells of.
    pub(super) subject: String,
    pub(super) setting: String,
    /// What the destination is called, if it is among those that are known.
    pub(super) destination: String,
    pub(super) occurred: Moment,
    /// As the style sheet and the API name it.
    pub(super) status: &'static str,
    pub(super) status_name: &'static str,
    pub(super) attempts: u32,
    pub(super) is_replay: bool,
    pub(super) retry: Option<Moment>,
}

impl Listed {
    /// With the destination's name from these.
    pub(super) fn of(notification: &Notification, destinations: &[Choice]) -> Self {
        let setting = notification.setting.to_string();
        let destination = destinations.iter().find(|known| known.id == setting);
        Self {
            id: notification.id,
            event_type: notification.event.event_type.name(),
            subject: notification.event.subject.clone(),
            destination: destination.map_or_else(|| setting.clone(), |known| known.text.clone()),
            setting,
            occurred: Moment(notification.event.occurred_at),
            status: notification.status.name(),
            status_name: words::status(notification.status),
            attempts: notification.times_attempted,
            is_replay: notification.origin == tollgate_domain::notification::NotificationOrigin::Replay,
            retry: notification.retry_at.map(Moment),
        }
    }
}

/// The page that says why.
pub(super) fn failed(error: NotificationError) -> Failure {
    ApiError::of_notification(error, "").into()
}
