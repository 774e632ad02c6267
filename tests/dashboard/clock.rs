//! Time that is set, and chance that repeats: what a store's past is made with.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tollgate_domain::ambient::{Clock, Entropy};
use tollgate_domain::time::Timestamp;
use tollgate_service::ambient::SystemClock;

/// Stands where it was set.
pub(super) struct PastClock(AtomicI64);

impl PastClock {
    /// So long before now.
    pub(super) fn before_now(by: Duration) -> Self {
        Self(AtomicI64::new(SystemClock.now().minus(by).as_micros()))
    }

    /// So long before now.
    pub(super) fn set_before_now(&self, by: Duration) {
        self.0.store(SystemClock.now().minus(by).as_micros(), Ordering::SeqCst);
    }
}

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// The same bytes in each run: `SplitMix64`.
pub(super) struct Dice(AtomicU64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `bound`, exclusive.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Entropy for Dice {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
