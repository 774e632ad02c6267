//! Which part of the sequence a follower gets at once, and whether all of it is still there: the same in both stores.

/// The places after `after` up to `upto`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) after: u64,
    pub(crate) upto: u64,
}

impl Span {
    /// What was asked for, as far as there is any, and `limit` places at most.
    pub(crate) fn new(after: u64, upto: u64, head: u64, limit: usize) -> Self {
        let most = after.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX));
        let upto = upto.min(head).min(most).max(after);
        Self { after, upto }
    }

    /// Whether this many events are all that there ever were in it: each place has one, until it is removed.
    pub(crate) fn is_whole(self, found: usize) -> bool {
        u64::try_from(found) == Ok(self.upto - self.after)
    }
}
