//! Making a token.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::client_token::ClientToken;

use super::form::TokenForm;
use super::{page_of, problems};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::error::{ApiError, Problem};
use crate::native::client_tokens::{CREATE, new_token};

#[derive(Template)]
#[template(path = "dashboard/client_tokens/new.html")]
struct NewPage {
    frame: Frame,
    form: TokenForm,
    problems: Vec<Problem>,
}

impl NewPage {
    fn new(visit: &Visit, form: TokenForm) -> Self {
        Self {
            frame: visit.frame(Section::ClientTokens, "New client-side token"),
            problems: form.problems(),
            form,
        }
    }
}

pub(super) async fn show(visit: Visit) -> Response {
    page::ok(&NewPage::new(&visit, TokenForm::default()))
}

pub(super) async fn create(visit: Visit, State(app): State<App>, Form(fields): Form) -> Result<Response, Failure> {
    let form = TokenForm::typed(&fields);
    match made(&app, &visit, &form).await {
        Ok(token) => Ok(see_other(&page_of(token.id, "created"))),
        Err(error) => {
            let form = form.refused(&problems(error)?);
            Ok(page::refused(&NewPage::new(&visit, form)))
        }
    }
}

async fn made(app: &App, visit: &Visit, form: &TokenForm) -> Result<ClientToken, ApiError> {
    let new = new_token(&mut CREATE.check(form.body())?);
    let created = app.service.create_client_token(&visit.caller, new, None).await;
    let created = created.map_err(|error| ApiError::of_client_token(error, ""))?;
    Ok(created.value)
}
