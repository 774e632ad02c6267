//! Every error that a caller can get: one catalogue, from which answers, the OpenAPI document, the pages at
//! `/tollgate/errors` and `docs/errors.md` are made.

use axum::http::StatusCode;

use crate::endpoint::Surface;

/// One kind of error.
#[derive(Debug)]
pub struct Entry {
    /// What programs match.
    pub code: &'static str,
    /// On the compatible surface; the native one answers 401 where a credential is missing or invalid.
    pub status: u16,
    /// `request_error`: the caller's to mend. `api_error`: ours, or a matter of waiting.
    pub kind: &'static str,
    /// The page's category in the contract's documentation; `None`: the code is ours, and its page is on this server.
    pub category: Option<&'static str>,
    /// What people read. `{}` stands for what is different each time.
    pub detail: &'static str,
    /// What to do next.
    pub remedy: &'static str,
}

macro_rules! catalogue {
    ($($name:ident = $code:literal, $status:literal, $kind:literal, $category:expr, $detail:literal, $remedy:literal;)*) => {
        /// Every error, by status.
        pub const CATALOGUE: &[Entry] = &[$($name),*];
        $(
            pub(crate) const $name: Entry = Entry {
                code: $code, status: $status, kind: $kind, category: $category, detail: $detail, remedy: $remedy,
            };
        )*
    };
}

catalogue! {
    BAD_REQUEST = "bad_request", 400, "request_error", Some("shared"), "Invalid request.",
        "Mend the fields that `errors` names.";
    INVALID_FIELD = "invalid_field", 400, "request_error", Some("shared"), "Request does not pass validation.",
        "Mend the fields that `errors` names.";
    INVALID_JSON = "invalid_json", 400, "request_error", Some("shared"), "Invalid JSON in your request.",
        "Send a body that is JSON in UTF-8.";
    INVALID_TIME_QUERY_PARAMETER = "invalid_time_query_parameter", 400, "request_error", Some("shared"),
        "Invalid timestamp as a query parameter.",
        "Write it as 2026-03-02T09:15:04Z, 2026-03-02T09:15:04 (read as UTC) or 2026-03-02.";
    URL_NOTIFICATION_SETTING_INCORRECT = "url_notification_setting_incorrect", 400, "request_error",
        Some("notifications"), "A URL Notification Setting destination must be a URL.",
        "Give an address that begins with https:// (http:// is enough in a sandbox).";
    EMAIL_NOTIFICATION_SETTING_INCORRECT = "email_notification_setting_incorrect", 400, "request_error",
        Some("notifications"), "An Email Notification Setting destination must be an email.",
        "Give an email address.";
    MAXIMUM_ACTIVE_SETTINGS = "notification_maximum_active_settings_reached", 400, "request_error",
        Some("notifications"), "Maximum number of notification settings reached",
        "Deactivate or delete one of the ten active notification settings.";
    NOTIFICATION_CANNOT_REPLAY = "notification_cannot_replay", 400, "request_error", Some("notifications"),
        "Notification {} can't be replayed because it's not `delivered` or `failed`.",
        "Wait until it is delivered or has failed.";
    REPLAY_INVALID_ORIGIN = "notification_replay_invalid_origin_type", 400, "request_error", Some("notifications"),
        "Only notifications with the origin `event` can be replayed.",
        "Replay the notification that this one is a replay of.";
    AUTHENTICATION_MISSING = "authentication_missing", 403, "request_error", Some("shared"),
        "Authentication header missing.",
        "Send `Authorization: Bearer <API key>`.";
    AUTHENTICATION_MALFORMED = "authentication_malformed", 403, "request_error", Some("shared"),
        "Authentication header included, but incorrectly formatted.",
        "Write the header as `Authorization: Bearer <API key>`.";
    INVALID_TOKEN = "invalid_token", 403, "request_error", Some("shared"), "Invalid or revoked API key.",
        "Check the key for a typing mistake and for the right environment; if it was revoked or has expired, make a new one.";
    FORBIDDEN = "forbidden", 403, "request_error", Some("shared"), "You aren't permitted to perform this request.",
        "Use a key that was granted the permission which the operation needs.";
    NOT_FOUND = "not_found", 404, "request_error", Some("shared"), "{} not found.",
        "Check the id, and that the key belongs to the same workspace.";
    INVALID_URL = "invalid_url", 404, "request_error", Some("shared"), "URL called is invalid.",
        "Check the path; it has no slash at its end.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "request_error", Some("shared"),
        "HTTP method used isn't allowed for this endpoint.",
        "Use a method that the `Allow` header names.";
    REQUEST_TIMEOUT = "request_timeout", 408, "request_error", None,
        "The request's body did not arrive within 30 seconds.",
        "Send it again.";
    CONFLICT = "conflict", 409, "request_error", Some("shared"), "Request conflicts with another change.",
        "Send the request again.";
    CONCURRENT_MODIFICATION = "concurrent_modification", 409, "request_error", Some("shared"),
        "Concurrent modification of entity {}.",
        "Send the request again.";
    SETTING_CANNOT_BE_DUPLICATE = "notification_setting_cannot_be_duplicate", 409, "request_error",
        Some("notifications"), "A notification setting with the same destination and configuration already exists.",
        "Change the existing one, or give another destination or other events.";
    SIMULATION_ALREADY_RUNNING = "notification_simulation_already_running_conflict", 409, "request_error",
        Some("notifications"), "Simulations cannot be run while another run is pending.",
        "Wait until the other run is over, a minute at most.";
    SIMULATION_SETTINGS_CONFLICT = "notification_simulation_run_notification_settings_conflict", 409, "request_error",
        Some("notifications"), "Simulations with an invalid notification setting cannot be run.",
        "Make the notification setting active and its traffic source `simulation` or `all`, or give the simulation another one.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", 409, "request_error", None,
        "This Idempotency-Key was used with another request body in the last 24 hours.",
        "Use a new key for a new request; repeat the same body to get the first answer again.";
    PAYLOAD_TOO_LARGE = "payload_too_large", 413, "request_error", None, "The request's body is larger than 1 MiB.",
        "Send a smaller body.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "request_error", Some("shared"),
        "Content-Type must be \"application/json\".",
        "Send the body as JSON, with that header.";
    FORM_EXPECTED = "form_expected", 415, "request_error", None,
        "Content-Type must be \"application/x-www-form-urlencoded\".",
        "Send the body as a form, with that header.";
    TOO_MANY_REQUESTS = "too_many_requests", 429, "api_error", Some("shared"),
        "IP address exceeded the allowed rate limit. Retry after the number of seconds in the Retry-After header.",
        "Wait as long as `Retry-After` says.";
    INTERNAL_ERROR = "internal_error", 500, "api_error", Some("shared"),
        "Problem processing your request. The Paddle team has been notified.",
        "Try again; if it stays, look for the request id in Tollgate's log. The wording is the contract's: nobody was notified.";
    NOT_IMPLEMENTED = "not_implemented", 501, "api_error", Some("shared"), "HTTP method not recognized.",
        "Use GET, POST, PATCH or DELETE.";
}

