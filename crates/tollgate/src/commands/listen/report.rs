//! What `listen` prints: lines for people, one JSON object a line for programs.

use std::io;
use std::path::Path;

use serde::Serialize;

use crate::output::{Output, remark, visible};

/// Something to tell. Its JSON has the variant's name as `kind`.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum News<'a> {
    /// It begins.
    Listening {
        api_url: &'a str,
        workspace_id: &'a str,
        workspace_name: &'a str,
        environment: &'a str,
        forward_to: &'a str,
        events: &'a [String],
        /// The first event is the next after this place.
        sequence: u64,
        signing_secret: &'a str,
        standard_webhooks_secret: &'a str,
        state: &'a Path,
    },
    /// An event is done with.
    Event(Outcome<'a>),
    /// The local server isn't reached; the event waits.
    ReceiverLost { forward_to: &'a str, problem: &'a str },
    /// It is reached again.
    ReceiverBack { forward_to: &'a str },
    /// The Tollgate server isn't reached.
    ServerLost { problem: &'a str },
    /// It is reached again.
    ServerBack { sequence: u64 },
    /// The server's sequence ends before the place where the listener was: it is another store now.
    SequenceReset { from: u64, to: u64 },
    /// It ends.
    Stopped(Summary),
}

/// What became of one event.
#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    pub(super) sequence: u64,
    pub(super) event_id: String,
    pub(super) event_type: &'a str,
    pub(super) notification_id: String,
    /// What the local server answered with; null without an answer.
    pub(super) status: Option<u16>,
    pub(super) duration_ms: u128,
    pub(super) attempts: u32,
    /// What it said, or why there is no answer.
    pub(super) problem: Option<String>,
    /// Whether it was given up without having been received.
    pub(super) stepped_over: bool,
}

/// All of it in numbers.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Answered with 2xx.
    pub(super) accepted: u64,
    /// Answered otherwise, or not in time.
    pub(super) refused: u64,
    /// Never received.
    pub(super) stepped_over: u64,
    /// Starting again goes on after this place.
    pub(super) sequence: u64,
}

impl News<'_> {
    /// Prints it. An error means that nobody reads any more.
    pub(super) fn print(&self, output: Output) -> io::Result<()> {
        if !output.json && self.is_trouble() {
            remark(self.line());
            return Ok(());
        }
        output.result(self, |out| writeln!(out, "{}", self.line()))
    }

    const fn is_trouble(&self) -> bool {
        !matches!(self, Self::Listening { .. } | Self::Event(_) | Self::Stopped(_))
    }

    fn line(&self) -> String {
        match self {
            Self::Listening { .. } => self.greeting(),
            Self::Event(outcome) => outcome.line(),
            Self::ReceiverLost { forward_to, problem } => {
                format!("{forward_to} isn't reached ({problem}). Trying again; no event is lost meanwhile.")
            }
            Self::ReceiverBack { forward_to } => format!("{forward_to} is back."),
            Self::ServerLost { problem } => format!("Lost the server: {}. Trying again.", visible(problem)),
            Self::ServerBack { sequence } => format!("The server is back; going on after #{sequence}."),
            Self::SequenceReset { from, to } => format!(
                "The server's events end at #{to}, before #{from}, where this listener was: its data was replaced. Going \
                 on from #{to}; --from SEQUENCE goes back."
            ),
            Self::Stopped(summary) => format!(
                "Stopped after #{}: {} accepted, {} refused, {} stepped over.",
                summary.sequence, summary.accepted, summary.refused, summary.stepped_over
            ),
        }
    }

    fn greeting(&self) -> String {
        let Self::Listening {
            api_url,
            workspace_name,
            environment,
            forward_to,
            events,
            sequence,
            signing_secret,
            standard_webhooks_secret,
            state,
            ..
        } = self
        else {
            return String::new();
        };
        let (name, events, state) = (visible(workspace_name), events.join(", "), state.display());
        format!(
            "\
Forwarding {events} of the {environment} workspace {name:?}
  from  {api_url}, after #{sequence}
  to    {forward_to}

Signing secret, for an SDK:                {signing_secret}
The same, for a Standard Webhooks library: {standard_webhooks_secret}

The place and the secret are kept in {state}, and starting again goes on there. Stop with Ctrl-C.
"
        )
    }
}

impl Outcome<'_> {
    fn line(&self) -> String {
        let Self {
            sequence,
            event_id,
            event_type,
            duration_ms,
            ..
        } = self;
        let answer = match self.status {
            Some(status) => format!("{status}  {duration_ms} ms"),
            None if self.stepped_over => format!("stepped over after {} attempts", self.attempts),
            None => format!("no answer  {duration_ms} ms"),
        };
        let problem = self
            .problem
            .as_ref()
            .map_or(String::new(), |text| format!("  {}", visible(text)));
        let again = if self.stepped_over {
            format!("; --from {sequence} sends it again")
        } else {
            String::new()
        };
        format!(
            "{:20}  {event_id}  #{sequence}  {answer}{problem}{again}",
            visible(event_type)
        )
    }
}
