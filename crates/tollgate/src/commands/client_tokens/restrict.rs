//! `tollgate token restrict`, and the same flags of `tollgate token create`.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::restriction::RestrictionKind;
use tollgate_domain::time::Timestamp;

use super::shown::read;
use super::{NATIVE_PATH, Usage};
use crate::commands::api_client::{ApiArgs, Raw};
use crate::commands::span;
use crate::output::{Output, facts};

/// What a token is narrowed to. The server holds the values against its rules.
#[derive(Debug, Args)]
#[command(next_help_heading = "Restrictions")]
pub(in crate::commands) struct RestrictionArgs {
    /// A site whose pages may present the token, such as https://shop.example.com or https://*.example.com. May be
    /// repeated. It stops browsers, which tell their site truthfully, not scripts.
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// A network of clients that may present it, such as 203.0.113.7 or 10.0.0.0/8. May be repeated.
    #[arg(long = "allow-network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// A scope that it has, for routes that ask for one. May be repeated.
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    /// When it stops letting anybody in, such as 2027-01-31 or 2027-01-31T12:00:00Z; other than a revocation, this can
    /// be changed later.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    expires_at: Option<Timestamp>,
    /// How often it may be presented from one client address, such as 100/60s, 1000/1h.
    #[arg(long, value_name = "REQUESTS/TIME", value_parser = rate_limit)]
    rate_limit: Option<(NonZeroU32, u64)>,
    /// A restriction that refuses nothing: what it would have refused is counted. May be repeated; those that aren't
    /// named are enforced.
    #[arg(long, value_name = "RESTRICTION")]
    report_only: Vec<Named>,
}

/// A kind of restriction by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Named(RestrictionKind);

impl ValueEnum for Named {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(RestrictionKind::AllowedOrigins),
            Self(RestrictionKind::AllowedNetworks),
            Self(RestrictionKind::Scopes),
            Self(RestrictionKind::ExpiresAt),
            Self(RestrictionKind::RateLimit),
        ]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

#[derive(Debug, Args)]
pub(in crate::commands) struct Restrict {
    /// The token's id, ctkn_… (not the token itself)
    #[arg(value_parser = ClientTokenId::parse)]
    id: ClientTokenId,
    #[command(flatten)]
    restrictions: RestrictionArgs,
    /// Enforce all restrictions, also those that were only reported.
    #[arg(long, conflicts_with = "report_only")]
    enforce: bool,
    /// A restriction to take away. May be repeated.
    #[arg(long, value_name = "RESTRICTION")]
    remove: Vec<Named>,
    /// Take all restrictions away.
    #[arg(long, conflicts_with_all = [
        "remove", "enforce", "report_only", "origins", "networks", "scopes", "expires_at", "rate_limit",
    ])]
    remove_all: bool,
    #[command(flatten)]
    api: ApiArgs,
}

impl RestrictionArgs {
    /// The `restrictions` of a body; `None` when nothing was named.
    pub(super) fn patch(&self) -> Option<Value> {
        let mut patch = Map::new();
        for (kind, values) in [
            (RestrictionKind::AllowedOrigins, &self.origins),
            (RestrictionKind::AllowedNetworks, &self.networks),
            (RestrictionKind::Scopes, &self.scopes),
        ] {
            if !values.is_empty() {
                patch.insert(kind.name().to_owned(), json!(values));
            }
        }
        if let Some(expires_at) = self.expires_at {
            patch.insert(RestrictionKind::ExpiresAt.name().to_owned(), json!(expires_at));
        }
        if let Some((requests, period_seconds)) = self.rate_limit {
            let limit = json!({ "requests": requests, "period_seconds": period_seconds });
            patch.insert(RestrictionKind::RateLimit.name().to_owned(), limit);
        }
        if !self.report_only.is_empty() {
            let names: Vec<&str> = self.report_only.iter().map(|kind| kind.0.name()).collect();
            patch.insert("report_only".to_owned(), json!(names));
        }
        (!patch.is_empty()).then_some(Value::Object(patch))
    }
}

impl Restrict {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let path = format!("{NATIVE_PATH}/{}", self.id);
        let body = json!({ "restrictions": self.restrictions()? });
        let raw = self.api.client()?.patch::<Raw>(&path, &body)?.data;
        let token = read(&raw)?;
        output.result(&raw, |out| facts(out, &token.facts()))?;
        Ok(())
    }

    fn restrictions(&self) -> Result<Value, Usage> {
        if self.remove_all {
            return Ok(Value::Null);
        }
        let mut patch = match self.restrictions.patch() {
            Some(Value::Object(patch)) => patch,
            _ => Map::new(),
        };
        for kind in &self.remove {
            let name = kind.0.name();
            if patch
                .insert(name.to_owned(), Value::Null)
                .is_some_and(|value| !value.is_null())
            {
                return Err(Usage(format!("{name} is both set and taken away")));
            }
        }
        if self.enforce {
            patch.insert("report_only".to_owned(), json!([]));
        }
        if patch.is_empty() {
            return Err(Usage(
                "nothing to change was named: give --allow-origin or another restriction, --report-only, --enforce or \
                 --remove"
                    .to_owned(),
            ));
        }
        Ok(Value::Object(patch))
    }
}

fn rate_limit(text: &str) -> Result<(NonZeroU32, u64), String> {
    let limit = text.split_once('/').and_then(|(requests, period)| {
        let period = span::parse(period).ok()?;
        Some((requests.parse().ok()?, period.as_secs()))
    });
    limit.ok_or_else(|| "write it as 100/60s: requests, a slash, and a time with s, m, h or d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_is_requests_in_a_time() {
        let requests = |number| NonZeroU32::new(number).unwrap();
        assert_eq!(rate_limit("100/60s"), Ok((requests(100), 60)));
        assert_eq!(rate_limit("1000/1h"), Ok((requests(1_000), 3_600)));
        for text in ["", "100", "100/", "/60s", "0/60s", "100/60", "100/60s/1", "-1/60s"] {
            assert!(rate_limit(text).is_err(), "{text:?}");
        }
    }
}
