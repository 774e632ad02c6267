//! Sums of records by token and hour, until somebody takes them.
//!
//! Bounds: [`MOST_TALLIES`] tokens' hours, 41 bytes each in a table of 21 MiB; as many boxes of 48 bytes for those with
//! sites or with something reported, 28 MiB with what the allocator adds; [`MOST_CELLS`] counters of sites, 8 MiB;
//! [`MOST_NAMES`] bytes of their names.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::origin::Origin;
use tollgate_domain::restriction::RestrictionKind;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, UsageCounts, UsageDelta};

use super::batch::{Batch, Record};
use super::{Happened, Lost};

/// Seven eighths of 2^19: what a table of that size holds.
const MOST_TALLIES: usize = 458_752;
/// Counters of sites in all …
const MOST_CELLS: usize = 1 << 19;
/// … and for each token in each hour: more than are told, so that newcomers don't push out who comes often.
const CELLS: usize = 2 * MOST_ORIGINS_A_DAY;
/// Bytes of the sites' names, 8 MiB.
const MOST_NAMES: usize = 8 * 1024 * 1024;
/// What a name costs beside its characters.
const NAME_OVERHEAD: usize = 64;

#[derive(Default)]
pub(super) struct Totals {
    tallies: HashMap<(u32, Hour), Tally>,
    names: Names,
    /// Counters of sites in all tallies.
    cells: usize,
}

#[derive(Default)]
struct Tally {
    last_used_at: Option<Timestamp>,
    allowed: u32,
    refused: u32,
    rare: Option<Box<Rare>>,
}

#[derive(Default)]
struct Rare {
    reported: [u32; RestrictionKind::ALL.len()],
    origins: Vec<Cell>,
}

/// How often a site was let in, or somewhat less often: it may have inherited another's count.
struct Cell {
    name: u32,
    count: u32,
}

/// Names of sites, each once, with numbers.
#[derive(Default)]
struct Names {
    numbers: HashMap<Arc<str>, u32>,
    in_order: Vec<Arc<str>>,
    bytes: usize,
}

impl Totals {
    /// Adds a batch; tells what found no room.
    pub(super) fn add(&mut self, batch: &Batch) -> Lost {
        let mut lost = Lost::default();
        // What is no site counts as none.
        let sites: Vec<Option<Origin>> = batch.origins.iter().map(Origin::from_header).collect();
        let names: Vec<Option<u32>> = sites
            .iter()
            .map(|site| self.names.number_of(&site.as_ref()?.to_string()))
            .collect();
        for record in &batch.records {
            let has_room = self.cells < MOST_CELLS;
            let Some(tally) = self.tally(record) else {
                lost.requests += 1;
                continue;
            };
            tally.count(record);
            let Some(place) = usize::from(record.origin).checked_sub(1) else {
                continue;
            };
            let added = names[place].map(|name| tally.rare().add_origin(name, has_room));
            match added {
                Some(Added::Cell) => self.cells += 1,
                Some(Added::Count) => {}
                Some(Added::Nothing) => lost.origins += 1,
                None => lost.origins += u64::from(sites[place].is_some()),
            }
        }
        lost
    }

    fn tally(&mut self, record: &Record) -> Option<&mut Tally> {
        let key = (record.token, Hour::of(record.at));
        if self.tallies.len() >= MOST_TALLIES {
            return self.tallies.get_mut(&key);
        }
        Some(self.tallies.entry(key).or_default())
    }

    /// In the order of tokens and hours; a token that `identity` doesn't know is left out.
    pub(super) fn into_deltas(self, identity: impl Fn(u32) -> Option<(WorkspaceId, ClientTokenId)>) -> Vec<UsageDelta> {
        let mut tallies: Vec<_> = self.tallies.into_iter().collect();
        tallies.sort_unstable_by_key(|(key, _)| *key);
        let delta = |((token, hour), tally): ((u32, Hour), Tally)| {
            let (workspace, id) = identity(token)?;
            let rare = tally.rare.map(|rare| *rare).unwrap_or_default();
            Some(UsageDelta {
                workspace,
                id,
                hour,
                counts: UsageCounts {
                    allowed: tally.allowed.into(),
                    refused: tally.refused.into(),
                    reported: rare.reported.map(u64::from),
                },
                last_used_at: tally.last_used_at,
                origins: rare.most_frequent(&self.names),
            })
        };
        tallies.into_iter().filter_map(delta).collect()
    }
}

impl Tally {
    fn count(&mut self, record: &Record) {
        match record.happened {
            Happened::Refused => self.refused = self.refused.saturating_add(1),
            Happened::Allowed(reported) => {
                self.allowed = self.allowed.saturating_add(1);
                self.last_used_at = self.last_used_at.max(Some(record.at));
                for kind in reported.iter() {
                    let count = &mut self.rare().reported[kind as usize];
                    *count = count.saturating_add(1);
                }
            }
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

enum Added {
    /// To a counter of its own that there wasn't before.
    Cell,
    /// To a counter that was there.
    Count,
    Nothing,
}

impl Rare {
    /// Counts a site by the space-saving algorithm: when all counters are taken, the one with the least goes on for the
    /// newcomer. Whoever has more than a fortieth of all stays.
    fn add_origin(&mut self, name: u32, has_room: bool) -> Added {
        if let Some(cell) = self.origins.iter_mut().find(|cell| cell.name == name) {
            cell.count = cell.count.saturating_add(1);
            return Added::Count;
        }
        if self.origins.len() < CELLS {
            if !has_room {
                return Added::Nothing;
            }
            self.origins.push(Cell { name, count: 1 });
            return Added::Cell;
        }
        if let Some(least) = self.origins.iter_mut().min_by_key(|cell| cell.count) {
            *least = Cell {
                name,
                count: least.count.saturating_add(1),
            };
        }
        Added::Count
    }

    fn most_frequent(self, names: &Names) -> Vec<(String, u64)> {
        let mut cells = self.origins;
        cells.sort_by_key(|cell| Reverse(cell.count));
        cells.truncate(MOST_ORIGINS_A_DAY);
        let told = |cell: Cell| (names.in_order[cell.name as usize].to_string(), cell.count.into());
        cells.into_iter().map(told).collect()
    }
}

impl Names {
    /// `None` when there is no room for it.
    fn number_of(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let bytes = self.bytes + name.len() + NAME_OVERHEAD;
        if bytes > MOST_NAMES {
            return None;
        }
        let number = u32::try_from(self.in_order.len()).ok()?;
        let name: Arc<str> = name.into();
        self.in_order.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        self.bytes = bytes;
        Some(number)
    }
}
