//! The table: where the row of a digest is, found by open addressing. Slots are only ever filled, so a reader needs no
//! lock; a table that grows full is replaced by a larger one that was filled beside it.

use super::row::Digest;
use super::sync::{AtomicU32, FIRST_SLOTS, MOST_ROWS, MOVED_AT_ONCE, Ordering, PREPARED_AT_ONCE};

const ROW_BITS: u32 = 27;
const ROW: u32 = (1 << ROW_BITS) - 1;

const _: () = assert!(MOST_ROWS <= ROW);

/// Each slot is empty (0), or holds five bits of a digest and the number of its row plus one.
pub(crate) struct Slots(Vec<AtomicU32>);

impl Slots {
    pub(crate) fn first() -> Self {
        Self::empty(FIRST_SLOTS)
    }

    fn empty(count: usize) -> Self {
        Self((0..count).map(|_| AtomicU32::new(0)).collect())
    }

    /// With room for so many rows at seven tenths full.
    fn with_room(rows: u32) -> Self {
        Self::empty((rows as usize * 10).div_ceil(7).max(FIRST_SLOTS))
    }

    /// The first row that may be the digest's and is.
    #[inline]
    pub(crate) fn find<T>(&self, digest: Digest, is_it: impl Fn(u32) -> Option<T>) -> Option<T> {
        let tag = digest.tag();
        let mut at = self.first_place(digest);
        loop {
            // Acquire: whoever sees the number of a row sees what the row was filled with.
            let slot = self.0[at].load(Ordering::Acquire);
            if slot == 0 {
                return None;
            }
            if slot >> ROW_BITS == tag
                && let Some(found) = is_it((slot & ROW) - 1)
            {
                return Some(found);
            }
            at = self.after(at);
        }
    }

    /// Publishes a row; only by whoever holds the writer's lock, and while there is an empty slot.
    fn insert(&self, digest: Digest, row: u32) {
        let mut at = self.first_place(digest);
        while self.0[at].load(Ordering::Relaxed) != 0 {
            at = self.after(at);
        }
        self.0[at].store(digest.tag() << ROW_BITS | (row + 1), Ordering::Release);
    }

    /// The digest's share of the table: its digest is to 2^64 what the place is to the number of slots, which needs
    /// no power of two.
    #[expect(clippy::cast_possible_truncation, reason = "below the number of slots")]
    const fn first_place(&self, digest: Digest) -> usize {
        ((digest.place as u128 * self.0.len() as u128) >> 64) as usize
    }

    const fn after(&self, at: usize) -> usize {
        if at + 1 == self.0.len() { 0 } else { at + 1 }
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// More than three quarters full.
    const fn is_crowded(&self, rows: u32) -> bool {
        rows as usize * 4 > self.0.len() * 3
    }
}

/// Keeps the table large enough, a little with each insertion, so that none takes long.
///
/// The larger table is complete when a thirtieth more rows have come; until then readers and insertions use the old one, which
/// is by then not quite eight tenths full.
#[derive(Default)]
pub(crate) struct Growth(Option<Larger>);

struct Larger {
    slots: Slots,
    count: usize,
    moved: u32,
}

impl Growth {
    /// Inserts a row, the last of `rows`; gives a larger table when one is ready.
    pub(crate) fn insert(
        &mut self,
        slots: &Slots,
        digest: Digest,
        rows: u32,
        digest_of: impl Fn(u32) -> Digest,
    ) -> Option<Slots> {
        slots.insert(digest, rows - 1);
        if self.0.is_none() && slots.is_crowded(rows) {
            let count = slots.0.len() / 3 * 4;
            self.0 = Some(Larger {
                slots: Slots(Vec::with_capacity(count)),
                count,
                moved: 0,
            });
        }
        let complete = self.0.as_mut()?.step(rows, digest_of);
        if complete {
            return self.0.take().map(|larger| larger.slots);
        }
        None
    }

    /// A table with room for `rows`, if `slots` isn't large enough; holds the `present` ones.
    pub(crate) fn reserve(
        &mut self,
        slots: &Slots,
        rows: u32,
        present: u32,
        digest_of: impl Fn(u32) -> Digest,
    ) -> Option<Slots> {
        if !slots.is_crowded(rows) {
            return None;
        }
        self.0 = None;
        let larger = Slots::with_room(rows);
        for row in 0..present {
            larger.insert(digest_of(row), row);
        }
        Some(larger)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |larger| larger.count * size_of::<AtomicU32>())
    }
}

impl Larger {
    /// Prepares some more of it, then moves some more rows. True when all rows are in it.
    fn step(&mut self, rows: u32, digest_of: impl Fn(u32) -> Digest) -> bool {
        let lacking = self.count - self.slots.0.len();
        if lacking > 0 {
            let more = lacking.min(PREPARED_AT_ONCE);
            self.slots.0.extend((0..more).map(|_| AtomicU32::new(0)));
            return false;
        }
        let end = rows.min(self.moved + MOVED_AT_ONCE);
        for row in self.moved..end {
            self.slots.insert(digest_of(row), row);
        }
        self.moved = end;
        end == rows
    }
}
