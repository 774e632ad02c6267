//! Destinations: notification settings, as people call them where they look at what was sent there.

mod changes;
mod detail;
mod form;
mod list;
mod secret;
mod test;

use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::permission::Permission;
use tollgate_service::{NotificationSettingError, Service};
use tollgate_storage::{NotificationSettingPage, Order, Page};

use super::failure::Failure;
use super::row::{Right, Row};
use super::session::Visit;
use crate::error::ApiError;

/// What the notices of these pages say.
pub(super) const DONE: &[(&str, &str)] = &[
    (
        "created",
        "The destination is made and active. What happens from now on is sent there.",
    ),
    ("updated", "The destination is changed."),
    (
        "activated",
        "The destination is active again. What was waiting for it is sent now.",
    ),
    (
        "deactivated",
        "The destination is inactive. Nothing is sent there until you activate it.",
    ),
    ("rotated", "The destination has a new secret. Give it to your receiver."),
    (
        "deleted",
        "The destination is deleted, with its deliveries and their attempts.",
    ),
];

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::NOTIFICATION_SETTING_READ);
    let write = Right::Permission(Permission::NOTIFICATION_SETTING_WRITE);
    let simulate = Right::Permission(Permission::NOTIFICATION_SIMULATION_WRITE);
    vec![
        Row::get("/dashboard/notifications", read, list::show),
        Row::get("/dashboard/notifications/destinations/new", write, form::new),
        Row::post("/dashboard/notifications/destinations/new", write, form::create),
        Row::get("/dashboard/notifications/destinations/{id}", read, detail::show),
        Row::get("/dashboard/notifications/destinations/{id}/edit", write, form::edit),
        Row::post("/dashboard/notifications/destinations/{id}/edit", write, form::update),
        Row::get(
            "/dashboard/notifications/destinations/{id}/rotate-secret",
            write,
            secret::ask,
        ),
        Row::post(
            "/dashboard/notifications/destinations/{id}/rotate-secret",
            write,
            secret::rotate,
        ),
        Row::post(
            "/dashboard/notifications/destinations/{id}/activate",
            write,
            changes::activate,
        ),
        Row::post(
            "/dashboard/notifications/destinations/{id}/deactivate",
            write,
            changes::deactivate,
        ),
        Row::get(
            "/dashboard/notifications/destinations/{id}/delete",
            write,
            changes::ask_to_delete,
        ),
        Row::post(
            "/dashboard/notifications/destinations/{id}/delete",
            write,
            changes::delete,
        ),
        Row::get("/dashboard/notifications/destinations/{id}/test", simulate, test::ask),
        Row::post("/dashboard/notifications/destinations/{id}/test", simulate, test::send),
    ]
}

/// A destination in a list of choices.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) is_chosen: bool,
}

/// The newest of them that `fits`, as many as a workspace has as a rule; `chosen` is the id of one.
pub(super) async fn choices(
    service: &Service,
    visit: &Visit,
    chosen: &str,
    fits: impl Fn(&NotificationSetting) -> bool,
) -> Result<Vec<Choice>, Failure> {
    let asked = NotificationSettingPage {
        page: Page {
            after: None,
            order: Order::Descending,
            limit: 200,
            count: false,
        },
        active: None,
        traffic_source: None,
    };
    let found = service.notification_settings(&visit.caller, &asked).await;
    let settings = found.map_err(refused)?.items.into_iter();
    let choices = settings.filter(fits).map(|setting| Choice {
        is_chosen: setting.id.to_string() == chosen,
        id: setting.id.to_string(),
        text: short(&setting.description),
    });
    Ok(choices.collect())
}

/// A description as one line of a list: it may be 500 characters long.
pub(super) fn short(description: &str) -> String {
    const LONGEST: usize = 60;
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn refused(error: NotificationSettingError) -> Failure {
    ApiError::of_notification_setting(error, "").into()
}

const fn kind(destination_type: DestinationType) -> &'static str {
    match destination_type {
        DestinationType::Url => "URL",
        DestinationType::Email => "Email",
    }
}

const fn traffic(source: TrafficSource) -> &'static str {
    match source {
        TrafficSource::Platform => "Real",
        TrafficSource::Simulation => "Simulated",
        TrafficSource::All => "Real and simulated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_one_short_line_in_a_list() {
        assert_eq!(short("Shop\n  backend"), "Shop backend");
        assert_eq!(short(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(short(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}
