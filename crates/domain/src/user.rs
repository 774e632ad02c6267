//! People: who they are, and how they prove it.
//!
//! A person belongs to no workspace; a [`Membership`] says which ones they may enter, and as what.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::id::{UserId, WorkspaceId};
use crate::role::Role;
use crate::time::Timestamp;

/// Fewest code points of a password. NIST SP 800-63B asks for 8 beside a second factor and 15 without; this is between,
/// as sign-in is throttled as well.
pub const SHORTEST_PASSWORD: usize = 12;
/// Most bytes of a password: enough for any sentence, and hashing it stays cheap.
pub const LONGEST_PASSWORD: usize = 1024;

/// An email address. Shown as it was given, but for blanks around it and the case of its domain; two that differ in case
/// only are the same.
#[derive(Clone)]
pub struct EmailAddress(String);

/// The text is no email address that we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address: write it as somebody@example.com")]
pub struct InvalidEmail;

impl EmailAddress {
    /// From `somebody@example.com`. This is no proof that it takes mail: it refuses what would be shown, compared or
    /// mailed as something else.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let visible =
            |character: char| !character.is_whitespace() && !character.is_control() && !is_invisible(character);
        let plain = |character: char| visible(character) && !"@<>()[]\\,;:\"".contains(character);
        let labels = domain.split('.');
        let domain_is_sound = labels.clone().all(|label| !label.is_empty())
            && domain.chars().all(|character| plain(character) && character != '/');
        let local_is_sound = (1..=64).contains(&local.len()) && local.chars().all(plain);
        if text.len() > 254 || !local_is_sound || !domain_is_sound {
            return Err(InvalidEmail);
        }
        Ok(Self(format!("{local}@{}", domain.to_lowercase())))
    }

    /// As it is shown and mailed to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is compared by, here and in the store.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Characters that take no room or turn the reading around.
const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for EmailAddress {}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password that somebody chooses. Silent in `Debug`, and wiped when dropped.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// Why a password can't be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess.
    #[error("a password has at least {SHORTEST_PASSWORD} characters")]
    TooShort,
    /// More than is worth hashing.
    #[error("a password has at most {LONGEST_PASSWORD} bytes")]
    TooLong,
    /// One character over and over.
    #[error("a password isn't one character over and over")]
    Monotonous,
}

impl Password {
    /// A new password; any characters, none of them is dropped or changed.
    pub fn choose(text: &str) -> Result<Self, PasswordError> {
        if text.chars().count() < SHORTEST_PASSWORD {
            return Err(PasswordError::TooShort);
        }
        if text.len() > LONGEST_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        let first = text.chars().next();
        if text.chars().all(|character| Some(character) == first) {
            return Err(PasswordError::Monotonous);
        }
        Ok(Self(text.into()))
    }

    /// What somebody presents as their password: nothing is asked of it. Of what is too long to be one, only as much is
    /// looked at as shows that.
    pub fn presented(text: &str) -> Self {
        let end = text.char_indices().map(|(at, character)| at + character.len_utf8());
        let end = end.take_while(|end| *end <= LONGEST_PASSWORD + 4).last().unwrap_or(0);
        Self(text[..end].into())
    }

    /// The text, to be hashed.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A password's hash with its salt and parameters, in the PHC format: `$argon2id$v=19$…`. Silent in `Debug`.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl PasswordHash {
    /// From what [`reveal`](Self::reveal) gave, or the hash function.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, to be stored, or to be compared with a password.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for PasswordHash {
    /// Takes the same time wherever the two differ.
    fn eq(&self, other: &Self) -> bool {
        self.reveal().as_bytes().ct_eq(other.reveal().as_bytes()).into()
    }
}

