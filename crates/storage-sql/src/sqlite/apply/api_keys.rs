//! API keys.

use rusqlite::{Transaction, params};
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::time::Timestamp;

pub(super) fn insert(transaction: &Transaction<'_>, key: &ApiKey) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO api_keys (id, workspace_id, environment, name, description, digest, status, permissions, \
             expires_at, expiring_announced_at, last_used_at, created_at, updated_at, version) VALUES (?1, ?2, ?3, ?4, \
             ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            key.id.to_string(),
            key.workspace.to_string(),
            key.environment.name(),
            key.name,
            key.description,
            key.digest.0,
            key.status.name(),
            key.permissions.names().join(" "),
            key.expires_at.map(Timestamp::as_micros),
            key.expiring_announced_at.map(Timestamp::as_micros),
            key.last_used_at.map(Timestamp::as_micros),
            key.created_at.as_micros(),
            key.updated_at.as_micros(),
            key.version,
        ])?;
    Ok(())
}

pub(super) fn update(transaction: &Transaction<'_>, from: &ApiKey, to: &ApiKey) -> rusqlite::Result<bool> {
    let updated = transaction
        .prepare_cached(
            "UPDATE api_keys SET name = ?3, description = ?4, status = ?5, permissions = ?6, expires_at = ?7, \
             expiring_announced_at = ?8, updated_at = ?9, version = ?10 WHERE id = ?1 AND version = ?2",
        )?
        .execute(params![
            from.id.to_string(),
            from.version,
            to.name,
            to.description,
            to.status.name(),
            to.permissions.names().join(" "),
            to.expires_at.map(Timestamp::as_micros),
            to.expiring_announced_at.map(Timestamp::as_micros),
            to.updated_at.as_micros(),
            to.version,
        ])?;
    Ok(updated == 1)
}

/// Moves the last use forward, never back.
pub(super) fn touch(transaction: &Transaction<'_>, id: ApiKeyId, used_at: Timestamp) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
        params![id.to_string(), used_at.as_micros()],
    )?;
    Ok(())
}
