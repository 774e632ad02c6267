//! Client tokens: list, get, create, update, revoke.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::event::EventType;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_storage::{Change, ClientTokenPage, Outcome, Slice, StorageError, Write};

use crate::idempotency::{self, IdempotentRequest, KeyReused};
use crate::{Caller, Denied, ROUNDS, Service};

/// Why a client-token use-case refused. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum ClientTokenError {
    /// The permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Also for another workspace's token: it isn't revealed that it exists.
    #[error("no such client token")]
    NotFound,
    /// Revoking is permanent.
    #[error("a revoked client token can't be made active again")]
    Reactivation,
    /// The idempotency key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// Others changed the token each time we tried.
    #[error("the client token is being changed by others")]
    Contended,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a new client token is to be; the texts keep to [`tollgate_domain::text`]'s rules.
#[derive(Clone, Debug)]
pub struct NewClientToken {
    pub name: String,
    pub description: Option<String>,
}

/// What is to change of a client token; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ClientTokenPatch {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub status: Option<ClientTokenStatus>,
}

impl Service {
    /// A page of the caller's client tokens.
    pub async fn client_tokens(
        &self,
        caller: &Caller,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_READ)?;
        Ok(self.storage.client_tokens(caller.workspace_id(), page).await?)
    }

    /// One of the caller's client tokens.
    pub async fn client_token(&self, caller: &Caller, id: ClientTokenId) -> Result<ClientToken, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_READ)?;
        self.storage
            .client_token(caller.workspace_id(), id)
            .await?
            .ok_or(ClientTokenError::NotFound)
    }

    /// Makes a token and emits `client_token.created`. With an idempotency key, the same request within 24 hours
    /// gets the first one's token, as it was then.
    pub async fn create_client_token(
        &self,
        caller: &Caller,
        new: NewClientToken,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<ClientToken, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_WRITE)?;
        let now = self.clock.now();
        let repeatable = idempotent.and_then(|request| Some((Self::idempotency_key(caller, request)?, request)));
        if let Some((key, request)) = &repeatable
            && let Some(earlier) = self.earlier_answer(key, request, now).await?
        {
            return Ok(earlier?);
        }

        let token = ClientToken {
            workspace: caller.workspace_id(),
            id: self.next_id(now),
            token: TokenText::generate(caller.environment(), self.entropy.as_ref()),
            name: new.name,
            description: new.description,
            status: ClientTokenStatus::Active,
            created_at: now,
            updated_at: now,
            revoked_at: None,
            restrictions: None,
            revoke_at: None,
            version: 1,
        };
        let created = self.event(
            caller.origin(),
            EventType::ClientTokenCreated,
            now,
            &token.id,
            &token.snapshot(),
        );
        let change = Change {
            write: Write::CreateClientToken(token.clone()),
            events: vec![created],
            idempotency: repeatable
                .as_ref()
                .map(|(key, request)| (key.clone(), idempotency::record(request, &token, now))),
        };
        match (self.storage.commit(change).await?, idempotent) {
            // The same request came twice at once, and the other was first.
            (Outcome::AlreadyAnswered(answer), Some(request)) => Ok(idempotency::read(&answer, request)??),
            (Outcome::Applied { .. }, _) => Ok(token),
            // A new row has nothing to be stale against; should a store say so, it was not made.
            _ => Err(ClientTokenError::Contended),
        }
    }

    /// Changes what `patch` names, and emits `client_token.updated`; a revocation emits `client_token.revoked` after
    /// it. What changes nothing emits nothing.
    pub async fn update_client_token(
        &self,
        caller: &Caller,
        id: ClientTokenId,
        patch: &ClientTokenPatch,
    ) -> Result<ClientToken, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_WRITE)?;
        for _ in 0..ROUNDS {
            let from = self
                .storage
                .client_token(caller.workspace_id(), id)
                .await?
                .ok_or(ClientTokenError::NotFound)?;
            let Some(to) = self.patched(&from, patch)? else {
                return Ok(from);
            };
            let mut events = vec![self.event(
                caller.origin(),
                EventType::ClientTokenUpdated,
                to.updated_at,
                &to.id,
                &to.snapshot(),
            )];
            if from.status != to.status {
                events.push(self.event(
                    caller.origin(),
                    EventType::ClientTokenRevoked,
                    to.updated_at,
                    &to.id,
                    &to.snapshot(),
                ));
            }
            let write = Write::UpdateClientToken { from, to: to.clone() };
            let change = Change {
                write,
                events,
                idempotency: None,
            };
            if let Outcome::Applied { .. } = self.storage.commit(change).await? {
                return Ok(to);
            }
        }
        Err(ClientTokenError::Contended)
    }

    /// The token after `patch`; `None` when it changes nothing.
    fn patched(&self, from: &ClientToken, patch: &ClientTokenPatch) -> Result<Option<ClientToken>, ClientTokenError> {
        let mut to = from.clone();
        if let Some(name) = &patch.name {
            to.name.clone_from(name);
        }
        if let Some(description) = &patch.description {
            to.description.clone_from(description);
        }
        match (from.status, patch.status) {
            (ClientTokenStatus::Revoked, Some(ClientTokenStatus::Active)) => {
                return Err(ClientTokenError::Reactivation);
            }
            (_, Some(status)) => to.status = status,
            (_, None) => {}
        }
        if to == *from {
            return Ok(None);
        }
        // The clock of this node may be behind the one that made the token.
        to.updated_at = self.clock.now().max(from.updated_at);
        if from.status != to.status {
            to.revoked_at = Some(to.updated_at);
        }
        to.version += 1;
        Ok(Some(to))
    }
}
