//! `/notifications`: what was sent where, how it went, and sending it once more.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use tollgate_domain::event::Event;
use tollgate_domain::id::{EventId, NotificationId, NotificationLogId, NotificationSettingId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_service::Caller;
use tollgate_storage::{NotificationPage, Order, Slice, StorageError};

use crate::App;
use crate::catalogue::{INVALID_TIME_QUERY_PARAMETER, NOTIFICATION_CANNOT_REPLAY, REPLAY_INVALID_ORIGIN};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope::{self, Pagination};
use crate::error::ApiError;
use crate::extract::list::{Filter, ListQuery, Listing};
use crate::extract::path::PathId;
use crate::gate::Known;

/// The path's parameter, as errors name it.
const ID: &str = "notification_id";
/// Code points. Contract, section 6.
const LONGEST_SEARCH: usize = 100;
/// As long as the longest id that the contract has.
const LONGEST_FILTER: usize = 100;

const LISTING: Listing = Listing {
    default_order: Order::Descending,
    default_limit: 50,
    max_limit: 200,
    order_field: "id",
    filters: &[SETTING, SEARCH, STATUS, SUBJECT, FROM, TO],
};

const SETTING: Filter = Filter {
    name: "notification_setting_id",
    description: "Only to these notification settings.",
    values: None,
};
const SEARCH: Filter = Filter {
    name: "search",
    description: "Only those whose id or type contains this; at most 100 characters.",
    values: None,
};
const STATUS: Filter = Filter {
    name: "status",
    description: "Only with one of these.",
    values: Some(|| NotificationStatus::ALL.map(|status| status.name().to_owned()).to_vec()),
};
const SUBJECT: Filter = Filter {
    name: "filter",
    description: "Only of the entity with this id.",
    values: None,
};
const FROM: Filter = Filter {
    name: "from",
    description: "Only what occurred at this time or later.",
    values: None,
};
const TO: Filter = Filter {
    name: "to",
    description: "Only what occurred at this time or earlier.",
    values: None,
};

/// Newest first.
pub(crate) const LOGS: Listing = Listing {
    default_order: Order::Descending,
    default_limit: 50,
    max_limit: 200,
    order_field: "id",
    filters: &[],
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = (Surface::Compatible, Access::Needs(Permission::NOTIFICATION_READ));
    let write = (Surface::Compatible, Access::Needs(Permission::NOTIFICATION_WRITE));
    vec![
        Endpoint::new(
            (Method::GET, "/notifications"),
            read,
            list,
            ("listNotifications", "List notifications"),
            Answer::many::<NotificationView<'_>>(),
        )
        .listing(&LISTING)
        .errors(&[&INVALID_TIME_QUERY_PARAMETER]),
        Endpoint::new(
            (Method::GET, "/notifications/{notification_id}"),
            read,
            get,
            ("getNotification", "Get a notification"),
            Answer::one::<NotificationView<'_>>(),
        ),
        Endpoint::new(
            (Method::GET, "/notifications/{notification_id}/logs"),
            read,
            logs,
            ("listNotificationLogs", "List the attempts to deliver a notification"),
            Answer::many::<LogView<'_>>(),
        )
        .listing(&LOGS),
        Endpoint::new(
            (Method::POST, "/notifications/{notification_id}/replay"),
            write,
            replay,
            ("replayNotification", "Send a notification once more"),
            Answer::one::<Replayed>(),
        )
        .success(202)
        .errors(&[&NOTIFICATION_CANNOT_REPLAY, &REPLAY_INVALID_ORIGIN]),
    ]
}

/// A notification as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Notification")]
struct NotificationView<'a> {
    id: NotificationId,
    #[serde(rename = "type")]
    event_type: &'static str,
    status: &'static str,
    payload: Payload<'a>,
    occurred_at: Timestamp,
    delivered_at: Option<Timestamp>,
    replayed_at: Option<Timestamp>,
    origin: &'static str,
    last_attempt_at: Option<Timestamp>,
    retry_at: Option<Timestamp>,
    times_attempted: u32,
    notification_setting_id: NotificationSettingId,
}

/// What was or will be sent; the order of the contract's sample.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotificationPayload")]
struct Payload<'a> {
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    data: &'a RawValue,
    event_id: EventId,
    event_type: &'static str,
    occurred_at: Timestamp,
    notification_id: NotificationId,
}

