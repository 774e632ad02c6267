//! Notifications and their delivery attempts.

use std::collections::BTreeSet;

use tollgate_domain::id::{EventId, NotificationId, NotificationLogKind, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::Hour;
use tollgate_storage::{DeliveryCount, DeliveryTotal, NotificationPage, Order, Page, Slice, StorageError};

use super::{Parameters, Reads, bigint};
use crate::counters;
use crate::keyset::{cursor, own_ids, words};
use crate::postgres::failure::unavailable;
use crate::postgres::rows::{self, DELIVERY_ATTEMPT, NOTIFICATION};

impl Reads {
    pub(in crate::postgres) async fn notification(
        &self,
        workspace: WorkspaceId,
        id: NotificationId,
    ) -> Result<Option<Notification>, StorageError> {
        let sql = format!(
            "SELECT {NOTIFICATION} FROM notifications AS n JOIN events AS e ON e.sequence = n.event_sequence \
             WHERE n.workspace_id = $1 AND n.id = $2 AND {SHOWN}"
        );
        let parameters: Parameters = &[&workspace.to_string(), &id.to_string()];
        self.one(&sql, parameters, rows::notification).await
    }

    pub(in crate::postgres) async fn notifications(
        &self,
        workspace: WorkspaceId,
        asked: &NotificationPage,
    ) -> Result<Slice<Notification>, StorageError> {
        let page = asked.page;
        let workspace = workspace.to_string();
        let after = cursor(&page);
        let one_more = bigint(page.limit).saturating_add(1);
        let settings = distinct(&asked.settings, ToString::to_string);
        let statuses = distinct(&asked.statuses, |status| status.name().to_owned());
        let (from, to) = (asked.from.map(Timestamp::as_micros), asked.to.map(Timestamp::as_micros));
        // PostgreSQL's text can't hold the character 0, so nothing contains it.
        if [&asked.search, &asked.subject]
            .into_iter()
            .flatten()
            .any(|text| text.contains('\0'))
        {
            return Ok(Slice::from_one_more(Vec::new(), page.limit, None));
        }
        let sql = page_sql(page.order, Walk::of(asked));
        let items: Parameters = &[
            &workspace,
            &after,
            &one_more,
            &settings,
            &statuses,
            &asked.search,
            &asked.subject,
            &from,
            &to,
        ];
        let all = NotificationStatus::ALL.map(|status| status.name().to_owned());
        let statuses = if statuses.is_empty() { &all[..] } else { &statuses };
        let total: Parameters = &[&workspace, &settings, &statuses];
        let told = asked.search.is_none() && asked.subject.is_none() && asked.from.is_none() && asked.to.is_none();
        let count = (page.count && told).then_some((TOTAL, total));
        let (items, total) = self.counted((&sql, items), count).await?;
        let items = rows::all(&items, rows::notification)?;
        Ok(Slice::from_one_more(items, page.limit, total.map(counters::total)))
    }

    /// Two walks: the event's own ones begin with its time, and replays have an index of their own.
    pub(in crate::postgres) async fn notifications_of(
        &self,
        workspace: WorkspaceId,
        event: EventId,
        limit: usize,
    ) -> Result<Vec<Notification>, StorageError> {
        let select = format!(
            "SELECT {NOTIFICATION} FROM notifications AS n JOIN events AS e ON e.sequence = n.event_sequence \
             WHERE n.workspace_id = $1 AND e.workspace_id = $1 AND e.id = $2 AND {SHOWN}"
        );
        let sql = format!(
            "({select} AND n.origin = 'event' AND n.id BETWEEN $3 AND $4) \
             UNION ALL ({select} AND n.origin = 'replay') ORDER BY notification_id DESC LIMIT $5"
        );
        let (first, last) = own_ids(event);
        let parameters: Parameters = &[
            &workspace.to_string(),
            &event.to_string(),
            &first,
            &last,
            &bigint(limit),
        ];
        rows::all(&self.many(&sql, parameters).await?, rows::notification)
    }

    pub(in crate::postgres) async fn delivery_counts(
        &self,
        workspace: WorkspaceId,
        setting: Option<NotificationSettingId>,
        since: Hour,
    ) -> Result<Vec<DeliveryCount>, StorageError> {
        let found = self.attempt_counters(workspace, since).await?;
        let named = found.iter().map(|(name, value)| (name.as_str(), *value));
        Ok(counters::delivery_counts(named, setting))
    }

    pub(in crate::postgres) async fn delivery_totals(
        &self,
        workspace: WorkspaceId,
        since: Hour,
    ) -> Result<Vec<DeliveryTotal>, StorageError> {
        let found = self.attempt_counters(workspace, since).await?;
        let named = found.iter().map(|(name, value)| (name.as_str(), *value));
        Ok(counters::delivery_totals(named))
    }

    async fn attempt_counters(&self, workspace: WorkspaceId, since: Hour) -> Result<Vec<(String, i64)>, StorageError> {
        let parameters: Parameters = &[
            &workspace.to_string(),
            &counters::deliveries_from(since),
            &counters::DELIVERIES_END,
        ];
        let found = self.many(DELIVERY_COUNTS, parameters).await?;
        rows::all(&found, |row| {
            let name: String = row.try_get("name").map_err(unavailable)?;
            Ok((name, row.try_get::<_, i64>("value").map_err(unavailable)?))
        })
    }

    pub(in crate::postgres) async fn delivery_attempts(
        &self,
        notification: NotificationId,
        page: &Page<NotificationLogKind>,
    ) -> Result<Slice<DeliveryAttempt>, StorageError> {
        let notification = notification.to_string();
        let after = cursor(page);
        let one_more = bigint(page.limit).saturating_add(1);
        let items: Parameters = &[&notification, &after, &one_more];
        let sql = attempts_sql(page.order);
        let count: Parameters = &[&notification];
        let count = page.count.then_some((COUNT_ATTEMPTS, count));
        let (items, total) = self.counted((&sql, items), count).await?;
        let items = rows::all(&items, rows::delivery_attempt)?;
        Ok(Slice::from_one_more(items, page.limit, total.map(counters::total)))
    }
}

/// Each is read on its own: twice named would be twice shown.
fn distinct<T>(named: &[T], name: impl Fn(&T) -> String) -> Vec<String> {
    let distinct: BTreeSet<String> = named.iter().map(name).collect();
    distinct.into_iter().collect()
}

/// Those whose setting is gone don't show. Not a join, so that it is looked at for the rows of a page only.
const SHOWN: &str =
    "(SELECT setting.deleted_at IS NULL FROM notification_settings AS setting WHERE setting.id = n.setting_id)";

/// From the counters of the settings that there are.
const TOTAL: &str = "
    SELECT coalesce(sum(counter.value), 0)::bigint AS total
    FROM notification_settings AS setting
    CROSS JOIN UNNEST($3::text[]) AS wanted (status)
    JOIN counters AS counter ON counter.workspace_id = setting.workspace_id
        AND counter.name = 'notifications.' || setting.id || '.' || wanted.status
    WHERE setting.workspace_id = $1 AND setting.workspace_id > '' AND setting.deleted_at IS NULL
        AND (cardinality($2::text[]) = 0 OR setting.id = ANY ($2))";

pub(in crate::postgres) const DELIVERY_COUNTS: &str =
    "SELECT name, value FROM counters WHERE workspace_id = $1 AND name >= $2 AND name < $3 ORDER BY name";

const COUNT_ATTEMPTS: &str = "SELECT count(*) AS total FROM delivery_attempts WHERE notification_id = $1";

/// Which index a page runs along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Walk {
    /// The primary key.
    All,
    /// One for each setting.
    Settings,
    /// One for each status, of those that are in trouble: few among many.
    Trouble,
}

