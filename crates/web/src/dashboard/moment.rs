//! Times and counts as people read them.

use std::time::Duration;

use tollgate_domain::time::Timestamp;

/// A point in time as pages show it: exact for machines, short for people, in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) Timestamp);

impl Moment {
    /// `2026-03-02T09:15:04Z`, for the `datetime` attribute.
    pub(super) fn exact(self) -> String {
        format!("{}Z", &self.0.to_string()[..19])
    }

    /// `2026-03-02 09:15 UTC`
    pub(super) fn short(self) -> String {
        let text = self.0.to_string();
        format!("{} {} UTC", &text[..10], &text[11..16])
    }

    /// `2026-03-02`, in UTC
    pub(super) fn day(self) -> String {
        self.0.to_string()[..10].to_owned()
    }

    /// `2026-03-02 09:15:04 UTC`
    pub(super) fn to_the_second(self) -> String {
        let text = self.0.to_string();
        format!("{} {} UTC", &text[..10], &text[11..19])
    }

    /// How long ago it was: `just now`, `3 minutes ago`, `12 days ago`.
    pub(super) fn ago(self, now: Timestamp) -> String {
        let micros = now.as_micros().saturating_sub(self.0.as_micros()).max(0);
        match micros / 1_000_000 {
            0..10 => "just now".to_owned(),
            seconds => format!("{} ago", span(Duration::from_secs(seconds.unsigned_abs()))),
        }
    }

    /// How long it is until then: `in 3 days`; `now` when it is past. A few seconds less than a day are a day, as that is
    /// what somebody has just asked for.
    pub(super) fn ahead(self, now: Timestamp) -> String {
        let micros = self.0.as_micros().saturating_sub(now.as_micros());
        if micros <= 0 {
            return "now".to_owned();
        }
        let left = Duration::from_micros(micros.unsigned_abs());
        let left = if left < Duration::from_mins(1) {
            left
        } else {
            left + Duration::from_secs(9)
        };
        format!("in {}", span(left))
    }
}

/// The largest unit that fits: `45 seconds`, `3 minutes`, `1 hour`, `12 days`.
pub(super) fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    counted(count, unit)
}

/// `1 hour`, `1,204 times`: with commas between thousands, and an s unless it is one.
pub(super) fn counted(count: u64, unit: &str) -> String {
    format!("{} {unit}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `1204` as `1,204`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_counts_read_well() {
        let then = Timestamp::parse("2026-03-02T09:15:04.123456Z").unwrap();
        let moment = Moment(then);
        assert_eq!(moment.exact(), "2026-03-02T09:15:04Z");
        assert_eq!(moment.short(), "2026-03-02 09:15 UTC");
        assert_eq!(moment.day(), "2026-03-02");
        assert_eq!(moment.to_the_second(), "2026-03-02 09:15:04 UTC");
        for (seconds, ago) in [
            (0, "just now"),
            (9, "just now"),
            (10, "10 seconds ago"),
            (60, "1 minute ago"),
            (7_199, "1 hour ago"),
            (12 * 86_400, "12 days ago"),
        ] {
            assert_eq!(moment.ago(then.plus(Duration::from_secs(seconds))), ago);
        }
        assert_eq!(
            moment.ago(then.minus(Duration::from_secs(5))),
            "just now",
            "clocks differ"
        );
        assert_eq!(moment.ahead(then.minus(Duration::from_secs(90))), "in 1 minute");
        assert_eq!(moment.ahead(then.minus(Duration::from_secs(86_395))), "in 1 day");
        assert_eq!(moment.ahead(then.minus(Duration::from_secs(55))), "in 55 seconds");
        assert_eq!(moment.ahead(then), "now");
        for (number, text) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "time"), "1 time");
        assert_eq!(counted(1_204, "time"), "1,204 times");
    }
}
