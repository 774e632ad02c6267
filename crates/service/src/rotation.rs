//! Replacing a client token: a new one with the same name, description and restrictions, and the old one to be revoked
//! once everybody had time to change. Both in one commit.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::event::EventType;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, Outcome, Write};

use crate::idempotency::{self, IdempotentRequest};
use crate::{Caller, ClientTokenError, Placed, ROUNDS, Service};

/// How long the old token goes on by default: as long as its usage is kept by the hour, so that one can see whether
/// anybody still has it.
pub const OVERLAP: Duration = Duration::from_hours(7 * 24);

/// A token and the one that takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The new one.
    pub successor: ClientToken,
    /// The old one, which is to be revoked.
    pub old: ClientToken,
}

impl Service {
    /// Makes a successor and has the old token revoked at `revoke_at`, by default [`OVERLAP`] from now, or earlier if that
    /// is scheduled. Emits `client_token.created` and `client_token.updated`. With an idempotency key, the same request
    /// within 24 hours gets the first one's answer.
    pub async fn rotate_client_token(
        &self,
        caller: &Caller,
        id: ClientTokenId,
        revoke_at: Option<Timestamp>,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Placed<Rotation>, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_WRITE)?;
        let repeatable = idempotent.and_then(|request| Some((Self::idempotency_key(caller, request)?, request)));
        if let Some((key, request)) = &repeatable
            && let Some(earlier) = self.earlier_answer(key, request, self.clock.now()).await?
        {
            return Ok(Placed::unchanged(earlier?));
        }
        for _ in 0..ROUNDS {
            let from = self.own_client_token(caller, id).await?;
            let rotation = self.rotated(caller, &from, revoke_at)?;
            let Rotation { successor, old } = rotation.clone();
            let idempotency = repeatable
                .as_ref()
                .map(|(key, request)| (key.clone(), idempotency::record(request, &rotation, old.updated_at)));
            let events = vec![
                self.client_token_event(caller.cause(), EventType::ClientTokenCreated, &successor),
                self.client_token_event(caller.cause(), EventType::ClientTokenUpdated, &old),
            ];
            let change = Change {
                write: Write::ReplaceClientToken {
                    from,
                    to: old,
                    successor,
                },
                events,
                idempotency,
            };
            match (self.storage.commit(change).await?, idempotent) {
                (Outcome::Applied { sequence }, _) => {
                    self.tell_token_watch(sequence, &rotation.successor);
                    self.tell_token_watch(sequence, &rotation.old);
                    return Ok(Placed {
                        value: rotation,
                        sequence: Some(sequence),
                    });
                }
                // The same request came twice at once, and the other was first.
                (Outcome::AlreadyAnswered(answer), Some(request)) => {
                    return Ok(Placed::unchanged(idempotency::read(&answer, request)??));
                }
                _ => {}
            }
        }
        Err(ClientTokenError::Contended)
    }

    fn rotated(
        &self,
        caller: &Caller,
        from: &ClientToken,
        revoke_at: Option<Timestamp>,
    ) -> Result<Rotation, ClientTokenError> {
        let now = self.clock.now();
        if from.status == ClientTokenStatus::Revoked {
            return Err(ClientTokenError::AlreadyRevoked);
        }
        if revoke_at.is_some_and(|revoke_at| revoke_at < now) {
            return Err(ClientTokenError::RevokeAtInThePast);
        }
        let by_default = || from.revoke_at.unwrap_or(Timestamp::LAST).min(now.plus(OVERLAP));
        let old = ClientToken {
            revoke_at: Some(revoke_at.unwrap_or_else(by_default)),
            updated_at: now.max(from.updated_at),
            version: from.version + 1,
            ..from.clone()
        };
        let successor = ClientToken {
            id: self.next_id(now),
            token: TokenText::generate(caller.environment(), self.entropy.as_ref()),
            created_at: now,
            updated_at: now,
            revoke_at: None,
            version: 1,
            ..from.clone()
        };
        Ok(Rotation { successor, old })
    }
}
