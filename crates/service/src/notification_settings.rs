//! Notification settings: list, get, create, update, delete, and the rotation of their secrets.
//!
//! Rules over all settings of a workspace (ten active, no two alike) are decided on what was read, and the commit
//! happens only if that is still so.

use std::time::Duration;

use serde::Serialize;
use tollgate_domain::event::EventType;
use tollgate_domain::id::{NotificationSettingId, WorkspaceId};
use tollgate_domain::notification_setting::{DestinationType, MOST_ACTIVE, NotificationSetting, TrafficSource};
use tollgate_domain::permission::Permission;
use tollgate_domain::signature::EndpointSecret;
use tollgate_storage::{Change, NotificationSettingPage, Outcome, SettingsSeen, Slice, StorageError, Write};

use crate::caller::Cause;
use crate::{Caller, Denied, ROUNDS, Service};

/// Why a notification-setting use-case refused. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum NotificationSettingError {
    /// The permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Also for another workspace's setting: it isn't revealed that it exists.
    #[error("no such notification setting")]
    NotFound,
    /// Ten are active already.
    #[error("at most {MOST_ACTIVE} notification settings can be active")]
    TooManyActive,
    /// Another one sends the same to the same place.
    #[error("a notification setting with the same destination and configuration exists")]
    Duplicate,
    /// Others changed the settings each time we tried.
    #[error("the notification settings are being changed by others")]
    Contended,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a new notification setting is to be; destination and names are known to be good.
#[derive(Clone, Debug)]
pub struct NewNotificationSetting {
    pub description: String,
    pub destination_type: DestinationType,
    pub destination: String,
    pub api_version: u32,
    pub include_sensitive_fields: bool,
    pub traffic_source: TrafficSource,
    pub subscribed_events: Vec<String>,
}

/// What is to change of a notification setting; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct NotificationSettingPatch {
    pub description: Option<String>,
    pub destination: Option<String>,
    pub active: Option<bool>,
    pub api_version: Option<u32>,
    pub include_sensitive_fields: Option<bool>,
    pub traffic_source: Option<TrafficSource>,
    pub subscribed_events: Option<Vec<String>>,
}

/// What the audit trail keeps of a setting: all but its secrets.
#[derive(Serialize)]
struct Audited<'a> {
    id: NotificationSettingId,
    description: &'a str,
    #[serde(rename = "type")]
    destination_type: &'static str,
    destination: &'a str,
    active: bool,
    traffic_source: &'static str,
    subscribed_events: &'a [String],
}

impl<'a> From<&'a NotificationSetting> for Audited<'a> {
    fn from(setting: &'a NotificationSetting) -> Self {
        Self {
            id: setting.id,
            description: &setting.description,
            destination_type: setting.destination_type.name(),
            destination: &setting.destination,
            active: setting.active,
            traffic_source: setting.traffic_source.name(),
            subscribed_events: &setting.subscribed_events,
        }
    }
}

impl Service {
    /// A page of the caller's notification settings.
    pub async fn notification_settings(
        &self,
        caller: &Caller,
        page: &NotificationSettingPage,
    ) -> Result<Slice<NotificationSetting>, NotificationSettingError> {
        caller.require(Permission::NOTIFICATION_SETTING_READ)?;
        Ok(self.storage.notification_settings(caller.workspace_id(), page).await?)
    }

    /// One of the caller's notification settings.
    pub async fn notification_setting(
        &self,
        caller: &Caller,
        id: NotificationSettingId,
    ) -> Result<NotificationSetting, NotificationSettingError> {
        caller.require(Permission::NOTIFICATION_SETTING_READ)?;
        let found = self.storage.notification_setting(caller.workspace_id(), id).await?;
        let mut found = found.ok_or(NotificationSettingError::NotFound)?;
        // It stays in the store until the next rotation, but isn't tried any more.
        let now = self.clock.now();
        found.previous_secret = found.previous_secret.filter(|(_, until)| now < *until);
        Ok(found)
    }

    /// Makes a setting, active, with a secret of its own.
    pub async fn create_notification_setting(
        &self,
        caller: &Caller,
        new: &NewNotificationSetting,
    ) -> Result<NotificationSetting, NotificationSettingError> {
        caller.require(Permission::NOTIFICATION_SETTING_WRITE)?;
        for _ in 0..ROUNDS {
            let others = self.storage.all_notification_settings(caller.workspace_id()).await?;
            let now = self.clock.now();
            let id = self.next_id(now);
            let setting = NotificationSetting {
                workspace: caller.workspace_id(),
                id,
                description: new.description.clone(),
                destination_type: new.destination_type,
                destination: new.destination.clone(),
                active: true,
                api_version: new.api_version,
                include_sensitive_fields: new.include_sensitive_fields,
                traffic_source: new.traffic_source,
                subscribed_events: new.subscribed_events.clone(),
                secret: EndpointSecret::generate(id, self.entropy.as_ref()),
                previous_secret: None,
                failing_since: None,
                created_at: now,
                updated_at: now,
                version: 1,
            };
            fits(&setting, &others)?;
            let seen = SettingsSeen::of(&others);
            let write = Write::CreateNotificationSetting {
                setting: setting.clone(),
                seen,
            };
            if self
                .commit_setting(caller.origin(), write, EventType::NotificationSettingCreated, &setting)
                .await?
            {
                return Ok(setting);
            }
        }
        Err(NotificationSettingError::Contended)
    }

