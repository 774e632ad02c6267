//! Switching a destination on and off, and deleting it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_service::NotificationSettingPatch;

use super::detail::Shown;
use super::refused;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::extract::path::PathId;

#[derive(Template)]
#[template(path = "dashboard/notification_settings/delete.html")]
struct DeletePage {
    frame: Frame,
    destination: Shown,
}

/// 303 to the destination.
pub(super) async fn activate(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    switch(&visit, &app, &path, true).await?;
    Ok(see_other(&format!(
        "/dashboard/notifications/destinations/{}?done=activated",
        path.as_str()
    )))
}

/// 303 to the destination.
pub(super) async fn deactivate(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    switch(&visit, &app, &path, false).await?;
    Ok(see_other(&format!(
        "/dashboard/notifications/destinations/{}?done=deactivated",
        path.as_str()
    )))
}

async fn switch(visit: &Visit, app: &App, path: &PathId, active: bool) -> Result<(), Failure> {
    let switched = NotificationSettingPatch {
        active: Some(active),
        ..NotificationSettingPatch::default()
    };
    let id = id(path, "Destination")?;
    let changed = app
        .service
        .update_notification_setting(&visit.caller, id, &switched)
        .await;
    changed.map(drop).map_err(refused)
}

/// 200 with what goes with it.
pub(super) async fn ask_to_delete(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let id = id(&path, "Destination")?;
    let setting = app.service.notification_setting(&visit.caller, id).await;
    let setting = setting.map_err(refused)?;
    Ok(page::ok(&DeletePage {
        frame: visit.frame(Section::Notifications, "Delete a destination"),
        destination: Shown::from(&setting),
    }))
}

/// 303 to the destinations.
pub(super) async fn delete(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let id = id(&path, "Destination")?;
    let deleted = app.service.delete_notification_setting(&visit.caller, id).await;
    deleted.map_err(refused)?;
    Ok(see_other("/dashboard/notifications?done=deleted"))
}
