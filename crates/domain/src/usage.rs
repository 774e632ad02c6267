//! Usage of client tokens: how often each was presented, from where, and when last; so that whoever wants to revoke one
//! can see first whether it is still in use.

use crate::id::{ClientTokenId, WorkspaceId};
use crate::restriction::RestrictionKind;
use crate::time::Timestamp;

/// For how long hourly counts and origins are kept, in hours: seven days.
pub const KEPT_HOURS: u32 = 7 * 24;
/// How many origins of a token are kept for each day; the most frequent ones.
pub const MOST_ORIGINS_A_DAY: usize = 20;

/// Whole hours since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u32);

impl Hour {
    /// The hour that this moment is in.
    pub fn of(at: Timestamp) -> Self {
        Self(u32::try_from(at.as_millis() / 3_600_000).expect("the year 9998 is within 2^32 hours"))
    }

    /// When it begins.
    pub fn begins_at(self) -> Timestamp {
        Timestamp::from_micros(i64::from(self.0) * 3_600_000_000).unwrap_or(Timestamp::LAST)
    }

    /// The hour that its UTC day begins with.
    #[must_use]
    pub const fn first_of_day(self) -> Self {
        Self(self.0 - self.0 % 24)
    }

    /// Its UTC day, in whole days since 1970-01-01.
    pub const fn day(self) -> u32 {
        self.0 / 24
    }

    /// Earlier by so many hours, at least the first hour of 1970.
    #[must_use]
    pub const fn minus(self, hours: u32) -> Self {
        Self(self.0.saturating_sub(hours))
    }
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageCounts {
    /// Let in.
    pub allowed: u64,
    /// Refused, for whatever reason, as far as the token is known.
    pub refused: u64,
    /// Let in although a restriction that is only reported spoke against it, for each of [`RestrictionKind::ALL`].
    pub reported: [u64; RestrictionKind::ALL.len()],
}

/// What one node saw of one token in one hour since it last told: to be added to what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDelta {
    /// Whose token.
    pub workspace: WorkspaceId,
    /// Which token.
    pub id: ClientTokenId,
    /// When.
    pub hour: Hour,
    /// How often.
    pub counts: UsageCounts,
    /// When it was last let in; `None` when it wasn't.
    pub last_used_at: Option<Timestamp>,
    /// Sites that it was let in from, each with how often; the most frequent ones, perhaps not all.
    pub origins: Vec<(String, u64)>,
}

/// What is stored of a token's usage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// When it was last let in, ever; precise to the seconds between two flushes.
    pub last_used_at: Option<Timestamp>,
    /// The hours of the last seven days in which it was presented, oldest first.
    pub hours: Vec<(Hour, UsageCounts)>,
    /// Sites that it was let in from in the last seven days, most frequent first, at most [`MOST_ORIGINS_A_DAY`].
    pub origins: Vec<(String, u64)>,
}
