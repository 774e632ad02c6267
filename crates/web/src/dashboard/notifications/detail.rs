//! `/dashboard/notifications/deliveries/{id}`: one notification with each attempt, what was sent and what was answered.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::id::{NotificationId, NotificationLogId};
use tollgate_domain::notification::{self, DeliveryAttempt, Notification, NotificationOrigin};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting};
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_service::NotificationSettingError;
use tollgate_storage::{Order, Page};

use super::{Listed, Outcome, duration, failed, outcome, words};
use crate::App;
use crate::dashboard::download;
use crate::dashboard::excerpt::{Excerpt, excerpt, pretty, visible};
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::{id, id_of};
use crate::dashboard::moment::Moment;
use crate::dashboard::notification_settings::short;
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::error::ApiError;
use crate::extract::path::{PathId, PathIds};

/// Attempts on one page.
const PER_PAGE: usize = 10;
/// Bytes of a page that the payload may take.
const PAYLOAD: usize = 24 * 1024;
/// Bytes of a page that an answer may take.
const ANSWER: usize = 3 * 1024;
/// More than a notification gets.
const ALL_ATTEMPTS: usize = 1_000;
/// How many notifications of the event are looked at.
const MOST_OF_EVENT: usize = 200;
/// How many of them are shown.
const MOST_OTHERS: usize = 20;
/// Seconds.
const BEAT: u32 = 3;

const DONE: &[(&str, &str)] = &[("replayed", "This is the new delivery; its first attempt is made now.")];

#[derive(Template)]
#[template(path = "dashboard/notifications/detail.html")]
struct DetailPage {
    frame: Frame,
    delivery: Listed,
    state: String,
    event: String,
    payload: Excerpt,
    /// Where it goes; `None` when it is gone.
    destination: Option<Destination>,
    attempts: Vec<Attempt>,
    /// The query of earlier attempts.
    earlier: Option<NotificationLogId>,
    others: Vec<Listed>,
    replayed: Option<Moment>,
    may_replay: bool,
    now: Timestamp,
}

struct Destination {
    name: String,
    address: String,
    is_url: bool,
}

/// An attempt, as it is told.
struct Attempt {
    id: NotificationLogId,
    at: Moment,
    /// As the receiver was told it: seconds since 1970.
    timestamp: u64,
    took: String,
    outcome: Outcome,
    content_type: Option<String>,
    answer: Excerpt,
}

impl Attempt {
    fn of(attempt: &DeliveryAttempt) -> Self {
        Self {
            id: attempt.id,
            at: Moment(attempt.attempted_at),
            timestamp: attempt.attempted_at.as_millis() / 1_000,
            took: duration(attempt.duration_ms),
            outcome: outcome(attempt.response_code, attempt.problem.as_deref()),
            content_type: attempt
                .response_content_type
                .as_deref()
                .map(|text| excerpt(text, 200).text),
            answer: excerpt(&visible(&attempt.response_body), ANSWER),
        }
    }
}

impl From<&NotificationSetting> for Destination {
    fn from(setting: &NotificationSetting) -> Self {
        Self {
            name: short(&setting.description),
            address: setting.destination.clone(),
            is_url: setting.destination_type == DestinationType::Url,
        }
    }
}

/// 200 with the notification.
pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    path: PathId,
) -> Result<Response, Failure> {
    let notification = app
        .service
        .notification(&visit.caller, id(&path, "Delivery")?)
        .await
        .map_err(failed)?;
    let page = Page {
        after: NotificationLogId::parse(query.0.text("after")).ok(),
        order: Order::Descending,
        limit: PER_PAGE,
        count: false,
    };
    let attempts = app
        .service
        .delivery_attempts(&visit.caller, notification.id, &page)
        .await
        .map_err(failed)?;
    let setting = match app
        .service
        .notification_setting(&visit.caller, notification.setting)
        .await
    {
        Ok(setting) => Some(setting),
        Err(NotificationSettingError::NotFound) => None,
        Err(error) => return Err(ApiError::of_notification_setting(error, "").into()),
    };
    let sent = notification::payload(&notification.event, notification.id);
    let sent = pretty(&sent).unwrap_or(sent);
    let may_replay = visit.may(Permission::NOTIFICATION_WRITE)
        && notification.origin == NotificationOrigin::Event
        && notification.status.is_final();
    let now = app.service.now();
    Ok(page::ok(&DetailPage {
        frame: visit
            .frame(Section::Notifications, notification.event.event_type.name())
            .notice(&query, DONE)
            .live(BEAT),
        state: words::state(&notification, now),
        event: notification.event.id.to_string(),
        payload: excerpt(&sent, PAYLOAD),
        destination: setting.as_ref().map(Destination::from),
        earlier: attempts.items.last().filter(|_| attempts.has_more).map(|last| last.id),
        attempts: attempts.items.iter().map(Attempt::of).collect(),
        others: others(&app, &visit, &notification).await?,
        replayed: notification.replayed_at.map(Moment),
        delivery: Listed::of(&notification, &[]),
        may_replay,
        now,
    }))
}

/// The other notifications of its event to its destination: what it is a replay of, and its replays.
async fn others(app: &App, visit: &Visit, notification: &Notification) -> Result<Vec<Listed>, Failure> {
    let event = notification.event.id;
    let same = app
        .service
        .notifications_of_event(&visit.caller, event, MOST_OF_EVENT)
        .await
        .map_err(failed)?;
    let others = same
        .iter()
        .filter(|other| other.setting == notification.setting && other.id != notification.id);
    Ok(others.take(MOST_OTHERS).map(|other| Listed::of(other, &[])).collect())
}

/// 200 with what is sent, byte for byte, as a file.
pub(super) async fn payload(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let id: NotificationId = id(&path, "Delivery")?;
    let notification = app.service.notification(&visit.caller, id).await.map_err(failed)?;
    let sent = notification::payload(&notification.event, id);
    Ok(download::json(&id.to_string(), sent))
}

/// 200 with what was kept of an answer, as a file.
pub(super) async fn answer(visit: Visit, State(app): State<App>, path: PathIds) -> Result<Response, Failure> {
    let wanted: NotificationLogId = id_of(&path, "attempt")?;
    let page = Page {
        after: None,
        order: Order::Descending,
        limit: ALL_ATTEMPTS,
        count: false,
    };
    let attempts = app
        .service
        .delivery_attempts(&visit.caller, id_of(&path, "id")?, &page)
        .await
        .map_err(failed)?;
    let found = attempts.items.into_iter().find(|attempt| attempt.id == wanted);
    let found = found.ok_or_else(|| Failure::not_found("Attempt"))?;
    Ok(download::plain(&wanted.to_string(), found.response_body))
}
