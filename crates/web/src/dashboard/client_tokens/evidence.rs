//! Whether somebody still has a token: what one looks at before revoking it, in a sentence. Of all nodes, and a few
//! seconds behind.

use std::time::Duration;

use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, KEPT_HOURS, MOST_ORIGINS_A_DAY, UsageCounts};
use tollgate_service::ClientTokenUsage;

use crate::dashboard::moment::{Moment, counted, span};

const DAY: Duration = Duration::from_hours(24);

/// What speaks for or against revoking a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) now: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) last_used_at: Option<Timestamp>,
    /// Let in and refused in the last hour, the last 24 hours and seven days: whole hours, as the API counts them.
    pub(super) hour: UsageCounts,
    pub(super) day: UsageCounts,
    pub(super) week: UsageCounts,
    /// The sites that it was let in from lately.
    pub(super) origins: usize,
}

impl Evidence {
    pub(super) fn new(told: &ClientTokenUsage, origins: usize, created_at: Timestamp, now: Timestamp) -> Self {
        let last = |hours| total(&told.usage.hours, told.now.minus(hours));
        Self {
            now,
            created_at,
            last_used_at: told.usage.last_used_at,
            hour: last(1),
            day: last(24),
            week: last(KEPT_HOURS),
            origins,
        }
    }

    /// The one thing to know: `Used 1,204 times in the last hour from 2 origins.`, `Not used for 12 days.`
    pub(super) fn sentence(&self) -> String {
        if self.hour.allowed > 0 {
            let from = match self.origins {
                0 => String::new(),
                MOST_ORIGINS_A_DAY.. => format!(" from {MOST_ORIGINS_A_DAY} origins or more"),
                few => format!(" from {}", counted(few as u64, "origin")),
            };
            return format!("Used {} in the last hour{from}.", counted(self.hour.allowed, "time"));
        }
        let Some(last) = self.last_used_at else {
            return match Moment(self.created_at).ago(self.now).as_str() {
                "just now" => "Never used: it was created just now.".to_owned(),
                ago => format!("Never used since it was created {ago}."),
            };
        };
        let since = self.now.as_micros().saturating_sub(last.as_micros());
        let since = Duration::from_micros(u64::try_from(since).unwrap_or_default());
        if since >= DAY {
            return format!("Not used for {}.", span(since));
        }
        let ago = Moment(last).ago(self.now);
        if self.day.allowed > 0 {
            let times = counted(self.day.allowed, "time");
            format!("Last used {ago}, {times} in the last 24 hours.")
        } else {
            format!("Last used {ago}.")
        }
    }

    /// Whether revoking it now would lock somebody out who was here within a day.
    pub(super) fn is_in_use(&self) -> bool {
        let recent = |last: Timestamp| last.plus(DAY) > self.now;
        self.hour.allowed > 0 || self.last_used_at.is_some_and(recent)
    }

    /// `Refused 3 times in the last hour.`, or nothing to say.
    pub(super) fn refusals(&self) -> Option<String> {
        let (count, span) = match (self.hour.refused, self.day.refused) {
            (0, 0) => return None,
            (0, day) => (day, "24 hours"),
            (hour, _) => (hour, "hour"),
        };
        Some(format!("Refused {} in the last {span}.", counted(count, "time")))
    }
}

