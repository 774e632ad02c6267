//! `--data-dir` and `--database-url`: which store a command works on, whether or not a server runs on it.

use clap::Args;

use crate::config::{Invalid, StoreAt};

/// Where the data is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the data is (exactly one)")]
pub(super) struct StoreArgs {
    /// The directory of the embedded database. [env: TOLLGATE_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// The URL of a PostgreSQL database, postgres://user:password@host:5432/database. Better given by the environment,
    /// as other users of the machine can see flags. [env: TOLLGATE_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

impl StoreArgs {
    pub(super) fn store(&self) -> Result<StoreAt, Invalid> {
        StoreAt::from_flags(self.data_dir.as_ref(), self.database_url.as_ref())
    }
}
