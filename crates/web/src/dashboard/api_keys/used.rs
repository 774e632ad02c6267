//! When a key was last used, in words. What is stored is accurate to an hour: the true last use is up to an hour later.

use std::time::Duration;

use tollgate_domain::time::Timestamp;

use crate::dashboard::moment::Moment;

const HOUR: Duration = Duration::from_hours(1);

/// `never`, `within the last hour`, `12 days ago`.
pub(super) fn last_use(used: Option<Timestamp>, now: Timestamp) -> String {
    let Some(used) = used else {
        return "never".to_owned();
    };
    if now < used.plus(HOUR) {
        "within the last hour".to_owned()
    } else if now < used.plus(2 * HOUR) {
        "within the last 2 hours".to_owned()
    } else {
        Moment(used).ago(now)
    }
}

/// What speaks for or against revoking a key, and whether something seems to depend on it.
pub(super) fn evidence(used: Option<Timestamp>, now: Timestamp) -> (String, bool) {
    let Some(at) = used else {
        return ("This key was never used.".to_owned(), false);
    };
    let is_recent = now < at.plus(7 * 24 * HOUR);
    let then = if is_recent {
        "Whatever uses it stops working at once."
    } else {
        "Something that runs rarely may still have it."
    };
    (format!("Last used {}. {then}", last_use(used, now)), is_recent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_use_is_never_told_more_exactly_than_it_is_known() {
        let used = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        for (minutes, told) in [
            (0, "within the last hour"),
            (59, "within the last hour"),
            (60, "within the last 2 hours"),
            (119, "within the last 2 hours"),
            (120, "2 hours ago"),
            (12 * 24 * 60, "12 days ago"),
        ] {
            assert_eq!(last_use(Some(used), used.plus(Duration::from_mins(minutes))), told);
        }
        assert_eq!(last_use(None, used), "never");
    }

    #[test]
    fn the_evidence_warns_when_something_seems_to_depend_on_the_key() {
        let used = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        assert_eq!(evidence(None, used), ("This key was never used.".to_owned(), false));
        let (text, warns) = evidence(Some(used), used.plus(Duration::from_mins(5)));
        assert_eq!(
            text,
            "Last used within the last hour. Whatever uses it stops working at once."
        );
        assert!(warns);
        let (text, warns) = evidence(Some(used), used.plus(12 * 24 * HOUR));
        assert_eq!(
            text,
            "Last used 12 days ago. Something that runs rarely may still have it."
        );
        assert!(!warns);
    }
}
