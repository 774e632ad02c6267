//! API keys: secret credentials for backends and integrations, with permissions.
//!
//! The text of a key is `pdl_<live|sdbx>_apikey_<26 of the id>_<22 random>_<3 checksum>`: 69 characters with 130.9
//! bits of randomness; the checksum ([`base62::checksum`]) covers everything before its underscore. It is shown once;
//! only its SHA-256 is kept.

use std::fmt;

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ambient::Entropy;
use crate::base62;
use crate::environment::Environment;
use crate::id::{ApiKeyId, WorkspaceId};
use crate::permission::PermissionSet;
use crate::time::Timestamp;

const RANDOM: usize = 22;
const CHECKSUM: usize = 3;

/// The whole text of an API key. Never printed: its `Debug` is silent, and the text is wiped when dropped.
#[derive(Clone, Debug)]
pub struct ApiKeySecret {
    text: SecretString,
    id: ApiKeyId,
}

/// The text isn't an API key, known without any look-up: the wrong shape, or a wrong checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an API key of ours: the shape or the checksum is wrong")]
pub struct MalformedKey;

impl ApiKeySecret {
    /// A new key's text for `id`.
    pub fn generate(environment: Environment, id: ApiKeyId, entropy: &dyn Entropy) -> Self {
        let random = base62::random::<RANDOM>(entropy);
        let random = std::str::from_utf8(&random).expect("base 62 is ASCII");
        let checked = format!("pdl_{}_apikey_{}_{random}", environment.key_word(), id.tail());
        let checksum = base62::checksum::<CHECKSUM>(checked.as_bytes());
        let checksum = std::str::from_utf8(&checksum).expect("base 62 is ASCII");
        Self {
            text: format!("{checked}_{checksum}").into(),
            id,
        }
    }

    /// Reads what somebody presents.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let (checked, checksum) = text.rsplit_once('_').ok_or(MalformedKey)?;
        let rest = checked
            .strip_prefix("pdl_live_apikey_")
            .or_else(|| checked.strip_prefix("pdl_sdbx_apikey_"))
            .ok_or(MalformedKey)?;
        let (tail, random) = rest.split_once('_').ok_or(MalformedKey)?;
        let id = ApiKeyId::from_tail(tail).ok_or(MalformedKey)?;
        let well_formed = random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !well_formed || checksum.as_bytes() != base62::checksum::<CHECKSUM>(checked.as_bytes()) {
            return Err(MalformedKey);
        }
        Ok(Self { text: text.into(), id })
    }

    /// The key that this text claims to be.
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    /// What is stored instead of the text.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest(Sha256::digest(self.text.expose_secret()).into())
    }

    /// The text itself, to be shown once to whoever made the key.
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }
}

/// SHA-256 of a key's text. A plain hash is enough: what it hides has 130 bits of randomness.
#[derive(Clone, Copy)]
pub struct SecretDigest(pub [u8; 32]);

impl PartialEq for SecretDigest {
    /// Takes the same time wherever the two differ.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// Whether a key still lets anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeyStatus {
    /// Lets its bearer in, until it expires.
    Active,
    /// Its time is over. Final.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl ApiKeyStatus {
    /// All three, as the contract orders them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Expired, Self::Revoked];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// An API key as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// The environment of its workspace, which its text names.
    pub environment: Environment,
    /// `apikey_…`
    pub id: ApiKeyId,
    /// Within [`crate::text::NAME`].
    pub name: String,
    /// Within [`crate::text::API_KEY_DESCRIPTION`].
    pub description: Option<String>,
    /// What its text is recognised by.
    pub digest: SecretDigest,
    /// `expired` and `revoked` let nobody in.
    pub status: ApiKeyStatus,
    /// Exactly what it was granted.
    pub permissions: PermissionSet,
    /// From this moment on it lets nobody in, whatever `status` says.
    pub expires_at: Option<Timestamp>,
    /// When `api_key.expiring` was emitted for it.
    pub expiring_announced_at: Option<Timestamp>,
    /// Accurate to an hour.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed; announcing, expiry's approach and use don't count.
    pub updated_at: Timestamp,
    /// Counts the changes: 1 when made. A write names the version it saw, and doesn't happen if another came first.
    pub version: i64,
}

