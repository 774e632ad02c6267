//! `tollgate migrate`: brings a database to this version, ahead of the servers that would do it themselves.

use clap::Args;
use serde_json::json;

use super::store_args::StoreArgs;
use crate::compose;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(
    after_help = "A database is only ever brought forward; make a backup before you move to a new version.\n\n\
    Example:\n  tollgate migrate --data-dir ./data"
)]
pub(super) struct Migrate {
    #[command(flatten)]
    store: StoreArgs,
}

impl Migrate {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let (from, to) = compose::migrate(&self.store.store()?).await?;
        output.result(&json!({ "from": from, "to": to }), |out| {
            if from == to {
                writeln!(
                    out,
                    "The database is at schema version {to} already; nothing was changed."
                )
            } else {
                writeln!(out, "The database was brought from schema version {from} to {to}.")
            }
        })?;
        Ok(())
    }
}
