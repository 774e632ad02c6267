//! `/tollgate/notifications/{id}/logs`: the attempts with what the contract doesn't show: how long each took, and why
//! there was no whole answer.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::permission::Permission;

use crate::App;
use crate::compatible::notifications::{LOGS, LogView, page_of_logs};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::list::ListQuery;
use crate::extract::path::PathId;
use crate::gate::Known;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, "/tollgate/notifications/{notification_id}/logs"),
            (Surface::Native, Access::Needs(Permission::NOTIFICATION_READ)),
            logs,
            (
                "listNativeNotificationLogs",
                "List the attempts to deliver a notification, with durations and problems",
            ),
            Answer::many::<NativeLogView<'_>>(),
        )
        .listing(&LOGS),
    ]
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NativeNotificationLog")]
struct NativeLogView<'a> {
    #[serde(flatten)]
    log: LogView<'a>,
    duration_ms: u32,
    /// Why there was no answer, or no whole one.
    problem: Option<&'a str>,
}

/// 200 with a page.
async fn logs(
    Known(caller): Known,
    State(app): State<App>,
    id: PathId,
    query: ListQuery,
) -> Result<Response, ApiError> {
    let (slice, pagination) = page_of_logs(&app, &caller, &id, query).await?;
    let data: Vec<_> = slice
        .items
        .iter()
        .map(|attempt| NativeLogView {
            log: LogView::from(attempt),
            duration_ms: attempt.duration_ms,
            problem: attempt.problem.as_deref(),
        })
        .collect();
    Ok(envelope::page(&data, pagination))
}
