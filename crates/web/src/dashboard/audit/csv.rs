//! The trail as a file: the same filter, written piece by piece while it is read.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::filter::Filter;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::moment::Moment;
use crate::dashboard::session::Visit;

/// 200 with all that the filter lets through, up to the service's bound. Where the store fails on the way the answer
/// breaks off, so that nobody takes a part for the whole.
pub(super) async fn download(visit: Visit, State(app): State<App>, Query(query): Query) -> Result<Response, Failure> {
    let filter = Filter::of(&query, 1).page;
    let mut export = app.service.audit_export(&visit.caller, filter)?;
    // A store that doesn't answer at all is a page that says so.
    let first = export.next().await?.unwrap_or_default();
    let pieces = stream::try_unfold((export, Some(first)), |(mut export, ready)| async move {
        let piece = match ready {
            Some(first) => Some(first),
            None => export.next().await.inspect_err(|error| {
                tracing::error!(%error, "an export of the audit trail broke off");
            })?,
        };
        Ok::<_, tollgate_service::AuditError>(piece.map(|piece| (piece, (export, None))))
    });
    let name = format!("tollgate-audit-{}.csv", Moment(app.service.now()).day());
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
