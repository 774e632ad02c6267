//! Which processes deliver from a file: each holds a shared lock on a file beside it as long as it lives, whatever ends it.
//! Who gets that lock for itself alone knows that every lease in the store is of a process that is gone.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};
use tollgate_domain::time::Timestamp;
use tollgate_storage::StorageError;

use super::connection;
use super::rows::failed;

const LOCK: &str = "tollgate.delivering";

/// Takes the lock, and ends the leases that nobody holds any more; their number. `longest` is how long a lease lasts at
/// most. Blocks.
pub(super) fn begin(dir: &Path, now: Timestamp, longest: Duration) -> Result<(File, usize), StorageError> {
    let unlocked = |error: io::Error| {
        StorageError::Unavailable(format!("can't lock {}: {error}", dir.join(LOCK).display()).into())
    };
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(dir.join(LOCK)).map_err(unlocked)?;
    let ended = match lock.try_lock() {
        Ok(()) => {
            let ended = end_leases(&connection::open(dir)?, now, longest).map_err(failed)?;
            lock.unlock().map_err(unlocked)?;
            ended
        }
        Err(TryLockError::WouldBlock) => 0,
        Err(TryLockError::Error(error)) => return Err(unlocked(error)),
    };
    lock.lock_shared().map_err(unlocked)?;
    Ok((lock, ended))
}

/// Due again as before the lease. A retry that is due within this time by its schedule is none.
fn end_leases(connection: &Connection, now: Timestamp, longest: Duration) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE notifications SET due_at = coalesce(retry_at, occurred_at) WHERE setting_id IN (SELECT id FROM \
         notification_settings) AND due_at > ?1 AND due_at <= ?2 AND due_at <> coalesce(retry_at, occurred_at)",
        params![now.as_micros(), now.plus(longest).as_micros()],
    )
}
