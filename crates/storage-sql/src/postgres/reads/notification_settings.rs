//! Notification settings. They are few: what no index tells is filtered row by row.

use tollgate_domain::id::{NotificationSettingId, WorkspaceId};
use tollgate_domain::notification_setting::{NotificationSetting, TrafficSource};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{NotificationSettingPage, Order, Slice, StorageError};

use super::{Parameters, Reads, bigint};
use crate::counters;
use crate::keyset::{cursor, words};
use crate::postgres::rows::{self, NOTIFICATION_SETTING};

impl Reads {
    pub(in crate::postgres) async fn notification_setting(
        &self,
        workspace: WorkspaceId,
        id: NotificationSettingId,
    ) -> Result<Option<NotificationSetting>, StorageError> {
        let sql = format!(
            "SELECT {NOTIFICATION_SETTING} FROM notification_settings \
             WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL"
        );
        let parameters: Parameters = &[&id.to_string(), &workspace.to_string()];
        self.one(&sql, parameters, rows::notification_setting).await
    }

    pub(in crate::postgres) async fn all_notification_settings(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Vec<NotificationSetting>, StorageError> {
        let found = self.many(&all_sql(), &[&workspace.to_string()]).await?;
        rows::all(&found, rows::notification_setting)
    }

    pub(in crate::postgres) async fn notification_settings(
        &self,
        workspace: WorkspaceId,
        asked: &NotificationSettingPage,
    ) -> Result<Slice<NotificationSetting>, StorageError> {
        let page = asked.page;
        let workspace = workspace.to_string();
        let active = asked.active.map(i64::from);
        let source = asked.traffic_source.map(TrafficSource::name);
        let (after, one_more) = (cursor(&page), bigint(page.limit).saturating_add(1));
        let items = page_sql(page.order);
        let items_of: Parameters = &[&workspace, &active, &source, &after, &one_more];
        let count = format!("SELECT count(*) AS total FROM notification_settings WHERE {FILTER}");
        let count_of: Parameters = &[&workspace, &active, &source];
        let (items, total) = self
            .counted((&items, items_of), page.count.then_some((&count, count_of)))
            .await?;
        let items = rows::all(&items, rows::notification_setting)?;
        Ok(Slice::from_one_more(items, page.limit, total.map(counters::total)))
    }

    pub(in crate::postgres) async fn due_notification_settings(
        &self,
        now: Timestamp,
    ) -> Result<Vec<NotificationSetting>, StorageError> {
        let found = self.many(&due_sql(), &[&now.as_micros()]).await?;
        rows::all(&found, rows::notification_setting)
    }
}

const FILTER: &str = "workspace_id > '' AND workspace_id BETWEEN $1 AND $1 AND deleted_at IS NULL AND ($2::bigint IS NULL OR active = $2) \
                      AND ($3::text IS NULL OR traffic_source = $3)";

/// By workspace as [`api_keys_sql`](super::api_keys_sql): the primary key has every workspace's settings.
pub(in crate::postgres) fn all_sql() -> String {
    format!(
        "SELECT {NOTIFICATION_SETTING} FROM notification_settings \
         WHERE workspace_id > '' AND workspace_id BETWEEN $1 AND $1 AND deleted_at IS NULL ORDER BY workspace_id, id"
    )
}

pub(in crate::postgres) fn page_sql(order: Order) -> String {
    let (beyond, direction) = words(order);
    format!(
        "SELECT {NOTIFICATION_SETTING} FROM notification_settings WHERE {FILTER} AND id {beyond} $4 \
         ORDER BY workspace_id {direction}, id {direction} LIMIT $5"
    )
}

/// One look into each active setting's queue: not a join, which could read all that is due.
pub(in crate::postgres) fn due_sql() -> String {
    format!(
        "SELECT {NOTIFICATION_SETTING} FROM notification_settings AS setting \
         WHERE active = 1 AND deleted_at IS NULL AND (\
         SELECT due_at FROM notifications WHERE setting_id = setting.id AND due_at IS NOT NULL ORDER BY due_at LIMIT 1\
         ) <= $1 ORDER BY workspace_id, id"
    )
}
