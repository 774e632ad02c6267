//! Signing out, here or everywhere.

use axum::extract::State;
use axum::http::header;
use axum::response::Response;

use crate::App;
use crate::dashboard::cookies::SESSION;
use crate::dashboard::failure::Failure;
use crate::dashboard::page::see_other;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::{Reached, Session};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::post("/dashboard/sign-out", Right::SignedIn, here),
        Row::post("/dashboard/sign-out-everywhere", Right::SignedIn, everywhere),
    ]
}

async fn here(session: Session, State(app): State<App>) -> Result<Response, Failure> {
    let reached = &session.reached;
    app.service.sign_out(&session.signed_in, reached.address).await?;
    Ok(leave(reached, "signed-out"))
}

async fn everywhere(session: Session, State(app): State<App>) -> Result<Response, Failure> {
    let reached = &session.reached;
    app.service
        .sign_out_everywhere(&session.signed_in, reached.address)
        .await?;
    Ok(leave(reached, "signed-out-everywhere"))
}

fn leave(reached: &Reached, done: &str) -> Response {
    let mut response = see_other(&format!("/dashboard/sign-in?done={done}"));
    let forget = SESSION.clear(reached.secure);
    response.headers_mut().append(header::SET_COOKIE, forget);
    response
}
