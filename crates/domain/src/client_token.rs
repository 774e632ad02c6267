//! Client tokens: publishable credentials that a web page or mobile app presents.
//!
//! The text of a token is `<test|live>_<22 random><5 checksum>`, all of `[a-zA-Z0-9]` after the underscore: 22
//! characters of 62 are 130.9 bits of randomness; the checksum ([`base62::checksum`]) covers everything before it,
//! the environment's word included, so that a mistyped or invented token is refused without a look-up.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::ambient::Entropy;
use crate::base62;
use crate::environment::Environment;
use crate::id::{ClientTokenId, WorkspaceId};
use crate::restriction::Restrictions;
use crate::time::Timestamp;
use crate::verdict::TokenFacts;

const WORD_AND_UNDERSCORE: usize = 5;
const RANDOM: usize = 22;
const CHECKSUM: usize = 5;
const LENGTH: usize = WORD_AND_UNDERSCORE + RANDOM + CHECKSUM;

/// The text of a client token: 32 ASCII characters, well-formed and with the right checksum. Not a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenText([u8; LENGTH]);

/// Why a text is no client token, known without any look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenTextError {
    /// Not `^(test|live)_[a-zA-Z0-9]{27}$`.
    #[error("a client token is test_ or live_ and 27 letters and digits")]
    Malformed,
    /// The last five characters don't fit the rest: mistyped, cut, or invented.
    #[error("the client token's checksum is wrong: it was mistyped or invented")]
    Checksum,
}

impl TokenText {
    /// A new token's text.
    pub fn generate(environment: Environment, entropy: &dyn Entropy) -> Self {
        let mut text = [0; LENGTH];
        text[..4].copy_from_slice(environment.token_word().as_bytes());
        text[4] = b'_';
        text[WORD_AND_UNDERSCORE..][..RANDOM].copy_from_slice(&base62::random::<RANDOM>(entropy));
        let checksum = base62::checksum::<CHECKSUM>(&text[..LENGTH - CHECKSUM]);
        text[LENGTH - CHECKSUM..].copy_from_slice(&checksum);
        Self(text)
    }

    /// Reads what somebody presents.
    pub fn parse(text: &str) -> Result<Self, TokenTextError> {
        let text = Self::of_shape(text.as_bytes()).ok_or(TokenTextError::Malformed)?;
        let (checked, checksum) = text.0.split_last_chunk::<CHECKSUM>().expect("it is longer");
        if !base62::is_checksum(checksum, checked) {
            return Err(TokenTextError::Checksum);
        }
        Ok(text)
    }

    /// Reads what a store kept, by the million: the checksum was right when it was written.
    pub fn of_shape(text: &[u8]) -> Option<Self> {
        let text: [u8; LENGTH] = text.try_into().ok()?;
        let word = matches!(&text[..WORD_AND_UNDERSCORE], b"test_" | b"live_");
        // Looking at all of them is quicker than stopping at the first.
        let well_formed = text[WORD_AND_UNDERSCORE..]
            .iter()
            .fold(word, |well_formed, byte| well_formed & byte.is_ascii_alphanumeric());
        well_formed.then_some(Self(text))
    }

    /// The environment that its first word names.
    pub fn environment(&self) -> Environment {
        if self.0.starts_with(b"live") {
            Environment::Live
        } else {
            Environment::Sandbox
        }
    }

    /// The same as bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// All 32 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII is let in")
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TokenText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TokenText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TokenText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TokenText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(test|live)_[a-zA-Z0-9]{27}$" })
    }
}

/// Whether a token still lets anybody in. Revoking is permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientTokenStatus {
    /// Lets its bearer in.
    Active,
    /// Never lets anybody in again.
    Revoked,
}

