//! What a handler answers with: the data; the front door puts the envelope around it.

use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Data on its way to the caller, already JSON.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) data: Vec<u8>,
    pub(crate) pagination: Option<Pagination>,
}

/// `meta.pagination`.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Pagination {
    /// How many items a page holds at most, after limiting.
    pub(crate) per_page: usize,
    /// The address of the next page; the same as this one's when there is none.
    pub(crate) next: String,
    /// Whether the next page holds anything.
    pub(crate) has_more: bool,
    /// Exact to 100,000, then 100001; -1 when counting was skipped.
    pub(crate) estimated_total: i64,
}

/// `data` and `meta`.
pub(crate) fn data(status: StatusCode, data: &impl Serialize) -> Response {
    respond(status, data, None)
}

/// Where a change stands in the sequence, on the native surface.
pub(crate) const SEQUENCE: HeaderName = HeaderName::from_static("tollgate-sequence");

/// The answer to a change, saying where it stands.
pub(crate) fn placed(mut response: Response, sequence: u64) -> Response {
    response.headers_mut().insert(SEQUENCE, sequence.into());
    response
}

/// A page: `data` and `meta` with `pagination`.
pub(crate) fn page(data: &impl Serialize, pagination: Pagination) -> Response {
    respond(StatusCode::OK, data, Some(pagination))
}

fn respond(status: StatusCode, data: &impl Serialize, pagination: Option<Pagination>) -> Response {
    let data = serde_json::to_vec(data).expect("views have text keys and finite numbers");
    let mut response = status.into_response();
    response.extensions_mut().insert(Payload { data, pagination });
    response
}
