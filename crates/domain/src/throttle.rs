//! How often somebody may try to sign in.
//!
//! Failures are counted under names: the email address that was given, and the network that it came from. Past a few, the
//! next try has to wait, longer each time, never longer than [`LONGEST_WAIT`]; tries that come too early aren't looked at
//! and don't count. So guessing is slow, and nobody is locked out for good.

use std::net::IpAddr;
use std::time::Duration;

use crate::session;
use crate::time::Timestamp;
use crate::user::EmailAddress;

/// Failures under one email address before the first wait.
const FREE_PER_EMAIL: u32 = 5;
/// Failures from one network before the first wait: an office may share it.
const FREE_PER_NETWORK: u32 = 20;
/// The first wait; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// No wait is longer.
pub const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// Failures are forgotten this long after the last one.
pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// What failures are counted under. The store learns a digest only: people type passwords into the field for the email.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptKey {
    text: String,
    free: u32,
}

impl AttemptKey {
    /// For this email address, whether or not anybody has it.
    pub fn email(email: &EmailAddress) -> Self {
        Self::of("email", &email.folded(), FREE_PER_EMAIL)
    }

    /// For all that is no email address: tries that can't succeed.
    pub fn no_email() -> Self {
        Self::of("email", "", u32::MAX)
    }

    /// For this client's network: an IPv4 address, or the first half of an IPv6 address, of which everybody has as many
    /// as they like.
    pub fn network(address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("{:x?}", &address.segments()[..4]),
        };
        Self::of("network", &network, FREE_PER_NETWORK)
    }

    fn of(kind: &str, of: &str, free: u32) -> Self {
        let digest = session::digest_of(kind, of);
        Self {
            text: format!("{kind} {}", hex::encode(digest.0)),
            free,
        }
    }

    /// As the store names it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How long a try at `now` has to wait after these; `None` when it needn't.
    pub fn wait(&self, attempts: Attempts, now: Timestamp) -> Option<Duration> {
        let over = attempts.recent(now).checked_sub(self.free)?;
        let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(over));
        let until = attempts.last_at.plus(doubled.min(LONGEST_WAIT));
        let left = until.as_micros() - now.as_micros();
        // A clock that went back makes nobody wait longer than the longest wait.
        (left > 0).then(|| Duration::from_micros(left.unsigned_abs()).min(LONGEST_WAIT))
    }
}

/// The failures that are counted under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub failures: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

impl Attempts {
    /// No failure that anybody remembers.
    pub const fn none(now: Timestamp) -> Self {
        Self {
            failures: 0,
            last_at: now,
        }
    }

    /// With one more at `now`.
    #[must_use]
    pub fn one_more(self, now: Timestamp) -> Self {
        Self {
            failures: self.recent(now).saturating_add(1),
            last_at: now,
        }
    }

    fn recent(self, now: Timestamp) -> u32 {
        if now >= self.last_at.plus(FORGOTTEN_AFTER) {
            0
        } else {
            self.failures
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000)
            .unwrap()
            .plus(Duration::from_secs(seconds))
    }

    fn email() -> AttemptKey {
        AttemptKey::email(&EmailAddress::parse("ada@example.com").unwrap())
    }

    #[test]
    fn the_first_five_failures_are_free_and_then_waits_double() {
        for (failures, wait) in [
            (0, None),
            (4, None),
            (5, Some(15)),
            (6, Some(30)),
            (7, Some(60)),
            (12, Some(900)),
            (40, Some(900)),
        ] {
            let attempts = Attempts {
                failures,
                last_at: at(0),
            };
            assert_eq!(
                email().wait(attempts, at(0)),
                wait.map(Duration::from_secs),
                "{failures}"
            );
        }
    }

    #[test]
    fn a_wait_runs_out_and_failures_are_forgotten() {
        let attempts = Attempts {
            failures: 6,
            last_at: at(0),
        };
        assert_eq!(email().wait(attempts, at(29)), Some(Duration::from_secs(1)));
        assert_eq!(email().wait(attempts, at(30)), None);
        assert_eq!(attempts.one_more(at(30)).failures, 7);
        assert_eq!(attempts.one_more(at(3600)).failures, 1);
    }

    #[test]
    fn networks_are_counted_and_not_addresses_of_ipv6() {
        let network = |text: &str| AttemptKey::network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn the_store_learns_neither_the_email_nor_the_address() {
        assert!(!email().as_str().contains("ada") && email().as_str().starts_with("email "));
        let network = AttemptKey::network("192.0.2.1".parse().unwrap());
        assert!(!network.as_str().contains("192.0.2.1"), "{network:?}");
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_a_quarter_of_an_hour(failures in any::<u32>(), last in 0_u64..100_000, now in 0_u64..100_000) {
            let attempts = Attempts { failures, last_at: at(last) };
            let wait = email().wait(attempts, at(now)).unwrap_or_default();
            prop_assert!(wait <= LONGEST_WAIT);
            prop_assert_eq!(email().wait(attempts, at(last.max(now)).plus(LONGEST_WAIT)), None);
        }
    }
}
