//! The one writer: takes every change that waits, up to a bound, and commits all of them at once.
//!
//! A change whose precondition fails writes nothing, since the precondition is its first statement. A change that
//! breaks a constraint (a bug, or a repeated id) undoes the whole batch, which is then done again one by one, so that
//! only the broken one fails; this is why no change needs a savepoint of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, watch};
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::Event;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, IdempotencyKey, IdempotentAnswer, Outcome, Pulse, StorageError, Write};

use super::checkpoint::Checkpoints;
use super::pulse;
use super::rows::{self, failed};
use crate::counters::Deltas;
use crate::queue::Job;

/// Everything the writer's thread owns.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) max_batch: usize,
    pub(super) pulse: Arc<watch::Sender<Pulse>>,
    pub(super) checkpoints: Checkpoints,
    /// Dropped with the writer, which ends the pulse.
    pub(super) _lives: Sender<()>,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let log_pages = Arc::new(AtomicI32::new(0));
        if let Err(error) = self.watch_log(&log_pages) {
            tracing::error!(%error, "could not watch the write-ahead log; it will grow until the store is closed");
        }
        let mut jobs = Vec::with_capacity(self.max_batch);
        while queue.blocking_recv_many(&mut jobs, self.max_batch) > 0 {
            let (changes, replies): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.change, job.reply)).unzip();
            let outcomes = self.commit_all(&changes);
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                // Whoever asked may be gone; what was asked is done all the same.
                let _ = reply.send(outcome);
            }
            self.checkpoints
                .after_commit(&self.connection, log_pages.load(Ordering::Relaxed));
        }
    }

    /// Keeps the number of pages in the log, as SQLite tells it at each commit.
    fn watch_log(&mut self, log_pages: &Arc<AtomicI32>) -> rusqlite::Result<()> {
        let log_pages = Arc::clone(log_pages);
        self.connection.wal_hook(Some(move |_: &mut Wal, pages| {
            log_pages.store(pages, Ordering::Relaxed);
            Ok(())
        }))
    }

    /// All in one commit; one by one when one of them can't be.
    fn commit_all(&mut self, changes: &[Change]) -> Vec<Result<Outcome, StorageError>> {
        match self.commit_together(changes) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(error) if changes.len() > 1 && is_constraint(&error) => changes
                .iter()
                .map(|change| {
                    let outcomes = self.commit_together(std::slice::from_ref(change)).map_err(failed)?;
                    Ok(outcomes.into_iter().next().expect("one change, one outcome"))
                })
                .collect(),
            Err(error) => {
                tracing::error!(%error, changes = changes.len(), "could not commit");
                let told = error.to_string();
                changes
                    .iter()
                    .map(|_| Err(StorageError::Unavailable(told.clone().into())))
                    .collect()
            }
        }
    }

    fn commit_together(&mut self, changes: &[Change]) -> rusqlite::Result<Vec<Outcome>> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut place = super::reads::head(&transaction)?;
        let before = place;
        let mut deltas = Deltas::default();
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            let outcome = apply(&transaction, change, &mut place)?;
            if matches!(outcome, Outcome::Applied { .. }) {
                deltas.add(change);
            }
            outcomes.push(outcome);
        }
        move_counters(&transaction, &deltas)?;
        if place != before {
            let place = i64::try_from(place).expect("fewer than 2^63 events");
            transaction
                .prepare_cached("UPDATE sequence_head SET sequence = ?1")?
                .execute([place])?;
        }
        transaction.commit()?;
        pulse::ring(&self.pulse, place, Instant::now());
        Ok(outcomes)
    }
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// Writes one change; `place` is the last place given out in the sequence.
fn apply(transaction: &Transaction<'_>, change: &Change, place: &mut u64) -> rusqlite::Result<Outcome> {
    if let Some((key, _)) = &change.idempotency
        && let Some(answer) = live_answer(transaction, key, change)?
    {
        return Ok(Outcome::AlreadyAnswered(answer));
    }
    if !write_row(transaction, &change.write)? {
        return Ok(Outcome::Stale);
    }
    if let Some((key, answer)) = &change.idempotency {
        keep_answer(transaction, key, answer)?;
    }
    for event in &change.events {
        *place += 1;
        insert_event(transaction, event, *place)?;
    }
    Ok(Outcome::Applied { sequence: *place })
}

