//! Requests that may be repeated, and what they were answered with.

use rusqlite::{OptionalExtension, Transaction, params};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, IdempotencyKey, IdempotentAnswer};

use crate::sqlite::rows;

/// What the request with this key was answered before, unless that is forgotten when `change` happens.
pub(super) fn live_answer(
    transaction: &Transaction<'_>,
    key: &IdempotencyKey,
    change: &Change,
) -> rusqlite::Result<Option<IdempotentAnswer>> {
    transaction
        .prepare_cached(
            "SELECT request_digest, answer, expires_at FROM idempotent_answers WHERE api_key_id = ?1 AND key = ?2 AND \
             expires_at > ?3",
        )?
        .query_row(
            params![
                key.api_key.to_string(),
                key.key,
                change.happens_at().map_or(0, Timestamp::as_micros)
            ],
            rows::idempotent_answer,
        )
        .optional()
}

pub(super) fn keep(
    transaction: &Transaction<'_>,
    key: &IdempotencyKey,
    answer: &IdempotentAnswer,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotent_answers (api_key_id, key, request_digest, answer, expires_at) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            key.api_key.to_string(),
            key.key,
            answer.request_digest,
            answer.answer,
            answer.expires_at.as_micros()
        ])?;
    Ok(())
}

/// Removes answers that are forgotten at `now`.
pub(super) fn forget(transaction: &Transaction<'_>, now: Timestamp, limit: usize) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM idempotent_answers WHERE (api_key_id, key) IN (SELECT api_key_id, key FROM idempotent_answers \
         WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        params![now.as_micros(), i64::try_from(limit).unwrap_or(i64::MAX)],
    )?;
    Ok(())
}
