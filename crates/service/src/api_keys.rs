//! API keys: made, changed and revoked by the machine's operator and by admins; listed by whoever may.

use std::time::Duration;

use tollgate_domain::api_key::{ApiKey, ApiKeySecret, ApiKeyStatus};
use tollgate_domain::event::EventType;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::role::Action;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{ApiKeyPage, Change, Outcome, Slice, StorageError, Write};

use crate::caller::Cause;
use crate::{Caller, Denied, ROUNDS, Service};

/// The longest life of a key that expires at all: a year. Contract, section 5.
const LONGEST_LIFE: Duration = Duration::from_hours(365 * 24);

/// Why an API-key use-case refused. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The permission is missing, or the caller is an API key and may not manage API keys.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Also for another workspace's key: it isn't revealed that it exists.
    #[error("no such API key")]
    NotFound,
    /// Such a key would never work.
    #[error("the expiry is in the past")]
    ExpiryInThePast,
    /// A key lives for a year at most, or for ever.
    #[error("the expiry is more than a year from now; choose an earlier one, or none for a key that never expires")]
    ExpiryTooLate,
    /// It ended, and nothing of it changes any more.
    #[error("the API key is {} and can't be changed", .0.name())]
    Ended(ApiKeyStatus),
    /// Others changed the key each time we tried.
    #[error("the API key is being changed by others")]
    Contended,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a new API key is to be; the texts keep to [`tollgate_domain::text`]'s rules.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub name: String,
    pub description: Option<String>,
    pub permissions: PermissionSet,
    /// Never, when absent. Can't be changed later.
    pub expires_at: Option<Timestamp>,
}

/// What is to change of an API key; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ApiKeyPatch {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub permissions: Option<PermissionSet>,
}

impl Service {
    /// A page of the caller's API keys.
    pub async fn api_keys(&self, caller: &Caller, page: &ApiKeyPage) -> Result<Slice<ApiKey>, ApiKeyError> {
        caller.require(Permission::API_KEY_READ)?;
        Ok(self.storage.api_keys(caller.workspace_id(), page).await?)
    }

    /// One of the caller's API keys; a key may always get itself.
    pub async fn api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<ApiKey, ApiKeyError> {
        if caller.api_key_id() != Some(id) {
            caller.require(Permission::API_KEY_READ)?;
        }
        self.own_api_key(caller, id).await
    }

    async fn own_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<ApiKey, ApiKeyError> {
        let key = self.storage.api_key(id).await?;
        key.filter(|key| key.workspace == caller.workspace_id())
            .ok_or(ApiKeyError::NotFound)
    }

    /// Makes a key and emits `api_key.created`. The secret is had here and never again.
    pub async fn create_api_key(&self, caller: &Caller, new: NewApiKey) -> Result<(ApiKey, ApiKeySecret), ApiKeyError> {
        caller.require_action(Action::ManageApiKeys)?;
        self.make_api_key(caller, new).await
    }

