//! What became of a notification and of each attempt, in words.

use axum::http::StatusCode;
use tollgate_domain::notification::{Notification, NotificationStatus};
use tollgate_domain::time::Timestamp;

use crate::dashboard::failure::sentence;
use crate::dashboard::moment::{Moment, counted};

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dashboard) struct Outcome {
    /// `good` or `bad`: the color.
    pub(in crate::dashboard) class: &'static str,
    /// `200 OK`, `No answer`
    pub(in crate::dashboard) short: String,
    /// A sentence.
    pub(in crate::dashboard) told: String,
}

/// What came of an attempt that was answered with this status (0: there was no answer), and what was the matter.
pub(in crate::dashboard) fn outcome(status: u16, problem: Option<&str>) -> Outcome {
    let class = if (200..300).contains(&status) { "good" } else { "bad" };
    if status == 0 {
        return Outcome {
            class,
            short: "No answer".to_owned(),
            told: problem.map_or_else(|| "There was no answer.".to_owned(), sentence),
        };
    }
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    let short = reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"));
    let said = match status {
        200..300 => "The receiver has taken it",
        300..400 => "The receiver sent it elsewhere, which is not followed",
        400 | 401 | 403 => "The receiver refused it; it may not have accepted the signature",
        404 | 410 => "The receiver has nothing at this address",
        408 | 504 => "The receiver took too long",
        429 => "The receiver asks to be left alone for a while",
        500..600 => "The receiver had a problem of its own",
        _ => "The receiver didn't take it",
    };
    let told = match problem {
        // The word for a redirect is in the sentence already.
        Some(problem) if !(300..400).contains(&status) => format!("{said}; {problem}."),
        _ => format!("{said}."),
    };
    Outcome { class, short, told }
}

/// Where a notification stands: a sentence.
pub(in crate::dashboard) fn state(notification: &Notification, now: Timestamp) -> String {
    let attempts = counted(notification.times_attempted.into(), "attempt");
    match notification.status {
        NotificationStatus::NotAttempted => "It waits for its first attempt.".to_owned(),
        NotificationStatus::NeedsRetry => match notification.retry_at {
            Some(at) if at > now => format!("Not taken in {attempts}; the next one is {}.", Moment(at).ahead(now)),
            _ => format!("Not taken in {attempts}; the next one is made now."),
        },
        NotificationStatus::Delivered => format!("Taken after {attempts}."),
        NotificationStatus::Failed => format!("Not taken in {attempts}, and given up."),
    }
}

/// `Delivered`
pub(in crate::dashboard) const fn status(status: NotificationStatus) -> &'static str {
    match status {
        NotificationStatus::NotAttempted => "Waiting",
        NotificationStatus::NeedsRetry => "Retrying",
        NotificationStatus::Delivered => "Delivered",
        NotificationStatus::Failed => "Failed",
    }
}

/// `38 ms`, `4.9 s`
pub(in crate::dashboard) fn duration(ms: u32) -> String {
    if ms < 1_000 {
        format!("{ms} ms")
    } else {
        format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_of_an_attempt_is_told_in_words() {
        for (status, problem, class, short, told) in [
            (200, None, "good", "200 OK", "The receiver has taken it."),
            (
                204,
                Some("the answer's body was cut at 32 KiB"),
                "good",
                "204 No Content",
                "The receiver has taken it; the answer's body was cut at 32 KiB.",
            ),
            (250, None, "good", "250", "The receiver has taken it."),
            (
                302,
                Some("redirects are not followed"),
                "bad",
                "302 Found",
                "The receiver sent it elsewhere, which is not followed.",
            ),
            (
                401,
                None,
                "bad",
                "401 Unauthorized",
                "The receiver refused it; it may not have accepted the signature.",
            ),
            (
                404,
                None,
                "bad",
                "404 Not Found",
                "The receiver has nothing at this address.",
            ),
            (
                422,
                None,
                "bad",
                "422 Unprocessable Entity",
                "The receiver didn't take it.",
            ),
            (
                503,
                None,
                "bad",
                "503 Service Unavailable",
                "The receiver had a problem of its own.",
            ),
            (
                0,
                Some("no answer within 5 s"),
                "bad",
                "No answer",
                "No answer within 5 s.",
            ),
            (0, None, "bad", "No answer", "There was no answer."),
        ] {
            let expected = Outcome {
                class,
                short: short.to_owned(),
                told: told.to_owned(),
            };
            assert_eq!(outcome(status, problem), expected);
        }
    }

    #[test]
    fn durations_read_well() {
        for (ms, text) in [(0, "0 ms"), (999, "999 ms"), (1_000, "1.0 s"), (4_980, "4.9 s")] {
            assert_eq!(duration(ms), text);
        }
    }
}
