//! Errors as the contract words them: written down here once more, so that a slip in the server's own catalogue shows.

use std::fmt::Write as _;

use super::Answer;

/// Code, status, type, detail.
pub(crate) const ERRORS: [(&str, u16, &str, &str); 29] = [
    ("bad_request", 400, "request_error", "Invalid request."),
    (
        "invalid_field",
        400,
        "request_error",
        "Request does not pass validation.",
    ),
    ("invalid_json", 400, "request_error", "Invalid JSON in your request."),
    (
        "invalid_time_query_parameter",
        400,
        "request_error",
        "Invalid timestamp as a query parameter.",
    ),
    (
        "url_notification_setting_incorrect",
        400,
        "request_error",
        "A URL Notification Setting destination must be a URL.",
    ),
    (
        "email_notification_setting_incorrect",
        400,
        "request_error",
        "An Email Notification Setting destination must be an email.",
    ),
    (
        "notification_maximum_active_settings_reached",
        400,
        "request_error",
        "Maximum number of notification settings reached",
    ),
    ("notification_cannot_replay", 400, "request_error", ""),
    (
        "notification_replay_invalid_origin_type",
        400,
        "request_error",
        "Only notifications with the origin `event` can be replayed.",
    ),
    (
        "authentication_missing",
        403,
        "request_error",
        "Authentication header missing.",
    ),
    (
        "authentication_malformed",
        403,
        "request_error",
        "Authentication header included, but incorrectly formatted.",
    ),
    ("invalid_token", 403, "request_error", "Invalid or revoked API key."),
    (
        "forbidden",
        403,
        "request_error",
        "You aren't permitted to perform this request.",
    ),
    ("not_found", 404, "request_error", ""),
    ("invalid_url", 404, "request_error", "URL called is invalid."),
    (
        "method_not_allowed",
        405,
        "request_error",
        "HTTP method used isn't allowed for this endpoint.",
    ),
    (
        "request_timeout",
        408,
        "request_error",
        "The request's body did not arrive within 30 seconds.",
    ),
    (
        "conflict",
        409,
        "request_error",
        "Request conflicts with another change.",
    ),
    ("concurrent_modification", 409, "request_error", ""),
    (
        "notification_setting_cannot_be_duplicate",
        409,
        "request_error",
        "A notification setting with the same destination and configuration already exists.",
    ),
    (
        "notification_simulation_already_running_conflict",
        409,
        "request_error",
        "Simulations cannot be run while another run is pending.",
    ),
    (
        "notification_simulation_run_notification_settings_conflict",
        409,
        "request_error",
        "Simulations with an invalid notification setting cannot be run.",
    ),
    (
        "idempotency_key_reused",
        409,
        "request_error",
        "This Idempotency-Key was used with another request body in the last 24 hours.",
    ),
    (
        "payload_too_large",
        413,
        "request_error",
        "The request's body is larger than 1 MiB.",
    ),
    (
        "unsupported_media_type",
        415,
        "request_error",
        "Content-Type must be \"application/json\".",
    ),
    (
        "form_expected",
        415,
        "request_error",
        "Content-Type must be \"application/x-www-form-urlencoded\".",
    ),
    (
        "too_many_requests",
        429,
        "api_error",
        "IP address exceeded the allowed rate limit. Retry after the number of seconds in the Retry-After header.",
    ),
    (
        "internal_error",
        500,
        "api_error",
        "Problem processing your request. The Paddle team has been notified.",
    ),
    ("not_implemented", 501, "api_error", "HTTP method not recognized."),
];

/// Codes that the contract lacks: their pages are on the server itself.
pub(crate) const OURS: [&str; 4] = [
    "request_timeout",
    "idempotency_key_reused",
    "payload_too_large",
    "form_expected",
];

/// The part of the contract's documentation that tells of it.
pub(crate) fn category(code: &str) -> &'static str {
    if code.contains("notification_") {
        "notifications"
    } else {
        "shared"
    }
}

impl Answer {
    /// Exactly this error, byte for byte.
    #[track_caller]
    pub(crate) fn is_error(&self, code: &str) {
        self.is(code, None, None, &[]);
    }

    /// Exactly this error, whose detail isn't always the same.
    #[track_caller]
    pub(crate) fn is_error_saying(&self, code: &str, detail: &str) {
        self.is(code, None, Some(detail), &[]);
    }

    /// Exactly this error, with these fields and messages in this order.
    #[track_caller]
    pub(crate) fn is_error_about(&self, code: &str, problems: &[(&str, &str)]) {
        assert!(!problems.is_empty());
        self.is(code, None, None, problems);
    }

    /// 400 `bad_request` with these fields and messages in this order.
    #[track_caller]
    pub(crate) fn is_bad_request(&self, problems: &[(&str, &str)]) {
        self.is_error_about("bad_request", problems);
    }

    /// Exactly this error of a credential, as the native surface answers it.
    #[track_caller]
    pub(crate) fn is_unauthorized(&self, code: &str, challenge: &str) {
        self.is(code, Some(401), None, &[]);
        assert_eq!(self.header("www-authenticate"), Some(challenge));
    }

    #[track_caller]
    fn is(&self, code: &str, status: Option<u16>, detail: Option<&str>, problems: &[(&str, &str)]) {
        let (_, usual_status, kind, usual_detail) = ERRORS
            .iter()
            .find(|(known, ..)| *known == code)
            .unwrap_or_else(|| panic!("{code} is in no catalogue"));
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let detail = quoted(detail.unwrap_or(usual_detail));
        let page = if OURS.contains(&code) {
            let error = &self.json()["error"]["documentation_url"];
            let page = error.as_str().expect("a text");
            let path = format!("/tollgate/errors/{code}");
            assert!(page.starts_with("http://") && page.ends_with(&path), "{page}");
            page.to_owned()
        } else {
            format!("https://developer.paddle.com/errors/{}/{code}", category(code))
        };
        let mut errors = String::new();
        for (field, message) in problems {
            let comma = if errors.is_empty() { "" } else { "," };
            let _ = write!(
                errors,
                r#"{comma}{{"field":{},"message":{}}}"#,
                quoted(field),
                quoted(message)
            );
        }
        if !errors.is_empty() {
            errors = format!(r#","errors":[{errors}]"#);
        }
        let body = format!(
            r#"{{"error":{{"type":"{kind}","code":"{code}","detail":{detail},"documentation_url":"{page}"{errors}}},"meta":{{"request_id":"{}"}}}}"#,
            self.request_id()
        );
        assert_eq!(
            (self.status, self.body_text()),
            (status.unwrap_or(*usual_status), body.as_str()),
            "{} {}",
            self.method,
            self.target
        );
    }
}
