//! When a failed delivery is tried again, and when it is given up.
//!
//! The contract's question Q9: live, the delay before retry n is `60 · 1.1^(n-1)` seconds, 60 retries after the first
//! attempt (20 in the first hour, all within three days); sandbox, three retries at 1, 5 and 14 minutes after the
//! first attempt. Both can be set otherwise. No jitter, so that the times are the documented ones.

use std::time::Duration;

use crate::environment::Environment;

/// The longest that a receiver can put off the next attempt with `Retry-After`.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The delays before each retry, in order; as many as there are retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

impl RetrySchedule {
    /// These delays, each counted from the attempt before it.
    pub const fn new(delays: Vec<Duration>) -> Self {
        Self(delays)
    }

    /// The documented schedule of an environment.
    pub fn documented(environment: Environment) -> Self {
        match environment {
            Environment::Sandbox => Self([60, 4 * 60, 9 * 60].map(Duration::from_secs).to_vec()),
            Environment::Live => Self(
                (0..60)
                    .map(|retry| Duration::from_secs_f64(60.0 * 1.1_f64.powi(retry)))
                    .collect(),
            ),
        }
    }

    /// How long to wait after attempt `attempt` (1-based) failed; `None` = give up. What the receiver asks for by
    /// `Retry-After` lengthens the wait, up to 24 hours, and never shortens it. Source: RFC 9110, 10.2.3.
    pub fn delay_after(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
        let scheduled = *self.0.get(index)?;
        Some(scheduled.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER)))
    }

    /// How many attempts there are in all.
    pub fn attempts(&self) -> usize {
        self.0.len() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds after the first attempt at which each retry happens.
    fn times(schedule: &RetrySchedule) -> Vec<f64> {
        let mut at = 0.0;
        let mut times = Vec::new();
        for attempt in 1.. {
            let Some(delay) = schedule.delay_after(attempt, None) else {
                break;
            };
            at += delay.as_secs_f64();
            times.push(at);
        }
        times
    }

    #[test]
    fn sandbox_retries_three_times_within_fifteen_minutes() {
        let times = times(&RetrySchedule::documented(Environment::Sandbox));
        assert_eq!(times, [60.0, 300.0, 840.0]);
    }

    #[test]
    fn live_retries_sixty_times_within_three_days() {
        let schedule = RetrySchedule::documented(Environment::Live);
        let times = times(&schedule);
        assert_eq!(times.len(), 60);
        assert_eq!(schedule.attempts(), 61);
        assert_eq!(
            times.iter().filter(|at| **at <= 3_600.0).count(),
            20,
            "in the first hour"
        );
        assert_eq!(
            times.iter().filter(|at| **at <= 86_400.0).count(),
            52,
            "in the first day"
        );
        assert!(*times.last().unwrap() < 3.0 * 86_400.0);
    }

    #[test]
    fn retry_after_lengthens_and_never_shortens() {
        let schedule = RetrySchedule::documented(Environment::Sandbox);
        let after = |seconds| schedule.delay_after(1, Some(Duration::from_secs(seconds)));
        assert_eq!(after(1), Some(Duration::from_mins(1)));
        assert_eq!(after(600), Some(Duration::from_mins(10)));
        assert_eq!(after(10_000_000), Some(Duration::from_hours(24)));
    }

    #[test]
    fn the_end_is_the_end() {
        let schedule = RetrySchedule::new(vec![Duration::from_secs(1)]);
        assert_eq!(schedule.delay_after(1, None), Some(Duration::from_secs(1)));
        assert_eq!(schedule.delay_after(2, None), None);
        assert_eq!(
            schedule.delay_after(2, Some(Duration::from_secs(5))),
            None,
            "asking doesn't add an attempt"
        );
        assert_eq!(schedule.delay_after(0, None), None);
    }
}
