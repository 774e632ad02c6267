//! `tollgate token usage`.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use tollgate_domain::id::ClientTokenId;

use super::NATIVE_PATH;
use crate::commands::api_client::{ApiArgs, Raw};
use crate::output::{Output, table};

#[derive(Debug, Args)]
pub(in crate::commands) struct ShowUsage {
    /// The token's id, ctkn_… (not the token itself)
    #[arg(value_parser = ClientTokenId::parse)]
    id: ClientTokenId,
    /// Each hour in which it was presented as well.
    #[arg(long)]
    hours: bool,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Deserialize)]
struct Told {
    last_used_at: Option<String>,
    totals: Totals,
    hours: Vec<Hour>,
    origins: Vec<Origin>,
}

#[derive(Deserialize)]
struct Totals {
    #[serde(rename = "last_hour")]
    hour: Counts,
    #[serde(rename = "last_24_hours")]
    day: Counts,
    #[serde(rename = "last_7_days")]
    week: Counts,
}

#[derive(Deserialize)]
struct Hour {
    begins_at: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Deserialize)]
struct Counts {
    allowed: u64,
    refused: u64,
    would_refuse: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Origin {
    origin: String,
    allowed: u64,
}

impl ShowUsage {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let path = format!("{NATIVE_PATH}/{}/usage", self.id);
        let raw = self.api.client()?.get::<Raw>(&path, &[])?.data;
        let told: Told = serde_json::from_str(raw.get()).context("the server's answer isn't a client token's usage")?;
        output.result(&raw, |out| {
            match &told.last_used_at {
                Some(at) => writeln!(out, "Last used at {at}\n")?,
                None => writeln!(out, "Never used\n")?,
            }
            let mut rows = vec![
                row("last hour", &told.totals.hour),
                row("last 24 hours", &told.totals.day),
                row("last 7 days", &told.totals.week),
            ];
            if self.hours {
                rows.extend(told.hours.iter().map(|hour| row(&hour.begins_at, &hour.counts)));
            }
            table(out, ["TIME", "ALLOWED", "REFUSED", "WOULD REFUSE"], &rows, "")?;
            if !told.origins.is_empty() {
                writeln!(out)?;
                let rows: Vec<_> = told
                    .origins
                    .iter()
                    .map(|origin| [origin.origin.clone(), origin.allowed.to_string()])
                    .collect();
                table(out, ["ORIGIN", "ALLOWED"], &rows, "")?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn row(time: &str, counts: &Counts) -> [String; 4] {
    let would: Vec<String> = counts
        .would_refuse
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let would = if would.is_empty() {
        "-".to_owned()
    } else {
        would.join(", ")
    };
    [
        time.to_owned(),
        counts.allowed.to_string(),
        counts.refused.to_string(),
        would,
    ]
}
