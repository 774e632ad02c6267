//! `tollgate openapi`: what a server gives at `/openapi.json`, without a server.

use std::io::{self, Write};

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tollgate openapi > openapi.json")]
pub(super) struct Openapi {}

impl Openapi {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(self) -> anyhow::Result<()> {
        let document = serde_json::to_string_pretty(&tollgate_web::openapi())?;
        writeln!(io::stdout().lock(), "{document}")?;
        Ok(())
    }
}
