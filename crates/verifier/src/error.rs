//! What can't be taken into the index.

use tollgate_domain::id::ClientTokenId;

/// Why facts were not applied. Whatever was known before still stands; so whoever follows a store must not go on as if it
/// had followed, and lets the index grow too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Rows are numbered with 27 bits: there is room for 134,217,727 tokens.
    #[error("the index is full: it has room for 134217727 tokens")]
    TooManyTokens,
    /// There is room for 67,108,864 workspaces.
    #[error("the index is full: it has room for 67108864 workspaces")]
    TooManyWorkspaces,
    /// There is room for 67,108,864 tokens that are restricted, are to be revoked at a time, or have changed more than
    /// fourteen times.
    #[error("the index is full: it has room for 67108864 tokens with restrictions")]
    TooManyFurther,
    /// Ids that Tollgate makes are ULIDs, and only they are kept.
    #[error("{0} is no id that Tollgate makes: what follows the prefix is no ULID")]
    ForeignId(ClientTokenId),
    /// Two ids have the same text; the first one stands.
    #[error("{0} has the same text as {1}")]
    TokenTwice(ClientTokenId, ClientTokenId),
}