impl Walk {
    fn of(asked: &NotificationPage) -> Self {
        let in_trouble =
            |status: &NotificationStatus| matches!(status, NotificationStatus::NeedsRetry | NotificationStatus::Failed);
        if !asked.statuses.is_empty() && asked.statuses.iter().all(in_trouble) {
            Self::Trouble
        } else if asked.settings.is_empty() {
            Self::All
        } else {
            Self::Settings
        }
    }
}

/// The parameters: workspace, cursor, one item more than the page holds, settings, statuses, what is searched for, the
/// entity, from, to. A page of each setting or status is read along its index ([`client_tokens_sql`] tells why so), and
/// only these few are merged.
///
/// [`client_tokens_sql`]: super::client_tokens_sql
pub(in crate::postgres) fn page_sql(order: Order, walk: Walk) -> String {
    let (beyond, direction) = words(order);
    let filter = format!(
        "n.workspace_id = $1 AND n.id {beyond} $2 \
         AND (cardinality($4::text[]) = 0 OR n.setting_id = ANY ($4)) \
         AND (cardinality($5::text[]) = 0 OR n.status = ANY ($5)) \
         AND ($6::text IS NULL OR strpos(n.id, $6) > 0 OR strpos(n.type, $6) > 0) \
         AND ($8::bigint IS NULL OR n.occurred_at >= $8) AND ($9::bigint IS NULL OR n.occurred_at <= $9) AND {SHOWN}"
    );
    // OFFSET 0: looked up for one notification after the other, never the other way round.
    let page = |by: &str, condition: &str| {
        format!(
            "SELECT {NOTIFICATION} FROM notifications AS n CROSS JOIN LATERAL (\
             SELECT * FROM events WHERE sequence = n.event_sequence AND ($7::text IS NULL OR subject_id = $7) OFFSET 0\
             ) AS e WHERE {filter}{condition} ORDER BY {by}n.id {direction} LIMIT $3"
        )
    };
    let merged = |each: &str, page: String| {
        format!(
            "SELECT page.* FROM {each} CROSS JOIN LATERAL ({page}) AS page \
             ORDER BY page.notification_id {direction} LIMIT $3"
        )
    };
    match walk {
        Walk::All => page("", ""),
        Walk::Settings => merged(
            "UNNEST($4::text[]) AS wanted (setting_id)",
            page(
                &format!("n.setting_id {direction}, "),
                " AND n.setting_id > '' AND n.setting_id BETWEEN wanted.setting_id AND wanted.setting_id",
            ),
        ),
        Walk::Trouble => merged(
            "UNNEST($5::text[]) AS wanted (status)",
            page(
                &format!("n.status {direction}, "),
                " AND n.status IN ('needs_retry', 'failed') AND n.status BETWEEN wanted.status AND wanted.status",
            ),
        ),
    }
}

pub(in crate::postgres) fn attempts_sql(order: Order) -> String {
    let (beyond, direction) = words(order);
    format!(
        "SELECT {DELIVERY_ATTEMPT} FROM delivery_attempts WHERE notification_id = $1 AND id {beyond} $2 \
         ORDER BY id {direction} LIMIT $3"
    )
}
