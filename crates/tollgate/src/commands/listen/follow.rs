//! The loop: asks the server for what comes after the place, sends each event on, and moves the place behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::filter::Filter;
use super::receiver::{Attempt, Placed, Receiver};
use super::report::{News, Outcome, Summary};
use super::state::State;
use crate::commands::api_client::{ApiClient, ApiError};
use crate::output::Output;

pub(super) const PATH: &str = "/tollgate/events";
/// How long the server waits for an event before it answers that there is none, in seconds.
const WAIT: &str = "20";
const PER_PAGE: &str = "200";
/// Between two attempts, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How many seconds a webhook destination may take to answer. Contract, section 11.
const ANSWER_SECONDS: u64 = 5;
/// How often a place that lies behind the server's is looked at before it is believed: another node may be a moment late.
const LOOKS: u32 = 4;

/// What comes after a place.
#[derive(Deserialize)]
pub(super) struct Followed {
    events: Vec<Placed>,
    /// Where to go on.
    pub(super) sequence: u64,
}

/// Everything that the loop needs.
pub(super) struct Listener {
    pub(super) client: ApiClient,
    pub(super) receiver: Receiver,
    pub(super) filter: Filter,
    pub(super) state: State,
    pub(super) retry_for: Duration,
    pub(super) output: Output,
    pub(super) stop: Stop,
    pub(super) summary: watch::Sender<Summary>,
    pub(super) receiver_lost: bool,
}

/// How the loop is asked to end, and what it is doing just then.
#[derive(Clone)]
pub(super) struct Stop {
    pub(super) asked: CancellationToken,
    pub(super) runtime: Handle,
    /// Whether an event is on its way to the local server, or the place is being moved behind it.
    pub(super) is_sending: Arc<AtomicBool>,
}

impl Stop {
    /// Waits; `true` when it was asked to end meanwhile.
    fn within(&self, pause: Duration) -> bool {
        let asked = async { tokio::time::timeout(pause, self.asked.cancelled()).await };
        self.runtime.block_on(asked).is_ok()
    }
}

/// Grows with each attempt that failed.
struct Backoff(Duration);

impl Backoff {
    const fn new() -> Self {
        Self(PAUSES.0)
    }

    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(PAUSES.1);
        pause
    }
}

impl Listener {
    /// Until it is asked to end, or can't go on.
    pub(super) fn follow(&mut self) -> anyhow::Result<()> {
        self.check_place()?;
        while let Some(followed) = self.next()? {
            for event in followed.events {
                if self.filter.wants(&event.event_type) {
                    self.stop.is_sending.store(true, Ordering::SeqCst);
                    if self.stop.asked.is_cancelled() || !self.forward(&event)? {
                        return Ok(());
                    }
                    self.stop.is_sending.store(false, Ordering::SeqCst);
                }
            }
            if followed.sequence != self.state.sequence() {
                self.move_to(followed.sequence)?;
            }
        }
        Ok(())
    }

    fn move_to(&mut self, sequence: u64) -> anyhow::Result<()> {
        self.state.move_to(sequence)?;
        self.summary.send_modify(|summary| summary.sequence = sequence);
        Ok(())
    }

