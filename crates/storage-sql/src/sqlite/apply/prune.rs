//! Removing what is too old, or belongs to settings that are gone, in small batches.

use rusqlite::{Transaction, params};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{self, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::Hour;

use crate::counters::{self, Deltas};
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
    remove_delivery_counts(transaction, before, limit)?;
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

/// The hours before the one that `before` is in.
fn remove_delivery_counts(transaction: &Transaction<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<()> {
    let mut room = limit;
    for workspace in reads::workspaces(transaction)? {
        room -= transaction
            .prepare_cached(
                "DELETE FROM counters WHERE workspace_id = ?1 AND name IN (SELECT name FROM counters \
                 WHERE workspace_id = ?1 AND name >= ?2 AND name < ?3 ORDER BY name LIMIT ?4)",
            )?
            .execute(params![
                workspace.id.to_string(),
                counters::DELIVERIES,
                counters::deliveries_from(Hour::of(before)),
                rows::limit(room)
            ])?;
    }
    Ok(())
}

/// Of the first events that weren't replayed, those that are old and that no notification is left of: its notifications
/// have ids that begin with the event's time.
fn remove_events(
    transaction: &Transaction<'_>,
    before: Timestamp,
    limit: usize,
    deltas: &mut Deltas,
) -> rusqlite::Result<()> {
    let old: Vec<(i64, WorkspaceId, EventType)> = transaction
        .prepare_cached(
            "SELECT sequence, workspace_id, type FROM (SELECT sequence, workspace_id, id, type, occurred_at FROM events \
             WHERE NOT EXISTS (SELECT 1 FROM notifications n WHERE n.origin = 'replay' AND n.event_sequence = \
             events.sequence) ORDER BY sequence LIMIT ?2) AS oldest WHERE occurred_at < ?1 AND NOT EXISTS (SELECT 1 FROM \
             notifications n WHERE n.workspace_id = oldest.workspace_id AND n.id > 'ntf_' || substr(oldest.id, 5, 10) AND \
             n.id < 'ntf_' || substr(oldest.id, 5, 10) || '~' AND n.event_sequence = oldest.sequence)",
        )?
        .query_map(params![before.as_micros(), rows::limit(limit)], |row| {
            Ok((row.get(0)?, rows::id(row, "workspace_id")?, rows::event_type(row)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (sequence, workspace, event_type) in old {
        transaction
            .prepare_cached("DELETE FROM events WHERE sequence = ?1")?
            .execute([sequence])?;
        deltas.event_removed(workspace, event_type);
    }
    Ok(())
}
