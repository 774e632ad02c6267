//! Notifications: made, leased, attempted, replayed.

use rusqlite::{OptionalExtension, Transaction, params};
use tollgate_domain::event::Event;
use tollgate_domain::id::{NotificationId, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{self, DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::time::Timestamp;
use tollgate_storage::AttemptRecord;

use crate::counters::Deltas;
use crate::sqlite::reads::notifications::SELECT;
use crate::sqlite::rows;

/// The one notification of this event for this setting, due at once.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    event: &Event,
    setting: NotificationSettingId,
    place: u64,
) -> rusqlite::Result<()> {
    let occurred_at = event.occurred_at.as_micros();
    transaction
        .prepare_cached(
            "INSERT INTO notifications (workspace_id, id, setting_id, event_sequence, type, origin, status, \
             times_attempted, occurred_at, retry_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, 'event', 'not_attempted', 0, ?6, \
             NULL, ?6)",
        )?
        .execute(params![
            event.workspace.to_string(),
            notification::id_of(event.id, setting).to_string(),
            setting.to_string(),
            i64::try_from(place).expect("fewer than 2^63 events"),
            event.event_type.name(),
            occurred_at,
        ])?;
    Ok(())
}

/// Takes what is due in a setting's queue until a moment.
pub(super) fn lease(
    transaction: &Transaction<'_>,
    setting: NotificationSettingId,
    (now, until): (Timestamp, Timestamp),
    limit: usize,
) -> rusqlite::Result<Vec<Notification>> {
    let due = transaction
        .prepare_cached(&format!(
            "{SELECT} WHERE n.setting_id = ?1 AND n.due_at <= ?2 AND s.active = 1 ORDER BY n.due_at LIMIT ?3"
        ))?
        .query_map(
            params![
                setting.to_string(),
                now.as_micros(),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            rows::notification,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut statement =
        transaction.prepare_cached("UPDATE notifications SET due_at = ?3 WHERE workspace_id = ?1 AND id = ?2")?;
    for notification in &due {
        statement.execute(params![
            notification.workspace.to_string(),
            notification.id.to_string(),
            until.as_micros()
        ])?;
    }
    Ok(due)
}

/// Writes an attempt and where it leaves the notification; `false` when there is nothing to write to any more.
pub(super) fn record(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
    deltas: &mut Deltas,
) -> rusqlite::Result<bool> {
    let Some(last) = record.attempts.last() else {
        return Ok(false);
    };
    let workspace = record.workspace.to_string();
    let id = last.notification.to_string();
    let Some(before) = status(transaction, [&workspace, &id])? else {
        return Ok(false);
    };
    // Two nodes may have tried at once when a lease ran out: whoever delivered it has the last word.
    let after = if before == NotificationStatus::Delivered {
        before
    } else {
        record.status
    };
    let retry_at = record.retry_at.filter(|_| !after.is_final()).map(Timestamp::as_micros);
    let delivered_at = (record.status == NotificationStatus::Delivered).then_some(record.at.as_micros());
    transaction
        .prepare_cached(
            "UPDATE notifications SET status = ?3, times_attempted = times_attempted + 1, \
             last_attempt_at = max(coalesce(last_attempt_at, ?4), ?4), delivered_at = coalesce(delivered_at, ?5), retry_at = ?6, due_at = ?6 WHERE workspace_id = ?1 AND id = ?2",
        )?
        .execute(params![
            workspace,
            id,
            after.name(),
            last.attempted_at.as_micros(),
            delivered_at,
            retry_at
        ])?;
    deltas.notification_moved(record.workspace, record.setting, (before, after));
    deltas.attempted(record);
    for attempt in &record.attempts {
        insert_attempt(transaction, attempt)?;
    }
    Ok(true)
}

/// Where a notification stands; `None` when it or its setting is gone.
fn status(transaction: &Transaction<'_>, key: [&str; 2]) -> rusqlite::Result<Option<NotificationStatus>> {
    transaction
        .prepare_cached(
            "SELECT n.status FROM notifications n CROSS JOIN notification_settings s ON s.id = n.setting_id AND \
             s.deleted_at IS NULL WHERE n.workspace_id = ?1 AND n.id = ?2",
        )?
        .query_row(key, rows::notification_status)
        .optional()
}

fn insert_attempt(transaction: &Transaction<'_>, attempt: &DeliveryAttempt) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO delivery_attempts (notification_id, id, response_code, response_content_type, response_body, \
             problem, attempted_at, duration_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            attempt.notification.to_string(),
            attempt.id.to_string(),
            attempt.response_code,
            attempt.response_content_type,
            attempt.response_body,
            attempt.problem,
            attempt.attempted_at.as_micros(),
            attempt.duration_ms,
        ])?;
    Ok(())
}

/// Another notification of the same event for the same setting; `false` when the original is gone.
pub(super) fn replay(
    transaction: &Transaction<'_>,
    workspace: WorkspaceId,
    (original, id): (NotificationId, NotificationId),
    at: Timestamp,
    deltas: &mut Deltas,
) -> rusqlite::Result<bool> {
    let setting: Option<NotificationSettingId> = transaction
        .query_row(
            "UPDATE notifications SET replayed_at = ?3 WHERE workspace_id = ?1 AND id = ?2 AND EXISTS (SELECT 1 FROM \
             notification_settings s WHERE s.id = setting_id AND s.deleted_at IS NULL) RETURNING setting_id",
            params![workspace.to_string(), original.to_string(), at.as_micros()],
            |row| rows::id(row, "setting_id"),
        )
        .optional()?;
    let Some(setting) = setting else { return Ok(false) };
    transaction.execute(
        "INSERT INTO notifications (workspace_id, id, setting_id, event_sequence, type, origin, status, times_attempted, \
         occurred_at, due_at) SELECT workspace_id, ?3, setting_id, event_sequence, type, 'replay', 'not_attempted', 0, \
         occurred_at, ?4 FROM notifications WHERE workspace_id = ?1 AND id = ?2",
        params![workspace.to_string(), original.to_string(), id.to_string(), at.as_micros()],
    )?;
    deltas.notification_made(workspace, setting);
    Ok(true)
}
