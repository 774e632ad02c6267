//! Connections for reading, and the threads they are used on, so that no disk access holds up the callers' threads.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tollgate_storage::StorageError;

use super::connection;
use super::rows::failed;

/// A fixed number of reading connections.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn open(dir: &Path, count: usize) -> Result<Self, StorageError> {
        let idle = (0..count)
            .map(|_| connection::open_reader(dir))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            idle: Mutex::new(idle),
            permits: Semaphore::new(count),
        })
    }

    /// Runs `query` on an idle connection, as soon as there is one.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let readers = Arc::clone(self);
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        // Runs to its end even when the caller is gone, so the connection always comes back.
        permit.forget();
        let run = move || {
            let lent = Lent::from(readers);
            query(lent.connection()).map_err(failed)
        };
        tokio::task::spawn_blocking(run)
            .await
            .map_err(|error| StorageError::Unavailable(error.into()))?
    }
}

/// A connection on loan; comes back, with its permit, when dropped, panics included.
struct Lent {
    readers: Arc<Readers>,
    connection: Option<Connection>,
}

impl Lent {
    fn from(readers: Arc<Readers>) -> Self {
        let connection = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { readers, connection }
    }

    fn connection(&self) -> &Connection {
        self.connection
            .as_ref()
            .expect("there are as many connections as permits")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.readers
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(self.connection.take());
        self.readers.permits.add_permits(1);
    }
}
