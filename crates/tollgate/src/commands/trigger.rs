//! `tollgate trigger`: has a server send an event that didn't happen, and tells how its destinations took it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tollgate_domain::event::EventType;
use tollgate_domain::id::NotificationSettingId;

use super::api_client::{ApiArgs, ApiClient, Raw};
use super::{Told, Usage};
use crate::output::{Output, remark, table};

const PATH: &str = "/tollgate/simulations/trigger";
/// Between two looks at a run, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How long a run may take: an attempt is given five seconds, and may wait for others.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
#[command(after_help = "\
A destination takes simulated events when its traffic_source is simulation or all. A simulated event is sent once, with \
no retry. It isn't one of the workspace's events: `tollgate listen` doesn't see it.

The API key is read from the environment variable TOLLGATE_API_KEY, never from a flag, which other users of the machine \
could see. It needs the permission notification_simulation.write. Exit code 0: every destination has taken it; 1: not.

Examples:
  tollgate trigger client_token.revoked
  tollgate trigger client_token.created --to ntfset_… --payload token.json")]
pub(super) struct Trigger {
    /// What shall seem to have happened.
    #[arg(value_name = "EVENT", value_parser = PossibleValuesParser::new(EventType::ALL.map(EventType::name)))]
    event: String,
    /// The destination, ntfset_… [default: every active one that takes simulated events]
    #[arg(long, value_name = "ID", value_parser = NotificationSettingId::parse)]
    to: Option<NotificationSettingId>,
    /// A file with a JSON object: properties of the token or key, such as its name, in place of the made-up ones; - reads
    /// it from standard input.
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    #[command(flatten)]
    api: ApiArgs,
}

/// A run that was started.
#[derive(Deserialize)]
struct Started {
    id: String,
    simulation_id: String,
    notification_setting_id: String,
}

/// A run as `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    notification_setting_id: &'a str,
    simulation_id: &'a str,
    run: &'a Raw,
}

/// A run as the API shows it.
#[derive(Deserialize)]
struct Run {
    status: String,
    #[serde(default)]
    events: Vec<RunEvent>,
}

#[derive(Deserialize)]
struct RunEvent {
    status: String,
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Response {
    status_code: u16,
}

impl Trigger {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let mut body = json!({ "type": self.event });
        if let Some(to) = self.to {
            body["notification_setting_id"] = to.to_string().into();
        }
        if let Some(file) = &self.payload {
            body["payload"] = Value::Object(object(file)?);
        }
        let client = self.api.client()?;
        let started = client.post::<Vec<Started>>(PATH, &body)?.data;
        let runs = started.iter().map(|run| ended(&client, run));
        let runs: Vec<(Raw, Run)> = runs.collect::<Result<_, _>>()?;

        let shown: Vec<_> = started
            .iter()
            .zip(&runs)
            .map(|(started, (run, _))| Shown {
                notification_setting_id: &started.notification_setting_id,
                simulation_id: &started.simulation_id,
                run,
            })
            .collect();
        output.result(&shown, |out| {
            let rows: Vec<_> = started
                .iter()
                .zip(&runs)
                .map(|(run, (_, ended))| row(run, ended))
                .collect();
            let empty = "No destination takes simulated events.";
            table(out, ["DESTINATION", "RESULT", "ANSWER", "RUN"], &rows, empty)
        })?;
        if runs.iter().any(|(_, run)| run.status == "pending") {
            remark("Some are still to be sent: does the server deliver?");
        }
        let took = |event: &RunEvent| event.status == "success";
        if runs.iter().all(|(_, run)| run.events.iter().all(took)) {
            Ok(())
        } else {
            Err(Told.into())
        }
    }
}

/// The object in the file.
fn object(file: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = super::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let object = serde_json::from_slice(&text);
    object.map_err(|error| Usage(format!("{} must hold a JSON object: {error}", file.display())).into())
}

/// The run when its event was sent, or when patience has ended.
fn ended(client: &ApiClient, started: &Started) -> anyhow::Result<(Raw, Run)> {
    let path = format!("/simulations/{}/runs/{}", started.simulation_id, started.id);
    let (began, mut pause) = (Instant::now(), PAUSES.0);
    loop {
        let raw = client.get::<Raw>(&path, &[("include", "events")])?.data;
        let run: Run = serde_json::from_str(raw.get()).context("the server's answer isn't a run")?;
        if run.status != "pending" || began.elapsed() > PATIENCE {
            return Ok((raw, run));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn row(started: &Started, run: &Run) -> [String; 4] {
    let event = run.events.first();
    let answer = event.and_then(|event| event.response.as_ref());
    [
        started.notification_setting_id.clone(),
        event.map_or(&run.status, |event| &event.status).clone(),
        answer.map_or_else(|| "-".to_owned(), |response| response.status_code.to_string()),
        started.id.clone(),
    ]
}
