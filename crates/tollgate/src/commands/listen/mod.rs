//! `tollgate listen`: follows a workspace's events on any Tollgate server and sends each to a local one, signed as
//! deliveries are.
//!
//! Each event is sent at least once, in order, one at a time. The place in the sequence moves behind an event when the
//! local server has answered, whatever it answered; when it isn't reached, the event waits. `state` keeps the place.

mod filter;
mod follow;
mod receiver;
mod report;
mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Deserialize;
use tokio::sync::{oneshot, watch};

use self::filter::Filter;
use self::follow::{Listener, Stop, present};
use self::receiver::Receiver;
use self::report::{News, Summary};
use self::state::State;
use super::api_client::{ApiArgs, ApiClient};
use super::runtime;
use crate::output::Output;
use crate::signals;

/// How long an event that is on its way gets to be answered when the program is asked to end.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(after_help = "\
Each event is sent exactly as a webhook destination would get it, with the same headers, signed with a secret of this \
listener's own that is printed at the start. The first start begins with the next event. Later starts go on where the \
last one ended, with the same secret: both are kept in the state file.

An event counts as done when your server has answered, whatever it answered; answers other than 2xx are printed and \
not repeated. When your server can't be reached, the event is tried again for --retry-for seconds and then stepped \
over. An event may arrive twice, with the same ids, when this program is ended in between.

The API key is read from the environment variable TOLLGATE_API_KEY, never from a flag, which other users of the machine \
could see. It needs the permission notification.read.

With --json, each line is an object whose kind is one of listening, event, receiver_lost, receiver_back, server_lost, \
server_back, sequence_reset and stopped.

Examples:
  tollgate listen --forward-to http://localhost:3000/webhooks
  tollgate listen --forward-to 'http://localhost:3000/webhooks?from=tollgate' --event 'client_token.*'")]
pub(super) struct Listen {
    /// The URL of your server. Its query is kept.
    #[arg(long, value_name = "URL")]
    forward_to: String,
    /// Only these events, such as client_token.revoked or 'client_token.*'. May be repeated. [default: all]
    #[arg(long = "event", value_name = "EVENT", value_delimiter = ',')]
    events: Vec<String>,
    /// Begin with the next event, whatever the state file says.
    #[arg(long, group = "place")]
    fresh: bool,
    /// Begin with the oldest event that the server still has.
    #[arg(long, group = "place")]
    from_start: bool,
    /// Begin with the event #SEQUENCE: each event is printed with its number.
    #[arg(long, value_name = "SEQUENCE", group = "place")]
    from: Option<u64>,
    /// Where to keep the place and the signing secret. [default: .tollgate/listen-<server>-<workspace>.json]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How many seconds to try again when your server can't be reached, before an event is stepped over.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    retry_for: u32,
    /// How many seconds your server may take to answer. Webhook destinations get 5; the more here, the longer you can
    /// stop at a breakpoint.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    answer_within: u32,
    #[command(flatten)]
    api: ApiArgs,
}

/// Who is calling, as the API's root tells it.
#[derive(Deserialize)]
struct Root {
    api: RootApi,
    caller: RootCaller,
}

#[derive(Deserialize)]
struct RootApi {
    environment: String,
}

#[derive(Deserialize)]
struct RootCaller {
    account: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    id: String,
    name: String,
}

impl Listen {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let filter = Filter::parse(&self.events)?;
        let forward_to = receiver::checked(&self.forward_to)?;
        let client = self.api.client()?;
        let root = client.get::<Root>("/", &[])?.data;
        let account = root
            .caller
            .account
            .context("the server doesn't tell whose API key it is")?;
        let end = end_of(&client)?;

        let path = self.state.clone();
        let path = path.unwrap_or_else(|| state::default_path(client.base_url(), &account.id));
        let (mut state, place) = State::open(&path, &account.id)?;
        state.move_to(self.place(place, end))?;
        let secret = state.secret();
        News::Listening {
            api_url: client.base_url(),
            workspace_id: &account.id,
            workspace_name: &account.name,
            environment: &root.api.environment,
            forward_to: &forward_to,
            events: filter.patterns(),
            sequence: state.sequence(),
            signing_secret: secret.reveal(),
            standard_webhooks_secret: &secret.standard_webhooks(),
            state: state.path(),
        }
        .print(output)?;

        let patience = Duration::from_secs(self.answer_within.into());
        let summary = Summary {
            sequence: state.sequence(),
            ..Summary::default()
        };
        until_stopped(output, summary, |stop, summary| Listener {
            client,
            receiver: Receiver::new(&forward_to, (secret, state.listener()), patience),
            filter,
            state,
            retry_for: Duration::from_secs(self.retry_for.into()),
            output,
            stop,
            summary,
            receiver_lost: false,
        })
    }

    /// After which place to begin. `kept` is the file's, `end` the server's.
    fn place(&self, kept: Option<u64>, end: u64) -> u64 {
        match self.from {
            _ if self.fresh => end,
            _ if self.from_start => 0,
            Some(first) => first.saturating_sub(1),
            None => kept.unwrap_or(end),
        }
    }
}

fn end_of(client: &ApiClient) -> anyhow::Result<u64> {
    present(client).map_err(|error| match error.status() {
        Some(404) => anyhow!(
            "{} has no events to follow: `tollgate listen` needs a Tollgate server, as it uses more than the common API",
            client.base_url()
        ),
        Some(403) => anyhow!("{error}\n  Listening needs the permission notification.read."),
        _ => error.into(),
    })
}

/// Runs the loop on a thread of its own, as it waits for answers without an end; this one waits for Ctrl-C.
fn until_stopped(
    output: Output,
    begin: Summary,
    listener: impl FnOnce(Stop, watch::Sender<Summary>) -> Listener,
) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let asked = {
        let _within = runtime.enter();
        signals::stop_requested()?
    };
    let is_sending = Arc::new(AtomicBool::new(false));
    let stop = Stop {
        asked: asked.clone(),
        runtime: runtime.handle().clone(),
        is_sending: Arc::clone(&is_sending),
    };
    let (summary, seen) = watch::channel(begin);
    let (end, mut ended) = oneshot::channel();
    let mut listener = listener(stop, summary);
    thread::spawn(move || end.send(listener.follow()));
    let result = runtime.block_on(async {
        tokio::select! {
            result = &mut ended => Some(result),
            () = asked.cancelled() => {
                if is_sending.load(Ordering::SeqCst) {
                    tokio::time::timeout(GRACE, &mut ended).await.ok()
                } else {
                    None
                }
            }
        }
    });
    let told = News::Stopped(*seen.borrow()).print(output);
    match result {
        Some(Ok(result)) => result?,
        Some(Err(_)) => anyhow::bail!("the listener failed"),
        None => {}
    }
    told?;
    Ok(())
}
