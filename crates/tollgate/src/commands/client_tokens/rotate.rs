//! `tollgate token rotate`.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::time::Timestamp;
use tollgate_service::ambient::SystemClock;

use super::NATIVE_PATH;
use super::shown::Shown;
use crate::commands::api_client::{ApiArgs, Raw};
use crate::commands::span;
use crate::output::{Output, facts};

#[derive(Debug, Args)]
pub(in crate::commands) struct Rotate {
    /// The token's id, ctkn_… (not the token itself)
    #[arg(value_parser = ClientTokenId::parse)]
    id: ClientTokenId,
    /// How long the old token goes on, such as 7d or 12h. [default: 7d, or less if its end is scheduled]
    #[arg(long, value_name = "TIME", value_parser = span::parse)]
    revoke_in: Option<Duration>,
    /// When the old token is revoked, such as 2027-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse, conflicts_with = "revoke_in")]
    revoke_at: Option<Timestamp>,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Deserialize)]
struct Rotation {
    successor: Shown,
    old: Shown,
}

impl Rotate {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let mut body = Map::new();
        let in_a_while = self.revoke_in.map(|span| SystemClock.now().plus(span));
        if let Some(revoke_at) = self.revoke_at.or(in_a_while) {
            body.insert("revoke_at".to_owned(), json!(revoke_at));
        }
        let path = format!("{NATIVE_PATH}/{}/rotate", self.id);
        let raw = self.api.client()?.post::<Raw>(&path, &body.into())?.data;
        let Rotation { successor, old } = serde_json::from_str(raw.get())?;
        output.result(&raw, |out| {
            let never = || "never".to_owned();
            facts(
                out,
                &[
                    ("new id", successor.id),
                    ("new token", successor.token),
                    ("old id", old.id),
                    ("old token", old.token),
                    ("old token's last use", old.last_used_at.unwrap_or_else(never)),
                    ("old token is revoked at", old.revoke_at.unwrap_or_else(never)),
                ],
            )
        })?;
        Ok(())
    }
}
