//! The ways to end a token: now, at a time, with a successor; and not to, after all.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value};
use tollgate_domain::client_token::ClientTokenStatus;
use tollgate_domain::time::Timestamp;
use tollgate_service::{ClientTokenError, ClientTokenPatch};

use super::form::utc;
use super::{page_of, parsed, problems, revoke as confirmation};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::page::see_other;
use crate::dashboard::session::Visit;
use crate::error::{ApiError, Problem};
use crate::native::client_tokens::{UPDATE, patch};

/// When a form says that the token ends.
#[derive(Debug)]
enum When {
    Now,
    After(Duration),
    /// As it was typed.
    At(String),
}

impl When {
    fn of(fields: &Fields) -> Option<Self> {
        const HOUR: Duration = Duration::from_hours(1);
        Some(match fields.text("when") {
            "now" => Self::Now,
            "hour" => Self::After(HOUR),
            "day" => Self::After(24 * HOUR),
            "week" => Self::After(7 * 24 * HOUR),
            "at" => Self::At(fields.text("revoke_at").to_owned()),
            _ => return None,
        })
    }

    /// The change that it is, by the API's own rules.
    fn patch(&self, now: Timestamp) -> Result<ClientTokenPatch, ApiError> {
        let (name, value) = match self {
            Self::Now => ("status", ClientTokenStatus::Revoked.name().to_owned()),
            Self::After(later) => ("revoke_at", now.plus(*later).to_string()),
            Self::At(typed) => ("revoke_at", utc(typed)),
        };
        let body = Map::from_iter([(name.to_owned(), Value::String(value))]);
        Ok(patch(&mut UPDATE.check(body)?))
    }
}

/// Revokes it, or schedules that.
pub(super) async fn revoke(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let id = parsed(&id)?;
    let told = |error| ApiError::of_client_token(error, &id.to_string());
    let token = app.service.client_token(&visit.caller, id).await.map_err(told)?;
    let when = When::of(&fields).ok_or_else(|| ApiError::bad_field("when", "Must be given"))?;
    let ended = match when.patch(app.service.now()) {
        Ok(patch) => {
            let updated = app.service.update_client_token(&visit.caller, id, &patch).await;
            updated.map_err(told)
        }
        Err(error) => Err(error),
    };
    match (ended, when) {
        (Ok(_), When::Now) => Ok(see_other(&page_of(id, "revoked"))),
        (Ok(_), When::After(_) | When::At(_)) => Ok(see_other(&page_of(id, "scheduled"))),
        (Err(error), When::At(typed)) => {
            let problems = problems(error)?.into_iter();
            let problems = problems.map(|problem| Problem::new("Time", problem.message)).collect();
            confirmation::refused(&app, &visit, &token, (typed, problems)).await
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Makes a successor, and has the old token revoked later.
pub(super) async fn rotate(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let id = parsed(&id)?;
    let revoke_at = match When::of(&fields) {
        Some(When::After(later)) => Some(app.service.now().plus(later)),
        // As the use-case has it.
        _ => None,
    };
    let rotated = app
        .service
        .rotate_client_token(&visit.caller, id, revoke_at, None)
        .await;
    let rotated = rotated.map_err(|error| match error {
        ClientTokenError::AlreadyRevoked => {
            ApiError::invalid_field("status", "A revoked client token can't be rotated")
        }
        error => ApiError::of_client_token(error, &id.to_string()),
    })?;
    let successor = rotated.value.successor.id;
    Ok(see_other(&format!("{}&old={id}", page_of(successor, "rotated"))))
}

/// Withdraws a revocation that is scheduled.
pub(super) async fn keep(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = parsed(&id)?;
    let patch = ClientTokenPatch {
        revoke_at: Some(None),
        ..ClientTokenPatch::default()
    };
    let kept = app.service.update_client_token(&visit.caller, id, &patch).await;
    kept.map_err(|error| ApiError::of_client_token(error, &id.to_string()))?;
    Ok(see_other(&page_of(id, "kept")))
}
