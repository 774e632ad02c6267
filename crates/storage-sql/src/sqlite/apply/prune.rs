//! Removing what is too old, or belongs to settings that are gone, in small batches.

use rusqlite::{Transaction, params};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{self, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::time::Timestamp;

use crate::counters::Deltas;
use crate::sqlite::{reads, rows};

/// A notification to remove, and the counter it leaves.
struct Doomed {
    workspace: WorkspaceId,
    id: String,
    setting: NotificationSettingId,
    status: NotificationStatus,
}

pub(super) fn prune(
    transaction: &Transaction<'_>,
    before: Timestamp,
    limit: usize,
    deltas: &mut Deltas,
) -> rusqlite::Result<()> {
    let mut doomed = of_deleted_settings(transaction, limit)?;
    for workspace in reads::workspaces(transaction)? {
        let room = limit.saturating_sub(doomed.len());
        doomed.extend(older_than(transaction, workspace.id, before, room)?);
    }
    for notification in doomed {
        remove(transaction, &notification, deltas)?;
    }
    remove_empty_settings(transaction)?;
    remove_events(transaction, before, limit, deltas)
}

const DOOMED: &str = "SELECT n.workspace_id, n.id, n.setting_id, n.status FROM";

fn doomed(row: &rusqlite::Row<'_>) -> rusqlite::Result<Doomed> {
    Ok(Doomed {
        workspace: rows::id(row, "workspace_id")?,
        id: row.get("id")?,
        setting: rows::id(row, "setting_id")?,
        status: rows::notification_status(row)?,
    })
}

fn of_deleted_settings(transaction: &Transaction<'_>, limit: usize) -> rusqlite::Result<Vec<Doomed>> {
    transaction
        .prepare_cached(&format!(
            "{DOOMED} notification_settings s CROSS JOIN notifications n ON n.workspace_id = s.workspace_id AND \
             n.setting_id = s.id WHERE s.deleted_at IS NOT NULL LIMIT ?1"
        ))?
        .query_map([rows::limit(limit)], doomed)?
        .collect()
}

/// An id begins with the time it was made at, so the primary key finds the oldest.
fn older_than(
    transaction: &Transaction<'_>,
    workspace: WorkspaceId,
    before: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Doomed>> {
    transaction
        .prepare_cached(&format!(
            "{DOOMED} notifications n WHERE n.workspace_id = ?1 AND n.id < ?2 ORDER BY n.id LIMIT ?3"
        ))?
        .query_map(
            params![
                workspace.to_string(),
                format!("ntf_{}", id::time_prefix(before)),
                rows::limit(limit)
            ],
            doomed,
        )?
        .collect()
}

fn remove(transaction: &Transaction<'_>, notification: &Doomed, deltas: &mut Deltas) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM delivery_attempts WHERE notification_id = ?1")?
        .execute([&notification.id])?;
    transaction
        .prepare_cached("DELETE FROM notifications WHERE workspace_id = ?1 AND id = ?2")?
        .execute([&notification.workspace.to_string(), &notification.id])?;
    deltas.notification_removed(notification.workspace, notification.setting, notification.status);
    Ok(())
}

/// Settings that are gone and of which nothing is left.
fn remove_empty_settings(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM notification_settings WHERE deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM notifications n \
         WHERE n.workspace_id = notification_settings.workspace_id AND n.setting_id = notification_settings.id)",
        [],
    )?;
    Ok(())
}

/// From the beginning of the sequence on, as long as they are old.
fn remove_events(
    transaction: &Transaction<'_>,
    before: Timestamp,
    limit: usize,
    deltas: &mut Deltas,
) -> rusqlite::Result<()> {
    let old: Vec<(i64, i64, WorkspaceId, EventType)> = transaction
        .prepare_cached("SELECT sequence, occurred_at, workspace_id, type FROM events ORDER BY sequence LIMIT ?1")?
        .query_map([rows::limit(limit)], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                rows::id(row, "workspace_id")?,
                rows::event_type(row)?,
            ))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (sequence, occurred_at, workspace, event_type) in old {
        if occurred_at >= before.as_micros() {
            break;
        }
        transaction
            .prepare_cached("DELETE FROM events WHERE sequence = ?1")?
            .execute([sequence])?;
        deltas.event_removed(workspace, event_type);
    }
    Ok(())
}
