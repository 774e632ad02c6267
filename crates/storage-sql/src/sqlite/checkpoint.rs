//! Moves committed pages from the write-ahead log into the database, on a connection of its own, so that the writer
//! does not stall for it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tollgate_storage::StorageError;

/// From this many pages in the log on (4 MiB) a checkpoint is worth its syncs.
pub(super) const PAGES: i32 = 1_000;
/// From this many pages on (256 MiB) the checkpoints don't keep up, and the writer makes one itself between commits.
pub(super) const TOO_MANY_PAGES: i32 = 65_536;

/// Starts the thread. Each message asks for a checkpoint; it ends when the sender is dropped.
pub(super) fn start(connection: Connection) -> Result<(SyncSender<()>, JoinHandle<()>), StorageError> {
    let (sender, wishes) = sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("sqlite-checkpoint".to_owned())
        .spawn(move || run(&connection, &wishes))
        .map_err(|error| StorageError::Unavailable(error.into()))?;
    Ok((sender, thread))
}

fn run(connection: &Connection, wishes: &Receiver<()>) {
    while wishes.recv().is_ok() {
        passive(connection);
    }
}

/// Copies what no reader still needs; waits for nobody.
pub(super) fn passive(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "checkpoint failed; the next one copies more");
    }
}
