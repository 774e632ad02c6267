//! A token's row: 32 bytes that lie in one line of the processor's cache.

use tollgate_domain::id::ClientTokenId;

use super::sync::{AtomicU64, MOST_NUMBERS, Ordering};

/// The keyed digest of a token's text: 96 bits. With 100 million tokens, a text that was never issued has the digest of
/// one of them once in 10^21 tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    /// Where in the table to look first.
    pub(crate) place: u64,
    /// The rest.
    pub(crate) rest: u32,
}

impl Digest {
    /// The bits that are kept in the slot.
    pub(crate) const fn tag(self) -> u32 {
        self.rest >> 27
    }
}

/// Digest, state and id of a token. Digest and id are written before the row's number is published, and stay; the state
/// changes as a whole.
#[derive(Default)]
#[repr(align(32))]
pub(crate) struct Row {
    place: AtomicU64,
    /// The digest's rest in the upper half, the state in the lower.
    rest_and_state: AtomicU64,
    id: [AtomicU64; 2],
}

impl Row {
    /// Fills a row that no reader can know of yet.
    #[expect(clippy::cast_possible_truncation, reason = "cuts the id into halves")]
    pub(crate) fn fill(&self, digest: Digest, id: u128, state: State) {
        self.place.store(digest.place, Ordering::Relaxed);
        self.id[0].store((id >> 64) as u64, Ordering::Relaxed);
        self.id[1].store(id as u64, Ordering::Relaxed);
        self.store(digest.rest, state);
    }

    /// Whether it is the row of this digest; the state, if so.
    #[inline]
    pub(crate) fn state_of(&self, digest: Digest) -> Option<State> {
        if self.place.load(Ordering::Relaxed) != digest.place {
            return None;
        }
        // Acquire: whoever sees the number of further facts sees the facts.
        let (rest, state) = split(self.rest_and_state.load(Ordering::Acquire));
        (rest == digest.rest).then_some(state)
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest {
            place: self.place.load(Ordering::Relaxed),
            rest: split(self.rest_and_state.load(Ordering::Relaxed)).0,
        }
    }

    pub(crate) fn id(&self) -> ClientTokenId {
        ClientTokenId::from_bits(self.id_bits())
    }

    pub(crate) fn id_bits(&self) -> u128 {
        let half = |half: &AtomicU64| u128::from(half.load(Ordering::Relaxed));
        half(&self.id[0]) << 64 | half(&self.id[1])
    }

    pub(crate) fn state(&self) -> State {
        split(self.rest_and_state.load(Ordering::Acquire)).1
    }

    /// Changes the state; only by whoever holds the writer's lock.
    pub(crate) fn set_state(&self, state: State) {
        self.store(split(self.rest_and_state.load(Ordering::Relaxed)).0, state);
    }

    fn store(&self, rest: u32, state: State) {
        self.rest_and_state
            .store(u64::from(rest) << 32 | u64::from(state.0), Ordering::Release);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "cuts into halves")]
const fn split(rest_and_state: u64) -> (u32, State) {
    ((rest_and_state >> 32) as u32, State(rest_and_state as u32))
}

const NUMBER_BITS: u32 = 26;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;
const FURTHER: u32 = 1 << 30;
const REVOKED: u32 = 1 << 31;
const LAST_VERSION: u32 = 15;

const _: () = assert!(MOST_NUMBERS <= 1 << NUMBER_BITS);

/// Whether a token is revoked, and where the rest stands: a token with nothing but a workspace and a small version
/// has both right here, any other the number of its further facts.
///
/// ```text
/// bit 31    30        29..26           25..0
/// revoked | further | version       | workspace's number              further = 0
/// revoked | further | -             | number of the further facts     further = 1
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u32);

/// Where a token's facts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facts {
    Here { workspace: u32, version: u32 },
    Further(u32),
}

impl State {
    /// The version, if there is room for it beside a workspace's number.
    pub(crate) fn small_version(version: i64) -> Option<u32> {
        u32::try_from(version).ok().filter(|version| *version <= LAST_VERSION)
    }

    pub(crate) const fn here(workspace: u32, version: u32) -> Self {
        Self(version << NUMBER_BITS | workspace)
    }

    pub(crate) const fn further(number: u32) -> Self {
        Self(FURTHER | number)
    }

    pub(crate) const fn revoked(self) -> Self {
        Self(self.0 | REVOKED)
    }

    pub(crate) const fn is_revoked(self) -> bool {
        self.0 & REVOKED != 0
    }

    pub(crate) const fn facts(self) -> Facts {
        if self.0 & FURTHER == 0 {
            Facts::Here {
                workspace: self.0 & NUMBER,
                version: self.0 >> NUMBER_BITS & LAST_VERSION,
            }
        } else {
            Facts::Further(self.0 & NUMBER)
        }
    }
}
