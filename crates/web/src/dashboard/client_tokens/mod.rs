//! `/dashboard/client-tokens`: the list, a token's own page, creating, changing, and ending one.

mod asked;
mod chart;
mod detail;
mod edit;
mod ending;
mod evidence;
mod form;
mod history;
mod list;
mod new;
mod restrictions;
mod revoke;
mod snippets;
mod status;
mod usage;

use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;

use super::failure::Failure;
use super::row::{Right, Row};
use crate::error::{ApiError, Problem};

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::CLIENT_TOKEN_READ);
    let write = Right::Permission(Permission::CLIENT_TOKEN_WRITE);
    vec![
        Row::get("/dashboard/client-tokens", read, list::show),
        Row::get("/dashboard/client-tokens/new", write, new::show),
        Row::post("/dashboard/client-tokens/new", write, new::create),
        Row::get("/dashboard/client-tokens/{id}", read, detail::show),
        Row::get("/dashboard/client-tokens/{id}/edit", write, edit::show),
        Row::post("/dashboard/client-tokens/{id}/edit", write, edit::save),
        Row::post("/dashboard/client-tokens/{id}/enforce", write, restrictions::enforce),
        Row::get("/dashboard/client-tokens/{id}/revoke", write, revoke::show),
        Row::post("/dashboard/client-tokens/{id}/revoke", write, ending::revoke),
        Row::post("/dashboard/client-tokens/{id}/rotate", write, ending::rotate),
        Row::post("/dashboard/client-tokens/{id}/keep", write, ending::keep),
    ]
}

/// What forms have done, by the code in the address that they lead to.
const DONE: [(&str, &str); 7] = [
    ("created", "The token is made. Copy it into your front end."),
    (
        "saved",
        "The changes are saved. They hold at once here, and within seconds everywhere.",
    ),
    ("enforced", "The restriction is enforced from now on."),
    ("revoked", "The token is revoked. Whoever presents it is refused."),
    (
        "scheduled",
        "The token is going to be revoked. Until then it works, and you can withdraw that.",
    ),
    ("kept", "The token stays. Nothing is scheduled any more."),
    (
        "rotated",
        "The successor is made. Replace the old token with it before the old one is revoked.",
    ),
];

/// A token's page, after the form that led there did what `done` says.
fn page_of(id: ClientTokenId, done: &str) -> String {
    format!("/dashboard/client-tokens/{id}?done={done}")
}

/// The id in a path; what isn't one is nothing's.
fn parsed(id: &str) -> Result<ClientTokenId, Failure> {
    ClientTokenId::parse(id).map_err(|_| Failure::not_found("Client token"))
}

/// What is wrong with fields that were given; any other error has a page of its own.
fn problems(error: ApiError) -> Result<Vec<Problem>, Failure> {
    if error.problems.is_empty() {
        Err(error.into())
    } else {
        Ok(error.problems)
    }
}