/// Writes one row; `false` when its precondition doesn't hold, and then nothing was written.
fn write_row(transaction: &Transaction<'_>, write: &Write) -> rusqlite::Result<bool> {
    match write {
        Write::CreateWorkspace(workspace) => {
            transaction.execute(
                "INSERT INTO workspaces (id, name, environment, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![
                    workspace.id.to_string(),
                    workspace.name,
                    workspace.environment.name(),
                    workspace.created_at.as_micros()
                ],
            )?;
            Ok(true)
        }
        Write::CreateClientToken(token) => insert_client_token(transaction, token).map(|()| true),
        Write::UpdateClientToken { from, to } => update_client_token(transaction, from, to),
        Write::CreateApiKey(key) => insert_api_key(transaction, key).map(|()| true),
        Write::UpdateApiKey { from, to } => update_api_key(transaction, from, to),
        Write::TouchApiKey { id, used_at } => {
            transaction.execute(
                "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
                params![id.to_string(), used_at.as_micros()],
            )?;
            Ok(true)
        }
        Write::ForgetIdempotentAnswers { now, limit } => {
            transaction.execute(
                "DELETE FROM idempotent_answers WHERE (api_key_id, key) IN (SELECT api_key_id, key FROM \
                 idempotent_answers WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
                params![now.as_micros(), i64::try_from(*limit).unwrap_or(i64::MAX)],
            )?;
            Ok(true)
        }
    }
}

fn insert_client_token(transaction: &Transaction<'_>, token: &ClientToken) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO client_tokens (workspace_id, id, token, name, description, status, created_at, updated_at, \
             revoked_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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
        ])?;
    Ok(())
}

fn update_client_token(transaction: &Transaction<'_>, from: &ClientToken, to: &ClientToken) -> rusqlite::Result<bool> {
    let updated = transaction
        .prepare_cached(
            "UPDATE client_tokens SET name = ?4, description = ?5, status = ?6, updated_at = ?7, revoked_at = ?8, \
             version = ?9 WHERE workspace_id = ?1 AND id = ?2 AND version = ?3",
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
        ])?;
    Ok(updated == 1)
}

fn insert_api_key(transaction: &Transaction<'_>, key: &ApiKey) -> rusqlite::Result<()> {
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

fn update_api_key(transaction: &Transaction<'_>, from: &ApiKey, to: &ApiKey) -> rusqlite::Result<bool> {
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

fn insert_event(transaction: &Transaction<'_>, event: &Event, place: u64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO events (sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            i64::try_from(place).expect("fewer than 2^63 events"),
            event.workspace.to_string(),
            event.id.to_string(),
            event.event_type.name(),
            event.occurred_at.as_micros(),
            event.subject,
            event.actor.kind(),
            event.actor.id(),
            event.data,
        ])?;
    Ok(())
}

/// What the request with this key was answered before, unless that is forgotten when `change` happens.
fn live_answer(
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

fn keep_answer(transaction: &Transaction<'_>, key: &IdempotencyKey, answer: &IdempotentAnswer) -> rusqlite::Result<()> {
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

fn move_counters(transaction: &Transaction<'_>, deltas: &Deltas) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO counters (workspace_id, name, value) VALUES (?1, ?2, ?3) \
         ON CONFLICT (workspace_id, name) DO UPDATE SET value = value + excluded.value",
    )?;
    for (workspace, name, by) in deltas.iter() {
        statement.execute(params![workspace.to_string(), name, by])?;
    }
    Ok(())
}
