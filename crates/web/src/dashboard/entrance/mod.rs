//! Coming in and going out: signing in and out, and the pages that one-time links lead to.

pub(crate) mod links;
mod openid;
mod passkey;
mod sign_in;
mod sign_out;
mod ways;

use axum::http::header;
use axum::response::Response;
use tollgate_domain::session::SessionSecret;

use super::cookies::SESSION;
use super::page::see_other;
use super::row::Row;
use super::session::Reached;

pub(super) use ways::Ways;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = sign_in::rows();
    rows.extend(openid::rows());
    rows.extend(passkey::rows());
    rows.extend(sign_out::rows());
    rows.extend(links::rows());
    rows
}

/// To `path`, as somebody who has just signed in.
fn let_in(secret: &SessionSecret, reached: &Reached, path: &str) -> Response {
    let mut response = see_other(path);
    let cookie = SESSION.set(secret.reveal(), reached.secure);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Where to go after signing in: a page of the dashboard, and nowhere else whatever the address says.
fn next_page(asked: &str) -> &str {
    let is_ours = asked == "/dashboard" || asked.starts_with("/dashboard/");
    let is_plain = asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && !asked.contains("//");
    if is_ours && is_plain { asked } else { "/dashboard" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_led_away() {
        for ours in [
            "/dashboard",
            "/dashboard/client-tokens?status=active",
            "/dashboard/events",
        ] {
            assert_eq!(next_page(ours), ours);
        }
        for other in [
            "",
            "https://example.com",
            "//example.com",
            "/dashboard//example.com",
            "/dashboardevil",
            "/\\example.com",
            "/dashboard/\r\nset-cookie: a=b",
            "javascript:alert(1)",
        ] {
            assert_eq!(next_page(other), "/dashboard", "{other}");
        }
    }
}