impl Eq for PasswordHash {}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A person as the store keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `usr_…`
    pub id: UserId,
    /// Nobody else has it.
    pub email: EmailAddress,
    /// Within [`crate::text::NAME`].
    pub name: String,
    /// Without one, nobody signs in with a password.
    pub password: Option<PasswordHash>,
    /// When they took their first invitation.
    pub created_at: Timestamp,
    /// Counts the changes: 1 when made. A write names the version it saw, and doesn't happen if another came first.
    pub version: i64,
}

/// What makes a person a member of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub workspace: WorkspaceId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn email_addresses_are_trimmed_and_their_domain_is_lower_case() {
        for (given, shown) in [
            (" Ada@Example.COM\n", "Ada@example.com"),
            ("o'brien+x@a.b.c", "o'brien+x@a.b.c"),
            ("dev@localhost", "dev@localhost"),
            ("jürgen@bücher.example", "jürgen@bücher.example"),
        ] {
            assert_eq!(EmailAddress::parse(given).unwrap().as_str(), shown);
        }
    }

    #[test]
    fn addresses_that_differ_in_case_only_are_the_same() {
        let parse = |text| EmailAddress::parse(text).unwrap();
        assert_eq!(parse("Ada@example.com"), parse("aDA@EXAMPLE.com"));
        assert_ne!(parse("ada@example.com"), parse("ada@example.org"));
    }

    #[test]
    fn what_would_be_read_as_something_else_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example..com",
            "ada@.com",
            "ada@example.com.",
            "a b@example.com",
            "ada@exam ple.com",
            "a@b@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "<ada@example.com>",
            "a,b@example.com",
            "\"a\"@example.com",
            "ada\0@example.com",
            "ada\u{202e}@example.com",
            "a\u{200b}da@example.com",
            "ada@example.com/x",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_long_enough_and_not_monotonous() {
        let error = |text: &str| Password::choose(text).err();
        assert_eq!(error("elevenchars"), Some(PasswordError::TooShort));
        assert_eq!(
            error("🔑🔑🔑🔑"),
            Some(PasswordError::TooShort),
            "characters count, not bytes"
        );
        assert_eq!(error("aaaaaaaaaaaaaaa"), Some(PasswordError::Monotonous));
        assert_eq!(error(&"ab".repeat(513)), Some(PasswordError::TooLong));
        assert_eq!(
            Password::choose("  twelve or more ").unwrap().reveal(),
            "  twelve or more "
        );
    }

    #[test]
    fn what_is_too_long_stays_too_long_when_presented() {
        for long in ["x".repeat(5000), "🔑".repeat(5000)] {
            let presented = Password::presented(&long);
            assert!((LONGEST_PASSWORD + 1..=LONGEST_PASSWORD + 4).contains(&presented.reveal().len()));
        }
        assert_eq!(Password::presented("x").reveal(), "x");
    }

    #[test]
    fn passwords_and_their_hashes_are_silent() {
        let password = Password::choose("correct horse battery").unwrap();
        let hash = PasswordHash::from_text("$argon2id$secret");
        let shown = format!("{password:?} {hash:?}");
        assert!(!shown.contains("horse") && !shown.contains("secret"), "{shown}");
    }

    proptest! {
        #[test]
        fn an_address_reads_back_as_itself(text in "\\PC{0,20}@\\PC{1,20}") {
            if let Ok(email) = EmailAddress::parse(&text) {
                let again = EmailAddress::parse(email.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), email.as_str());
                prop_assert_eq!(again.folded(), email.folded());
                prop_assert!(!email.as_str().contains(char::is_whitespace));
            }
        }

        #[test]
        fn case_makes_no_other_address(local in "[a-zA-Z0-9.+_-]{1,20}", domain in "[a-zA-Z0-9]{1,9}\\.[a-zA-Z]{2,5}") {
            let text = format!("{local}@{domain}");
            let email = EmailAddress::parse(&text).unwrap();
            prop_assert_eq!(&EmailAddress::parse(&text.to_uppercase()).unwrap(), &email);
            prop_assert_eq!(&EmailAddress::parse(&text.to_lowercase()).unwrap(), &email);
        }
    }
}