impl Entry {
    /// Whether it tells of a credential that is missing or invalid.
    fn is_of_credential(&self) -> bool {
        [
            AUTHENTICATION_MISSING.code,
            AUTHENTICATION_MALFORMED.code,
            INVALID_TOKEN.code,
        ]
        .contains(&self.code)
    }

    /// As this surface answers it: where a credential is missing or invalid, the native one says 401.
    pub(crate) fn status_on(&self, surface: Surface) -> StatusCode {
        if surface == Surface::Native && self.is_of_credential() {
            return StatusCode::UNAUTHORIZED;
        }
        StatusCode::from_u16(self.status).expect("the catalogue holds real statuses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted_by_status() {
        for pair in CATALOGUE.windows(2) {
            assert!(
                pair[0].status <= pair[1].status,
                "{} after {}",
                pair[1].code,
                pair[0].code
            );
        }
        let codes: std::collections::HashSet<_> = CATALOGUE.iter().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), CATALOGUE.len());
    }

    #[test]
    fn the_documentation_lists_every_error() {
        let page = include_str!("../../../docs/errors.md");
        let rows: Vec<String> = CATALOGUE
            .iter()
            .map(|entry| {
                format!(
                    "| {} | `{}` | {} | {} |",
                    entry.status, entry.code, entry.detail, entry.remedy
                )
            })
            .collect();
        for row in &rows {
            assert!(page.contains(row), "docs/errors.md lacks:\n{row}");
        }
        let listed = page
            .lines()
            .filter(|line| line.starts_with("| ") && line.contains("| `"))
            .count();
        assert_eq!(listed, rows.len(), "docs/errors.md lists an error that doesn't exist");
    }
}
