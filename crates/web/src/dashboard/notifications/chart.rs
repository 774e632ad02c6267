//! The chart of deliveries by hour: what is where, in the units of its own `viewBox`. Colors are the style sheet's.

use std::fmt::Write as _;

use tollgate_storage::DeliveryCount;

use crate::dashboard::moment::{Moment, counted, grouped};

/// The `viewBox`: a day's and a week's hours both divide it.
pub(in crate::dashboard) const WIDTH: u64 = 1_008;
/// As high as the highest bar can be.
pub(in crate::dashboard) const HEIGHT: u64 = 120;
/// A bar of anything is at least this high, so that one failure among thousands is seen.
const LOWEST: u64 = 3;

/// Everything that the template places.
#[derive(Clone, Debug)]
pub(in crate::dashboard) struct Chart {
    /// Of hours in which something happened.
    pub(in crate::dashboard) bars: Vec<Bar>,
    /// All bars of a color as one path: a week's rectangles would be half a page.
    pub(in crate::dashboard) delivered: String,
    pub(in crate::dashboard) failed: String,
    /// What the upper edge stands for.
    pub(in crate::dashboard) top: String,
    /// The beginnings of equal parts, from the left; the last one is now.
    pub(in crate::dashboard) labels: Vec<String>,
    /// `1,204 delivered and 3 failed attempts`
    pub(in crate::dashboard) summary: String,
}

/// One hour: failures stand on successes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dashboard) struct Bar {
    x: u64,
    width: u64,
    delivered_y: u64,
    delivered_height: u64,
    failed_y: u64,
    failed_height: u64,
    /// `2026-03-02 12:00 UTC`
    pub(in crate::dashboard) hour: String,
    pub(in crate::dashboard) delivered: u64,
    pub(in crate::dashboard) failed: u64,
}

/// A chart of these hours, each of which is there. There is at least one, and their number divides [`WIDTH`].
pub(in crate::dashboard) fn chart(hours: &[DeliveryCount]) -> Chart {
    let highest = hours.iter().map(|hour| hour.delivered + hour.failed).max();
    let top = round_up(highest.unwrap_or_default());
    let step = WIDTH / hours.len().max(1) as u64;
    let happened = |(_, hour): &(usize, &DeliveryCount)| hour.delivered + hour.failed > 0;
    let bars = hours.iter().enumerate().filter(happened).map(|(at, counts)| {
        let failed_height = height(counts.failed, top);
        let delivered_height = height(counts.delivered, top).min(HEIGHT - failed_height);
        let delivered_y = HEIGHT - delivered_height;
        Bar {
            x: at as u64 * step + gap(step) / 2,
            width: step - gap(step),
            delivered_y,
            delivered_height,
            failed_y: delivered_y - failed_height,
            failed_height,
            hour: Moment(counts.hour.begins_at()).short(),
            delivered: counts.delivered,
            failed: counts.failed,
        }
    });
    let total = |of: fn(&DeliveryCount) -> u64| hours.iter().map(of).sum::<u64>();
    let (delivered, failed) = (total(|hour| hour.delivered), total(|hour| hour.failed));
    let bars: Vec<Bar> = bars.collect();
    Chart {
        delivered: path(&bars, |bar| (bar.delivered_y, bar.delivered_height)),
        failed: path(&bars, |bar| (bar.failed_y, bar.failed_height)),
        bars,
        top: counted(top, "attempt"),
        labels: labels(hours),
        summary: format!(
            "{} delivered and {} failed attempts",
            grouped(delivered),
            grouped(failed)
        ),
    }
}

/// The rectangles of these heights.
fn path(bars: &[Bar], of: impl Fn(&Bar) -> (u64, u64)) -> String {
    let mut path = String::new();
    for bar in bars {
        let ((y, height), Bar { x, width, .. }) = (of(bar), bar);
        if height > 0 {
            let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z"); // a String takes everything
        }
    }
    path
}

/// Blank between two bars.
const fn gap(step: u64) -> u64 {
    if step > 12 { step / 6 } else { 1 }
}

fn height(count: u64, top: u64) -> u64 {
    match count {
        0 => 0,
        count => (count * HEIGHT / top).clamp(LOWEST, HEIGHT),
    }
}

