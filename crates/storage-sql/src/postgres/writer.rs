//! The writer: one task with a connection of its own. It takes what waits in the queue, applies it as one transaction,
//! answers everybody, and takes what has come meanwhile.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};
use tollgate_storage::{Change, StorageError};
use tracing::{info, warn};

use super::batch::{Applied, Session};
use super::conflicts::Touched;
use super::connect::Connector;
use super::failure::Failure;
use super::pulse::Bell;
use crate::queue::Job;

/// How long a batch may take before the connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long changes wait for a lost connection to come back before they are refused.
const OUTAGE: Duration = Duration::from_secs(3);
/// Between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    connector: Connector,
    jobs: mpsc::Receiver<Job>,
    stop: watch::Receiver<bool>,
    bell: Bell,
    max_batch: usize,
    session: Option<Session>,
    down_since: Option<Instant>,
    waiting: VecDeque<Job>,
}

impl Writer {
    /// Connects at once, so that a store that opens can write.
    pub(super) async fn open(
        connector: Connector,
        jobs: mpsc::Receiver<Job>,
        stop: watch::Receiver<bool>,
        bell: Bell,
        max_batch: usize,
    ) -> Result<Self, StorageError> {
        let session = Some(Session::open(&connector).await?);
        Ok(Self {
            connector,
            jobs,
            stop,
            bell,
            max_batch: max_batch.max(1),
            session,
            down_since: None,
            waiting: VecDeque::new(),
        })
    }

    /// Works until it is told to stop, or nobody can send any more; what is queued by then is still done.
    pub(super) async fn run(mut self) {
        while self.fetch().await {
            let batch = self.next_batch();
            self.commit(batch).await;
            // Who was just answered may have the next change at hand: one commit for all of them is cheaper than one
            // for whoever comes first and another for the rest.
            yield_now().await;
        }
    }

    /// Takes from the queue until a batch is full or nothing more waits; `false` when nothing will ever come.
    async fn fetch(&mut self) -> bool {
        while self.waiting.is_empty() {
            let mut arrived = Vec::new();
            tokio::select! {
                count = self.jobs.recv_many(&mut arrived, self.max_batch) => if count == 0 {
                    return false;
                },
                _ = self.stop.wait_for(|stop| *stop), if !self.jobs.is_closed() => self.jobs.close(),
            }
            self.waiting.extend(arrived);
        }
        while self.waiting.len() < self.max_batch
            && let Ok(job) = self.jobs.try_recv()
        {
            self.waiting.push_back(job);
        }
        true
    }

    /// As many of the waiting as may share a transaction; the others stay, in their order.
    fn next_batch(&mut self) -> Vec<Job> {
        let mut touched = Touched::default();
        let (batch, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|job| touched.take(&job.change));
        let waiting: Vec<Job> = waiting;
        self.waiting = waiting.into();
        batch
    }

    /// Applies a batch. When the database refuses it, each change is tried alone, so that only the one to blame fails.
    async fn commit(&mut self, batch: Vec<Job>) {
        let changes: Vec<&Change> = batch.iter().map(|job| &job.change).collect();
        match self.apply(&changes).await {
            Ok(applied) => answer(batch, applied),
            Err(failure) if batch.len() == 1 || self.session.is_none() => refuse(batch, &failure),
            Err(failure) => {
                warn!(error = %failure, changes = batch.len(), "a batch was refused, trying each change alone");
                self.commit_each(batch).await;
            }
        }
    }

    async fn commit_each(&mut self, batch: Vec<Job>) {
        let mut jobs = batch.into_iter();
        while let Some(job) = jobs.next() {
            match self.apply(&[&job.change]).await {
                Ok(applied) => answer(vec![job], applied),
                Err(failure) => {
                    refuse(vec![job], &failure);
                    if self.session.is_none() {
                        refuse(jobs.collect(), &failure);
                        return;
                    }
                }
            }
        }
    }

    /// Applies changes over the connection there is, or a new one. After an error there is none when it is lost.
    async fn apply(&mut self, changes: &[&Change]) -> Result<Applied, Failure> {
        let session = self.session().await?;
        let asked_at = Instant::now();
        let applied = timeout(PATIENCE, session.apply(changes))
            .await
            .unwrap_or(Err(Failure::Plain("no answer in time")));
        match &applied {
            Ok(applied) => {
                if let Some(head) = applied.head {
                    self.bell.heard(head, asked_at);
                }
            }
            Err(failure) if failure.is_lost_connection() => {
                warn!(error = %failure, changes = changes.len(), "the connection was lost before the answer");
                self.session = None;
            }
            Err(_) => {}
        }
        applied
    }

    /// The connection, made anew when it is lost. At the beginning of an outage changes wait; later they are refused
    /// after one attempt, so that nobody waits for a server that is gone.
    async fn session(&mut self) -> Result<&Session, Failure> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(self.session.insert(session))
    }

    async fn connect(&mut self) -> Result<Session, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            let opened = timeout(PATIENCE, Session::open(&self.connector)).await;
            let failure = match opened.unwrap_or(Err(Failure::Plain("no connection in time"))) {
                Ok(session) => {
                    info!("writing to PostgreSQL over a new connection");
                    self.down_since = None;
                    return Ok(session);
                }
                Err(failure) => failure,
            };
            let down_since = *self.down_since.get_or_insert_with(Instant::now);
            sleep(pause).await;
            if down_since.elapsed() > OUTAGE {
                return Err(failure);
            }
            warn!(error = %failure, "could not connect to PostgreSQL, trying again");
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

fn answer(batch: Vec<Job>, applied: Applied) {
    for (job, outcome) in batch.into_iter().zip(applied.outcomes) {
        job.reply.send(outcome);
    }
}

fn refuse(batch: Vec<Job>, failure: &Failure) {
    for job in batch {
        job.reply.send(Err(failure.clone().into()));
    }
}
