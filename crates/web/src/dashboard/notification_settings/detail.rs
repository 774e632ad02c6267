//! `/dashboard/notifications/destinations/{id}`: one destination, and what may be done with it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting};
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{NotificationPage, Order, Page};

use super::{DONE, kind, refused, traffic};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id;
use crate::dashboard::moment::Moment;
use crate::dashboard::notifications::{Chart, Listed, chart, failed};
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::extract::path::PathId;

/// How many of the newest deliveries are shown.
const NEWEST: usize = 10;
/// What the chart shows: a day.
const HOURS: u32 = 24;
/// Seconds.
const BEAT: u32 = 3;

#[derive(Template)]
#[template(path = "dashboard/notification_settings/detail.html")]
struct DetailPage {
    frame: Frame,
    destination: Shown,
    /// Only for those who may change it: whoever reads it can sign.
    secrets: Option<Secrets>,
    chart: Chart,
    deliveries: Vec<Listed>,
    now: Timestamp,
    may_write: bool,
    may_simulate: bool,
}

/// A destination without its secrets.
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) kind: &'static str,
    pub(super) destination: String,
    pub(super) traffic: &'static str,
    pub(super) events: Vec<String>,
    pub(super) is_active: bool,
    pub(super) failing_since: Option<Moment>,
    pub(super) created: Moment,
    pub(super) updated: Moment,
}

struct Secrets {
    secret: String,
    standard_webhooks: String,
    /// Until when the secret before is still tried.
    previous_until: Option<Moment>,
}

impl From<&NotificationSetting> for Shown {
    fn from(setting: &NotificationSetting) -> Self {
        Self {
            id: setting.id.to_string(),
            description: setting.description.clone(),
            kind: kind(setting.destination_type),
            destination: setting.destination.clone(),
            traffic: traffic(setting.traffic_source),
            events: setting.subscribed_events.clone(),
            is_active: setting.active,
            failing_since: setting.failing_since.map(Moment),
            created: Moment(setting.created_at),
            updated: Moment(setting.updated_at),
        }
    }
}

impl From<&NotificationSetting> for Secrets {
    fn from(setting: &NotificationSetting) -> Self {
        Self {
            secret: setting.secret.reveal().to_owned(),
            standard_webhooks: setting.secret.standard_webhooks(),
            previous_until: setting.previous_secret.as_ref().map(|(_, until)| Moment(*until)),
        }
    }
}

/// 200 with the destination.
pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    path: PathId,
) -> Result<Response, Failure> {
    let setting = app
        .service
        .notification_setting(&visit.caller, id(&path, "Destination")?)
        .await
        .map_err(refused)?;
    let newest = NotificationPage {
        page: Page {
            after: None,
            order: Order::Descending,
            limit: NEWEST,
            count: false,
        },
        settings: vec![setting.id],
        statuses: Vec::new(),
        search: None,
        subject: None,
        from: None,
        to: None,
    };
    let newest = app
        .service
        .notifications(&visit.caller, &newest)
        .await
        .map_err(failed)?;
    let counts = app
        .service
        .delivery_counts(&visit.caller, Some(setting.id), HOURS)
        .await;
    let counts = counts.map_err(failed)?;
    let may_write = visit.may(Permission::NOTIFICATION_SETTING_WRITE);
    let has_secrets = may_write && setting.destination_type == DestinationType::Url;
    Ok(page::ok(&DetailPage {
        frame: visit
            .frame(Section::Notifications, super::short(&setting.description))
            .notice(&query, DONE)
            .live(BEAT),
        secrets: has_secrets.then(|| Secrets::from(&setting)),
        chart: chart(&counts),
        deliveries: newest.items.iter().map(|one| Listed::of(one, &[])).collect(),
        now: app.service.now(),
        may_write,
        may_simulate: visit.may(Permission::NOTIFICATION_SIMULATION_WRITE),
        destination: Shown::from(&setting),
    }))
}
