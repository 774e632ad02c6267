//! What a page says when it can't be shown, or a form can't be done: an error of the catalogue, as a page.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tollgate_service::{AuditError, Denied, EventError, PeopleError};
use tollgate_storage::StorageError;

use super::moment::counted;
use super::page;
use crate::catalogue;
use crate::endpoint::Surface;
use crate::error::{ApiError, Problem};

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Failure {
    /// One of the catalogue's.
    Error(ApiError),
    /// One that only people get.
    Told {
        status: StatusCode,
        /// A few words.
        title: &'static str,
        /// What happened and what to do next.
        text: String,
    },
}

#[derive(Template)]
#[template(path = "dashboard/failure.html")]
struct FailurePage<'a> {
    title: &'a str,
    text: String,
    problems: &'a [Problem],
}

impl Failure {
    /// A form that doesn't come from a page of this session.
    pub(super) fn bad_proof() -> Self {
        Self::Told {
            status: StatusCode::FORBIDDEN,
            title: "This form can't be trusted",
            text: "It doesn't come from a page of your session, or the session is another one by now. Nothing was \
                   changed. Open the page anew and send the form again."
                .to_owned(),
        }
    }

    /// A form of a session that is over.
    pub(super) fn signed_out() -> Self {
        Self::Told {
            status: StatusCode::FORBIDDEN,
            title: "You are signed out",
            text: "Your session is over. Nothing was changed. Sign in and try again.".to_owned(),
        }
    }

    /// A right that the role lacks.
    pub(super) fn forbidden() -> Self {
        Self::Told {
            status: StatusCode::FORBIDDEN,
            title: "Your role doesn't allow this",
            text: "Nothing was changed. Ask an admin or an owner of the workspace to do it, or for another role."
                .to_owned(),
        }
    }

    /// Nothing here by this name.
    pub(super) fn not_found(what: &str) -> Self {
        Self::Error(ApiError::not_found(what.to_owned()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, page) = match &self {
            Self::Told { status, title, text } => (
                *status,
                FailurePage {
                    title,
                    text: text.clone(),
                    problems: &[],
                },
            ),
            Self::Error(error) => {
                let status = error.entry.status_on(Surface::Plain);
                let (title, text) = match status {
                    StatusCode::NOT_FOUND => (
                        "There is nothing here",
                        "It may be in another workspace, or the address has a mistake.".to_owned(),
                    ),
                    // The contract's words for it speak of another company.
                    StatusCode::INTERNAL_SERVER_ERROR => (
                        "That didn't work",
                        "The server's log says why, beside the id in this answer's Request-Id. Try again in a moment."
                            .to_owned(),
                    ),
                    StatusCode::TOO_MANY_REQUESTS => (
                        "Too many requests from your address",
                        format!(
                            "Wait {}, then send the form again.",
                            counted(error.retry_after.unwrap_or(1), "second")
                        ),
                    ),
                    _ => ("That didn't work", error.detail()),
                };
                (
                    status,
                    FailurePage {
                        title,
                        text,
                        problems: &error.problems,
                    },
                )
            }
        };
        let mut response = page::render(status, &page);
        if let Self::Error(ApiError {
            retry_after: Some(seconds),
            ..
        }) = self
        {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        if error.entry.code == catalogue::FORBIDDEN.code {
            Self::forbidden()
        } else {
            Self::Error(error)
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Error(error.into())
    }
}

impl From<Denied> for Failure {
    fn from(_: Denied) -> Self {
        Self::forbidden()
    }
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        Self::from(ApiError::from(error))
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Denied(denied) => denied.into(),
            AuditError::Storage(error) => error.into(),
        }
    }
}

impl From<PeopleError> for Failure {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Denied(denied) => denied.into(),
            PeopleError::Storage(error) => error.into(),
            PeopleError::NotFound => Self::not_found("Member"),
            told => Self::Told {
                status: if matches!(told, PeopleError::Link) {
                    StatusCode::GONE
                } else {
                    StatusCode::CONFLICT
                },
                title: "That didn't work",
                text: sentence(&told.to_string()),
            },
        }
    }
}

/// An error's text as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let end = if text.ends_with('.') { "" } else { "." };
    first.into_iter().flatten().chain(letters).chain(end.chars()).collect()
}
