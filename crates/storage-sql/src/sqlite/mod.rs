//! SQLite, embedded: one file, one writer thread with group commit, readers beside it.
//!
//! `dir/tollgate.sqlite3` in WAL mode with `synchronous=FULL`: a commit is on the disk before it is acknowledged.
//! Other processes may open the same file; each sees the others' commits within [`pulse::POLL`].

mod apply;
mod checkpoint;
mod connection;
mod delivering;
mod migrate;
mod pulse;
mod readers;
mod reads;
mod rows;
mod storage;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Pulse, StorageError};

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
    dir: PathBuf,
    queue: Mutex<Option<Queue>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Locked by whoever delivers.
    delivering: Mutex<Option<File>>,
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
                dir: dir.to_owned(),
                queue: Mutex::new(Some(queue)),
                threads,
                delivering: Mutex::new(None),
            }),
        })
    }

    /// To be called once by who delivers from this store, before it begins. What a process that is gone has leased is due
    /// again at once, unless another one delivers from this file; how many notifications that are. Leases last
    /// `longest` at most. Blocks.
    pub fn begin_delivering(&self, now: Timestamp, longest: Duration) -> Result<usize, StorageError> {
        let (lock, ended) = delivering::begin(&self.running.dir, now, longest)?;
        let mut delivering = self.running.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        *delivering = Some(lock);
        Ok(ended)
    }

    /// Commits what is queued, then stops. What comes later is refused as unavailable. Blocks.
    pub fn close(&self) {
        self.running.close();
    }
}
