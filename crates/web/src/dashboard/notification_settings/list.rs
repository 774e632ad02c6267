//! `/dashboard/notifications`: the destinations, and how deliveries fare.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::permission::Permission;
use tollgate_storage::{DeliveryTotal, NotificationSettingPage, Order, Page};

use super::{DONE, refused, short, traffic};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::{Moment, grouped};
use crate::dashboard::notifications::{Chart, chart, failed};
use crate::dashboard::page;
use crate::dashboard::session::Visit;

/// Hours.
const DAY: u32 = 24;
const WEEK: u32 = 7 * DAY;
const PER_PAGE: usize = 25;
/// Seconds.
const BEAT: u32 = 3;

#[derive(Template)]
#[template(path = "dashboard/notification_settings/list.html")]
struct ListPage {
    frame: Frame,
    chart: Chart,
    is_week: bool,
    destinations: Vec<Listed>,
    is_first_page: bool,
    after: Option<NotificationSettingId>,
    may_write: bool,
}

/// A row of the list.
struct Listed {
    id: NotificationSettingId,
    name: String,
    destination: String,
    events: usize,
    traffic: &'static str,
    is_active: bool,
    failing_since: Option<Moment>,
    /// Attempts of the last day.
    delivered: String,
    failed: Option<String>,
}

impl Listed {
    fn of(setting: &NotificationSetting, totals: &[DeliveryTotal]) -> Self {
        let total = totals.iter().find(|total| total.setting == setting.id);
        Self {
            id: setting.id,
            name: short(&setting.description),
            destination: short(&setting.destination),
            events: setting.subscribed_events.len(),
            traffic: traffic(setting.traffic_source),
            is_active: setting.active,
            failing_since: setting.failing_since.map(Moment),
            delivered: grouped(total.map_or(0, |total| total.delivered)),
            failed: total
                .filter(|total| total.failed > 0)
                .map(|total| grouped(total.failed)),
        }
    }
}

/// 200 with a page of them.
pub(super) async fn show(visit: Visit, State(app): State<App>, query: Query) -> Result<Response, Failure> {
    let after = NotificationSettingId::parse(query.0.text("after")).ok();
    let asked = NotificationSettingPage {
        page: Page {
            after,
            order: Order::Descending,
            limit: PER_PAGE,
            count: false,
        },
        active: None,
        traffic_source: None,
    };
    let found = app.service.notification_settings(&visit.caller, &asked).await;
    let found = found.map_err(refused)?;
    let is_week = query.0.text("hours") == "168";
    let hours = if is_week { WEEK } else { DAY };
    let counts = app.service.delivery_counts(&visit.caller, None, hours).await;
    let counts = counts.map_err(failed)?;
    let totals = app.service.delivery_totals(&visit.caller, DAY).await.map_err(failed)?;
    Ok(page::ok(&ListPage {
        frame: visit
            .frame(Section::Notifications, "Notifications")
            .notice(&query, DONE)
            .live(BEAT),
        is_first_page: after.is_none(),
        after: found.items.last().filter(|_| found.has_more).map(|last| last.id),
        chart: chart(&counts),
        is_week,
        destinations: found.items.iter().map(|setting| Listed::of(setting, &totals)).collect(),
        may_write: visit.may(Permission::NOTIFICATION_SETTING_WRITE),
    }))
}
