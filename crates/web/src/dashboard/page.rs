//! From a template to an answer, and the headers that keep every page to itself.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use crate::catalogue;
use crate::error::ApiError;

/// Scripts, styles and connections of our own only, no script in the page itself, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// 200 with the page.
pub(super) fn ok(template: &impl Template) -> Response {
    render(StatusCode::OK, template)
}

/// 422 with the form again, and what is wrong with it.
pub(super) fn refused(template: &impl Template) -> Response {
    render(StatusCode::UNPROCESSABLE_ENTITY, template)
}

pub(super) fn render(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            ApiError::new(&catalogue::INTERNAL_ERROR).into_response()
        }
    }
}

/// 303: what a form did is looked at on another page, and reloading that does nothing again.
pub(super) fn see_other(path: &str) -> Response {
    let to = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/dashboard"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// What holds for everything under `/dashboard`.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        // Not less: without it, browsers don't say where a form comes from.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-robots-tag", "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
