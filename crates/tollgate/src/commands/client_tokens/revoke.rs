//! `tollgate token revoke`: now, or later, or not after all.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::time::Timestamp;
use tollgate_service::ambient::SystemClock;

use super::shown::{Shown, read};
use super::{NATIVE_PATH, PATH};
use crate::commands::api_client::{ApiArgs, ApiClient, Raw};
use crate::commands::span;
use crate::output::{Output, remark};

#[derive(Debug, Args)]
pub(in crate::commands) struct Revoke {
    /// The token's id, ctkn_… (not the token itself)
    #[arg(value_parser = ClientTokenId::parse)]
    id: ClientTokenId,
    /// Not now but at this time, such as 2027-01-31T12:00:00Z. Only Tollgate itself can do this.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    at: Option<Timestamp>,
    /// Not now but in so long, such as 7d or 12h. Only Tollgate itself can do this.
    #[arg(long = "in", value_name = "TIME", value_parser = span::parse, conflicts_with = "at")]
    within: Option<Duration>,
    /// Don't revoke it after all, when it is to be revoked at a time.
    #[arg(long, conflicts_with_all = ["at", "within"])]
    withdraw: bool,
    #[command(flatten)]
    api: ApiArgs,
}

impl Revoke {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.api.client()?;
        let later = self.at.or(self.within.map(|span| SystemClock.now().plus(span)));
        let native = format!("{NATIVE_PATH}/{}", self.id);
        if self.withdraw {
            let raw = client.patch::<Raw>(&native, &json!({ "revoke_at": null }))?.data;
            let token = read(&raw)?;
            output.result(&raw, |out| match token.revoked_at {
                Some(since) => writeln!(out, "{} is revoked since {since}: that stays so", token.id),
                None => writeln!(out, "{} is not to be revoked", token.id),
            })?;
            return Ok(());
        }
        self.tell_last_use(&client)?;
        let (path, body): (_, Value) = match later {
            Some(later) => (native, json!({ "revoke_at": later })),
            None => (format!("{PATH}/{}", self.id), json!({ "status": "revoked" })),
        };
        let raw = client.patch::<Raw>(&path, &body)?.data;
        let token = read(&raw)?;
        output.result(&raw, |out| {
            if let Some(at) = token.revoke_at {
                return writeln!(out, "{} is to be revoked at {at}", token.id);
            }
            let since = token.revoked_at.unwrap_or_default();
            writeln!(out, "{} is revoked since {since}", token.id)
        })?;
        Ok(())
    }

    /// Somebody may still have it. Another server than Tollgate doesn't tell.
    fn tell_last_use(&self, client: &ApiClient) -> anyhow::Result<()> {
        let token = match client.get::<Shown>(&format!("{NATIVE_PATH}/{}", self.id), &[]) {
            Ok(answer) => answer.data,
            Err(error) if error.status() == Some(404) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match token.last_used_at {
            Some(at) => remark(format_args!("Last used at {at}; `tollgate token usage` tells where.")),
            None => remark("Never used, as far as this server knows."),
        }
        Ok(())
    }
}
