//! One-time links: whoever has one may do one thing, once, for a while.
//!
//! The secret in the link is random and shown once; only its SHA-256 is kept. Using a link and doing what it is for are
//! one commit.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::ambient::Entropy;
use crate::api_key::SecretDigest;
use crate::event::Actor;
use crate::id::{UserId, WorkspaceId};
use crate::role::Role;
use crate::session;
use crate::time::Timestamp;
use crate::user::EmailAddress;

/// The secret of a link. Silent in `Debug`, and wiped when dropped.
#[derive(Clone, Debug)]
pub struct LinkSecret(SecretString);

impl LinkSecret {
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
        session::digest_of("link", self.0.expose_secret())
    }

    /// The secret itself, to be shown once.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Becoming a member of a workspace.
    Invitation {
        /// Which.
        workspace: WorkspaceId,
        /// Whom it was made for; the account that takes it has this address.
        email: EmailAddress,
        /// As what.
        role: Role,
    },
    /// Choosing a new password.
    Reset(UserId),
    /// Signing in without a password.
    SignIn(UserId),
}

impl LinkPurpose {
    /// The kind, as the store names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::Reset(_) => "reset",
            Self::SignIn(_) => "sign_in",
        }
    }

    /// How long a link for this is good. An invitation may wait for a holiday to end; the others are asked for by
    /// somebody who waits.
    pub const fn lifetime(&self) -> Duration {
        match self {
            Self::Invitation { .. } => Duration::from_hours(7 * 24),
            Self::Reset(_) => Duration::from_hours(1),
            Self::SignIn(_) => Duration::from_mins(15),
        }
    }

    /// Where the link leads: a path on the server.
    pub fn path(&self, secret: &LinkSecret) -> String {
        let page = match self {
            Self::Invitation { .. } => "invitation",
            Self::Reset(_) => "reset",
            Self::SignIn(_) => "sign-in-link",
        };
        format!("/dashboard/{page}/{}", secret.reveal())
    }

    /// What there is one link for at a time: a new one takes the place of the one before.
    pub fn slot(&self) -> String {
        match self {
            Self::Invitation { workspace, email, .. } => format!("invitation {workspace} {}", email.folded()),
            Self::Reset(user) => format!("reset {user}"),
            Self::SignIn(user) => format!("sign_in {user}"),
        }
    }

    /// Whose account it opens, if that exists already.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Invitation { .. } => None,
            Self::Reset(user) | Self::SignIn(user) => Some(*user),
        }
    }
}

/// A link as the store keeps it, until it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeLink {
    /// What it is recognised by.
    pub digest: SecretDigest,
    /// What for.
    pub purpose: LinkPurpose,
    /// Who made it; `None` for those from before this was kept.
    pub made_by: Option<Actor>,
    /// When it was made.
    pub created_at: Timestamp,
    /// It is good for nothing from this moment on.
    pub expires_at: Timestamp,
}

impl OneTimeLink {
    /// A new one.
    pub fn new(secret: &LinkSecret, purpose: LinkPurpose, made_by: Actor, now: Timestamp) -> Self {
        let expires_at = now.plus(purpose.lifetime());
        Self {
            digest: secret.digest(),
            purpose,
            made_by: Some(made_by),
            created_at: now,
            expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionSecret;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn a_links_secret_reads_back_and_is_silent() {
        let secret = LinkSecret::generate(&Fixed);
        assert_eq!(LinkSecret::parse(secret.reveal()).unwrap().digest(), secret.digest());
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        assert!(LinkSecret::parse("../../etc/passwd").is_none());
        let purpose = LinkPurpose::Reset(UserId::from_bits(1));
        assert_eq!(purpose.path(&secret), format!("/dashboard/reset/{}", secret.reveal()));
    }

    #[test]
    fn a_link_is_no_session() {
        let secret = LinkSecret::generate(&Fixed);
        let session = SessionSecret::parse(secret.reveal()).unwrap();
        assert_ne!(session.digest(), secret.digest());
    }
}