    /// Makes another key of the same name, description and permissions, to take the place of one that still works, and
    /// emits `api_key.created`. The old one goes on until it is revoked, so that nothing stops in between.
    pub async fn rotate_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiKey, ApiKeySecret), ApiKeyError> {
        caller.require_action(Action::ManageApiKeys)?;
        let old = self.own_api_key(caller, id).await?;
        if !old.is_usable(self.clock.now()) {
            return Err(ApiKeyError::Ended(ended_status(&old)));
        }
        let new = NewApiKey {
            name: old.name,
            description: old.description,
            permissions: old.permissions,
            expires_at,
        };
        self.make_api_key(caller, new).await
    }

    async fn make_api_key(&self, caller: &Caller, new: NewApiKey) -> Result<(ApiKey, ApiKeySecret), ApiKeyError> {
        let now = self.clock.now();
        match new.expires_at {
            Some(expires_at) if expires_at <= now => return Err(ApiKeyError::ExpiryInThePast),
            Some(expires_at) if expires_at > now.plus(LONGEST_LIFE) => return Err(ApiKeyError::ExpiryTooLate),
            _ => {}
        }
        let id = self.next_id(now);
        let secret = ApiKeySecret::generate(caller.environment(), id, self.entropy.as_ref());
        let key = ApiKey {
            workspace: caller.workspace_id(),
            environment: caller.environment(),
            id,
            name: new.name,
            description: new.description,
            digest: secret.digest(),
            status: ApiKeyStatus::Active,
            permissions: new.permissions,
            expires_at: new.expires_at,
            expiring_announced_at: None,
            last_used_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let created = self.event(caller.origin(), EventType::ApiKeyCreated, now, &id, &key.snapshot());
        let write = Write::CreateApiKey(key.clone());
        self.storage
            .commit(Change {
                write,
                events: vec![created],
                idempotency: None,
            })
            .await?;
        Ok((key, secret))
    }

    /// Changes what `patch` names and emits `api_key.updated`; what changes nothing emits nothing.
    pub async fn update_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        patch: &ApiKeyPatch,
    ) -> Result<ApiKey, ApiKeyError> {
        caller.require_action(Action::ManageApiKeys)?;
        self.change_api_key(caller, id, EventType::ApiKeyUpdated, |from, now| {
            let mut to = from.clone();
            if let Some(name) = &patch.name {
                to.name.clone_from(name);
            }
            if let Some(description) = &patch.description {
                to.description.clone_from(description);
            }
            if let Some(permissions) = patch.permissions {
                to.permissions = permissions;
            }
            if to == *from {
                return Ok(None);
            }
            if !from.is_usable(now) {
                return Err(ApiKeyError::Ended(ended_status(from)));
            }
            Ok(Some(to))
        })
        .await
    }

    /// Ends the key and emits `api_key.revoked`. A key that ended before stays as it is.
    pub async fn revoke_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<ApiKey, ApiKeyError> {
        caller.require_action(Action::ManageApiKeys)?;
        self.change_api_key(caller, id, EventType::ApiKeyRevoked, |from, _| {
            if from.status != ApiKeyStatus::Active {
                return Ok(None);
            }
            Ok(Some(ApiKey {
                status: ApiKeyStatus::Revoked,
                ..from.clone()
            }))
        })
        .await
    }

    /// Looks, decides, commits with the event, and looks again when another change came first.
    async fn change_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        event_type: EventType,
        decide: impl Fn(&ApiKey, Timestamp) -> Result<Option<ApiKey>, ApiKeyError> + Send + Sync,
    ) -> Result<ApiKey, ApiKeyError> {
        for _ in 0..ROUNDS {
            let from = self.own_api_key(caller, id).await?;
            let now = self.clock.now().max(from.updated_at);
            let Some(to) = decide(&from, now)? else { return Ok(from) };
            let to = ApiKey { updated_at: now, ..to };
            if let Some(stored) = self.store_api_key(caller.cause(), event_type, now, from, to).await? {
                return Ok(stored);
            }
        }
        Err(ApiKeyError::Contended)
    }

    /// Commits `to` in place of `from` with its event; `None` when another change came first.
    pub(crate) async fn store_api_key(
        &self,
        cause: Cause,
        event_type: EventType,
        occurred_at: Timestamp,
        from: ApiKey,
        to: ApiKey,
    ) -> Result<Option<ApiKey>, StorageError> {
        let to = ApiKey {
            version: from.version + 1,
            ..to
        };
        let event = self.event((to.workspace, cause), event_type, occurred_at, &to.id, &to.snapshot());
        let write = Write::UpdateApiKey { from, to: to.clone() };
        let outcome = self
            .storage
            .commit(Change {
                write,
                events: vec![event],
                idempotency: None,
            })
            .await?;
        self.keyring.forget(to.id);
        Ok(matches!(outcome, Outcome::Applied { .. }).then_some(to))
    }
}

/// The status to tell of a key that is no longer usable: the clock may not have written the expiry down yet.
fn ended_status(key: &ApiKey) -> ApiKeyStatus {
    if key.status == ApiKeyStatus::Active {
        ApiKeyStatus::Expired
    } else {
        key.status
    }
}
