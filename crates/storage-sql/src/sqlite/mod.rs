//! SQLite, embedded: one file, one writer thread with group commit, readers beside it.
//!
//! `dir/tollgate.sqlite3` in WAL mode with `synchronous=FULL`: a commit is on the disk before it is acknowledged.
//! Other processes may open the same file; each sees the others' commits within [`pulse::POLL`].

mod checkpoint;
mod connection;
mod migrate;
mod pulse;
mod readers;
mod reads;
mod rows;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::watch;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{ApiKeyId, ApiKeyKind, ClientTokenId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{
    Change, ClientTokenPage, EventPage, IdempotencyKey, IdempotentAnswer, Outcome, Page, Pulse, Slice, Storage,
    StorageError,
};

use crate::queue::Queue;
use readers::Readers;

pub use migrate::{migrate, migrate_to};

/// How the store is run.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// Connections for reading, at least 1.
    pub readers: usize,
    /// Changes that share one commit, at most; 1 commits each alone.
    pub max_batch: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            max_batch: 512,
        }
    }
}

/// The embedded store. Cheap to clone; closes when the last clone is dropped, after what is queued is committed.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    readers: Arc<Readers>,
    pulse: Arc<watch::Sender<Pulse>>,
    running: Arc<Running>,
}

/// What runs beside the callers. Dropping it ends all of it, the writer last.
#[derive(Debug)]
struct Running {
    queue: Mutex<Option<Queue>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Running {
    fn queue(&self) -> Result<Queue, StorageError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue
            .clone()
            .ok_or_else(|| StorageError::Unavailable("the store is closed".into()))
    }

    fn close(&self) {
        // The writer ends when the last sender is gone; the pulse and the checkpoints end with the writer's channels.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close();
    }
}

impl SqliteStore {
    /// Opens the database in the directory `dir`, makes both when they are missing, and brings the schema up to date.
    /// Blocks.
    pub fn open(dir: &Path, options: SqliteOptions) -> Result<Self, StorageError> {
        let mut connection = connection::open_directory(dir)?;
        migrate::to_latest(&mut connection)?;

        let head = reads::head(&connection).map_err(rows::failed)?;
        let (pulse, _) = watch::channel(Pulse {
            sequence: head,
            heard_at: std::time::Instant::now(),
        });
        let pulse = Arc::new(pulse);
        let readers = Arc::new(Readers::open(dir, options.readers.max(1))?);
        let (queue, jobs) = Queue::new();

        let (checkpoints, checkpointer) = checkpoint::Checkpoints::start(connection::open(dir)?)?;
        let (writer_lives, watcher) = pulse::start(connection::open(dir)?, Arc::clone(&pulse))?;
        let writer = writer::Writer {
            connection,
            max_batch: options.max_batch.max(1),
            pulse: Arc::clone(&pulse),
            checkpoints,
            _lives: writer_lives,
        };
        let writer = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run(jobs))
            .map_err(|error| StorageError::Unavailable(error.into()))?;

        connection::keep_names(dir)?;
        let threads = Mutex::new(vec![writer, checkpointer, watcher]);
        Ok(Self {
            readers,
            pulse,
            running: Arc::new(Running {
                queue: Mutex::new(Some(queue)),
                threads,
            }),
        })
    }

    /// Commits what is queued, then stops. What comes later is refused as unavailable. Blocks.
    pub fn close(&self) {
        self.running.close();
    }
}

#[async_trait]
impl Storage for SqliteStore {
    async fn commit(&self, change: Change) -> Result<Outcome, StorageError> {
        self.running.queue()?.commit(change).await
    }

    async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        self.readers
            .read(move |connection| reads::workspace(connection, id))
            .await
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        self.readers.read(reads::workspaces).await
    }

    async fn client_token(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
    ) -> Result<Option<ClientToken>, StorageError> {
        self.readers
            .read(move |connection| reads::client_token(connection, workspace, id))
            .await
    }

    async fn client_tokens(
        &self,
        workspace: WorkspaceId,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::client_tokens(connection, workspace, &page))
            .await
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        self.readers
            .read(move |connection| reads::api_key(connection, id))
            .await
    }

    async fn api_keys(&self, workspace: WorkspaceId, page: &Page<ApiKeyKind>) -> Result<Slice<ApiKey>, StorageError> {
        let page = *page;
        self.readers
            .read(move |connection| reads::api_keys(connection, workspace, page))
            .await
    }

    async fn api_keys_due(
        &self,
        now: Timestamp,
        announce_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StorageError> {
        self.readers
            .read(move |connection| reads::api_keys_due(connection, now, announce_before, limit))
            .await
    }

    async fn events(&self, workspace: WorkspaceId, page: &EventPage) -> Result<Slice<Event>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::events(connection, workspace, &page))
            .await
    }

    async fn events_between(
        &self,
        after: u64,
        upto: u64,
        types: &[EventType],
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        let types = types.to_vec();
        self.readers
            .read(move |connection| reads::events_between(connection, after, upto, &types))
            .await
    }

    async fn idempotent_answer(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StorageError> {
        let key = key.clone();
        self.readers
            .read(move |connection| reads::idempotent_answer(connection, &key, now))
            .await
    }

    async fn sequence(&self) -> Result<u64, StorageError> {
        self.readers.read(reads::head).await
    }

    fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.subscribe()
    }
}
