//! Finding client tokens by what somebody types or pastes: an id, a token, or a part of a name.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::id::{ClientTokenId, ClientTokenKind};
use tollgate_domain::permission::Permission;
use tollgate_storage::{Searched, Sought, StorageError, TokenSearch};

use crate::{Caller, ClientTokenError, Service};

/// How many tokens a search by name looks at before its page ends: some tens of milliseconds' work. Whoever wants more goes
/// on from there.
pub const TOKENS_LOOKED_THROUGH: usize = 10_000;
/// The same for a whole token, of which there is one: nobody wants to go on and on for it.
const LOOKED_THROUGH_FOR_ONE: usize = 100_000;

/// What the client tokens are searched for, with which statuses (all when none), from where on, and how many at most.
#[derive(Clone, Debug)]
pub struct ClientTokenSearch {
    /// As it was typed: an id or a token if it is a whole one, else a part of a name.
    pub text: String,
    pub statuses: Vec<ClientTokenStatus>,
    /// Where an earlier page said to go on.
    pub after: Option<ClientTokenId>,
    pub limit: usize,
}

/// A page of what was found, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundClientTokens {
    pub tokens: Vec<ClientToken>,
    /// Where to go on; `None` at the end.
    pub next: Option<ClientTokenId>,
    /// How many tokens were looked through, when the page ended because of that: more may follow, though it isn't full.
    pub looked_through: Option<usize>,
}

impl Service {
    /// The caller's client tokens that fit.
    pub async fn search_client_tokens(
        &self,
        caller: &Caller,
        search: &ClientTokenSearch,
    ) -> Result<FoundClientTokens, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_READ)?;
        let text = search.text.trim();
        if let Ok(id) = ClientTokenId::parse(text) {
            return Ok(self.found_by_id(caller, search, id).await?);
        }
        let (sought, look_through) = match TokenText::parse(text) {
            Ok(whole) => (Sought::Token(whole), LOOKED_THROUGH_FOR_ONE),
            Err(_) => (Sought::named(text), TOKENS_LOOKED_THROUGH),
        };
        let asked = TokenSearch {
            sought,
            statuses: search.statuses.clone(),
            after: search.after,
            limit: search.limit,
        };
        let Searched { items, next, cut_short }: Searched<ClientTokenKind, ClientToken> = self
            .storage
            .search_client_tokens(caller.workspace_id(), &asked, look_through)
            .await?;
        Ok(FoundClientTokens {
            tokens: items,
            next,
            looked_through: cut_short.then_some(look_through),
        })
    }

    async fn found_by_id(
        &self,
        caller: &Caller,
        search: &ClientTokenSearch,
        id: ClientTokenId,
    ) -> Result<FoundClientTokens, StorageError> {
        let found = self.storage.client_token(caller.workspace_id(), id).await?;
        let found = found.filter(|token| search.statuses.is_empty() || search.statuses.contains(&token.status));
        let found = found.filter(|token| search.after.is_none_or(|after| token.id < after));
        Ok(FoundClientTokens {
            tokens: found.into_iter().collect(),
            next: None,
            looked_through: None,
        })
    }
}
