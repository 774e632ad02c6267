//! The questions, in SQL. Pages are keyset: each statement walks one index from the cursor on and stops at its limit.

pub(super) mod audit;
pub(super) mod client_tokens;
pub(super) mod notification_settings;
pub(super) mod notifications;
pub(super) mod passkeys;
pub(super) mod people;
pub(super) mod simulations;
pub(super) mod usage;

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{ApiKeyId, EventId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{ApiKeyPage, EventPage, IdempotencyKey, IdempotentAnswer, Order, Page, Slice};

use super::rows::{self, limit as limit_of};
use crate::counters;
use crate::keyset::{cursor, words};

pub(super) fn head(connection: &Connection) -> rusqlite::Result<u64> {
    let head: i64 = connection
        .prepare_cached("SELECT sequence FROM sequence_head")?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(head).unwrap_or(0))
}

pub(super) fn workspace(connection: &Connection, id: WorkspaceId) -> rusqlite::Result<Option<Workspace>> {
    connection
        .prepare_cached("SELECT id, name, environment, created_at FROM workspaces WHERE id = ?1")?
        .query_row([id.to_string()], rows::workspace)
        .optional()
}

pub(super) fn workspaces(connection: &Connection) -> rusqlite::Result<Vec<Workspace>> {
    connection
        .prepare_cached("SELECT id, name, environment, created_at FROM workspaces ORDER BY id")?
        .query_map([], rows::workspace)?
        .collect()
}

pub(super) fn api_key(connection: &Connection, id: ApiKeyId) -> rusqlite::Result<Option<ApiKey>> {
    connection
        .prepare_cached("SELECT * FROM api_keys WHERE id = ?1")?
        .query_row([id.to_string()], rows::api_key)
        .optional()
}

pub(super) fn api_keys(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: ApiKeyPage,
) -> rusqlite::Result<Slice<ApiKey>> {
    let ApiKeyPage { page, status } = asked;
    let (beyond, direction) = words(page.order);
    // One status walks the index by status, all walk the one by workspace.
    let by_status = if status.is_some() {
        "AND status = ?4"
    } else {
        "AND ?4 IS NULL"
    };
    let items = connection
        .prepare_cached(&format!(
            "SELECT * FROM api_keys WHERE workspace_id = ?1 AND id {beyond} ?2 {by_status} \
             ORDER BY id {direction} LIMIT ?3"
        ))?
        .query_map(
            params![
                workspace.to_string(),
                cursor(&page),
                one_more(page.limit),
                status.map(ApiKeyStatus::name)
            ],
            rows::api_key,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let counted = [counters::API_KEYS.to_owned()];
    let total = (page.count && status.is_none())
        .then(|| total(connection, workspace, &counted))
        .transpose()?;
    Ok(Slice::from_one_more(items, page.limit, total))
}

pub(super) fn api_keys_named(
    connection: &Connection,
    workspace: WorkspaceId,
    ids: &[ApiKeyId],
) -> rusqlite::Result<Vec<ApiKey>> {
    let mut statement = connection.prepare_cached("SELECT * FROM api_keys WHERE id = ?1 AND workspace_id = ?2")?;
    let workspace = workspace.to_string();
    let found = ids.iter().collect::<BTreeSet<_>>().into_iter().filter_map(|id| {
        let found = statement.query_row([&id.to_string(), &workspace], rows::api_key);
        found.optional().transpose()
    });
    found.collect()
}

pub(super) fn api_keys_due(
    connection: &Connection,
    now: Timestamp,
    announce_before: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<ApiKey>> {
    connection
        .prepare_cached(
            "SELECT * FROM api_keys WHERE status = 'active' AND expires_at IS NOT NULL AND (expires_at <= ?1 OR \
             (expires_at <= ?2 AND expiring_announced_at IS NULL)) ORDER BY expires_at LIMIT ?3",
        )?
        .query_map(
            params![now.as_micros(), announce_before.as_micros(), limit_of(limit)],
            rows::api_key,
        )?
        .collect()
}

pub(super) fn event(connection: &Connection, workspace: WorkspaceId, id: EventId) -> rusqlite::Result<Option<Event>> {
    connection
        .prepare_cached("SELECT * FROM events WHERE workspace_id = ?1 AND id = ?2")?
        .query_row([workspace.to_string(), id.to_string()], rows::event)
        .optional()
}

pub(super) fn events(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: &EventPage,
) -> rusqlite::Result<Slice<Event>> {
    let Page {
        order, limit, count, ..
    } = asked.page;
    let (beyond, direction) = words(order);
    let items = match &asked.types {
        None => connection
            .prepare_cached(&format!(
                "SELECT * FROM events WHERE workspace_id = ?1 AND id {beyond} ?2 AND +type NOT IN ({}) ORDER BY id {direction} LIMIT ?3",
                quoted(&EventType::AUDIT_ONLY)
            ))?
            .query_map(
                params![workspace.to_string(), cursor(&asked.page), one_more(limit)],
                rows::event,
            )?
            .collect::<rusqlite::Result<Vec<_>>>()?,
        // Each type walks its own index from the cursor on; the few walks are merged here.
        Some(types) => {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT * FROM events WHERE workspace_id = ?1 AND id {beyond} ?2 AND type = ?4 ORDER BY id {direction} LIMIT ?3"
            ))?;
            let mut merged = Vec::new();
            for event_type in distinct(types) {
                let of_type = statement.query_map(
                    params![
                        workspace.to_string(),
                        cursor(&asked.page),
                        one_more(limit),
                        event_type.name()
                    ],
                    rows::event,
                )?;
                for event in of_type {
                    merged.push(event?);
                }
            }
            merged.sort_unstable_by_key(|event| event.id);
            if order == Order::Descending {
                merged.reverse();
            }
            merged
        }
    };
    let counted: Vec<String> = match &asked.types {
        None => EventType::ALL.map(counters::events).to_vec(),
        Some(types) => distinct(types).into_iter().map(counters::events).collect(),
    };
    let total = count.then(|| total(connection, workspace, &counted)).transpose()?;
    Ok(Slice::from_one_more(items, limit, total))
}

