//! Client tokens.

use rusqlite::{Transaction, params};
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::time::Timestamp;

pub(super) fn insert(transaction: &Transaction<'_>, token: &ClientToken) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO client_tokens (workspace_id, id, token, name, description, status, created_at, updated_at, \
             revoked_at, version, restrictions, revoke_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            token.workspace.to_string(),
            token.id.to_string(),
            token.token.as_str(),
            token.name,
            token.description,
            token.status.name(),
            token.created_at.as_micros(),
            token.updated_at.as_micros(),
            token.revoked_at.map(Timestamp::as_micros),
            token.version,
            token.restrictions.as_ref().map(|restrictions| restrictions.to_json()),
            token.revoke_at.map(Timestamp::as_micros),
        ])?;
    Ok(())
}

pub(super) fn update(transaction: &Transaction<'_>, from: &ClientToken, to: &ClientToken) -> rusqlite::Result<bool> {
    let updated = transaction
        .prepare_cached(
            "UPDATE client_tokens SET name = ?4, description = ?5, status = ?6, updated_at = ?7, revoked_at = ?8, \
             version = ?9, restrictions = ?10, revoke_at = ?11 WHERE workspace_id = ?1 AND id = ?2 AND version = ?3",
        )?
        .execute(params![
            from.workspace.to_string(),
            from.id.to_string(),
            from.version,
            to.name,
            to.description,
            to.status.name(),
            to.updated_at.as_micros(),
            to.revoked_at.map(Timestamp::as_micros),
            to.version,
            to.restrictions.as_ref().map(|restrictions| restrictions.to_json()),
            to.revoke_at.map(Timestamp::as_micros),
        ])?;
    Ok(updated == 1)
}

/// `false` when the one to be replaced isn't as it was seen.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    (from, to): (&ClientToken, &ClientToken),
    successor: &ClientToken,
) -> rusqlite::Result<bool> {
    let updated = update(transaction, from, to)?;
    if updated {
        insert(transaction, successor)?;
    }
    Ok(updated)
}
