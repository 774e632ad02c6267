//! How every connection to the file is set up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tollgate_storage::StorageError;

use super::rows::failed;

/// How often a process that waits for another one's write looks again: often, since the lock is free only between two
/// group commits.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
/// How long it waits in all: ten seconds.
const BUSY_TRIES: i32 = 10_000;

/// Makes the directory, for its owner only, then opens the database in it.
pub(super) fn open_directory(dir: &Path) -> Result<Connection, StorageError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| {
        StorageError::Unavailable(format!("can't make the directory {}: {error}", dir.display()).into())
    })?;
    // For its owner only, also in a directory that was there before; the log beside it gets the same rights.
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(file(dir))
        .map_err(|error| StorageError::Unavailable(format!("can't make {}: {error}", file(dir).display()).into()))?;
    open(dir)
}

/// Makes the names of the database's files survive power loss, once they are all there: SQLite itself syncs them with
/// `fdatasync`, which not every file system takes to be about names.
pub(super) fn keep_names(dir: &Path) -> Result<(), StorageError> {
    #[cfg(unix)] // elsewhere a directory can't be opened as a file
    std::fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| {
            StorageError::Unavailable(format!("can't sync the directory {}: {error}", dir.display()).into())
        })?;
    Ok(())
}

/// Opens the database in `dir` for reading and writing.
pub(super) fn open(dir: &Path) -> Result<Connection, StorageError> {
    let path = file(dir);
    let connection = Connection::open(&path)
        .map_err(|error| StorageError::Unavailable(format!("can't open {}: {error}", path.display()).into()))?;
    set_up(connection, false).map_err(failed)
}

/// Opens the database in `dir`, which must exist, for reading.
pub(super) fn open_reader(dir: &Path) -> Result<Connection, StorageError> {
    // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL database may have to recover it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file(dir), flags).map_err(failed)?;
    set_up(connection, true).map_err(failed)
}

fn file(dir: &Path) -> PathBuf {
    dir.join("tollgate.sqlite3")
}

fn set_up(mut connection: Connection, reads_only: bool) -> rusqlite::Result<Connection> {
    connection.busy_handler(Some(|tries| {
        std::thread::sleep(BUSY_PAUSE);
        tries < BUSY_TRIES
    }))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?; // `checkpoint` does it, beside the writer
    connection.pragma_update(None, "temp_store", "memory")?;
    if reads_only {
        connection.pragma_update(None, "query_only", true)?;
    }
    // A statement is planned once, whatever is bound to it later: else some are planned anew each time they run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
