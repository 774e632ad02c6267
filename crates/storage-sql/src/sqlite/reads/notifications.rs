//! Notifications and their delivery attempts.

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use tollgate_domain::id::{EventId, NotificationId, NotificationLogKind, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationOrigin, NotificationStatus};
use tollgate_domain::usage::Hour;
use tollgate_storage::{DeliveryCount, DeliveryTotal, NotificationPage, Page, Slice};

use super::one_more;
use crate::counters;
use crate::keyset::{cursor, own_ids, words};
use crate::sqlite::rows;

/// A notification with its event. Those whose setting or event is gone don't show.
pub(crate) const SELECT: &str = "SELECT n.workspace_id, e.id, e.type, e.occurred_at, e.subject_id, e.actor_kind, e.actor_id, e.data, \
     e.address, n.id AS notification_id, n.setting_id, n.origin, n.status, n.times_attempted, n.last_attempt_at, n.delivered_at, \
     n.replayed_at, n.retry_at FROM notifications n CROSS JOIN events e ON e.sequence = n.event_sequence CROSS JOIN \
     notification_settings s ON s.id = n.setting_id AND s.deleted_at IS NULL";

pub(crate) fn one(
    connection: &Connection,
    workspace: WorkspaceId,
    id: NotificationId,
) -> rusqlite::Result<Option<Notification>> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE n.workspace_id = ?1 AND n.id = ?2"))?
        .query_row([workspace.to_string(), id.to_string()], rows::notification)
        .optional()
}

pub(crate) fn page(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: &NotificationPage,
) -> rusqlite::Result<Slice<Notification>> {
    let (beyond, direction) = words(asked.page.order);
    let mut conditions = format!("n.workspace_id = ?1 AND n.id {beyond} ?2");
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(workspace.to_string()), Box::new(cursor(&asked.page))];
    let mut ask = |condition: &str, value: Box<dyn ToSql>| {
        values.push(value);
        conditions.push_str(&condition.replace('?', &format!("?{}", values.len())));
    };
    for (column, names) in [
        (
            "setting_id",
            asked.settings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ),
        (
            "status",
            asked.statuses.iter().map(|status| status.name().to_owned()).collect(),
        ),
    ] {
        match names.len() {
            0 => {}
            // One alone is an equality, which an index by it and the id can walk in order.
            1 => names
                .into_iter()
                .for_each(|name| ask(&format!(" AND n.{column} = ?"), Box::new(name))),
            _ => ask(
                &format!(" AND +n.{column} IN (SELECT value FROM json_each(?))"),
                Box::new(format!("[\"{}\"]", names.join("\",\""))),
            ),
        }
    }
    if let Some(search) = &asked.search {
        ask(
            " AND (instr(n.id, ?) > 0 OR instr(n.type, ?) > 0)",
            Box::new(search.clone()),
        );
    }
    if let Some(subject) = &asked.subject {
        ask(" AND e.subject_id = ?", Box::new(subject.clone()));
    }
    if let Some(from) = asked.from {
        ask(" AND n.occurred_at >= ?", Box::new(from.as_micros()));
    }
    if let Some(to) = asked.to {
        ask(" AND n.occurred_at <= ?", Box::new(to.as_micros()));
    }
    values.push(Box::new(one_more(asked.page.limit)));
    let sql = format!(
        "{SELECT} WHERE {conditions} ORDER BY n.id {direction} LIMIT ?{}",
        values.len()
    );
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    let items = connection
        .prepare_cached(&sql)?
        .query_map(values.as_slice(), rows::notification)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let counted = asked.search.is_none() && asked.subject.is_none() && asked.from.is_none() && asked.to.is_none();
    let total = (asked.page.count && counted)
        .then(|| total(connection, workspace, asked))
        .transpose()?;
    Ok(Slice::from_one_more(items, asked.page.limit, total))
}