impl ClientTokenStatus {
    /// Both, as the contract orders them.
    pub const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A client token as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientToken {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// `ctkn_…`
    pub id: ClientTokenId,
    /// What a front end presents.
    pub token: TokenText,
    /// Within [`crate::text::NAME`].
    pub name: String,
    /// Within [`crate::text::CLIENT_TOKEN_DESCRIPTION`].
    pub description: Option<String>,
    /// `revoked` is final.
    pub status: ClientTokenStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was revoked; equals `updated_at` at that moment.
    pub revoked_at: Option<Timestamp>,
    /// What it is narrowed to, never empty. Ours: the contract's snapshot doesn't show it.
    #[serde(default)]
    pub restrictions: Option<Box<Restrictions>>,
    /// When it is to be revoked, as long as it is active. Ours, too.
    #[serde(default)]
    pub revoke_at: Option<Timestamp>,
    /// Counts the changes: 1 when made. A write names the version it saw, and doesn't happen if another came first.
    pub version: i64,
}

/// A client token as the contract shows it, in a response and as an event's data; fields in the contract's order.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ClientToken")]
pub struct ClientTokenSnapshot<'a> {
    id: ClientTokenId,
    token: TokenText,
    name: &'a str,
    description: Option<&'a str>,
    status: ClientTokenStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl ClientToken {
    /// What the contract shows of this token.
    pub fn snapshot(&self) -> ClientTokenSnapshot<'_> {
        ClientTokenSnapshot {
            id: self.id,
            token: self.token,
            name: &self.name,
            description: self.description.as_deref(),
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
            revoked_at: self.revoked_at,
        }
    }

    /// What a verifier must know of this token.
    pub fn facts(&self) -> TokenFacts {
        TokenFacts {
            workspace: self.workspace,
            id: self.id,
            token: self.token,
            revoked: self.status == ClientTokenStatus::Revoked,
            revoke_at: self.revoke_at,
            restrictions: self.restrictions.clone(),
            version: self.version,
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
                *byte = self
                    .0
                    .wrapping_mul(31)
                    .wrapping_add(u8::try_from(place % 251).unwrap().wrapping_mul(7))
                    % 248;
            }
        }
    }

    #[test]
    fn each_environment_has_its_prefix() {
        assert!(
            TokenText::generate(Environment::Sandbox, &Fixed(1))
                .as_str()
                .starts_with("test_")
        );
        assert!(
            TokenText::generate(Environment::Live, &Fixed(1))
                .as_str()
                .starts_with("live_")
        );
    }

    #[test]
    fn what_is_no_token_is_refused_for_the_right_reason() {
        let token = TokenText::generate(Environment::Sandbox, &Fixed(3));
        let text = token.as_str();
        for malformed in [
            "",
            "test_",
            &text[1..],
            &text[..31],
            &format!("{text}a"),
            &text.replacen("test_", "prod_", 1),
            &text.replacen("test_", "TEST_", 1),
            &format!("{}-", &text[..31]),
            &format!("{}é", &text[..30]),
        ] {
            assert_eq!(
                TokenText::parse(malformed),
                Err(TokenTextError::Malformed),
                "{malformed:?}"
            );
        }
        // A token of the other environment with the same characters is another text, and was never issued.
        assert_eq!(
            TokenText::parse(&text.replacen("test_", "live_", 1)),
            Err(TokenTextError::Checksum)
        );
        // Tokens of the contract's samples are well-formed, but none of ours.
        assert_eq!(
            TokenText::parse("test_da3059212d9a85cee360c0488e1"),
            Err(TokenTextError::Checksum)
        );
    }

    proptest! {
        #[test]
        fn what_is_made_is_accepted(seed in any::<u8>(), live in any::<bool>()) {
            let environment = if live { Environment::Live } else { Environment::Sandbox };
            let token = TokenText::generate(environment, &Fixed(seed));
            prop_assert_eq!(TokenText::parse(token.as_str()), Ok(token));
            prop_assert_eq!(token.environment(), environment);
        }

        #[test]
        fn one_wrong_character_is_noticed(seed in any::<u8>(), place in 5_usize..32, other in 0_usize..62) {
            let token = TokenText::generate(Environment::Sandbox, &Fixed(seed));
            let mut text = token.0;
            prop_assume!(text[place] != base62::ALPHABET[other]);
            text[place] = base62::ALPHABET[other];
            prop_assert_eq!(TokenText::parse(std::str::from_utf8(&text).unwrap()), Err(TokenTextError::Checksum));
        }

        #[test]
        fn two_swapped_characters_are_noticed(seed in any::<u8>(), place in 5_usize..31) {
            let token = TokenText::generate(Environment::Live, &Fixed(seed));
            let mut text = token.0;
            prop_assume!(text[place] != text[place + 1]);
            text.swap(place, place + 1);
            prop_assert_eq!(TokenText::parse(std::str::from_utf8(&text).unwrap()), Err(TokenTextError::Checksum));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = TokenText::parse(&text);
        }
    }
}
