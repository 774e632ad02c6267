//! Switching between the workspaces that a person is a member of; and the page of those who are a member of none.

use askama::Template;
use axum::response::Response;

use super::failure::Failure;
use super::page::{self, see_other};
use super::row::{Right, Row};
use super::session::{Session, Visit};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::post("/dashboard/workspace", Right::Member, switch),
        Row::get("/dashboard/no-workspace", Right::SignedIn, none),
    ]
}

/// The gate has seen to it already: a form acts in the workspace that it names, and that is what is shown from then on.
/// Other workspaces have other things, so the way leads to the beginning.
async fn switch(_: Visit) -> Response {
    see_other("/dashboard/client-tokens")
}

#[derive(Template)]
#[template(path = "dashboard/no_workspace.html")]
struct NoWorkspace {
    email: String,
    proof: String,
}

async fn none(session: Session) -> Result<Response, Failure> {
    if !session.workspaces.is_empty() {
        return Ok(see_other("/dashboard"));
    }
    Ok(page::ok(&NoWorkspace {
        email: session.signed_in.user.email.to_string(),
        proof: session.proof(),
    }))
}
