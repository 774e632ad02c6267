//! How often a token was used, as bars. All bars of a colour are one path of whole numbers, so that a page with many
//! charts stays small; the templates give it its box.

use std::fmt::Write as _;

use tollgate_domain::usage::{Hour, KEPT_HOURS, UsageCounts};

/// From one bar's left edge to the next one's, and how much of that is the bar.
const STEP: u32 = 4;
const BAR: u32 = 3;
/// The sparkline sums up so many hours in each bar.
const HOURS_IN_A_SPARK: u32 = 6;
const SPARKS: usize = (KEPT_HOURS / HOURS_IN_A_SPARK) as usize;
const HOURS: usize = KEPT_HOURS as usize;
const SPARK_HEIGHT: u32 = 24;
const HEIGHT: u32 = 120;

/// Seven days in the space of a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sparkline {
    /// The bars; empty when there was no use.
    pub(super) path: String,
    /// Of all bars.
    pub(super) total: u64,
}

impl Sparkline {
    /// Of the seven days that end with the hour `now`.
    pub(super) fn of(hours: &[(Hour, u64)], now: Hour) -> Self {
        let mut sums = [0_u64; SPARKS];
        for (hour, count) in hours {
            if let Some(place) = place_of(*hour, now) {
                let sum = &mut sums[place / HOURS_IN_A_SPARK as usize];
                *sum = sum.saturating_add(*count);
            }
        }
        let most = sums.iter().copied().max().unwrap_or_default();
        let mut path = String::new();
        for (place, sum) in sums.into_iter().enumerate() {
            bar(&mut path, place, scaled(sum, most, SPARK_HEIGHT), SPARK_HEIGHT);
        }
        Self {
            path,
            total: sums.into_iter().fold(0, u64::saturating_add),
        }
    }
}

/// Seven days by the hour: who was let in, and above it who was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chart {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) allowed: String,
    pub(super) refused: String,
    /// Where days begin in UTC, from the left.
    pub(super) midnights: Vec<u32>,
    /// The most that there was in an hour, both together.
    pub(super) most: u64,
}

impl Chart {
    /// Of the seven days that end with the hour `now`.
    pub(super) fn of(hours: &[(Hour, UsageCounts)], now: Hour) -> Self {
        let shown = || {
            let places = hours.iter();
            places.filter_map(|(hour, counts)| Some((place_of(*hour, now)?, counts.allowed, counts.refused)))
        };
        let sums = shown().map(|(_, allowed, refused)| allowed.saturating_add(refused));
        let most = sums.max().unwrap_or_default();
        let (mut allowed_bars, mut refused_bars) = (String::new(), String::new());
        for (place, allowed, refused) in shown() {
            let whole = scaled(allowed.saturating_add(refused), most, HEIGHT);
            // What is small beside the other is seen as well.
            let upper = (whole - scaled(allowed, most, HEIGHT).min(whole)).max(u32::from(refused > 0));
            bar(&mut allowed_bars, place, whole - upper, HEIGHT);
            bar(&mut refused_bars, place, upper, HEIGHT - (whole - upper));
        }
        let first = now.0.saturating_sub(KEPT_HOURS - 1);
        let days = (first..=now.0).filter(|hour| hour % 24 == 0);
        Self {
            width: KEPT_HOURS * STEP,
            height: HEIGHT,
            allowed: allowed_bars,
            refused: refused_bars,
            midnights: days.map(|hour| (hour - first) * STEP).collect(),
            most,
        }
    }
}

/// Which of the hours that end with `now` it is, from the oldest on.
fn place_of(hour: Hour, now: Hour) -> Option<usize> {
    let ago = usize::try_from(now.0.checked_sub(hour.0)?).ok()?;
    (HOURS - 1).checked_sub(ago)
}

/// What isn't nothing is seen: at least 1, and at most `height`.
fn scaled(count: u64, most: u64, height: u32) -> u32 {
    if count == 0 || most == 0 {
        return 0;
    }
    let share = u128::from(count) * u128::from(height) / u128::from(most);
    u32::try_from(share).unwrap_or(height).clamp(1, height)
}

