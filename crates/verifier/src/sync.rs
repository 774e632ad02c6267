//! The atomics and the lock of the index, and its sizes. The tests of its interleavings compile the index a second time
//! with others in their place.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub(crate) use parking_lot::Mutex;

/// Slots of an empty table.
pub(crate) const FIRST_SLOTS: usize = 64;
/// Rows that move into a larger table with each insertion.
pub(crate) const MOVED_AT_ONCE: u32 = 32;
/// Slots that a larger table is prepared by with each insertion.
pub(crate) const PREPARED_AT_ONCE: usize = 4096;
/// Most tokens: what a slot has bits for, where 0 stands for an empty one.
pub(crate) const MOST_ROWS: u32 = (1 << 27) - 1;
/// Most workspaces, and most tokens with further facts: what a state has bits for.
pub(crate) const MOST_NUMBERS: u32 = 1 << 26;
/// Segments in a group.
pub(crate) const IN_GROUP: usize = 1 << 7;
/// Cells of a segment: 128 KiB of rows.
pub(crate) const IN_SEGMENT: usize = 1 << 12;
