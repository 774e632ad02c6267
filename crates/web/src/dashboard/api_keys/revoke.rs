//! Revoking an API key, after a look at whether something still needs it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::role::Action;

use super::{named, used};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;
use crate::error::ApiError;

const PATH: &str = "/dashboard/api-keys/{id}/revoke";

pub(super) fn rows() -> Vec<Row> {
    let manage = Right::Action(Action::ManageApiKeys);
    vec![Row::get(PATH, manage, confirm), Row::post(PATH, manage, revoke)]
}

#[derive(Template)]
#[template(path = "dashboard/api_keys/revoke.html")]
struct RevokePage {
    frame: Frame,
    evidence: String,
    warns: bool,
    key: ApiKey,
}

async fn confirm(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let key = named(&app, &visit, &id).await?;
    if key.status != ApiKeyStatus::Active {
        return Ok(see_other(&format!("/dashboard/api-keys/{}", key.id)));
    }
    let (evidence, warns) = used::evidence(key.last_used_at, app.service.now());
    Ok(page::ok(&RevokePage {
        frame: visit.frame(Section::ApiKeys, "Revoke an API key"),
        evidence,
        warns,
        key,
    }))
}

async fn revoke(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let key = named(&app, &visit, &id).await?;
    let revoked = app.service.revoke_api_key(&visit.caller, key.id).await;
    let revoked = revoked.map_err(|error| ApiError::of_api_key(error, &id))?;
    Ok(see_other(&format!("/dashboard/api-keys/{}?done=revoked", revoked.id)))
}