    /// What comes after the place, maybe nothing; `None` when asked to end. Waits for a server that isn't there.
    fn next(&mut self) -> anyhow::Result<Option<Followed>> {
        let mut backoff = Backoff::new();
        let (mut is_lost, mut failures) = (false, 0);
        while !self.stop.asked.is_cancelled() {
            let after = self.state.sequence().to_string();
            // After a loss, an answer at once tells that the server is back.
            let wait = if is_lost { "0" } else { WAIT };
            let query = [
                ("after_sequence", after.as_str()),
                ("per_page", PER_PAGE),
                ("wait_seconds", wait),
            ];
            match self.client.get::<Followed>(PATH, &query) {
                Ok(answer) if is_lost => {
                    let sequence = self.state.sequence();
                    News::ServerBack { sequence }.print(self.output)?;
                    (is_lost, failures) = (false, 0);
                    backoff = Backoff::new();
                    if !self.check_place()? {
                        return Ok(Some(answer.data));
                    }
                }
                Ok(answer) => return Ok(Some(answer.data)),
                // A connection that was idle may have been closed since; a new one tells.
                Err(error) if error.may_pass() && failures == 0 => failures = 1,
                Err(error) if error.may_pass() => {
                    if !is_lost {
                        let problem = &error.to_string();
                        News::ServerLost { problem }.print(self.output)?;
                        is_lost = true;
                    }
                    if self.stop.within(backoff.next()) {
                        break;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// A place behind the end of the server's sequence is of a store that was there before: waiting for it would lose
    /// whatever comes meanwhile. `true` when the place was moved.
    fn check_place(&mut self) -> anyhow::Result<bool> {
        let from = self.state.sequence();
        let mut to = from;
        for _ in 0..LOOKS {
            to = match present(&self.client) {
                Ok(to) => to,
                // The next question tells.
                Err(error) if error.may_pass() => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            if to >= from || self.stop.within(PAUSES.0) {
                return Ok(false);
            }
        }
        News::SequenceReset { from, to }.print(self.output)?;
        self.move_to(to)?;
        Ok(true)
    }

    /// Sends it until there is an answer or patience ends; `false` when asked to end before that.
    fn forward(&mut self, event: &Placed) -> anyhow::Result<bool> {
        let began = Instant::now();
        let mut backoff = Backoff::new();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (attempt, took) = self.receiver.attempt(event);
            let mut outcome = Outcome {
                sequence: event.sequence,
                event_id: event.event_id.to_string(),
                event_type: &event.event_type,
                notification_id: self.receiver.notification_id(event).to_string(),
                status: None,
                duration_ms: took.as_millis(),
                attempts,
                problem: None,
                stepped_over: false,
            };
            match attempt {
                Attempt::Answered { status, says } => {
                    outcome.status = Some(status);
                    let is_slow = took > Duration::from_secs(ANSWER_SECONDS);
                    outcome.problem =
                        says.or_else(|| is_slow.then(|| format!("a destination gets {ANSWER_SECONDS} s only")));
                }
                Attempt::Silent => outcome.problem = Some("not repeated, as it was received".to_owned()),
                Attempt::NotReached(problem) => {
                    let pause = backoff.next();
                    if began.elapsed() + pause < self.retry_for {
                        self.lost(&problem)?;
                        if self.stop.within(pause) {
                            return Ok(false);
                        }
                        continue;
                    }
                    outcome.problem = Some(problem);
                    outcome.stepped_over = true;
                }
            }
            // Before the line is printed: whoever has read it finds the place behind the event.
            self.move_to(event.sequence)?;
            self.done(outcome)?;
            return Ok(true);
        }
    }

    /// Says once that the local server isn't reached.
    fn lost(&mut self, problem: &str) -> anyhow::Result<()> {
        if !self.receiver_lost {
            self.receiver_lost = true;
            let forward_to = self.receiver.url();
            News::ReceiverLost { forward_to, problem }.print(self.output)?;
        }
        Ok(())
    }

    fn done(&mut self, outcome: Outcome<'_>) -> anyhow::Result<()> {
        if outcome.stepped_over {
            self.receiver_lost = true;
        } else if self.receiver_lost {
            self.receiver_lost = false;
            let forward_to = self.receiver.url();
            News::ReceiverBack { forward_to }.print(self.output)?;
        }
        self.summary.send_modify(|summary| match outcome.status {
            Some(200..=299) => summary.accepted += 1,
            None if outcome.stepped_over => summary.stepped_over += 1,
            _ => summary.refused += 1,
        });
        News::Event(outcome).print(self.output)?;
        Ok(())
    }
}

/// The end of the server's sequence now.
pub(super) fn present(client: &ApiClient) -> Result<u64, ApiError> {
    Ok(client.get::<Followed>(PATH, &[])?.data.sequence)
}
