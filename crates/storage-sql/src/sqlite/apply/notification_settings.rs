//! Notification settings, and which of them want an event.

use rusqlite::{Transaction, params};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{NotificationSettingId, WorkspaceId};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::time::Timestamp;
use tollgate_storage::SettingsSeen;

use crate::failing::Failing;
use crate::sqlite::rows;

/// An active setting that takes real events, and which.
pub(super) struct Subscription {
    pub(super) setting: NotificationSettingId,
    /// With a blank before, between and behind the names.
    names: String,
}

impl Subscription {
    pub(super) fn wants(&self, event_type: EventType) -> bool {
        self.names.contains(&format!(" {} ", event_type.name()))
    }
}

/// The subscriptions of a workspace.
pub(super) fn subscriptions(
    transaction: &Transaction<'_>,
    workspace: WorkspaceId,
) -> rusqlite::Result<Vec<Subscription>> {
    transaction
        .prepare_cached(
            "SELECT id, subscribed_events FROM notification_settings WHERE workspace_id = ?1 AND active = 1 AND \
             deleted_at IS NULL AND traffic_source IN ('platform', 'all') ORDER BY id",
        )?
        .query_map([workspace.to_string()], |row| {
            Ok(Subscription {
                setting: rows::id(row, "id")?,
                names: row.get("subscribed_events")?,
            })
        })?
        .collect()
}

/// Whether the workspace's settings are still those that the use-case saw.
fn still(transaction: &Transaction<'_>, workspace: WorkspaceId, seen: &SettingsSeen) -> rusqlite::Result<bool> {
    let each = transaction
        .prepare_cached(
            "SELECT id || ' ' || version FROM notification_settings WHERE workspace_id = ?1 AND deleted_at IS NULL \
             ORDER BY id",
        )?
        .query_map([workspace.to_string()], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(SettingsSeen::from_text(each.join(" ")) == *seen)
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    setting: &NotificationSetting,
    seen: &SettingsSeen,
) -> rusqlite::Result<bool> {
    if !still(transaction, setting.workspace, seen)? {
        return Ok(false);
    }
    transaction
        .prepare_cached(
            "INSERT INTO notification_settings (id, workspace_id, description, type, destination, active, api_version, \
             include_sensitive_fields, traffic_source, subscribed_events, secret, previous_secret, \
             previous_secret_until, created_at, updated_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
             ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            setting.id.to_string(),
            setting.workspace.to_string(),
            setting.description,
            setting.destination_type.name(),
            setting.destination,
            setting.active,
            setting.api_version,
            setting.include_sensitive_fields,
            setting.traffic_source.name(),
            rows::joined(&setting.subscribed_events),
            setting.secret.reveal(),
            setting.previous_secret.as_ref().map(|(secret, _)| secret.reveal()),
            setting.previous_secret.as_ref().map(|(_, until)| until.as_micros()),
            setting.created_at.as_micros(),
            setting.updated_at.as_micros(),
            setting.version,
        ])?;
    Ok(true)
}

pub(super) fn update(
    transaction: &Transaction<'_>,
    to: &NotificationSetting,
    seen: &SettingsSeen,
) -> rusqlite::Result<bool> {
    if !still(transaction, to.workspace, seen)? {
        return Ok(false);
    }
    let updated = transaction
        .prepare_cached(
            "UPDATE notification_settings SET description = ?3, destination = ?4, \
             failing_since = CASE WHEN ?5 = 1 AND active = 0 THEN NULL ELSE failing_since END, active = ?5, \
             api_version = ?6, include_sensitive_fields = ?7, traffic_source = ?8, subscribed_events = ?9, secret = ?10, \
             previous_secret = ?11, previous_secret_until = ?12, updated_at = ?13, version = ?14 \
             WHERE id = ?1 AND workspace_id = ?2 AND deleted_at IS NULL",
        )?
        .execute(params![
            to.id.to_string(),
            to.workspace.to_string(),
            to.description,
            to.destination,
            to.active,
            to.api_version,
            to.include_sensitive_fields,
            to.traffic_source.name(),
            rows::joined(&to.subscribed_events),
            to.secret.reveal(),
            to.previous_secret.as_ref().map(|(secret, _)| secret.reveal()),
            to.previous_secret.as_ref().map(|(_, until)| until.as_micros()),
            to.updated_at.as_micros(),
            to.version,
        ])?;
    Ok(updated == 1)
}

/// Marks it as gone; what belongs to it is removed by and by.
pub(super) fn delete(
    transaction: &Transaction<'_>,
    workspace: WorkspaceId,
    id: NotificationSettingId,
) -> rusqlite::Result<bool> {
    let deleted = transaction.execute(
        "UPDATE notification_settings SET deleted_at = updated_at, active = 0 WHERE id = ?1 AND workspace_id = ?2 AND \
         deleted_at IS NULL",
        params![id.to_string(), workspace.to_string()],
    )?;
    Ok(deleted == 1)
}

/// Notes how the attempts of a batch went: since when all have failed, anew after a success among them, or only if it
/// wasn't known.
pub(super) fn note_failing(
    transaction: &Transaction<'_>,
    id: NotificationSettingId,
    failing: Failing,
) -> rusqlite::Result<()> {
    let sql = if failing.anew {
        "UPDATE notification_settings SET failing_since = ?2 WHERE id = ?1 AND failing_since IS NOT ?2"
    } else {
        "UPDATE notification_settings SET failing_since = ?2 WHERE id = ?1 AND failing_since IS NULL"
    };
    transaction
        .prepare_cached(sql)?
        .execute(params![id.to_string(), failing.since.map(Timestamp::as_micros)])?;
    Ok(())
}
