//! How often a token is presented from one client address: the generic cell rate algorithm, in bounded memory.
//!
//! An address that has used its limit up is let in again at an even pace: of 60 requests in a minute, one a second.
//! Nothing is kept of an address whose limit is whole again, so what is kept is bounded by those who ask now, and by
//! 16 MiB: a million pairs of token and address. Where there is no room (chance fills some places before others, from
//! about a quarter of a million on), the one of four that is nearest to being whole is forgotten, which lets it in
//! somewhat early. Nobody is refused for others' asking.

use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use siphasher::sip::SipHasher13;
use tollgate_domain::restriction::RateLimit;

/// Locks, each held for some nanoseconds.
const SHARDS: usize = 64;
/// Entries that share a place: a line of the processor's cache.
const IN_SET: usize = 4;
/// Sets of a shard at most; it begins with none, and doubles.
const MOST_SETS: usize = if cfg!(test) { 1 << 3 } else { 1 << 12 };

const _: () = assert!(cfg!(test) || SHARDS * MOST_SETS * size_of::<Set>() == 16 << 20);

/// A pair of token and address, and when its limit will be whole again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Keyed hash of the pair and its limit: a changed limit starts anew. 64 bits don't collide among a million.
    pair: u64,
    /// Nanoseconds since the verifier's epoch; 0 = free.
    whole_at: u64,
}

type Set = [Entry; IN_SET];

/// Who has used how much of their limits.
pub(crate) struct Limits {
    hasher: SipHasher13,
    shards: Vec<Mutex<Vec<Set>>>,
}

/// The limit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsedUp {
    pub(crate) retry_after_seconds: u32,
}

impl Limits {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Self {
            hasher: SipHasher13::new_with_key(key),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Takes one of the limit, unless it is used up: then nothing is taken. `now` is the time since the verifier's
    /// epoch; whoever's address isn't known shares one limit.
    pub(crate) fn take(
        &self,
        token: u32,
        address: Option<IpAddr>,
        limit: RateLimit,
        now: Duration,
    ) -> Result<(), UsedUp> {
        let pair = self.pair(token, address, limit);
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let requests = u64::from(limit.requests.get());
        // Rounded up, so that never more than allowed gets through; from a microsecond to a day.
        let each = (u64::from(limit.period_seconds.get()) * 1_000_000_000).div_ceil(requests);
        let shard = usize::try_from(pair % SHARDS as u64).unwrap_or(0);
        let mut sets = self.shards[shard].lock();
        let entry = entry_of(&mut sets, pair, now);
        let whole_at = entry.whole_at.max(now);
        // So much may have been used before this one.
        let ready_at = whole_at.saturating_sub(each * (requests - 1));
        if ready_at > now {
            let seconds = (ready_at - now).div_ceil(1_000_000_000);
            return Err(UsedUp {
                retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
            });
        }
        *entry = Entry {
            pair,
            whole_at: whole_at.saturating_add(each),
        };
        Ok(())
    }

    /// Bytes that are kept now, at most 16 MiB.
    pub(crate) fn bytes(&self) -> usize {
        let sets: usize = self.shards.iter().map(|shard| shard.lock().capacity()).sum();
        sets * size_of::<Set>()
    }

    fn pair(&self, token: u32, address: Option<IpAddr>, limit: RateLimit) -> u64 {
        let mut bytes = [0; 4 + 1 + 8 + 4 + 4];
        bytes[..4].copy_from_slice(&token.to_le_bytes());
        match address.map(|address| address.to_canonical()) {
            None => {}
            Some(IpAddr::V4(address)) => {
                bytes[4] = 4;
                bytes[5..9].copy_from_slice(&address.octets());
            }
            // Whoever has one address of version 6 has at least the 2^64 of its network.
            Some(IpAddr::V6(address)) => {
                bytes[4] = 6;
                bytes[5..13].copy_from_slice(&address.octets()[..8]);
            }
        }
        bytes[13..17].copy_from_slice(&limit.requests.get().to_le_bytes());
        bytes[17..].copy_from_slice(&limit.period_seconds.get().to_le_bytes());
        self.hasher.hash(&bytes)
    }
}

/// The pair's entry, else one that nobody needs any more, else one more in a larger shard, else the least needed one; the
/// last three as if whole.
fn entry_of(sets: &mut Vec<Set>, pair: u64, now: u64) -> &mut Entry {
    if sets.is_empty() {
        sets.reserve_exact(1);
        sets.push(Set::default());
    }
    let (set, place) = loop {
        let set = set_of(sets.len(), pair);
        let entries = &sets[set];
        let known = entries
            .iter()
            .position(|entry| entry.pair == pair && entry.whole_at > now);
        if let Some(place) = known.or_else(|| entries.iter().position(|entry| entry.whole_at <= now)) {
            break (set, place);
        }
        if sets.len() >= MOST_SETS {
            let least = (0..IN_SET).min_by_key(|place| entries[*place].whole_at).unwrap_or(0);
            sets[set][least] = Entry::default();
            break (set, least);
        }
        double(sets, now);
    };
    let entry = &mut sets[set][place];
    if entry.pair != pair {
        *entry = Entry::default();
    }
    entry
}

/// The low bits of the hash chose the shard.
fn set_of(sets: usize, pair: u64) -> usize {
    usize::try_from((pair >> 32) % sets as u64).unwrap_or(0)
}

/// Twice the sets; each entry stays where it is or goes to the other half's set of the same place, so none overflows.
fn double(sets: &mut Vec<Set>, now: u64) {
    let before = sets.len();
    sets.reserve_exact(before);
    sets.resize(before * 2, Set::default());
    let (old, new) = sets.split_at_mut(before);
    for (set, (old, new)) in old.iter_mut().zip(new).enumerate() {
        for (entry, place) in old.iter_mut().zip(new) {
            if entry.whole_at > now && set_of(before * 2, entry.pair) != set {
                *place = std::mem::take(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn addresses_beyond_number_take_bounded_memory_and_refuse_nobody_else() {
        let limits = Limits::new(&[7; 16]);
        let limit = RateLimit {
            requests: NonZeroU32::new(2).unwrap(),
            period_seconds: NonZeroU32::new(86_400).unwrap(),
        };
        let take = |address: u128| limits.take(1, Some(IpAddr::from(address.to_be_bytes())), limit, Duration::ZERO);
        let heavy = 0x2001_0db8_ffff_u128 << 80;
        assert_eq!([(); 2].map(|()| take(heavy)), [Ok(()); 2]);
        for number in 0..20_000 {
            assert_eq!(
                take(0x2001_0db8 << 96 | number << 64),
                Ok(()),
                "{number} asks for the first time"
            );
        }
        assert_eq!(limits.bytes(), SHARDS * MOST_SETS * size_of::<Set>());
        // The crowd took one each; so whoever took two was kept.
        assert_eq!(
            take(heavy),
            Err(UsedUp {
                retry_after_seconds: 43_200
            })
        );
    }

    #[test]
    fn whose_limit_is_whole_again_leaves_room_for_others() {
        let limits = Limits::new(&[7; 16]);
        let limit = RateLimit {
            requests: NonZeroU32::new(1).unwrap(),
            period_seconds: NonZeroU32::new(1).unwrap(),
        };
        for second in 0..1_000 {
            for number in 0..10_u8 {
                let address = IpAddr::from([192, 0, 2, number]);
                let now = Duration::from_secs(second);
                assert_eq!(limits.take(1, Some(address), limit, now), Ok(()));
                assert!(limits.take(1, Some(address), limit, now).is_err());
            }
        }
        assert!(limits.bytes() <= 10 * size_of::<Set>());
    }
}