/// The next of 4, 10, 20, 50, 100, 200, ….
fn round_up(highest: u64) -> u64 {
    let mut unit: u64 = 10;
    if highest <= 4 {
        return 4;
    }
    loop {
        for step in [1, 2, 5] {
            if let Some(top) = unit.checked_mul(step)
                && highest <= top
            {
                return top;
            }
        }
        match unit.checked_mul(10) {
            Some(next) => unit = next,
            None => return highest,
        }
    }
}

/// Times of day for a day, days for more.
fn labels(hours: &[DeliveryCount]) -> Vec<String> {
    let (apart, shown) = if hours.len() <= 24 { (6, 11..16) } else { (24, 5..10) };
    let begin = |count: &DeliveryCount| count.hour.begins_at().to_string()[shown.clone()].to_owned();
    let mut labels: Vec<String> = hours.iter().step_by(apart).map(begin).collect();
    labels.push("now".to_owned());
    labels
}

#[cfg(test)]
mod tests {
    use tollgate_domain::time::Timestamp;
    use tollgate_domain::usage::Hour;

    use super::*;

    /// Delivered and failed, by the hour from this one on.
    fn hours(from: &str, counts: impl IntoIterator<Item = (u64, u64)>) -> Vec<DeliveryCount> {
        let first = Hour::of(Timestamp::parse(from).unwrap());
        let hours = (first.0..).zip(counts);
        hours
            .map(|(hour, (delivered, failed))| DeliveryCount {
                hour: Hour(hour),
                delivered,
                failed,
            })
            .collect()
    }

    #[test]
    fn bars_stand_on_the_ground_beside_each_other_and_within_the_box() {
        for (number, from) in [(24, "2026-03-02T10:00:00Z"), (168, "2026-02-24T10:00:00Z")] {
            let hours = hours(from, (0..number).map(|n| (n * 7 % 40, n * 3 % 11)));
            let chart = chart(&hours);
            let happened = hours.iter().filter(|hour| hour.delivered + hour.failed > 0);
            assert_eq!(chart.bars.len(), happened.count());
            for pair in chart.bars.windows(2) {
                assert!(pair[0].x + pair[0].width < pair[1].x + 1, "{pair:?}");
            }
            for bar in &chart.bars {
                assert!(bar.x + bar.width <= WIDTH && bar.width > 0, "{bar:?}");
                assert_eq!(bar.delivered_y + bar.delivered_height, HEIGHT);
                assert_eq!(bar.failed_y + bar.failed_height, bar.delivered_y);
            }
        }
    }

    #[test]
    fn heights_go_by_the_highest_hour_and_little_is_still_seen() {
        let mut counts = [(0, 0); 24];
        counts[0] = (50_000, 0);
        counts[1] = (25_000, 25_000);
        counts[2] = (0, 1);
        counts[23] = (49_999, 1);
        let chart = chart(&hours("2026-03-02T10:00:00Z", counts));
        let heights: Vec<(u64, u64)> = chart
            .bars
            .iter()
            .map(|bar| (bar.delivered_height, bar.failed_height))
            .collect();
        assert_eq!(heights, [(120, 0), (60, 60), (0, 3), (117, 3)]);
        assert!(chart.delivered.starts_with("M3 0h35v120h-35zM"), "{}", chart.delivered);
        assert_eq!(chart.delivered.matches('M').count(), 3);
        assert_eq!(chart.failed, "M45 0h35v60h-35zM87 117h35v3h-35zM969 0h35v3h-35z");
        assert_eq!(chart.top, "50,000 attempts");
        assert_eq!(chart.summary, "124,999 delivered and 25,002 failed attempts");
        assert_eq!(chart.bars[2].hour, "2026-03-02 12:00 UTC");
    }

    #[test]
    fn the_edge_is_a_round_number() {
        for (highest, top) in [
            (0, 4),
            (4, 4),
            (5, 10),
            (11, 20),
            (21, 50),
            (51, 100),
            (1_204, 2_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(round_up(highest), top);
        }
    }

    #[test]
    fn a_day_is_labeled_by_its_hours_and_a_week_by_its_days() {
        let day = chart(&hours("2026-03-01T10:00:00Z", [(0, 0); 24]));
        assert_eq!(day.labels, ["10:00", "16:00", "22:00", "04:00", "now"]);
        assert!(day.bars.is_empty());
        let week = chart(&hours("2026-02-24T10:00:00Z", [(0, 0); 168]));
        assert_eq!(
            week.labels,
            ["02-24", "02-25", "02-26", "02-27", "02-28", "03-01", "03-02", "now"]
        );
    }
}
