//! Signing in with a passkey. Only the script of the page gets this far.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use tollgate_domain::session::SessionSecret;
use tollgate_service::PasskeyError;

use super::sign_in::SignInPage;
use super::{let_in, next_page};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::page;
use crate::dashboard::passkeys::{self, Unasked};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visitor;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::post("/dashboard/sign-in/passkey/challenge", Right::Anyone, challenge),
        Row::post("/dashboard/sign-in/passkey", Right::Anyone, sign_in),
    ]
}

async fn challenge(visitor: Visitor, State(app): State<App>) -> Result<Response, Unasked> {
    let party = passkeys::party(&visitor.reached)?;
    let challenge = app.service.passkey_sign_in_challenge(&party).await?;
    Ok(passkeys::asked(&challenge, &visitor.reached))
}

async fn sign_in(
    visitor: Visitor,
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form,
) -> Result<Response, Failure> {
    let next = next_page(form.text("next"));
    let reached = visitor.reached.clone();
    let response = match signed_in(&visitor, &app, &headers, &form).await {
        Ok(secret) => let_in(&secret, &reached, next),
        Err(error) => {
            let problem = passkeys::told(error)?;
            page::refused(&SignInPage::new(&app, visitor, next).because(problem))
        }
    };
    Ok(passkeys::forgetting(response, &reached))
}

async fn signed_in(
    visitor: &Visitor,
    app: &App,
    headers: &HeaderMap,
    form: &Fields,
) -> Result<SessionSecret, PasskeyError> {
    let party = passkeys::party(&visitor.reached)?;
    let answered = (passkeys::state(headers, &visitor.reached)?, form.text("credential"));
    app.service
        .sign_in_by_passkey(&party, answered, visitor.reached.address)
        .await
}
