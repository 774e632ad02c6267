//! How many deliveries a store has recorded, as its own counters say, which move in the same commit.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rusqlite::{Connection, OpenFlags};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::server::ServerArgs;
use crate::site::runtime;

/// Between two looks: no store tells another process of a commit.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long recording may take from the moment when everything was received.
const PATIENCE: Duration = Duration::from_mins(1);
const SQL: &str =
    "SELECT CAST(coalesce(sum(value), 0) AS BIGINT) FROM counters WHERE name LIKE 'notifications.%.delivered'";

/// A look into a server's store from outside.
pub(crate) enum Recorded {
    Sqlite(Connection),
    Postgres(Runtime, Client),
}

impl Recorded {
    pub(crate) fn of(args: &ServerArgs) -> anyhow::Result<Self> {
        if let Some(url) = &args.postgres {
            let runtime = runtime()?;
            let client = runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                tokio::spawn(connection);
                anyhow::Ok(client)
            })?;
            return Ok(Self::Postgres(runtime, client));
        }
        let dir: &Path = args.data_dir.as_deref().context("no store is named")?;
        let file = dir.join("tollgate.sqlite3");
        Ok(Self::Sqlite(Connection::open_with_flags(
            file,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?))
    }

    /// In all workspaces, since the store was made.
    pub(crate) fn count(&mut self) -> anyhow::Result<u64> {
        let count: i64 = match self {
            Self::Sqlite(connection) => connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?,
            Self::Postgres(runtime, client) => runtime.block_on(client.query_one(SQL, &[]))?.get(0),
        };
        Ok(u64::try_from(count)?)
    }

    /// Waits until there are so many.
    pub(crate) fn wait_for(&mut self, wanted: u64) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let count = self.count()?;
            ensure!(
                count <= wanted,
                "{count} deliveries were recorded where {wanted} were due"
            );
            if count == wanted {
                return Ok(());
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "{count} of {wanted} deliveries were recorded within {} s",
                PATIENCE.as_secs()
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
