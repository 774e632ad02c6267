//! Counting what tokens are used for, on the side: requests leave a record each, and whoever flushes adds them up.
//!
//! A request appends 16 bytes to its thread's batch, under a lock that hardly anybody else takes; adding up happens in
//! [`Counters::gather`], away from requests. Where there is no room, counts are lost and told as [`Lost`]; no request is
//! refused or held up for that.
//!
//! What it takes: normally 64 KiB for each thread and what the presented tokens' totals need, 33 to 66 bytes each. At the very
//! worst, 12 MiB of batches ([`batch`]) and 64 MiB of totals ([`totals`]).

mod batch;
mod totals;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use siphasher::sip::SipHasher13;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::origin;
use tollgate_domain::restriction::RestrictionKinds;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::UsageDelta;
use tollgate_domain::verdict::{Asked, Denial};

use self::batch::{Batch, IN_BATCH, Record};
use self::totals::Totals;

/// Batches that are being filled; threads share them when there are more.
const SHARDS: usize = 16;
/// Full batches that wait at most: half a million requests.
const MOST_BATCHES: usize = if cfg!(test) { 2 } else { 128 };

/// What became of a request whose token is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Allowed(RestrictionKinds),
    Refused,
}

impl Happened {
    pub(crate) const fn of(outcome: Result<(RestrictionKinds, Option<Timestamp>), Denial>) -> Self {
        match outcome {
            Ok((reported, _)) => Self::Allowed(reported),
            Err(_) => Self::Refused,
        }
    }
}

/// What went uncounted for want of room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Requests.
    pub requests: u64,
    /// Origins of requests that were counted otherwise.
    pub origins: u64,
}

pub(crate) struct Counters {
    hasher: SipHasher13,
    shards: [Shard; SHARDS],
    full: Mutex<Vec<Batch>>,
    totals: Mutex<Totals>,
    lost_requests: AtomicU64,
    lost_origins: AtomicU64,
}

/// Apart in memory, so that threads don't take each other's cache lines away.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Batch>);

impl Counters {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Self {
            hasher: SipHasher13::new_with_key(key),
            shards: Default::default(),
            full: Mutex::default(),
            totals: Mutex::default(),
            lost_requests: AtomicU64::new(0),
            lost_origins: AtomicU64::new(0),
        }
    }

    /// Notes a request with the token of this row. Sites count only where they were let in.
    #[inline]
    pub(crate) fn count(&self, token: u32, happened: Happened, asked: &Asked<'_>, at: Timestamp) {
        let site = match happened {
            Happened::Allowed(_) => site(asked),
            Happened::Refused => None,
        };
        let mut batch = self.shards[shard()].0.lock();
        let origin = site.map_or(0, |site| {
            let number = batch.origins.number_of(site, &self.hasher);
            if number == 0 {
                self.lost_origins.fetch_add(1, Ordering::Relaxed);
            }
            number
        });
        batch.push(Record {
            at,
            token,
            origin,
            happened,
        });
        if batch.records.len() == IN_BATCH {
            let full = std::mem::take(&mut *batch);
            drop(batch);
            self.put_aside(full);
        }
    }

    fn put_aside(&self, batch: Batch) {
        let mut full = self.full.lock();
        if full.len() < MOST_BATCHES {
            full.push(batch);
        } else {
            drop(full);
            self.lost_requests.fetch_add(IN_BATCH as u64, Ordering::Relaxed);
        }
    }

    /// Adds up what requests have left.
    pub(crate) fn gather(&self) {
        self.gather_into(&mut self.totals.lock());
    }

    fn gather_into(&self, totals: &mut Totals) {
        let full = std::mem::take(&mut *self.full.lock());
        let begun = self.shards.iter().map(|shard| std::mem::take(&mut *shard.0.lock()));
        for batch in full.into_iter().chain(begun) {
            let lost = totals.add(&batch);
            self.lost_requests.fetch_add(lost.requests, Ordering::Relaxed);
            self.lost_origins.fetch_add(lost.origins, Ordering::Relaxed);
        }
    }

    /// Everything counted since the last call, by token and hour.
    pub(crate) fn take(&self, identity: impl Fn(u32) -> Option<(WorkspaceId, ClientTokenId)>) -> Vec<UsageDelta> {
        let mut held = self.totals.lock();
        self.gather_into(&mut held);
        let totals = std::mem::take(&mut *held);
        drop(held);
        totals.into_deltas(identity)
    }

    pub(crate) fn lost(&self) -> Lost {
        Lost {
            requests: self.lost_requests.load(Ordering::Relaxed),
            origins: self.lost_origins.load(Ordering::Relaxed),
        }
    }
}

/// Each thread has one of the shards, in turn.
fn shard() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    SHARD.with(|shard| *shard)
}

/// The text that names the site; of a referrer only what may be an origin, so that its pages are one site.
fn site<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    let text = match (asked.origin, asked.referer) {
        (Some(origin), _) => origin,
        (None, Some(referer)) => {
            let host = referer.find("://")? + 3;
            let end = referer[host..]
                .find(['/', '?', '#'])
                .map_or(referer.len(), |end| host + end);
            &referer[..end]
        }
        (None, None) => return None,
    };
    (1..=origin::LONGEST).contains(&text.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: Happened = Happened::Allowed(RestrictionKinds::NONE);

    fn counters() -> Counters {
        Counters::new(&[7; 16])
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn allowed(deltas: &[UsageDelta]) -> u64 {
        deltas.iter().map(|delta| delta.counts.allowed).sum()
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the index answers")]
    fn identity(token: u32) -> Option<(WorkspaceId, ClientTokenId)> {
        Some((WorkspaceId::from_bits(1), ClientTokenId::from_bits(token.into())))
    }

    #[test]
    fn requests_without_room_are_lost_and_told_so() {
        let counters = counters();
        let requests = 5 * IN_BATCH as u64 + 9;
        for _ in 0..requests {
            counters.count(1, ALLOWED, &Asked::default(), at(0));
        }
        let told = allowed(&counters.take(identity));
        assert_eq!(told, 2 * IN_BATCH as u64 + 9, "two full batches wait, and one is begun");
        assert_eq!(counters.lost().requests, requests - told);
        counters.count(1, ALLOWED, &Asked::default(), at(0));
        assert_eq!(allowed(&counters.take(identity)), 1, "there is room again");
    }

    #[test]
    fn sites_without_room_are_lost_and_told_so() {
        let counters = counters();
        for number in 0..1_000 {
            let site = format!("https://{number}.example");
            let asked = Asked {
                origin: Some(&site),
                ..Asked::default()
            };
            counters.count(1, ALLOWED, &asked, at(0));
        }
        assert_eq!(allowed(&counters.take(identity)), 1_000);
        assert_eq!(counters.lost().origins, 1_000 - 512, "a batch holds 512 sites");
    }

    #[test]
    fn threads_count_side_by_side() {
        let counters = counters();
        std::thread::scope(|scope| {
            for token in 0..4 {
                let counters = &counters;
                scope.spawn(move || {
                    for micros in 0..1_000 {
                        counters.count(token, ALLOWED, &Asked::default(), at(micros));
                    }
                });
            }
        });
        let told = counters.take(identity);
        let told: Vec<_> = told
            .iter()
            .map(|delta| (delta.counts.allowed, delta.last_used_at))
            .collect();
        assert_eq!(told, [(1_000, Some(at(999))); 4]);
    }
}
