//! The bare engine: SQLite with Tollgate's schema and settings, one thread, nothing in front of it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::{Connection, TransactionBehavior, params};
use tollgate_domain::id::WorkspaceId;

use crate::machine::processor_time;
use crate::rounds::Round;
use crate::seed::{DESCRIPTION, NAME, Rows};

/// The file of an embedded store.
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("tollgate.sqlite3")
}

/// Counts the commits of whoever writes a store: SQLite keeps the count in the index of its write-ahead log, at the
/// place that its file format promises (`iChange`).
pub(crate) struct Commits(File);

impl Commits {
    pub(crate) fn of(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join("tollgate.sqlite3-shm");
        Ok(Self(
            File::open(&path).with_context(|| format!("can't open {}", path.display()))?,
        ))
    }

    /// Grows by one with each commit, and wraps around.
    pub(crate) fn count(&self) -> anyhow::Result<u32> {
        let mut count = [0; 4];
        self.0.read_exact_at(&mut count, 8)?;
        Ok(u32::from_ne_bytes(count))
    }
}

/// One connection that inserts.
pub(crate) struct Engine {
    connection: Connection,
    workspace: String,
    rows: Rows,
}

impl Engine {
    /// Over the store in `dir`, whose schema is there already, with the settings that Tollgate's own writer has; but it
    /// checkpoints by itself, as it has nobody beside it to do so.
    pub(crate) fn open(dir: &Path, workspace: WorkspaceId) -> anyhow::Result<Self> {
        let connection = Connection::open(file(dir))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self {
            connection,
            workspace: workspace.to_string(),
            rows: Rows::of(workspace)?,
        })
    }

    /// Puts so many client tokens into the store. Not durably: what is lost with the machine's power is made anew.
    pub(crate) fn fill(&mut self, count: u64, batch: u64) -> anyhow::Result<()> {
        self.connection.pragma_update(None, "synchronous", "off")?;
        let mut left = count;
        while left > 0 {
            self.commit(batch.min(left))?;
            left -= batch.min(left);
        }
        Ok(self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Commits batches of this size for this long.
    pub(crate) fn round(&mut self, length: Duration, batch: u64) -> anyhow::Result<Round> {
        let myself = std::process::id();
        let before = processor_time(myself)?;
        let began = Instant::now();
        let mut done = 0;
        while began.elapsed() < length {
            self.commit(batch)?;
            done += batch;
        }
        Ok(Round {
            done,
            seconds: began.elapsed().as_secs_f64(),
            processor: Some(processor_time(myself)? - before),
            micros: Vec::new(),
        })
    }

    /// So many client tokens in one commit: token, event and counters, as a create over HTTP writes them.
    pub(crate) fn commit(&mut self, batch: u64) -> anyhow::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let head = "SELECT sequence FROM sequence_head";
            let mut sequence: i64 = transaction.prepare_cached(head)?.query_row([], |row| row.get(0))?;
            let mut new_token = transaction.prepare_cached(
                "INSERT INTO client_tokens (workspace_id, id, token, name, description, status, created_at, updated_at, \
                 revoked_at, version) VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?6, NULL, 1)",
            )?;
            let mut new_event = transaction.prepare_cached(
                "INSERT INTO events (sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data) \
                 VALUES (?1, ?2, ?3, 'client_token.created', ?4, ?5, 'api_key', ?6, ?7)",
            )?;
            for _ in 0..batch {
                let row = self.rows.next();
                sequence += 1;
                new_token.execute(params![row.workspace, row.id, row.token, NAME, DESCRIPTION, row.at])?;
                new_event.execute(params![
                    sequence,
                    row.workspace,
                    row.event_id,
                    row.at,
                    row.id,
                    row.actor,
                    row.data
                ])?;
            }
            let mut moved = transaction.prepare_cached(
                "INSERT INTO counters (workspace_id, name, value) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (workspace_id, name) DO UPDATE SET value = value + excluded.value",
            )?;
            for name in ["client_tokens.active", "events.client_token.created"] {
                moved.execute(params![self.workspace, name, i64::try_from(batch)?])?;
            }
            transaction
                .prepare_cached("UPDATE sequence_head SET sequence = ?1")?
                .execute([sequence])?;
        }
        Ok(transaction.commit()?)
    }
}
