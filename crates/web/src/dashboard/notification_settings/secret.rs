//! A new secret for a destination, while its receiver still has the one before.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use super::detail::Shown;
use super::refused;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id;
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::extract::path::PathId;
use crate::native::notification_settings::{ROTATE, overlap};

const OVERLAP: &str = "overlap_seconds";

#[derive(Template)]
#[template(path = "dashboard/notification_settings/rotate_secret.html")]
struct RotatePage {
    frame: Frame,
    destination: Shown,
    mistakes: Mistakes,
}

/// 200 with what it means.
pub(super) async fn ask(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    Ok(page::ok(&show(&visit, &app, &path, Mistakes::default()).await?))
}

async fn show(visit: &Visit, app: &App, path: &PathId, mistakes: Mistakes) -> Result<RotatePage, Failure> {
    let id = id(path, "Destination")?;
    let setting = app.service.notification_setting(&visit.caller, id).await;
    let setting = setting.map_err(refused)?;
    Ok(RotatePage {
        frame: visit.frame(Section::Notifications, "Rotate the secret"),
        destination: Shown::from(&setting),
        mistakes,
    })
}

/// 303 to the destination, which shows the new secret; 422 when the time is none.
pub(super) async fn rotate(
    visit: Visit,
    State(app): State<App>,
    path: PathId,
    Form(form): Form,
) -> Result<Response, Failure> {
    let mut body = form.object(&[OVERLAP]);
    if let Ok(seconds) = form.text(OVERLAP).parse::<i64>() {
        body.insert(OVERLAP.to_owned(), Value::from(seconds));
    }
    let checked = match ROTATE.check(body) {
        Ok(checked) => checked,
        Err(error) => {
            let mistakes = Mistakes::of(error, &[(OVERLAP, "The old secret's time")])?;
            return Ok(page::refused(&show(&visit, &app, &path, mistakes).await?));
        }
    };
    let id = id(&path, "Destination")?;
    app.service
        .rotate_notification_setting_secret(&visit.caller, id, overlap(checked))
        .await
        .map_err(refused)?;
    Ok(see_other(&format!(
        "/dashboard/notifications/destinations/{id}?done=rotated"
    )))
}
