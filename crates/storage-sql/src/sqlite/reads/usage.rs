//! Usage of client tokens.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, Usage, UsageCounts};

use super::limit_of;
use crate::sqlite::rows;

pub(in crate::sqlite) fn of_token(
    connection: &Connection,
    workspace: WorkspaceId,
    id: ClientTokenId,
    since: Hour,
) -> rusqlite::Result<Usage> {
    let (workspace, id) = (workspace.to_string(), id.to_string());
    let hours = connection
        .prepare_cached(
            "SELECT hour, allowed, refused, reported_allowed_origins, reported_allowed_networks, reported_scopes, \
             reported_expires_at, reported_rate_limit FROM client_token_usage \
             WHERE workspace_id = ?1 AND client_token_id = ?2 AND hour >= ?3 ORDER BY hour",
        )?
        .query_map(params![workspace, id, since.0], counted_hour)?
        .collect::<rusqlite::Result<_>>()?;
    let origins = connection
        .prepare_cached(
            "SELECT origin, sum(uses) AS uses FROM client_token_origins \
             WHERE workspace_id = ?1 AND client_token_id = ?2 AND day >= ?3 \
             GROUP BY origin ORDER BY uses DESC, origin LIMIT ?4",
        )?
        .query_map(
            params![workspace, id, since.day(), limit_of(MOST_ORIGINS_A_DAY)],
            |row| Ok((row.get(0)?, count(row, 1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Usage {
        last_used_at: last_use(connection, &workspace, &id)?,
        hours,
        origins,
    })
}

fn counted_hour(row: &Row<'_>) -> rusqlite::Result<(Hour, UsageCounts)> {
    let mut reported = [0; 5];
    for (number, kind) in reported.iter_mut().enumerate() {
        *kind = count(row, number + 3)?;
    }
    let counts = UsageCounts {
        allowed: count(row, 1)?,
        refused: count(row, 2)?,
        reported,
    };
    Ok((Hour(row.get(0)?), counts))
}

/// None of ours is negative.
fn count(row: &Row<'_>, number: usize) -> rusqlite::Result<u64> {
    let count: i64 = row.get(number)?;
    Ok(count.try_into().unwrap_or(0))
}

pub(in crate::sqlite) fn last_uses(
    connection: &Connection,
    workspace: WorkspaceId,
    ids: &[ClientTokenId],
) -> rusqlite::Result<HashMap<ClientTokenId, Timestamp>> {
    let workspace = workspace.to_string();
    let mut uses = HashMap::new();
    for id in ids {
        if let Some(used_at) = last_use(connection, &workspace, &id.to_string())? {
            uses.insert(*id, used_at);
        }
    }
    Ok(uses)
}

pub(in crate::sqlite) fn of_tokens(
    connection: &Connection,
    workspace: WorkspaceId,
    ids: &[ClientTokenId],
    since: Hour,
) -> rusqlite::Result<HashMap<ClientTokenId, Vec<(Hour, u64)>>> {
    let workspace = workspace.to_string();
    let mut hours = connection.prepare_cached(
        "SELECT hour, allowed FROM client_token_usage \
         WHERE workspace_id = ?1 AND client_token_id = ?2 AND hour >= ?3 AND allowed > 0 ORDER BY hour",
    )?;
    let mut usages = HashMap::new();
    for id in ids {
        let found = hours.query_map(params![workspace, id.to_string(), since.0], |row| {
            Ok((Hour(row.get(0)?), count(row, 1)?))
        })?;
        let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
        if !found.is_empty() {
            usages.insert(*id, found);
        }
    }
    Ok(usages)
}

fn last_use(connection: &Connection, workspace: &str, id: &str) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached(
            "SELECT last_used_at FROM client_token_last_uses WHERE workspace_id = ?1 AND client_token_id = ?2",
        )?
        .query_row([workspace, id], |row| rows::time(row, "last_used_at"))
        .optional()
}
