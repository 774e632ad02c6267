//! Sessions: what a browser carries instead of a password.
//!
//! The cookie's value is random and shown once; only its SHA-256 is kept. What proves that a form is ours (against
//! cross-site request forgery) follows from the value, so that nothing else has to be stored.

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ambient::Entropy;
use crate::api_key::SecretDigest;
use crate::base62;
use crate::id::UserId;
use crate::time::Timestamp;

/// A session ends when nothing was heard of it for this long.
pub const IDLE: Duration = Duration::from_hours(24);
/// A session ends this long after sign-in, whatever is done with it.
pub const ABSOLUTE: Duration = Duration::from_hours(14 * 24);
/// How accurate the last sight is: it is written down once a minute at most.
pub const ACCURACY: Duration = Duration::from_mins(1);

/// Characters of base 62: 190 bits.
const LENGTH: usize = 32;

/// The cookie's value. Silent in `Debug`, and wiped when dropped.
#[derive(Clone, Debug)]
pub struct SessionSecret(SecretString);

impl SessionSecret {
    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random_text(entropy).into())
    }

    /// Reads what somebody presents; `None` for what we never gave, known without any look-up.
    pub fn parse(text: &str) -> Option<Self> {
        is_random_text(text).then(|| Self(text.into()))
    }

    /// What is stored instead.
    pub fn digest(&self) -> SecretDigest {
        digest_of("session", self.0.expose_secret())
    }

    /// What every form of this session carries.
    pub fn form_proof(&self) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(b"form");
        hex::encode(mac.finalize().into_bytes())
    }

    /// Whether a form carries the [`form_proof`](Self::form_proof) of this session.
    pub fn is_form_proof(&self, presented: &str) -> bool {
        self.form_proof().as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// The value itself, for the cookie.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A session as the store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// What its cookie is recognised by.
    pub digest: SecretDigest,
    /// Whose.
    pub user: UserId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// Accurate to [`ACCURACY`].
    pub last_seen_at: Timestamp,
    /// It is over from this moment on; moves with each sight.
    pub expires_at: Timestamp,
}

impl Session {
    /// A new one.
    pub fn begin(secret: &SessionSecret, user: UserId, now: Timestamp) -> Self {
        Self {
            digest: secret.digest(),
            user,
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus(IDLE),
        }
    }

    /// Whether it is not over yet.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// The session as being seen at `now` leaves it; `None` when that is too soon to be written down.
    pub fn seen(&self, now: Timestamp) -> Option<Self> {
        let due = now >= self.last_seen_at.plus(ACCURACY);
        due.then(|| Self {
            last_seen_at: now,
            expires_at: now.plus(IDLE).min(self.created_at.plus(ABSOLUTE)),
            ..self.clone()
        })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.user)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

pub(crate) fn random_text(entropy: &dyn Entropy) -> String {
    let random = base62::random::<LENGTH>(entropy);
    std::str::from_utf8(&random).expect("base 62 is ASCII").to_owned()
}

pub(crate) fn is_random_text(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// SHA-256 of a secret under the name of its kind: one of another kind is never taken for it.
pub(crate) fn digest_of(kind: &str, secret: &str) -> SecretDigest {
    SecretDigest(Sha256::digest(format!("{kind}:{secret}")).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000)
            .unwrap()
            .plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_cookies_value_reads_back_and_is_silent() {
        let secret = SessionSecret::generate(&Fixed(7));
        let again = SessionSecret::parse(secret.reveal()).unwrap();
        assert_eq!(again.digest(), secret.digest());
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        for bad in ["", "short", &"a".repeat(33), &"ä".repeat(16), &"-".repeat(32)] {
            assert!(SessionSecret::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_form_is_proved_by_its_own_session_only() {
        let (ours, theirs) = (SessionSecret::generate(&Fixed(7)), SessionSecret::generate(&Fixed(8)));
        assert!(ours.is_form_proof(&ours.form_proof()));
        for wrong in ["", &theirs.form_proof(), ours.reveal(), &ours.form_proof()[1..]] {
            assert!(!ours.is_form_proof(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_session_ends_when_idle_and_after_two_weeks_anyway() {
        let day = 24 * 3600;
        let session = Session::begin(&SessionSecret::generate(&Fixed(7)), UserId::from_bits(1), at(0));
        assert!(session.is_live(at(day - 1)) && !session.is_live(at(day)));
        assert_eq!(session.seen(at(59)), None, "too soon to be written down");
        let seen = session.seen(at(60)).unwrap();
        assert_eq!((seen.last_seen_at, seen.expires_at), (at(60), at(day + 60)));
        let late = session.seen(at(14 * day - 10)).unwrap();
        assert_eq!(late.expires_at, at(14 * day));
    }

    proptest! {
        #[test]
        fn no_session_outlives_its_limits(steps in prop::collection::vec(0_u64..100_000, 1..200)) {
            let mut session = Session::begin(&SessionSecret::generate(&Fixed(7)), UserId::from_bits(1), at(0));
            let mut now = 0;
            for step in steps {
                now += step;
                if !session.is_live(at(now)) {
                    break;
                }
                prop_assert!(at(now) < session.created_at.plus(ABSOLUTE));
                prop_assert!(at(now) < session.last_seen_at.plus(IDLE));
                session = session.seen(at(now)).unwrap_or(session);
            }
        }
    }
}
