//! Follows the file's sequence, so that commits of other processes are noticed too.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;
use tollgate_storage::{Pulse, StorageError};

use super::reads;

/// How often the file is looked at. Asking for its data version takes microseconds.
pub(super) const POLL: Duration = Duration::from_millis(40);
/// How often the pulse rings although nothing happened.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// Starts the thread; it ends when the sender is dropped.
pub(super) fn start(
    connection: Connection,
    pulse: Arc<watch::Sender<Pulse>>,
) -> Result<(Sender<()>, JoinHandle<()>), StorageError> {
    let (lives, ended) = channel();
    let run = move || {
        let mut seen = None;
        let mut rang_at = Instant::now();
        while ended.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
            let heard_at = Instant::now();
            let looked = look(&connection, &mut seen, heard_at.duration_since(rang_at) >= HEARTBEAT);
            match looked {
                Ok(Some(sequence)) => {
                    ring(&pulse, sequence, heard_at);
                    rang_at = heard_at;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "could not follow the database file"),
            }
        }
    };
    let thread = std::thread::Builder::new()
        .name("sqlite-pulse".to_owned())
        .spawn(run)
        .map_err(|error| StorageError::Unavailable(error.into()))?;
    Ok((lives, thread))
}

/// The head of the sequence if anything was committed since the last look, or if it is `due` anyway.
fn look(connection: &Connection, seen: &mut Option<i64>, due: bool) -> rusqlite::Result<Option<u64>> {
    let version: i64 = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
    if *seen == Some(version) && !due {
        return Ok(None);
    }
    let head = reads::head(connection)?;
    *seen = Some(version);
    Ok(Some(head))
}

/// Publishes what was heard; the sequence and the time of hearing only ever move forward.
pub(super) fn ring(pulse: &watch::Sender<Pulse>, sequence: u64, heard_at: Instant) {
    pulse.send_modify(|last| {
        last.sequence = last.sequence.max(sequence);
        last.heard_at = last.heard_at.max(heard_at);
    });
}