    /// Changes what `patch` names. What changes nothing is not a change.
    pub async fn update_notification_setting(
        &self,
        caller: &Caller,
        id: NotificationSettingId,
        patch: &NotificationSettingPatch,
    ) -> Result<NotificationSetting, NotificationSettingError> {
        self.change_setting(caller, id, |setting| {
            let before = setting.clone();
            patch.apply(setting);
            patched(&before, setting)
        })
        .await
    }

    /// Gives the setting a new secret; the one before is still tried for `overlap`.
    pub async fn rotate_notification_setting_secret(
        &self,
        caller: &Caller,
        id: NotificationSettingId,
        overlap: Duration,
    ) -> Result<NotificationSetting, NotificationSettingError> {
        let until = self.clock.now().plus(overlap);
        self.change_setting(caller, id, |setting| {
            let secret = EndpointSecret::generate(setting.id, self.entropy.as_ref());
            let before = std::mem::replace(&mut setting.secret, secret);
            setting.previous_secret = (!overlap.is_zero()).then_some((before, until));
            true
        })
        .await
    }

    /// Removes the setting with its notifications and their logs.
    pub async fn delete_notification_setting(
        &self,
        caller: &Caller,
        id: NotificationSettingId,
    ) -> Result<(), NotificationSettingError> {
        caller.require(Permission::NOTIFICATION_SETTING_WRITE)?;
        let workspace = caller.workspace_id();
        let setting = self.storage.notification_setting(workspace, id).await?;
        let setting = setting.ok_or(NotificationSettingError::NotFound)?;
        let write = Write::DeleteNotificationSetting { workspace, id };
        let deleted = self
            .commit_setting(caller.origin(), write, EventType::NotificationSettingDeleted, &setting)
            .await?;
        if deleted {
            Ok(())
        } else {
            Err(NotificationSettingError::NotFound)
        }
    }

    async fn change_setting(
        &self,
        caller: &Caller,
        id: NotificationSettingId,
        change: impl Fn(&mut NotificationSetting) -> bool + Send + Sync,
    ) -> Result<NotificationSetting, NotificationSettingError> {
        caller.require(Permission::NOTIFICATION_SETTING_WRITE)?;
        for _ in 0..ROUNDS {
            let all = self.storage.all_notification_settings(caller.workspace_id()).await?;
            let from = all
                .iter()
                .find(|setting| setting.id == id)
                .ok_or(NotificationSettingError::NotFound)?;
            let mut to = from.clone();
            if !change(&mut to) {
                return Ok(to);
            }
            fits(&to, &all)?;
            to.updated_at = self.clock.now().max(from.updated_at);
            to.version += 1;
            let write = Write::UpdateNotificationSetting {
                to: to.clone(),
                seen: SettingsSeen::of(&all),
            };
            if self
                .commit_setting(caller.origin(), write, EventType::NotificationSettingUpdated, &to)
                .await?
            {
                return Ok(to);
            }
        }
        Err(NotificationSettingError::Contended)
    }

    /// Switches a setting off on behalf of the clock; nothing happens when the settings changed meanwhile.
    pub(crate) async fn deactivate(
        &self,
        setting: &NotificationSetting,
        all: &[NotificationSetting],
    ) -> Result<(), StorageError> {
        let mut to = setting.clone();
        to.active = false;
        to.updated_at = self.clock.now().max(setting.updated_at);
        to.version += 1;
        let write = Write::UpdateNotificationSetting {
            to: to.clone(),
            seen: SettingsSeen::of(all),
        };
        let origin = (setting.workspace, Cause::CLOCK);
        self.commit_setting(origin, write, EventType::NotificationSettingDeactivated, &to)
            .await
            .map(drop)
    }

    async fn commit_setting(
        &self,
        origin: (WorkspaceId, Cause),
        write: Write,
        event_type: EventType,
        setting: &NotificationSetting,
    ) -> Result<bool, StorageError> {
        let event = self.event(
            origin,
            event_type,
            self.clock.now(),
            &setting.id,
            &Audited::from(setting),
        );
        let outcome = self
            .storage
            .commit(Change {
                write,
                events: vec![event],
                idempotency: None,
            })
            .await?;
        Ok(matches!(outcome, Outcome::Applied { .. }))
    }
}

/// Whether `setting` may stand beside the others.
fn fits(setting: &NotificationSetting, all: &[NotificationSetting]) -> Result<(), NotificationSettingError> {
    let mut others = all.iter().filter(|other| other.id != setting.id);
    let active = others.clone().filter(|other| other.active).count();
    if setting.active && active >= MOST_ACTIVE {
        return Err(NotificationSettingError::TooManyActive);
    }
    if others.any(|other| setting.duplicates(other)) {
        return Err(NotificationSettingError::Duplicate);
    }
    Ok(())
}

impl NotificationSettingPatch {
    fn apply(&self, setting: &mut NotificationSetting) {
        if let Some(description) = &self.description {
            setting.description.clone_from(description);
        }
        if let Some(destination) = &self.destination {
            setting.destination.clone_from(destination);
        }
        if let Some(names) = &self.subscribed_events {
            setting.subscribed_events.clone_from(names);
        }
        setting.active = self.active.unwrap_or(setting.active);
        setting.api_version = self.api_version.unwrap_or(setting.api_version);
        setting.include_sensitive_fields = self
            .include_sensitive_fields
            .unwrap_or(setting.include_sensitive_fields);
        setting.traffic_source = self.traffic_source.unwrap_or(setting.traffic_source);
    }
}

/// Whether a patch changed anything.
fn patched(before: &NotificationSetting, after: &NotificationSetting) -> bool {
    before.description != after.description
        || before.active != after.active
        || before.subscribed_events != after.subscribed_events
        || !before.duplicates(after)
}
