//! What client tokens are used for: whoever wants to revoke one looks here first.

use std::collections::HashMap;

use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, KEPT_HOURS, Usage};

use crate::{Caller, ClientTokenError, Service};

/// A token's usage in the last seven days, and the hour that it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTokenUsage {
    /// Whole hours: the first one may have begun a little before the seven days.
    pub usage: Usage,
    /// The last one of these, not over yet.
    pub now: Hour,
}

impl Service {
    /// How one of the caller's client tokens is used.
    pub async fn client_token_usage(
        &self,
        caller: &Caller,
        id: ClientTokenId,
    ) -> Result<ClientTokenUsage, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_READ)?;
        let token = self.own_client_token(caller, id).await?;
        let now = Hour::of(self.clock.now());
        let since = now.minus(KEPT_HOURS);
        let usage = self
            .storage
            .client_token_usage(token.workspace, token.id, since)
            .await?;
        Ok(ClientTokenUsage { usage, now })
    }

    /// When each of these tokens of the caller was last let in; those that never were are absent.
    pub async fn client_token_last_uses(
        &self,
        caller: &Caller,
        ids: &[ClientTokenId],
    ) -> Result<HashMap<ClientTokenId, Timestamp>, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_READ)?;
        Ok(self.storage.client_token_last_uses(caller.workspace_id(), ids).await?)
    }

    /// How often each of these tokens of the caller was let in, hour by hour in the last seven days, and the hour that it is
    /// now; those that weren't are absent.
    pub async fn client_token_usages(
        &self,
        caller: &Caller,
        ids: &[ClientTokenId],
    ) -> Result<(HashMap<ClientTokenId, Vec<(Hour, u64)>>, Hour), ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_READ)?;
        let now = Hour::of(self.clock.now());
        let (workspace, since) = (caller.workspace_id(), now.minus(KEPT_HOURS));
        Ok((self.storage.client_token_usages(workspace, ids, since).await?, now))
    }

    /// From how many sites one of the caller's tokens was let in last: today, and yesterday as well in the first hour of a
    /// UTC day. At most as many as are kept for a day or two.
    pub async fn client_token_origins_lately(
        &self,
        caller: &Caller,
        id: ClientTokenId,
    ) -> Result<usize, ClientTokenError> {
        caller.require(Permission::CLIENT_TOKEN_READ)?;
        let since = Hour::of(self.clock.now()).minus(1);
        let usage = self
            .storage
            .client_token_usage(caller.workspace_id(), id, since)
            .await?;
        Ok(usage.origins.len())
    }
}
