//! `tollgate explain-signature`: which of a verifier's checks a delivery fails, and what would have passed.

mod body;
mod header;
mod json;
mod secret;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use tollgate_domain::ambient::Clock as _;
use tollgate_domain::signature::{EndpointSecret, TOLERANCE_SECONDS};
use tollgate_domain::time::Timestamp;
use tollgate_service::ambient::SystemClock;

use self::header::Header;
use super::{Told, Usage, read};
use crate::config::environment::ENDPOINT_SECRET;
use crate::output::{Output, visible};

#[derive(Debug, Args)]
#[command(after_help = "\
Verifiers make three checks: the header is well formed, the signature belongs to these bytes and this secret, and it is \
at most 5 seconds old. This says which one fails. When it is the second, other forms of the secret and of the body are \
tried, such as JSON that was parsed and written anew, and it says which one fits.

The body file must hold the bytes of the request, as they came. Exit code 0: the signature is good; 1: it is not.

Example:
  TOLLGATE_ENDPOINT_SECRET=pdl_ntfset_… tollgate explain-signature --body-file body.json \\
    --header 'ts=1773074452;h1=b067…' --at 2026-03-09T16:40:53Z")]
pub(super) struct ExplainSignature {
    /// The destination's secret, pdl_ntfset_… Better given as TOLLGATE_ENDPOINT_SECRET or --secret-file, as other users
    /// of the machine can see flags.
    #[arg(long, group = "the_secret")]
    secret: Option<String>,
    /// A file that holds the secret.
    #[arg(long, value_name = "FILE", group = "the_secret")]
    secret_file: Option<PathBuf>,
    /// The value of the header Paddle-Signature.
    #[arg(long)]
    header: String,
    /// A file with the bytes of the request's body; - reads them from standard input.
    #[arg(long, value_name = "FILE")]
    body_file: PathBuf,
    /// When the request was received, such as 2026-03-09T16:40:53Z, or the seconds since 1970. [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<i64>()
        && let Some(time) = seconds.checked_mul(1_000_000).and_then(Timestamp::from_micros)
    {
        return Ok(time);
    }
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Explanation {
    good: bool,
    checks: Vec<Finding>,
    /// What may be the reason when none was found for sure, and what else is worth knowing.
    hints: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    passed: bool,
    detail: String,
}

impl Explanation {
    fn add(&mut self, check: &'static str, passed: bool, detail: impl Into<String>) {
        let detail = detail.into();
        self.checks.push(Finding { check, passed, detail });
    }
}

impl ExplainSignature {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let secret = self.secret()?;
        let body = read(&self.body_file).with_context(|| format!("can't read {}", self.body_file.display()))?;
        let at = self.at.unwrap_or_else(|| SystemClock.now());
        let explanation = explain(&secret, &self.header, &body, at, self.at.is_some());
        output.result(&explanation, |out| {
            for check in &explanation.checks {
                let passed = if check.passed { "ok   " } else { "WRONG" };
                writeln!(out, "{:9}  {passed}  {}", check.check, visible(&check.detail))?;
            }
            for hint in &explanation.hints {
                writeln!(out, "{:9}         {}", "", visible(hint))?;
            }
            writeln!(
                out,
                "The signature is {}good.",
                if explanation.good { "" } else { "not " }
            )
        })?;
        if explanation.good { Ok(()) } else { Err(Told.into()) }
    }

    fn secret(&self) -> anyhow::Result<String> {
        let (secret, place) = if let Some(secret) = &self.secret {
            (secret.clone(), "--secret".to_owned())
        } else if let Some(file) = &self.secret_file {
            let text = std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
            (
                text.trim_end_matches(['\n', '\r']).to_owned(),
                file.display().to_string(),
            )
        } else {
            let secret = std::env::var(ENDPOINT_SECRET).unwrap_or_default();
            (secret, ENDPOINT_SECRET.to_owned())
        };
        if secret.is_empty() {
            return Err(Usage(format!(
                "no secret is in {place}: give the destination's endpoint_secret_key by {ENDPOINT_SECRET} or --secret-file"
            ))
            .into());
        }
        Ok(secret)
    }
}

/// Makes the checks. `was_told` when somebody said when it was received.
fn explain(secret: &str, header: &str, body: &[u8], at: Timestamp, was_told: bool) -> Explanation {
    let mut explanation = Explanation::default();
    let header = match header::read(header) {
        Ok(header) => header,
        Err(problem) => {
            explanation.add("header", false, problem);
            return explanation;
        }
    };
    let count = match header.signatures.len() {
        1 => "one signature".to_owned(),
        many => format!("{many} signatures"),
    };
    let signed_at = Timestamp::from_micros(
        i64::try_from(header.seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000),
    );
    let signed_at = signed_at.map_or_else(|| "an impossible time".to_owned(), |time| time.to_string());
    explanation.add("header", true, format!("{count}, made at {signed_at}"));
    check_signature(&mut explanation, &header, secret, body);
    check_age(&mut explanation, header.seconds, at, was_told);
    explanation.good = explanation.checks.iter().all(|check| check.passed);
    explanation
}

fn check_signature(explanation: &mut Explanation, header: &Header, secret: &str, body: &[u8]) {
    let secrets = secret::variants(secret);
    let bodies = body::variants(body);
    let fits = |secret: &str, body: &[u8]| header.position(&EndpointSecret::from_text(secret), body);
    let found = secrets.iter().find_map(|secret| {
        let body = bodies.iter().find(|body| fits(&secret.text, &body.bytes).is_some())?;
        Some((secret, body))
    });
    let Some((right_secret, right_body)) = found else {
        explanation.add(
            "signature",
            false,
            "it isn't made with this secret over these bytes, nor over another form of either",
        );
        explanation.hints.extend(secret::hints(secret, body));
        explanation.hints.extend(body::hints(body));
        return;
    };
    if let Some(why) = &right_secret.why {
        explanation.add("secret", false, *why);
    }
    if let Some(why) = &right_body.why {
        explanation.add("body", false, why.clone());
    }
    if right_secret.why.is_none() && right_body.why.is_none() {
        explanation.add("signature", true, "made with this secret over these bytes");
    }
    let last = header.signatures.len() - 1;
    if fits(&right_secret.text, &right_body.bytes).is_some_and(|position| position != last) {
        explanation.hints.push(
            "It isn't the last of the signatures in the header: verifiers that look only at the last one refuse it."
                .to_owned(),
        );
    }
}

fn check_age(explanation: &mut Explanation, signed_at: u64, at: Timestamp, was_told: bool) {
    let now = at.as_millis() / 1_000;
    let age = now.saturating_sub(signed_at);
    let when = if was_told { "the time given" } else { "now" };
    if age > TOLERANCE_SECONDS {
        let told = if was_told {
            "Either the receiver's clock is fast, or the request was held up"
        } else {
            "For a request that came earlier, say when it came with --at"
        };
        let problem = format!("{age} s before {when}, and verifiers accept {TOLERANCE_SECONDS} s. {told}");
        explanation.add("age", false, problem);
        return;
    }
    explanation.add("age", true, format!("{age} s before {when}"));
    let ahead = signed_at.saturating_sub(now);
    if ahead > 0 {
        explanation.hints.push(format!(
            "It was made {ahead} s after {when}: the two clocks differ. Verifiers accept that."
        ));
    }
}

#[cfg(test)]
mod tests;
