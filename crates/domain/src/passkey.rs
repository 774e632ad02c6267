//! Passkeys: keys on a person's device that sign in without a password, and the ceremonies that make and use them.
//!
//! A ceremony is a challenge that was given out and waits for its answer. Its secret is with whoever asked for it; as with
//! links, the store has only the SHA-256, and using it and what it is for are one commit.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::ambient::Entropy;
use crate::api_key::SecretDigest;
use crate::id::{PasskeyId, UserId};
use crate::session;
use crate::time::Timestamp;

/// Most passkeys of one person: a phone, a laptop, a few keys on the chain, and again as many.
pub const MOST_PASSKEYS: usize = 20;
/// How long a challenge waits for its answer: as long as browsers leave their dialog open.
pub const CEREMONY: Duration = Duration::from_mins(5);

/// A passkey as the store keeps it. No secret is in it: the private key never leaves the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// `psk_…`
    pub id: PasskeyId,
    /// Whose.
    pub user: UserId,
    /// The id that the device gave it, 16 to 1,023 bytes. Nobody else's has it.
    pub credential: Vec<u8>,
    /// What its signatures are checked with, as the service writes it. Never changes.
    pub key: Vec<u8>,
    /// What a signature may change, the counter above all, as the service writes it.
    pub state: Vec<u8>,
    /// What the person calls it; within [`crate::text::NAME`].
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last signed somebody in.
    pub last_used_at: Option<Timestamp>,
}

/// The secret of a ceremony. Silent in `Debug`, and wiped when dropped.
#[derive(Clone, Debug)]
pub struct CeremonySecret(SecretString);

impl CeremonySecret {
    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(session::random_text(entropy).into())
    }

    /// Reads what somebody presents; `None` for what we never gave, known without any look-up.
    pub fn parse(text: &str) -> Option<Self> {
        session::is_random_text(text).then(|| Self(text.into()))
    }

    /// What is stored instead.
    pub fn digest(&self) -> SecretDigest {
        session::digest_of("ceremony", self.0.expose_secret())
    }

    /// The secret itself, for whoever began the ceremony.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A ceremony as the store keeps it, until it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceremony {
    /// What it is recognised by.
    pub digest: SecretDigest,
    /// Who adds a passkey; `None` when somebody signs in, and who that is shows in the answer.
    pub user: Option<UserId>,
    /// What was asked, as the service writes it.
    pub state: Vec<u8>,
    /// It is good for nothing from this moment on.
    pub expires_at: Timestamp,
}

impl Ceremony {
    /// A new one.
    pub fn begin(secret: &CeremonySecret, user: Option<UserId>, state: Vec<u8>, now: Timestamp) -> Self {
        Self {
            digest: secret.digest(),
            user,
            state,
            expires_at: now.plus(CEREMONY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::one_time_link::LinkSecret;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn a_ceremonys_secret_reads_back_and_is_silent() {
        let secret = CeremonySecret::generate(&Fixed);
        let again = CeremonySecret::parse(secret.reveal()).unwrap();
        assert_eq!(again.digest(), secret.digest());
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        assert!(CeremonySecret::parse("../../etc/passwd").is_none());
    }

    #[test]
    fn a_ceremony_is_no_link() {
        let secret = CeremonySecret::generate(&Fixed);
        let link = LinkSecret::parse(secret.reveal()).unwrap();
        assert_ne!(link.digest(), secret.digest());
    }
}
