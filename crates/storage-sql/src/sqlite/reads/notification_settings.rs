//! Notification settings. They are few: what no index tells is filtered row by row.

use rusqlite::{Connection, OptionalExtension, params};
use tollgate_domain::id::{NotificationSettingId, WorkspaceId};
use tollgate_domain::notification_setting::{NotificationSetting, TrafficSource};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{NotificationSettingPage, Slice};

use super::one_more;
use crate::counters;
use crate::keyset::{cursor, words};
use crate::sqlite::rows;

pub(crate) fn one(
    connection: &Connection,
    workspace: WorkspaceId,
    id: NotificationSettingId,
) -> rusqlite::Result<Option<NotificationSetting>> {
    connection
        .prepare_cached(
            "SELECT * FROM notification_settings WHERE id = ?1 AND workspace_id = ?2 AND deleted_at IS NULL",
        )?
        .query_row([id.to_string(), workspace.to_string()], rows::notification_setting)
        .optional()
}

pub(crate) fn all(connection: &Connection, workspace: WorkspaceId) -> rusqlite::Result<Vec<NotificationSetting>> {
    connection
        .prepare_cached(
            "SELECT * FROM notification_settings WHERE workspace_id = ?1 AND deleted_at IS NULL ORDER BY id",
        )?
        .query_map([workspace.to_string()], rows::notification_setting)?
        .collect()
}

const FILTER: &str = "workspace_id = ?1 AND deleted_at IS NULL AND (?2 IS NULL OR active = ?2) AND (?3 IS NULL OR \
                      traffic_source = ?3)";

pub(crate) fn page(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: &NotificationSettingPage,
) -> rusqlite::Result<Slice<NotificationSetting>> {
    let (beyond, direction) = words(asked.page.order);
    let source = asked.traffic_source.map(TrafficSource::name);
    let items = connection
        .prepare_cached(&format!(
            "SELECT * FROM notification_settings WHERE {FILTER} AND id {beyond} ?4 ORDER BY id {direction} LIMIT ?5"
        ))?
        .query_map(
            params![
                workspace.to_string(),
                asked.active,
                source,
                cursor(&asked.page),
                one_more(asked.page.limit)
            ],
            rows::notification_setting,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let total = asked.page.count.then(|| {
        connection
            .prepare_cached(&format!("SELECT count(*) FROM notification_settings WHERE {FILTER}"))?
            .query_row(params![workspace.to_string(), asked.active, source], |row| row.get(0))
    });
    Ok(Slice::from_one_more(
        items,
        asked.page.limit,
        total.transpose()?.map(counters::total),
    ))
}

/// Those with something due, each found by one look into its queue.
pub(crate) fn due(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<NotificationSetting>> {
    connection
        .prepare_cached(
            "SELECT * FROM notification_settings s WHERE active = 1 AND deleted_at IS NULL AND EXISTS (SELECT 1 FROM \
             notifications n CROSS JOIN events e ON e.sequence = n.event_sequence WHERE n.setting_id = s.id AND \
             n.due_at <= ?1) ORDER BY id",
        )?
        .query_map([now.as_micros()], rows::notification_setting)?
        .collect()
}
