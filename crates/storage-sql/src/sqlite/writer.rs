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
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, watch};
use tollgate_storage::{Change, Outcome, Pulse, StorageError};

use super::apply::Batch;
use super::checkpoint::Checkpoints;
use super::pulse;
use super::rows::failed;
use crate::queue::{Job, reply_to_all};

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
            reply_to_all(replies.into_iter().zip(outcomes));
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
        let mut batch = Batch::begin(&transaction)?;
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            outcomes.push(batch.apply(change)?);
        }
        let place = batch.end()?;
        transaction.commit()?;
        pulse::ring(&self.pulse, place, Instant::now());
        Ok(outcomes)
    }
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}