/// A bar that stands on `ground`, counted from the top.
fn bar(path: &mut String, place: usize, height: u32, ground: u32) {
    if height > 0 {
        let left = u32::try_from(place).unwrap_or_default() * STEP;
        let top = ground - height;
        let _ = write!(path, "M{left} {top}h{BAR}v{height}h-{BAR}z");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Hour = Hour(20_000 * 24 + 5);

    fn counts(allowed: u64, refused: u64) -> UsageCounts {
        UsageCounts {
            allowed,
            refused,
            ..UsageCounts::default()
        }
    }

    fn bars(path: &str) -> Vec<&str> {
        path.split_terminator('z').collect()
    }

    #[test]
    fn without_use_there_are_no_bars() {
        assert_eq!(Sparkline::of(&[], NOW).path, "");
        assert_eq!(Sparkline::of(&[(NOW, 0)], NOW).path, "");
        let chart = Chart::of(&[], NOW);
        assert_eq!(
            (chart.allowed.as_str(), chart.refused.as_str(), chart.most),
            ("", "", 0)
        );
    }

    #[test]
    fn the_last_bar_is_the_present_and_what_is_too_old_is_left_out() {
        let told = [
            (NOW.minus(KEPT_HOURS), 9),
            (NOW.minus(KEPT_HOURS - 1), 1),
            (NOW, 2),
            (Hour(NOW.0 + 1), 9),
        ];
        let spark = Sparkline::of(&told, NOW);
        assert_eq!(spark.path, "M0 12h3v12h-3zM108 0h3v24h-3z");
        assert_eq!(spark.total, 3);
    }

    #[test]
    fn six_hours_share_a_bar() {
        let told: Vec<_> = (0..12).map(|ago| (NOW.minus(ago), 1)).collect();
        assert_eq!(Sparkline::of(&told, NOW).path, "M104 0h3v24h-3zM108 0h3v24h-3z");
    }

    #[test]
    fn beside_one_huge_value_the_small_ones_are_seen() {
        let told = [(NOW.minus(24), 1), (NOW, u64::MAX)];
        let spark = Sparkline::of(&told, NOW);
        assert_eq!(bars(&spark.path), ["M92 23h3v1h-3", "M108 0h3v24h-3"]);
        assert_eq!(spark.total, u64::MAX);

        let chart = Chart::of(&[(NOW.minus(1), counts(1, 1)), (NOW, counts(u64::MAX, u64::MAX))], NOW);
        assert_eq!(chart.most, u64::MAX);
        for path in [&chart.allowed, &chart.refused] {
            assert!(bars(path).len() <= 2);
        }
        assert!(chart.refused.starts_with("M664 119h3v1h-3z"), "{}", chart.refused);
    }

    #[test]
    fn equal_values_are_equally_high() {
        let told: Vec<_> = (0..KEPT_HOURS).map(|ago| (NOW.minus(ago), 7)).collect();
        let spark = Sparkline::of(&told, NOW);
        assert_eq!(bars(&spark.path).len(), SPARKS);
        assert!(bars(&spark.path).iter().all(|bar| bar.ends_with(" 0h3v24h-3")));
    }

    #[test]
    fn the_refused_stand_on_the_allowed() {
        let chart = Chart::of(&[(NOW.minus(1), counts(30, 10)), (NOW, counts(0, 20))], NOW);
        assert_eq!(chart.allowed, "M664 30h3v90h-3z");
        assert_eq!(chart.refused, "M664 0h3v30h-3zM668 60h3v60h-3z");
        assert_eq!((chart.most, chart.width), (40, 672));
    }

    #[test]
    fn a_few_refusals_among_many_uses_are_seen() {
        let chart = Chart::of(&[(NOW, counts(1_000_000, 1))], NOW);
        assert_eq!(chart.allowed, "M668 1h3v119h-3z");
        assert_eq!(chart.refused, "M668 0h3v1h-3z");
    }

    #[test]
    fn days_begin_at_midnight() {
        let chart = Chart::of(&[], NOW);
        assert_eq!(chart.midnights.len(), 7);
        assert_eq!(chart.midnights.last(), Some(&(672 - 6 * STEP)));
    }
}
