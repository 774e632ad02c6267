//! For the machines that watch: is it alive, is it ready.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::App;
use crate::endpoint::{Access, Answer, Endpoint, Surface};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let open = (Surface::Plain, Access::Open);
    let health = || Answer::Raw("`{\"status\": …}`");
    vec![
        Endpoint::new(
            (Method::GET, "/health/live"),
            open,
            live,
            ("live", "The process runs"),
            health(),
        ),
        Endpoint::new(
            (Method::GET, "/health/ready"),
            open,
            ready,
            ("ready", "The store answers: requests can be served"),
            health(),
        )
        .otherwise(503, "The store gives no answer."),
    ]
}

async fn live() -> Response {
    axum::Json(json!({ "status": "live" })).into_response()
}

async fn ready(State(app): State<App>) -> Response {
    match app.service.ready().await {
        Ok(sequence) => axum::Json(json!({ "status": "ready", "sequence": sequence })).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready: the store gives no answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                axum::Json(json!({ "status": "not ready" })),
            )
                .into_response()
        }
    }
}
