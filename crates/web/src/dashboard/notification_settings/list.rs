//! `/dashboard/notifications`: the destinations, and how deliveries fare.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::permission::Permission;
use tollgate_storage::{NotificationSettingPage, Order, Page};

use super::{DONE, refused, short, traffic};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::{Moment, counted};
use crate::dashboard::page;
use crate::dashboard::session::Visit;

const PER_PAGE: usize = 50;
/// Seconds.
const BEAT: u32 = 3;

#[derive(Template)]
#[template(path = "dashboard/notification_settings/list.html")]
struct ListPage {
    frame: Frame,
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
    events: String,
    traffic: &'static str,
    is_active: bool,
    failing_since: Option<Moment>,
}

impl From<&NotificationSetting> for Listed {
    fn from(setting: &NotificationSetting) -> Self {
        Self {
            id: setting.id,
            name: short(&setting.description),
            destination: setting.destination.clone(),
            events: counted(setting.subscribed_events.len() as u64, "event type"),
            traffic: traffic(setting.traffic_source),
            is_active: setting.active,
            failing_since: setting.failing_since.map(Moment),
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
    Ok(page::ok(&ListPage {
        frame: visit
            .frame(Section::Notifications, "Notifications")
            .notice(&query, DONE)
            .live(BEAT),
        is_first_page: after.is_none(),
        after: found.items.last().filter(|_| found.has_more).map(|last| last.id),
        destinations: found.items.iter().map(Listed::from).collect(),
        may_write: visit.may(Permission::NOTIFICATION_SETTING_WRITE),
    }))
}
