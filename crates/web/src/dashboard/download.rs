//! Texts as files, whole: what a page has no room for. A browser saves them, and never takes them for a page of ours.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// JSON, byte for byte; `name` without its ending, of letters, digits and underscores.
pub(super) fn json(name: &str, text: String) -> Response {
    file("application/json", &format!("{name}.json"), text)
}

/// Whatever text somebody else sent.
pub(super) fn plain(name: &str, text: String) -> Response {
    file("text/plain; charset=utf-8", &format!("{name}.txt"), text)
}

fn file(media_type: &'static str, name: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    (headers, text).into_response()
}
