//! Usage of client tokens.

use rusqlite::{OptionalExtension, Transaction, params};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, UsageCounts, UsageDelta};

use crate::sqlite::rows;

pub(super) fn record(transaction: &Transaction<'_>, deltas: &[UsageDelta]) -> rusqlite::Result<()> {
    for delta in deltas {
        let (workspace, id) = (delta.workspace.to_string(), delta.id.to_string());
        if !is_there(transaction, &workspace, &id)? {
            continue;
        }
        if delta.counts != UsageCounts::default() {
            count(transaction, (&workspace, &id), delta.hour, &delta.counts)?;
        }
        if let Some(used_at) = delta.last_used_at {
            touch(transaction, (&workspace, &id), used_at)?;
        }
        if !delta.origins.is_empty() {
            add_origins(transaction, (&workspace, &id), delta)?;
        }
    }
    Ok(())
}

fn is_there(transaction: &Transaction<'_>, workspace: &str, id: &str) -> rusqlite::Result<bool> {
    let found = transaction
        .prepare_cached("SELECT 1 FROM client_tokens WHERE workspace_id = ?1 AND id = ?2")?
        .query_row([workspace, id], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

fn count(
    transaction: &Transaction<'_>,
    (workspace, id): (&str, &str),
    hour: Hour,
    counts: &UsageCounts,
) -> rusqlite::Result<()> {
    let [origins, networks, scopes, expiry, rate] = counts.reported.map(rows::count);
    transaction
        .prepare_cached(
            "INSERT INTO client_token_usage (workspace_id, client_token_id, hour, allowed, refused, \
             reported_allowed_origins, reported_allowed_networks, reported_scopes, reported_expires_at, \
             reported_rate_limit) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (workspace_id, client_token_id, hour) DO UPDATE SET allowed = allowed + excluded.allowed, \
             refused = refused + excluded.refused, \
             reported_allowed_origins = reported_allowed_origins + excluded.reported_allowed_origins, \
             reported_allowed_networks = reported_allowed_networks + excluded.reported_allowed_networks, \
             reported_scopes = reported_scopes + excluded.reported_scopes, \
             reported_expires_at = reported_expires_at + excluded.reported_expires_at, \
             reported_rate_limit = reported_rate_limit + excluded.reported_rate_limit",
        )?
        .execute(params![
            workspace,
            id,
            hour.0,
            rows::count(counts.allowed),
            rows::count(counts.refused),
            origins,
            networks,
            scopes,
            expiry,
            rate,
        ])?;
    Ok(())
}

fn touch(transaction: &Transaction<'_>, (workspace, id): (&str, &str), used_at: Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO client_token_last_uses (workspace_id, client_token_id, last_used_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (workspace_id, client_token_id) DO UPDATE SET last_used_at = excluded.last_used_at \
             WHERE excluded.last_used_at > last_used_at",
        )?
        .execute(params![workspace, id, used_at.as_micros()])?;
    Ok(())
}

/// Adds, then drops what is beyond the most frequent ones.
fn add_origins(
    transaction: &Transaction<'_>,
    (workspace, id): (&str, &str),
    delta: &UsageDelta,
) -> rusqlite::Result<()> {
    let day = delta.hour.day();
    let mut add = transaction.prepare_cached(
        "INSERT INTO client_token_origins (workspace_id, client_token_id, day, origin, uses) \
         VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (workspace_id, client_token_id, day, origin) DO UPDATE SET uses = uses + excluded.uses",
    )?;
    for (origin, uses) in &delta.origins {
        add.execute(params![workspace, id, day, origin, rows::count(*uses)])?;
    }
    transaction
        .prepare_cached(
            "DELETE FROM client_token_origins WHERE workspace_id = ?1 AND client_token_id = ?2 AND day = ?3 AND origin IN \
             (SELECT origin FROM client_token_origins WHERE workspace_id = ?1 AND client_token_id = ?2 AND day = ?3 \
             ORDER BY uses DESC, origin LIMIT -1 OFFSET ?4)",
        )?
        .execute(params![workspace, id, day, rows::limit(MOST_ORIGINS_A_DAY)])?;
    Ok(())
}

pub(super) fn prune(transaction: &Transaction<'_>, before: Hour, limit: usize) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM client_token_usage WHERE (workspace_id, client_token_id, hour) IN (SELECT workspace_id, \
             client_token_id, hour FROM client_token_usage WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
        )?
        .execute(params![before.0, rows::limit(limit)])?;
    transaction
        .prepare_cached(
            "DELETE FROM client_token_origins WHERE (workspace_id, client_token_id, day, origin) IN (SELECT workspace_id, \
             client_token_id, day, origin FROM client_token_origins WHERE day < ?1 ORDER BY day LIMIT ?2)",
        )?
        .execute(params![before.day(), rows::limit(limit)])?;
    Ok(())
}
