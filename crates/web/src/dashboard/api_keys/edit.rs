//! Changing an API key: its name, its description, and what it may do.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::role::Action;
use tollgate_service::ApiKeyPatch;

use super::create::KeyForm;
use super::permissions::{self, Picker};
use super::{correctable, named};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;
use crate::error::Problem;

const PATH: &str = "/dashboard/api-keys/{id}/edit";

pub(super) fn rows() -> Vec<Row> {
    let manage = Right::Action(Action::ManageApiKeys);
    vec![Row::get(PATH, manage, show), Row::post(PATH, manage, change)]
}

#[derive(Template)]
#[template(path = "dashboard/api_keys/edit.html")]
struct EditPage {
    frame: Frame,
    id: ApiKeyId,
    problems: Vec<Problem>,
    form: KeyForm,
    picker: Picker,
}

impl EditPage {
    fn new(visit: &Visit, id: ApiKeyId, form: KeyForm, problems: Vec<Problem>) -> Self {
        Self {
            frame: visit.frame(Section::ApiKeys, "Edit an API key"),
            id,
            problems,
            picker: permissions::picker(form.permissions),
            form,
        }
    }
}

async fn show(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let ApiKey {
        id,
        name,
        description,
        permissions,
        ..
    } = named(&app, &visit, &id).await?;
    let form = KeyForm {
        name,
        description: description.unwrap_or_default(),
        permissions,
    };
    Ok(page::ok(&EditPage::new(&visit, id, form, Vec::new())))
}

async fn change(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let key = named(&app, &visit, &id).await?;
    let form = KeyForm::of(&fields);
    let mut problems = form.problems();
    if problems.is_empty() {
        let patch = ApiKeyPatch {
            name: Some(form.name.clone()),
            description: Some(form.described()),
            permissions: Some(form.permissions),
        };
        match app.service.update_api_key(&visit.caller, key.id, &patch).await {
            Ok(key) => return Ok(see_other(&format!("/dashboard/api-keys/{}?done=changed", key.id))),
            Err(error) => problems = correctable(error, &id)?,
        }
    }
    Ok(page::refused(&EditPage::new(&visit, key.id, form, problems)))
}
