//! Looking for client tokens by what a person knows of them.

use tollgate_domain::client_token::{ClientTokenStatus, TokenText};
use tollgate_domain::id::ClientTokenId;

/// A page of a workspace's client tokens that fit, newest first.
#[derive(Clone, Debug)]
pub struct TokenSearch {
    /// What is looked for.
    pub sought: Sought,
    /// Only with one of these; all when empty.
    pub statuses: Vec<ClientTokenStatus>,
    /// Strictly before this token; the newest first when absent. It need not exist.
    pub after: Option<ClientTokenId>,
    /// At most this many tokens; 1 or more.
    pub limit: usize,
}

/// What a client token is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// Its name has this text in it, in whatever case. From [`named`](Self::named).
    Name(String),
    /// The token itself.
    Token(TokenText),
}

impl Sought {
    /// By a part of the name.
    pub fn named(part: &str) -> Self {
        Self::Name(part.to_lowercase())
    }

    /// Whether a token with this name and text is one. Here and not in SQL, as each store folds other letters.
    pub fn fits(&self, name: &str, token: &str) -> bool {
        match self {
            Self::Name(part) => name.to_lowercase().contains(part),
            Self::Token(whole) => whole.as_str() == token,
        }
    }
}