/// An API key as the contract shows it, in a response and as an event's data; fields in the contract's order.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub struct ApiKeySnapshot<'a> {
    id: ApiKeyId,
    name: &'a str,
    description: Option<&'a str>,
    status: ApiKeyStatus,
    /// Redacted: its beginning, then four asterisks.
    #[schemars(regex(pattern = r"^[a-z\d_]*\*{4}$"))]
    key: String,
    permissions: Vec<&'static str>,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    rotatable: bool,
}

impl ApiKey {
    /// Whether its bearer may come in at `now`.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.status == ApiKeyStatus::Active && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// `pdl_sdbx_apikey_` and the first ten characters of the id, then four asterisks.
    pub fn redacted(&self) -> String {
        format!(
            "pdl_{}_apikey_{}****",
            self.environment.key_word(),
            &self.id.tail()[..10]
        )
    }

    /// What the contract shows of this key.
    pub fn snapshot(&self) -> ApiKeySnapshot<'_> {
        ApiKeySnapshot {
            id: self.id,
            name: &self.name,
            description: self.description.as_deref(),
            status: self.status,
            key: self.redacted(),
            permissions: self.permissions.names(),
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            rotatable: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            for (place, byte) in buffer.iter_mut().enumerate() {
                *byte = self.0.wrapping_add(u8::try_from(place % 251).unwrap().wrapping_mul(11)) % 248;
            }
        }
    }

    fn id() -> ApiKeyId {
        ApiKeyId::parse("apikey_01khqw72q437v2n2wtbrraawbn").unwrap()
    }

    #[test]
    fn a_key_has_the_contracts_shape() {
        for (environment, word) in [(Environment::Sandbox, "sdbx"), (Environment::Live, "live")] {
            let secret = ApiKeySecret::generate(environment, id(), &Fixed(5));
            let text = secret.reveal();
            assert_eq!(text.len(), 69);
            assert_eq!(text.matches('_').count(), 5);
            assert!(text.starts_with(&format!("pdl_{word}_apikey_01khqw72q437v2n2wtbrraawbn_")));
            assert_eq!(ApiKeySecret::parse(text).unwrap().id(), id());
        }
    }

    #[test]
    fn a_secret_is_silent() {
        let secret = ApiKeySecret::generate(Environment::Live, id(), &Fixed(9));
        let shown = format!("{secret:?} {:?}", secret.digest());
        assert!(!shown.contains(&secret.reveal()[43..]), "{shown}");
    }

    #[test]
    fn a_foreign_word_is_no_key() {
        let secret = ApiKeySecret::generate(Environment::Live, id(), &Fixed(9));
        let text = secret.reveal();
        for bad in [
            "",
            "_",
            "pdl_live_apikey___",
            &text[1..],
            &text[..68],
            &text.replace("live", "sdbx"),
            &text.to_uppercase(),
        ] {
            assert!(ApiKeySecret::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_noticed(seed in any::<u8>(), place in 16_usize..69, other in 0_usize..62) {
            let secret = ApiKeySecret::generate(Environment::Sandbox, id(), &Fixed(seed));
            let mut text = secret.reveal().to_owned().into_bytes();
            prop_assume!(text[place] != base62::ALPHABET[other]);
            let original = String::from_utf8(text.clone()).unwrap();
            text[place] = base62::ALPHABET[other];
            let changed = String::from_utf8(text).unwrap();
            // Three characters of checksum let one slip in 238,328 through; the digest stops it then.
            if let Ok(passed) = ApiKeySecret::parse(&changed) {
                prop_assert!(passed.digest() != ApiKeySecret::parse(&original).unwrap().digest());
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = ApiKeySecret::parse(&text);
        }
    }
}