pub(super) fn events_between(
    connection: &Connection,
    after: u64,
    upto: u64,
    types: &[EventType],
) -> rusqlite::Result<Vec<(u64, Event)>> {
    connection
        .prepare_cached(&format!(
            "SELECT * FROM events WHERE sequence > ?1 AND sequence <= ?2 AND +type IN ({}) ORDER BY sequence",
            quoted(types)
        ))?
        .query_map(params![place(after), place(upto)], rows::placed_event)?
        .collect()
}

pub(super) fn workspace_events_between(
    connection: &Connection,
    workspace: WorkspaceId,
    (after, upto): (u64, u64),
    limit: usize,
) -> rusqlite::Result<Vec<(u64, Event)>> {
    connection
        .prepare_cached(&format!(
            "SELECT * FROM events WHERE sequence > ?1 AND sequence <= ?2 AND +workspace_id = ?3 AND +type NOT IN ({}) \
             ORDER BY sequence LIMIT ?4",
            quoted(&EventType::AUDIT_ONLY)
        ))?
        .query_map(
            params![place(after), place(upto), workspace.to_string(), limit_of(limit)],
            rows::placed_event,
        )?
        .collect()
}

pub(super) fn idempotent_answer(
    connection: &Connection,
    key: &IdempotencyKey,
    now: Timestamp,
) -> rusqlite::Result<Option<IdempotentAnswer>> {
    connection
        .prepare_cached(
            "SELECT request_digest, answer, expires_at FROM idempotent_answers WHERE api_key_id = ?1 AND key = ?2 AND \
             expires_at > ?3",
        )?
        .query_row(
            params![key.api_key.to_string(), key.key, now.as_micros()],
            rows::idempotent_answer,
        )
        .optional()
}

fn one_more(limit: usize) -> i64 {
    limit_of(limit).saturating_add(1)
}

/// A place as SQLite's integer; places beyond it don't exist.
fn place(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// Names for a list in SQL. They are our own constants, so they can stand in the statement.
fn quoted(types: &[EventType]) -> String {
    let names: Vec<String> = types
        .iter()
        .map(|event_type| format!("'{}'", event_type.name()))
        .collect();
    names.join(", ")
}

fn distinct(types: &[EventType]) -> Vec<EventType> {
    let mut distinct = types.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// The sum of these counters of a workspace.
fn total(connection: &Connection, workspace: WorkspaceId, names: &[String]) -> rusqlite::Result<u64> {
    let mut statement =
        connection.prepare_cached("SELECT value FROM counters WHERE workspace_id = ?1 AND name = ?2")?;
    let mut sum = 0_i64;
    for name in names {
        let value: Option<i64> = statement
            .query_row(params![workspace.to_string(), name], |row| row.get(0))
            .optional()?;
        sum += value.unwrap_or(0);
    }
    Ok(counters::total(sum))
}
