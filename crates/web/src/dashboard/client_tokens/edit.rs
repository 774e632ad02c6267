//! Changing a token's name, description and restrictions.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::client_token::ClientToken;

use super::form::TokenForm;
use super::{page_of, parsed, problems};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::error::{ApiError, Problem};
use crate::native::client_tokens::{UPDATE, patch};

#[derive(Template)]
#[template(path = "dashboard/client_tokens/edit.html")]
struct EditPage {
    frame: Frame,
    token: ClientToken,
    form: TokenForm,
    problems: Vec<Problem>,
    /// Somebody else changed the token since the form was opened.
    is_outdated: bool,
}

impl EditPage {
    fn new(visit: &Visit, token: ClientToken, form: TokenForm) -> Self {
        Self {
            frame: visit.frame(Section::ClientTokens, format!("Edit {}", token.name)),
            problems: form.problems(),
            form,
            token,
            is_outdated: false,
        }
    }
}

pub(super) async fn show(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let token = app.service.client_token(&visit.caller, parsed(&id)?).await;
    let token = token.map_err(|error| ApiError::of_client_token(error, &id))?;
    let form = TokenForm::of(&token);
    Ok(page::ok(&EditPage::new(&visit, token, form)))
}

pub(super) async fn save(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let token = app.service.client_token(&visit.caller, parsed(&id)?).await;
    let token = token.map_err(|error| ApiError::of_client_token(error, &id))?;
    let form = TokenForm::typed(&fields);
    let version = token.version.to_string();
    if form.version() != version {
        let form = form.of_version(version);
        return Ok(page::refused(&EditPage {
            is_outdated: true,
            ..EditPage::new(&visit, token, form)
        }));
    }
    match saved(&app, &visit, &token, &form).await {
        Ok(()) => Ok(see_other(&page_of(token.id, "saved"))),
        Err(error) => {
            let form = form.refused(&problems(error)?);
            Ok(page::refused(&EditPage::new(&visit, token, form)))
        }
    }
}

async fn saved(app: &App, visit: &Visit, token: &ClientToken, form: &TokenForm) -> Result<(), ApiError> {
    let patch = patch(&mut UPDATE.check(form.body())?);
    let updated = app.service.update_client_token(&visit.caller, token.id, &patch).await;
    updated.map_err(|error| ApiError::of_client_token(error, &token.id.to_string()))?;
    Ok(())
}
