//! `/tollgate/errors`: the catalogue of errors, for people who follow a `documentation_url`.

use std::fmt::Write as _;

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Response};

use crate::catalogue::{self, CATALOGUE, Entry};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::error::ApiError;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let open = (Surface::Plain, Access::Open);
    vec![
        Endpoint::new(
            (Method::GET, "/tollgate/errors"),
            open,
            list,
            ("listErrors", "Every error, as plain text"),
            Answer::Raw("Plain text"),
        ),
        Endpoint::new(
            (Method::GET, "/tollgate/errors/{code}"),
            open,
            get,
            ("getError", "What an error means and what to do, as plain text"),
            Answer::Raw("Plain text"),
        )
        .errors(&[&catalogue::INVALID_URL]),
    ]
}

/// 200, plain text.
async fn list() -> Response {
    let mut text = String::new();
    for entry in CATALOGUE {
        let _ = writeln!(text, "{}", described(entry));
    }
    text.into_response()
}

/// 200, plain text; 404 for a code that doesn't exist.
async fn get(code: Result<Path<String>, axum::extract::rejection::PathRejection>) -> Result<Response, ApiError> {
    let code = code.map(|Path(code)| code).unwrap_or_default();
    let entry = CATALOGUE.iter().find(|entry| entry.code == code);
    entry
        .map(|entry| described(entry).into_response())
        .ok_or_else(|| ApiError::new(&catalogue::INVALID_URL))
}

fn described(entry: &Entry) -> String {
    let detail = entry.detail.replace("{}", "…");
    format!("{} {}\n{detail}\n{}\n", entry.status, entry.code, entry.remedy)
}
