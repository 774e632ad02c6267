//! A simulated event for one destination: does the receiver take it?

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::event::EventType;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::simulation::TYPES;

use super::detail::Shown;
use super::refused;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id;
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::dashboard::simulations::{self, run_page};
use crate::error::ApiError;
use crate::extract::path::PathId;
use crate::native::simulations::{TRIGGER, trigger_of};

#[derive(Template)]
#[template(path = "dashboard/notification_settings/test.html")]
struct TestPage {
    frame: Frame,
    destination: Shown,
    takes_simulated: bool,
    may_write: bool,
    types: Vec<&'static str>,
    problem: Option<String>,
}

impl TestPage {
    fn of(visit: &Visit, setting: &NotificationSetting, problem: Option<String>) -> Self {
        Self {
            frame: visit.frame(Section::Notifications, "Test a destination"),
            takes_simulated: setting.traffic_source.takes_simulated(),
            may_write: visit.may(tollgate_domain::permission::Permission::NOTIFICATION_SETTING_WRITE),
            types: subscribed_first(setting),
            problem,
            destination: Shown::from(setting),
        }
    }
}

/// What can be simulated: what the destination subscribes to comes first.
fn subscribed_first(setting: &NotificationSetting) -> Vec<&'static str> {
    let mut types: Vec<&str> = TYPES.into_iter().map(EventType::name).collect();
    types.sort_by_key(|name| !setting.subscribed_events.iter().any(|subscribed| subscribed == name));
    types
}

/// 200 with the choice of an event type, or with why nothing can be simulated there.
pub(super) async fn ask(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let setting = app
        .service
        .notification_setting(&visit.caller, id(&path, "Destination")?)
        .await
        .map_err(refused)?;
    Ok(page::ok(&TestPage::of(&visit, &setting, None)))
}

/// 303 to the run, which shows its attempt; 422 when nothing can be sent there.
pub(super) async fn send(
    visit: Visit,
    State(app): State<App>,
    path: PathId,
    Form(form): Form,
) -> Result<Response, Failure> {
    let setting = app
        .service
        .notification_setting(&visit.caller, id(&path, "Destination")?)
        .await
        .map_err(refused)?;
    let mut body = form.object(&["type"]);
    body.insert("notification_setting_id".to_owned(), setting.id.to_string().into());
    let trigger = trigger_of(TRIGGER.check(body)?)?;
    let runs = app.service.trigger_simulations(&visit.caller, trigger).await;
    match runs.map_err(ApiError::from) {
        Ok(runs) => Ok(run_page(&runs)),
        Err(error) => {
            let problem = simulations::why(error)?;
            Ok(page::refused(&TestPage::of(&visit, &setting, Some(problem))))
        }
    }
}
