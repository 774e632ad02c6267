//! Replacing an API key: another one that may do the same, and time to put it everywhere before the old one is revoked.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::role::Action;

use super::create::SecretPage;
use super::expiry::{self, Expiry};
use super::{correctable, named};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::page;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;
use crate::error::Problem;

const PATH: &str = "/dashboard/api-keys/{id}/rotate";

pub(super) fn rows() -> Vec<Row> {
    let manage = Right::Action(Action::ManageApiKeys);
    vec![Row::get(PATH, manage, show), Row::post(PATH, manage, rotate)]
}

#[derive(Template)]
#[template(path = "dashboard/api_keys/rotate.html")]
struct RotatePage {
    frame: Frame,
    problems: Vec<Problem>,
    key: ApiKey,
    expiry: Expiry,
}

impl RotatePage {
    fn new(visit: &Visit, key: ApiKey, expiry: Expiry, problems: Vec<Problem>) -> Self {
        Self {
            frame: visit.frame(Section::ApiKeys, "Rotate an API key"),
            problems,
            key,
            expiry,
        }
    }
}

async fn show(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let key = named(&app, &visit, &id).await?;
    let expiry = expiry::like(&key, app.service.now());
    Ok(page::ok(&RotatePage::new(&visit, key, expiry, Vec::new())))
}

async fn rotate(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let old = named(&app, &visit, &id).await?;
    let now = app.service.now();
    let problems = match expiry::read(&fields, now) {
        Err(problem) => vec![Problem::new("expires_at", problem)],
        Ok(expires_at) => match app.service.rotate_api_key(&visit.caller, old.id, expires_at).await {
            Ok((key, secret)) => return Ok(page::ok(&SecretPage::new(&visit, key, secret, Some(old.id)))),
            Err(error) => correctable(error, &id)?,
        },
    };
    let expiry = expiry::again(&fields, now);
    Ok(page::refused(&RotatePage::new(&visit, old, expiry, problems)))
}
