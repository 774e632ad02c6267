//! Client tokens: list, get, create, update, revoke. Replacing one is in `rotation.rs`, what they are used for in
//! `usage.rs`.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, ClientTokenPage, Outcome, Slice, StorageError, Write};

use crate::caller::Cause;
use crate::idempotency::{self, IdempotentRequest, KeyReused};
use crate::restrictions::{NotRestricted, RestrictionsPatch};
use crate::{Caller, Denied, Placed, ROUNDS, Service};

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
    /// Nothing is scheduled for a moment that is over.
    #[error("the time to revoke the client token is in the past")]
    RevokeAtInThePast,
    /// It ended, and there is nothing to schedule or to replace.
    #[error("the client token is revoked already")]
    AlreadyRevoked,
    /// Revoked now, or at that time?
    #[error("a client token can't be revoked now and at a later time")]
    RevokedAndScheduled,
    /// What isn't restricted can't only be reported.
    #[error(transparent)]
    NotRestricted(#[from] NotRestricted),
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
#[derive(Clone, Debug, Default)]
pub struct NewClientToken {
    pub name: String,
    pub description: Option<String>,
    pub restrictions: RestrictionsPatch,
    /// From now on; never, when absent.
    pub revoke_at: Option<Timestamp>,
}

/// What is to change of a client token; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ClientTokenPatch {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub status: Option<ClientTokenStatus>,
    pub restrictions: RestrictionsPatch,
    /// From now on; `Some(None)` withdraws.
    pub revoke_at: Option<Option<Timestamp>>,
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
        self.own_client_token(caller, id).await
    }

    pub(crate) async fn own_client_token(
        &self,
        caller: &Caller,
        id: ClientTokenId,
    ) -> Result<ClientToken, ClientTokenError> {
        let token = self.storage.client_token(caller.workspace_id(), id).await?;
        token.ok_or(ClientTokenError::NotFound)
    }

    /// Makes a token and emits `client_token.created`. With an idempotency key, the same request within 24 hours
    /// gets the first one's token, as it was then.
    pub async fn create_client_token(
        &self,
        caller: &Caller,
        new: NewClientToken,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Placed<ClientToken>, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_WRITE)?;
        let now = self.clock.now();
        let repeatable = idempotent.and_then(|request| Some((Self::idempotency_key(caller, request)?, request)));
        if let Some((key, request)) = &repeatable
            && let Some(earlier) = self.earlier_answer(key, request, now).await?
        {
            return Ok(Placed::unchanged(earlier?));
        }
        if new.revoke_at.is_some_and(|revoke_at| revoke_at < now) {
            return Err(ClientTokenError::RevokeAtInThePast);
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
            restrictions: new.restrictions.applied_to(None)?,
            revoke_at: new.revoke_at,
            version: 1,
        };
        let created = self.client_token_event(caller.cause(), EventType::ClientTokenCreated, &token);
        let change = Change {
            write: Write::CreateClientToken(token.clone()),
            events: vec![created],
            idempotency: repeatable
                .as_ref()
                .map(|(key, request)| (key.clone(), idempotency::record(request, &token, now))),
        };
        match (self.storage.commit(change).await?, idempotent) {
            // The same request came twice at once, and the other was first.
            (Outcome::AlreadyAnswered(answer), Some(request)) => {
                Ok(Placed::unchanged(idempotency::read(&answer, request)??))
            }
            (Outcome::Applied { sequence }, _) => Ok(self.placed(token, sequence)),
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
    ) -> Result<Placed<ClientToken>, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_WRITE)?;
        for _ in 0..ROUNDS {
            let from = self.own_client_token(caller, id).await?;
            let Some(to) = self.patched(&from, patch)? else {
                return Ok(Placed::unchanged(from));
            };
            if let Some(changed) = self.store_client_token(caller.cause(), from, to).await? {
                return Ok(changed);
            }
        }
        Err(ClientTokenError::Contended)
    }

    /// Commits `to` in place of `from` with its events; `None` when another change came first.
    pub(crate) async fn store_client_token(
        &self,
        cause: Cause,
        from: ClientToken,
        to: ClientToken,
    ) -> Result<Option<Placed<ClientToken>>, StorageError> {
        let mut events = vec![self.client_token_event(cause, EventType::ClientTokenUpdated, &to)];
        if from.status != to.status {
            events.push(self.client_token_event(cause, EventType::ClientTokenRevoked, &to));
        }
        let write = Write::UpdateClientToken { from, to: to.clone() };
        let change = Change {
            write,
            events,
            idempotency: None,
        };
        match self.storage.commit(change).await? {
            Outcome::Applied { sequence } => Ok(Some(self.placed(to, sequence))),
            _ => Ok(None),
        }
    }

    /// What happened to this token when it last changed.
    pub(crate) fn client_token_event(&self, cause: Cause, event_type: EventType, token: &ClientToken) -> Event {
        let origin = (token.workspace, cause);
        self.event(origin, event_type, token.updated_at, &token.id, &token.snapshot())
    }

    /// The token that was just stored: whoever watches is told before the caller is.
    fn placed(&self, token: ClientToken, sequence: u64) -> Placed<ClientToken> {
        self.tell_token_watch(sequence, &token);
        Placed {
            value: token,
            sequence: Some(sequence),
        }
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
        to.restrictions = patch.restrictions.applied_to(from.restrictions.as_deref())?;
        if let Some(revoke_at) = patch.revoke_at {
            to.revoke_at = self.schedule(from, patch.status, revoke_at)?;
        }
        if to == *from {
            return Ok(None);
        }
        // The clock of this node may be behind the one that made the token.
        to.updated_at = self.clock.now().max(from.updated_at);
        to.version += 1;
        if from.status != to.status {
            end(&mut to);
        }
        Ok(Some(to))
    }

    /// When `from` is to be revoked.
    fn schedule(
        &self,
        from: &ClientToken,
        status: Option<ClientTokenStatus>,
        revoke_at: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, ClientTokenError> {
        match revoke_at {
            None => Ok(None),
            Some(_) if from.status == ClientTokenStatus::Revoked => Err(ClientTokenError::AlreadyRevoked),
            Some(_) if status == Some(ClientTokenStatus::Revoked) => Err(ClientTokenError::RevokedAndScheduled),
            same if same == from.revoke_at => Ok(same),
            Some(past) if past < self.clock.now() => Err(ClientTokenError::RevokeAtInThePast),
            later => Ok(later),
        }
    }
}

/// The token was revoked by its last change; there is nothing to do later.
pub(crate) fn end(token: &mut ClientToken) {
    token.status = ClientTokenStatus::Revoked;
    token.revoked_at = Some(token.updated_at);
    token.revoke_at = None;
}
