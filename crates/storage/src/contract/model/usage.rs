//! Usage of client tokens, in maps.

use std::collections::BTreeMap;

use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, Usage, UsageCounts, UsageDelta};

type Token = (WorkspaceId, ClientTokenId);

#[derive(Clone, Default)]
pub(super) struct StoredUsage {
    hours: BTreeMap<(Hour, Token), UsageCounts>,
    last_uses: BTreeMap<Token, Timestamp>,
    /// By day.
    origins: BTreeMap<(u32, Token), BTreeMap<String, u64>>,
}

impl StoredUsage {
    pub(super) fn add(&mut self, delta: UsageDelta) {
        let token = (delta.workspace, delta.id);
        if delta.counts != UsageCounts::default() {
            let stored = self.hours.entry((delta.hour, token)).or_default();
            stored.allowed += delta.counts.allowed;
            stored.refused += delta.counts.refused;
            for (stored, more) in stored.reported.iter_mut().zip(delta.counts.reported) {
                *stored += more;
            }
        }
        if let Some(used_at) = delta.last_used_at {
            let stored = self.last_uses.entry(token).or_insert(used_at);
            *stored = used_at.max(*stored);
        }
        if !delta.origins.is_empty() {
            let stored = self.origins.entry((delta.hour.day(), token)).or_default();
            for (origin, uses) in delta.origins {
                *stored.entry(origin).or_default() += uses;
            }
            *stored = most_frequent(std::mem::take(stored)).into_iter().collect();
        }
    }

    pub(super) fn prune(&mut self, before: Hour, limit: usize) {
        let hours: Vec<_> = self.hours.keys().copied().collect();
        for key in hours.into_iter().filter(|(hour, _)| *hour < before).take(limit) {
            self.hours.remove(&key);
        }
        let mut room = limit;
        for (_, origins) in self.origins.iter_mut().filter(|((day, _), _)| *day < before.day()) {
            while room > 0 && origins.pop_first().is_some() {
                room -= 1;
            }
        }
    }

    pub(super) fn of(&self, token: Token, since: Hour) -> Usage {
        let hours = self
            .hours
            .iter()
            .filter(|((hour, of), _)| *of == token && *hour >= since);
        let mut origins: BTreeMap<String, u64> = BTreeMap::new();
        for ((day, of), stored) in &self.origins {
            if *of == token && *day >= since.day() {
                for (origin, uses) in stored {
                    *origins.entry(origin.clone()).or_default() += uses;
                }
            }
        }
        Usage {
            last_used_at: self.last_use(token),
            hours: hours.map(|((hour, _), counts)| (*hour, *counts)).collect(),
            origins: most_frequent(origins),
        }
    }

    pub(super) fn last_use(&self, token: Token) -> Option<Timestamp> {
        self.last_uses.get(&token).copied()
    }
}

fn most_frequent(origins: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut origins: Vec<_> = origins.into_iter().collect();
    origins.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses)); // stable: equals stay in the order of their names
    origins.truncate(MOST_ORIGINS_A_DAY);
    origins
}
