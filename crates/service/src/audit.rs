//! The audit trail: who did what, when and from where; of a whole workspace, or of one entity.

use std::collections::HashMap;

use tollgate_domain::event::{Actor, Event};
use tollgate_domain::id::{ApiKeyId, ClientTokenId, EventId, EventKind, NotificationSettingId, UserId};
use tollgate_domain::permission::Permission;
use tollgate_domain::role::Action;
use tollgate_storage::{AuditPage, Searched, StorageError};

use crate::{Caller, Denied, Service};

/// How many events a page looks at where no index tells all that is asked for: some tens of milliseconds' work. Whoever
/// wants more goes on from there.
pub const AUDIT_LOOKED_THROUGH: usize = 10_000;

/// Why the audit trail wasn't told.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The role doesn't give the right, or the caller is an API key; for a history, the permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What happened, and who did it by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub event: Event,
    /// An API key's name, or a person's name and email address; as they are now. `None` for what has no name.
    pub actor_name: Option<String>,
}

/// A page of entries, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTrail {
    pub entries: Vec<AuditEntry>,
    /// Where to go on: what to ask for as [`AuditPage::after`]. `None` at the end.
    pub next: Option<EventId>,
    /// The page ended because [`AUDIT_LOOKED_THROUGH`] events were looked at: more may follow, though it isn't full.
    pub cut_short: bool,
}

/// What has a history of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryOf {
    ClientToken(ClientTokenId),
    ApiKey(ApiKeyId),
    NotificationSetting(NotificationSettingId),
}

impl HistoryOf {
    /// Whoever may read the entity may read what became of it.
    const fn needs(self) -> Permission {
        match self {
            Self::ClientToken(_) => Permission::CLIENT_TOKEN_READ,
            Self::ApiKey(_) => Permission::API_KEY_READ,
            Self::NotificationSetting(_) => Permission::NOTIFICATION_SETTING_READ,
        }
    }

    fn subject(self) -> String {
        match self {
            Self::ClientToken(id) => id.to_string(),
            Self::ApiKey(id) => id.to_string(),
            Self::NotificationSetting(id) => id.to_string(),
        }
    }
}

impl Service {
    /// A page of all that happened in the caller's workspace.
    pub async fn audit_trail(&self, caller: &Caller, page: &AuditPage) -> Result<AuditTrail, AuditError> {
        caller.require_action(Action::ReadAuditTrail)?;
        Ok(self.audited(caller, page).await?)
    }

    /// A page of what happened to one of the caller's entities; nothing for one that they don't have. From where is for
    /// those only who may read the whole trail.
    pub async fn history(
        &self,
        caller: &Caller,
        of: HistoryOf,
        after: Option<EventId>,
        limit: usize,
    ) -> Result<AuditTrail, AuditError> {
        caller.require(of.needs())?;
        let page = AuditPage {
            after,
            subject: Some(of.subject()),
            ..AuditPage::newest(limit)
        };
        let mut history = self.audited(caller, &page).await?;
        if caller.require_action(Action::ReadAuditTrail).is_err() {
            for entry in &mut history.entries {
                entry.event.address = None;
            }
        }
        Ok(history)
    }

    async fn audited(&self, caller: &Caller, page: &AuditPage) -> Result<AuditTrail, StorageError> {
        let Searched { items, next, cut_short }: Searched<EventKind, Event> = self
            .storage
            .audit_trail(caller.workspace_id(), page, AUDIT_LOOKED_THROUGH)
            .await?;
        let names = self.actor_names(caller, items.iter().map(|event| event.actor)).await?;
        let entries = items.into_iter().map(|event| AuditEntry {
            actor_name: names.get(&event.actor).cloned(),
            event,
        });
        Ok(AuditTrail {
            entries: entries.collect(),
            next,
            cut_short,
        })
    }

    /// What these are called, by two questions however many they are. Who acted here was a member or a key here, so their
    /// name is no secret.
    pub(crate) async fn actor_names(
        &self,
        caller: &Caller,
        actors: impl Iterator<Item = Actor>,
    ) -> Result<HashMap<Actor, String>, StorageError> {
        let (mut keys, mut people): (Vec<ApiKeyId>, Vec<UserId>) = (Vec::new(), Vec::new());
        for actor in actors {
            match actor {
                Actor::ApiKey(id) => keys.push(id),
                Actor::Person(id) => people.push(id),
                Actor::CommandLine | Actor::Clock => {}
            }
        }
        let mut names = HashMap::new();
        if !keys.is_empty() {
            let found = self.storage.api_keys_named(caller.workspace_id(), &keys).await?;
            names.extend(found.into_iter().map(|key| (Actor::ApiKey(key.id), key.name)));
        }
        if !people.is_empty() {
            let found = self.storage.users(&people).await?;
            let people = found.iter().map(|user| {
                let name = format!("{} <{}>", user.name, user.email.as_str());
                (Actor::Person(user.id), name)
            });
            names.extend(people);
        }
        Ok(names)
    }
}
