//! Leaving a workspace: everybody may, but for its last owner.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;

const PATH: &str = "/dashboard/account/leave";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get(PATH, Right::Member, confirm),
        Row::post(PATH, Right::Member, leave),
    ]
}

#[derive(Template)]
#[template(path = "dashboard/settings/leave.html")]
struct LeavePage {
    frame: Frame,
}

async fn confirm(visit: Visit) -> Response {
    page::ok(&LeavePage {
        frame: visit.frame(Section::Settings, "Leave the workspace"),
    })
}

async fn leave(visit: Visit, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    // Only from the page that asks.
    if form.text("sure") != "yes" {
        return Ok(see_other(PATH));
    }
    let me = visit.session.signed_in.user.id;
    app.service.remove_member(&visit.caller, me).await?;
    Ok(see_other("/dashboard"))
}
