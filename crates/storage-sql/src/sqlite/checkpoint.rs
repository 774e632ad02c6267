//! Moves committed pages from the write-ahead log into the database, on a connection of its own, so that the writer
//! does not stall for it.
//!
//! Only a log that is moved whole is written from its beginning again, and while the writer writes, the checkpoint never
//! gets to its end. So the writer moves the little that came meanwhile itself, between two commits. That keeps the log
//! short, and its file as long as it is: a sync over what is there costs half of one that lets the file grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tollgate_storage::StorageError;

/// From this many pages in the log on (4 MiB) a checkpoint is worth its syncs.
const PAGES: i32 = 1_000;

const IDLE: u8 = 0;
const ASKED: u8 = 1;
const MOVED: u8 = 2;

/// The writer's end.
#[derive(Debug)]
pub(super) struct Checkpoints {
    state: Arc<AtomicU8>,
    wishes: SyncSender<()>,
}

impl Checkpoints {
    /// Starts the thread; it ends when this end is dropped.
    pub(super) fn start(connection: Connection) -> Result<(Self, JoinHandle<()>), StorageError> {
        let (sender, wishes) = sync_channel(1);
        let state = Arc::new(AtomicU8::new(IDLE));
        let told = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("sqlite-checkpoint".to_owned())
            .spawn(move || run(&connection, &wishes, &told))
            .map_err(|error| StorageError::Unavailable(error.into()))?;
        Ok((Self { state, wishes: sender }, thread))
    }

    /// Tells that the log holds `pages` after a commit on `connection`.
    pub(super) fn after_commit(&self, connection: &Connection, pages: i32) {
        match self.state.load(Ordering::Acquire) {
            IDLE if pages >= PAGES => {
                self.state.store(ASKED, Ordering::Release);
                let _ = self.wishes.try_send(()); // never full: it is asked for once at a time
            }
            MOVED => {
                passive(connection);
                self.state.store(IDLE, Ordering::Release);
            }
            _ => {}
        }
    }
}

fn run(connection: &Connection, wishes: &Receiver<()>, state: &AtomicU8) {
    while wishes.recv().is_ok() {
        passive(connection);
        state.store(MOVED, Ordering::Release);
    }
}

/// Copies what no reader still needs; waits for nobody.
fn passive(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "checkpoint failed; the next one copies more");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI32;

    use super::super::connection;
    use super::*;

    #[test]
    fn the_log_begins_anew_although_changes_came_during_the_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = connection::open(dir.path()).unwrap();
        let pages = Arc::new(AtomicI32::new(0));
        let told = Arc::clone(&pages);
        writer
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
                told.store(pages, Ordering::Relaxed);
                Ok(())
            }))
            .unwrap();
        let (checkpoints, thread) = Checkpoints::start(connection::open(dir.path()).unwrap()).unwrap();
        let write = |bytes: i32| {
            writer
                .execute("INSERT INTO filler VALUES (zeroblob(?1))", [bytes])
                .unwrap();
            checkpoints.after_commit(&writer, pages.load(Ordering::Relaxed));
            pages.load(Ordering::Relaxed)
        };
        writer.execute_batch("CREATE TABLE filler (bytes BLOB)").unwrap();

        checkpoints.state.store(ASKED, Ordering::Release); // as if the thread were at it
        let full = write(PAGES * 4_096);
        assert!(full > PAGES, "{full}");
        let other = connection::open(dir.path()).unwrap();
        other.execute_batch("BEGIN; SELECT count(*) FROM filler").unwrap(); // keeps what comes now from being moved
        write(1);
        passive(&connection::open(dir.path()).unwrap());
        other.execute_batch("COMMIT").unwrap();
        checkpoints.state.store(MOVED, Ordering::Release);
        let meanwhile = write(1);
        assert!(
            meanwhile > full,
            "the log grows while a part of it is not moved: {meanwhile}"
        );

        let anew = write(1);
        assert!(anew < PAGES / 10, "{anew}");
        drop(checkpoints);
        thread.join().unwrap();
    }
}