impl<'a> TryFrom<&'a Notification> for NotificationView<'a> {
    type Error = StorageError;

    fn try_from(notification: &'a Notification) -> Result<Self, StorageError> {
        let event: &'a Event = &notification.event;
        Ok(Self {
            id: notification.id,
            event_type: event.event_type.name(),
            status: notification.status.name(),
            payload: Payload {
                data: super::events::raw_data(event)?,
                event_id: event.id,
                event_type: event.event_type.name(),
                occurred_at: event.occurred_at,
                notification_id: notification.id,
            },
            occurred_at: event.occurred_at,
            delivered_at: notification.delivered_at,
            replayed_at: notification.replayed_at,
            origin: notification.origin.name(),
            last_attempt_at: notification.last_attempt_at,
            retry_at: notification.retry_at,
            times_attempted: notification.times_attempted,
            notification_setting_id: notification.setting,
        })
    }
}

/// An attempt as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotificationLog")]
pub(crate) struct LogView<'a> {
    id: NotificationLogId,
    /// 0 when there was no answer.
    response_code: u16,
    response_content_type: Option<&'a str>,
    response_body: &'a str,
    attempted_at: Timestamp,
}

impl<'a> From<&'a DeliveryAttempt> for LogView<'a> {
    fn from(attempt: &'a DeliveryAttempt) -> Self {
        Self {
            id: attempt.id,
            response_code: attempt.response_code,
            response_content_type: attempt.response_content_type.as_deref(),
            response_body: &attempt.response_body,
            attempted_at: attempt.attempted_at,
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct Replayed {
    notification_id: NotificationId,
}

/// 200 with a page.
async fn list(Known(caller): Known, State(app): State<App>, mut query: ListQuery) -> Result<Response, ApiError> {
    let asked = asked(&mut query)?;
    let slice = app.service.notifications(&caller, &asked).await;
    let slice = slice.map_err(|error| ApiError::of_notification(error, ""))?;
    let last = slice.items.last().map(|notification| notification.id.to_string());
    let data = slice
        .items
        .iter()
        .map(NotificationView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(envelope::page(&data, query.pagination(asked.page.limit, &slice, last)))
}

/// The page that is asked for; also on the dashboard.
pub(crate) fn asked(query: &mut ListQuery) -> Result<NotificationPage, ApiError> {
    let page = query.page(&LISTING);
    let settings = query.ids(&SETTING);
    let statuses = query.filter(&STATUS);
    let asked = NotificationPage {
        page,
        settings,
        statuses: statuses
            .iter()
            .filter_map(|name| NotificationStatus::from_name(name))
            .collect(),
        search: query.text(&SEARCH, LONGEST_SEARCH),
        subject: query.text(&SUBJECT, LONGEST_FILTER),
        from: query.time(&FROM),
        to: query.time(&TO),
    };
    query.finish()?;
    Ok(asked)
}

/// 200 with the notification.
async fn get(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let notification = app.service.notification(&caller, id.parse(ID)?).await;
    let notification = notification.map_err(|error| ApiError::of_notification(error, id.as_str()))?;
    Ok(envelope::data(
        StatusCode::OK,
        &NotificationView::try_from(&notification)?,
    ))
}

/// 200 with a page.
async fn logs(
    Known(caller): Known,
    State(app): State<App>,
    id: PathId,
    query: ListQuery,
) -> Result<Response, ApiError> {
    let (slice, pagination) = page_of_logs(&app, &caller, &id, query).await?;
    let data: Vec<_> = slice.items.iter().map(LogView::from).collect();
    Ok(envelope::page(&data, pagination))
}

/// The attempts that are asked for; the same on both surfaces.
pub(crate) async fn page_of_logs(
    app: &App,
    caller: &Caller,
    id: &PathId,
    mut query: ListQuery,
) -> Result<(Slice<DeliveryAttempt>, Pagination), ApiError> {
    let page = query.page(&LOGS);
    let notification = id.parse(ID)?;
    query.finish()?;
    let slice = app.service.delivery_attempts(caller, notification, &page).await;
    let slice = slice.map_err(|error| ApiError::of_notification(error, id.as_str()))?;
    let last = slice.items.last().map(|attempt| attempt.id.to_string());
    let pagination = query.pagination(page.limit, &slice, last);
    Ok((slice, pagination))
}

/// 202 with the new notification's id.
async fn replay(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let replayed = app.service.replay_notification(&caller, id.parse(ID)?).await;
    let notification_id = replayed.map_err(|error| ApiError::of_notification(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::ACCEPTED, &Replayed { notification_id }))
}
