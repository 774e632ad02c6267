//! Every request comes in and goes out here: it gets its id, its method is known or refused, and its answer gets the
//! envelope that the contract wants around data and errors.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde::Serialize;
use tower::ServiceExt;

use crate::App;
use crate::catalogue;
use crate::dashboard::without_secret;
use crate::envelope::Payload;
use crate::error::{ApiError, Problem};
use crate::extract::origin::base_url;
use crate::rest_of_body;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The methods that HTTP itself defines; others are 501, the ones that an endpoint lacks 405.
const KNOWN_METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Peer {
    /// Of a request that came in here.
    pub(crate) fn of(request: &Request) -> Self {
        *request
            .extensions()
            .get()
            .expect("the front door gives every request its peer")
    }
}

/// What the caller puts before a path to reach us; worked out once for a request.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(pub(crate) Arc<str>);

/// Answers one request.
pub(crate) async fn answer(app: &App, router: Router, peer: SocketAddr, mut request: Request) -> Response {
    let began = Instant::now();
    let request_id = request_id(app);
    let method = request.method().clone();
    collapse_leading_slashes(request.uri_mut());
    let path = request.uri().path().to_owned();
    let base: Arc<str> = base_url(app, peer, request.headers(), request.uri()).into();
    request.extensions_mut().insert(Peer(peer));
    request.extensions_mut().insert(BaseUrl(Arc::clone(&base)));
    let rest = rest_of_body::keep(&mut request);

    let mut response = if !KNOWN_METHODS.contains(&method) {
        ApiError::new(&catalogue::NOT_IMPLEMENTED).into_response()
    } else if path.contains("//") {
        // The router would take the nothing between two slashes for an id.
        ApiError::new(&catalogue::INVALID_URL).into_response()
    } else {
        let answered = AssertUnwindSafe(router.oneshot(request)).catch_unwind().await;
        match answered {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            // The panic hook has told where; the other requests of the connection go on.
            Err(_) => ApiError::new(&catalogue::INTERNAL_ERROR).into_response(),
        }
    };

    if let Some(rest) = rest {
        rest.read().await;
    }
    if let Some(payload) = response.extensions_mut().remove::<Payload>() {
        set_json(&mut response, with_meta(payload, &request_id));
    } else if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        set_json(&mut response, error_body(app, &base, &error, &request_id));
    }
    let id = HeaderValue::from_str(&request_id).expect("a UUID is a header value");
    response.headers_mut().insert(REQUEST_ID, id);

    // The query is left out, since a credential could stand in it; and of a one-time link what makes it one.
    tracing::debug!(
        target: "tollgate::http",
        %method, path = without_secret(&path), status = response.status().as_u16(), micros = began.elapsed().as_micros(), request_id,
    );
    response
}

/// What a router answers to a path it doesn't know.
pub(crate) async fn unknown_path() -> ApiError {
    ApiError::new(&catalogue::INVALID_URL)
}

/// What a router answers to a method that a path doesn't have; it adds `Allow` itself.
pub(crate) async fn unknown_method() -> ApiError {
    ApiError::new(&catalogue::METHOD_NOT_ALLOWED)
}

/// A lower-case, hyphenated version 4 UUID.
fn request_id(app: &App) -> String {
    let mut bytes = [0; 16];
    app.service.fill_random(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// `//client-tokens` is what a client with a base URL that ends in a slash asks for.
fn collapse_leading_slashes(uri: &mut Uri) {
    let Some(target) = uri.path_and_query().map(axum::http::uri::PathAndQuery::as_str) else {
        return;
    };
    if target.starts_with("//") {
        let collapsed = format!("/{}", target.trim_start_matches('/'));
        // Scheme and authority stay: over HTTP/2, the caller's host is only there.
        let mut parts = uri.clone().into_parts();
        if let Ok(collapsed) = collapsed.parse() {
            parts.path_and_query = Some(collapsed);
            if let Ok(collapsed) = Uri::from_parts(parts) {
                *uri = collapsed;
            }
        }
    }
}

fn set_json(response: &mut Response, body: Vec<u8>) {
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
    *response.body_mut() = Body::from(body);
}

/// `{"data": …, "meta": {"request_id": …[, "pagination": …]}}` around data that is JSON already.
fn with_meta(payload: Payload, request_id: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(payload.data.len() + 256);
    body.extend_from_slice(b"{\"data\":");
    body.extend_from_slice(&payload.data);
    body.extend_from_slice(b",\"meta\":{\"request_id\":\"");
    body.extend_from_slice(request_id.as_bytes());
    body.push(b'"');
    if let Some(pagination) = payload.pagination {
        body.extend_from_slice(b",\"pagination\":");
        serde_json::to_writer(&mut body, &pagination).expect("writing into memory");
    }
    body.extend_from_slice(b"}}");
    body
}

/// An error as the contract shows it; fields in its order.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorShown<'a>,
    meta: ErrorMeta<'a>,
}

#[derive(Serialize)]
struct ErrorShown<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    code: &'a str,
    detail: String,
    documentation_url: String,
    /// Absent when empty: one official client iterates over it, so it may not be null.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Problem],
}

#[derive(Serialize)]
struct ErrorMeta<'a> {
    request_id: &'a str,
}

fn error_body(app: &App, base: &str, error: &ApiError, request_id: &str) -> Vec<u8> {
    let code = error.entry.code;
    let documentation_url = match error.entry.category {
        Some(category) => format!("{}/errors/{category}/{code}", app.settings.documentation_url),
        None => format!("{base}/tollgate/errors/{code}"),
    };
    let body = ErrorBody {
        error: ErrorShown {
            kind: error.entry.kind,
            code,
            detail: error.detail(),
            documentation_url,
            errors: &error.problems,
        },
        meta: ErrorMeta { request_id },
    };
    serde_json::to_vec(&body).expect("text keys and finite numbers")
}
