//! How often tokens were used: a week of days and nights.

use std::time::Duration;

use tollgate_domain::ambient::Clock;
use tollgate_domain::usage::{Hour, KEPT_HOURS, UsageCounts, UsageDelta};
use tollgate_service::ambient::SystemClock;
use tollgate_storage::{Change, Write};

use super::shop::Shop;

/// A token's visitors.
pub(super) struct Traffic {
    token: &'static str,
    origins: &'static [&'static str],
    /// Uses in an hour of the afternoon.
    busy: u64,
    /// How many hours ago was the last one.
    hours_ago: u32,
}

impl Traffic {
    pub(super) const fn new(token: &'static str, origins: &'static [&'static str], busy: u64, hours_ago: u32) -> Self {
        Self {
            token,
            origins,
            busy,
            hours_ago,
        }
    }
}

impl Shop {
    pub(super) async fn is_visited(&self, traffic: &Traffic) {
        let token = self.named(traffic.token).await;
        let now = SystemClock.now();
        let mut deltas = Vec::new();
        for ago in traffic.hours_ago..(traffic.hours_ago + 1).max(KEPT_HOURS) {
            let hour = Hour::of(now).minus(ago);
            if hour.begins_at() < token.created_at {
                break;
            }
            // Few at night, most between two and four in the afternoon, some more on one day than on another.
            let of_day = u64::from(hour.0 % 24);
            let share = 4 + 96 * of_day.saturating_sub(6).min(22_u64.saturating_sub(of_day)) / 8;
            let allowed = traffic.busy * share * (80 + self.dice.below(40)) / 10_000;
            let used_at = hour.begins_at().plus(Duration::from_secs(60 + self.dice.below(3_000)));
            let main = allowed * 4 / 5;
            let origins = traffic.origins.iter().map(|origin| (*origin).to_owned());
            deltas.push(UsageDelta {
                workspace: token.workspace,
                id: token.id,
                hour,
                counts: UsageCounts {
                    allowed,
                    refused: if ago % 9 == 2 { 1 + allowed / 40 } else { 0 },
                    ..UsageCounts::default()
                },
                last_used_at: (allowed > 0).then(|| used_at.min(now)),
                origins: origins.zip([main, allowed - main]).collect(),
            });
        }
        let written = self.storage.commit(Change::silent(Write::RecordUsage(deltas))).await;
        written.unwrap();
    }
}