/// From the counters of the workspace's settings.
fn total(connection: &Connection, workspace: WorkspaceId, asked: &NotificationPage) -> rusqlite::Result<u64> {
    // Those of a setting that is gone count no longer, though their counters stand until they are removed.
    let settings = super::notification_settings::all(connection, workspace)?;
    let settings = settings.into_iter().map(|setting| setting.id);
    let settings = settings.filter(|id| asked.settings.is_empty() || asked.settings.contains(id));
    let statuses: Vec<NotificationStatus> = NotificationStatus::ALL
        .into_iter()
        .filter(|status| asked.statuses.is_empty() || asked.statuses.contains(status))
        .collect();
    let names: Vec<String> = settings
        .flat_map(|setting| {
            statuses
                .iter()
                .map(move |status| counters::notifications(setting, *status))
        })
        .collect();
    super::total(connection, workspace, &names)
}

/// Two walks: the event's own ones begin with its time, and replays have an index of their own.
pub(crate) fn of_event(
    connection: &Connection,
    workspace: WorkspaceId,
    event: EventId,
    limit: usize,
) -> rusqlite::Result<Vec<Notification>> {
    let own = format!("{SELECT} WHERE n.workspace_id = ?1 AND n.id BETWEEN ?3 AND ?4 AND e.id = ?2");
    let replays = format!(
        "{SELECT} WHERE n.event_sequence = (SELECT sequence FROM events WHERE workspace_id = ?1 AND id = ?2) AND \
         n.origin = 'replay' AND +n.workspace_id = ?1"
    );
    let (first, last) = own_ids(event);
    let ids = [workspace.to_string(), event.to_string()];
    let mut found = Vec::new();
    let rows = |row: &rusqlite::Row<'_>| rows::notification(row);
    for notification in connection
        .prepare_cached(&own)?
        .query_map([&ids[0], &ids[1], &first, &last], rows)?
    {
        found.push(notification?);
    }
    found.retain(|notification: &Notification| notification.origin == NotificationOrigin::Event);
    for notification in connection
        .prepare_cached(&replays)?
        .query_map([&ids[0], &ids[1]], rows)?
    {
        found.push(notification?);
    }
    found.sort_by_key(|notification| std::cmp::Reverse(notification.id));
    found.truncate(limit);
    Ok(found)
}

pub(crate) fn delivery_counts(
    connection: &Connection,
    workspace: WorkspaceId,
    setting: Option<NotificationSettingId>,
    since: Hour,
) -> rusqlite::Result<Vec<DeliveryCount>> {
    let found = attempt_counters(connection, workspace, since)?;
    let named = found.iter().map(|(name, value)| (name.as_str(), *value));
    Ok(counters::delivery_counts(named, setting))
}

pub(crate) fn delivery_totals(
    connection: &Connection,
    workspace: WorkspaceId,
    since: Hour,
) -> rusqlite::Result<Vec<DeliveryTotal>> {
    let found = attempt_counters(connection, workspace, since)?;
    let named = found.iter().map(|(name, value)| (name.as_str(), *value));
    Ok(counters::delivery_totals(named))
}

fn attempt_counters(
    connection: &Connection,
    workspace: WorkspaceId,
    since: Hour,
) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, value FROM counters WHERE workspace_id = ?1 AND name >= ?2 AND name < ?3 ORDER BY name",
    )?;
    let span = params![
        workspace.to_string(),
        counters::deliveries_from(since),
        counters::DELIVERIES_END
    ];
    statement
        .query_map(span, |row| Ok((row.get("name")?, row.get("value")?)))?
        .collect()
}

pub(crate) fn attempts(
    connection: &Connection,
    notification: NotificationId,
    page: Page<NotificationLogKind>,
) -> rusqlite::Result<Slice<DeliveryAttempt>> {
    let (beyond, direction) = words(page.order);
    let items = connection
        .prepare_cached(&format!(
            "SELECT * FROM delivery_attempts WHERE notification_id = ?1 AND id {beyond} ?2 ORDER BY id {direction} LIMIT ?3"
        ))?
        .query_map(params![notification.to_string(), cursor(&page), one_more(page.limit)], rows::delivery_attempt)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let total = page.count.then(|| {
        connection
            .prepare_cached("SELECT count(*) FROM delivery_attempts WHERE notification_id = ?1")?
            .query_row([notification.to_string()], |row| row.get(0))
    });
    Ok(Slice::from_one_more(
        items,
        page.limit,
        total.transpose()?.map(counters::total),
    ))
}