/// Of the hours from `since` on.
fn total(hours: &[(Hour, UsageCounts)], since: Hour) -> UsageCounts {
    let mut total = UsageCounts::default();
    for (_, counts) in hours.iter().filter(|(hour, _)| *hour >= since) {
        total.allowed += counts.allowed;
        total.refused += counts.refused;
        for (sum, more) in total.reported.iter_mut().zip(counts.reported) {
            *sum += more;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-03-02T09:15:04Z").unwrap()
    }

    fn ago(seconds: u64) -> Timestamp {
        now().minus(Duration::from_secs(seconds))
    }

    const fn allowed(allowed: u64) -> UsageCounts {
        UsageCounts {
            allowed,
            refused: 0,
            reported: [0; 5],
        }
    }

    const fn refused(refused: u64) -> UsageCounts {
        UsageCounts {
            allowed: 0,
            refused,
            reported: [0; 5],
        }
    }

    fn unused() -> Evidence {
        Evidence {
            now: now(),
            created_at: ago(2 * 86_400),
            last_used_at: None,
            hour: allowed(0),
            day: allowed(0),
            week: allowed(0),
            origins: 0,
        }
    }

    fn used(seconds_ago: u64, hour: u64, day: u64, origins: usize) -> Evidence {
        Evidence {
            last_used_at: Some(ago(seconds_ago)),
            hour: allowed(hour),
            day: allowed(day),
            origins,
            ..unused()
        }
    }

    #[test]
    fn the_sentence_says_how_much_it_is_used() {
        for (evidence, sentence) in [
            (
                used(3, 1_204, 9_000, 2),
                "Used 1,204 times in the last hour from 2 origins.",
            ),
            (used(3, 1, 1, 1), "Used 1 time in the last hour from 1 origin."),
            (used(3, 7, 7, 0), "Used 7 times in the last hour."),
            (used(3, 7, 7, 19), "Used 7 times in the last hour from 19 origins."),
            (
                used(3, 7, 7, 20),
                "Used 7 times in the last hour from 20 origins or more.",
            ),
            (
                used(3, 7, 7, 33),
                "Used 7 times in the last hour from 20 origins or more.",
            ),
            (
                used(3 * 3_600, 0, 17, 2),
                "Last used 3 hours ago, 17 times in the last 24 hours.",
            ),
            (
                used(86_399, 0, 1, 0),
                "Last used 23 hours ago, 1 time in the last 24 hours.",
            ),
            (used(20 * 60, 0, 0, 0), "Last used 20 minutes ago."),
            (used(86_400, 0, 1, 1), "Not used for 1 day."),
            (used(12 * 86_400, 0, 0, 0), "Not used for 12 days."),
            (used(400 * 86_400, 0, 0, 0), "Not used for 400 days."),
            (unused(), "Never used since it was created 2 days ago."),
            (
                Evidence {
                    created_at: ago(2),
                    ..unused()
                },
                "Never used: it was created just now.",
            ),
        ] {
            assert_eq!(evidence.sentence(), sentence);
        }
    }

    #[test]
    fn a_use_that_another_clock_puts_into_the_future_is_just_now() {
        let evidence = Evidence {
            last_used_at: Some(now().plus(Duration::from_secs(90))),
            ..unused()
        };
        assert_eq!(evidence.sentence(), "Last used just now.");
        assert!(evidence.is_in_use());
    }

    #[test]
    fn a_token_is_in_use_for_a_day_after_its_last_use() {
        assert!(used(3, 1, 1, 1).is_in_use());
        assert!(used(86_399, 0, 0, 0).is_in_use());
        assert!(!used(86_400, 0, 0, 0).is_in_use());
        assert!(!unused().is_in_use());
    }

    #[test]
    fn refusals_are_told_when_there_are_any() {
        let with = |hour, day| Evidence {
            hour: refused(hour),
            day: refused(day),
            ..unused()
        };
        assert_eq!(with(0, 0).refusals(), None);
        assert_eq!(with(1, 9).refusals().unwrap(), "Refused 1 time in the last hour.");
        assert_eq!(with(0, 9).refusals().unwrap(), "Refused 9 times in the last 24 hours.");
    }

    #[test]
    fn totals_are_of_whole_hours() {
        let hours = [(Hour(10), allowed(1)), (Hour(11), allowed(2)), (Hour(12), allowed(4))];
        assert_eq!(total(&hours, Hour(11)).allowed, 6);
        assert_eq!(total(&hours, Hour(13)).allowed, 0);
    }
}
