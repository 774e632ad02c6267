//! Identities: who a person is at an OpenID Connect provider.

use crate::id::UserId;
use crate::time::Timestamp;

/// An account at a provider that signs a person in. The provider never gives the same subject to anybody else, which it
/// doesn't promise of email addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's name for itself, a URL, byte for byte.
    pub issuer: String,
    /// The provider's name for the account, byte for byte; at most 255 bytes.
    pub subject: String,
    /// Whom it signs in.
    pub user: UserId,
    /// When it first did.
    pub created_at: Timestamp,
}
