//! The data plane's tie to the store: loads the verifier's index, lets it follow the sequence, and writes down what it
//! counted. Checks themselves never come here to wait for the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tollgate_domain::ambient::{Clock, Entropy};
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::usage::UsageDelta;
use tollgate_domain::verdict::{Asked, TokenFacts};
use tollgate_storage::{Change, Storage, StorageError, TokenChanges, Write};
use tollgate_verifier::{ApplyError, Known, Now, Settings, Verdict, Verifier};

/// How long changes are gathered before they are followed, so that a busy writer isn't followed commit by commit. With the
/// 40 ms in which a store sees another process's commit, well within the 100 ms that are promised.
const GATHER: Duration = Duration::from_millis(10);
/// How many changes are read at a time.
const PAGE: usize = 1_000;
/// How often counts are taken from where requests leave them, which has room for half a million.
const GATHER_USAGE: Duration = Duration::from_millis(500);
/// How often usage is written down.
const FLUSH: Duration = Duration::from_secs(5);
/// How many rows of usage one write holds.
const USAGE_PAGE: usize = 500;
/// How many rows of usage are kept for the next time when the store doesn't take them; more are lost.
const USAGE_KEPT: usize = 100_000;

/// A verifier that knows what the store knows.
pub struct Verification {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    verifier: Arc<Verifier>,
    /// The place that was followed up to.
    reached: watch::Sender<u64>,
    /// Rings when any verdict may have become another one.
    changed: watch::Sender<()>,
}

impl Verification {
    /// Loads all tokens of `storage`.
    pub async fn load(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        settings: Settings,
    ) -> Result<Arc<Self>, StorageError> {
        let verification = Self {
            storage,
            clock,
            verifier: Arc::new(Verifier::new(settings, entropy)),
            reached: watch::Sender::new(0),
            changed: watch::Sender::new(()),
        };
        verification.load_all().await?;
        Ok(Arc::new(verification))
    }

    async fn load_all(&self) -> Result<u64, StorageError> {
        let verifier = Arc::clone(&self.verifier);
        let began = Instant::now();
        let each = move |facts: TokenFacts| note(&facts, verifier.apply(&facts));
        let place = self.storage.each_client_token(Box::new(each)).await?;
        self.verifier.followed(place, began);
        self.reached.send_replace(place);
        tracing::info!(
            tokens = self.verifier.len(),
            millis = began.elapsed().as_millis(),
            "client tokens are in memory"
        );
        Ok(place)
    }

    /// Decides on a presented token, and counts it.
    pub fn verify(&self, presented: &str, asked: &Asked<'_>, now: Now) -> Verdict {
        self.verifier.verify(presented, asked, now)
    }

    /// The same without counting it.
    pub fn peek(&self, presented: &str, asked: &Asked<'_>) -> Verdict {
        self.verifier.peek(presented, asked, self.now())
    }

    /// What is known of a presented token that is good and this workspace's, and the place that it was decided at. Only
    /// the circumstances that `asked` names are weighed.
    pub fn introspect(&self, presented: &str, asked: &Asked<'_>, workspace: WorkspaceId) -> (u64, Option<Known>) {
        let (place, known) = self.verifier.introspect(presented, asked, self.now());
        (place, known.ok().filter(|known| known.admitted.workspace == workspace))
    }

    /// The current time.
    pub fn now(&self) -> Now {
        Now {
            time: self.clock.now(),
            instant: Instant::now(),
        }
    }

    /// The place in the sequence that verdicts are decided at.
    pub fn sequence(&self) -> u64 {
        self.verifier.sequence()
    }

    /// A change that this process has committed: seen by every check that begins after this returns.
    pub fn apply(&self, facts: &TokenFacts) {
        note(facts, self.verifier.apply(facts));
        self.changed.send_replace(());
    }

    /// Waits until the place is reached; `false` when that takes longer than `patience`.
    pub async fn reaches(&self, place: u64, patience: Duration) -> bool {
        let mut reached = self.reached.subscribe();
        let waiting = reached.wait_for(|reached| *reached >= place);
        tokio::time::timeout(patience, waiting)
            .await
            .is_ok_and(|outcome| outcome.is_ok())
    }

    /// Rings after each change of a token.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Writes down what was counted so far.
    pub async fn write_usage_down(&self) {
        self.verifier.gather_usage();
        self.write_down(Vec::new()).await;
    }

    /// Follows the store and writes usage down, until stopped; then once more.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let following = self.follow(&stop);
        let flushing = self.flush(&stop);
        tokio::join!(following, flushing);
    }

    async fn follow(&self, stop: &CancellationToken) {
        let mut pulse = self.storage.pulse();
        let mut applied = self.sequence();
        loop {
            let heard = *pulse.borrow_and_update();
            if heard.sequence > applied {
                match self.catch_up(applied, heard.sequence).await {
                    Ok(place) => applied = place,
                    // Not followed: past its greatest age, the index refuses everybody.
                    Err(error) => tracing::warn!(%error, "could not follow changes of client tokens"),
                }
            }
            if applied >= heard.sequence {
                self.verifier.followed(applied, heard.heard_at);
                self.reached.send_replace(applied);
            }
            let turn = async {
                let rung = pulse.changed().await;
                sleep(GATHER).await;
                rung
            };
            // An error: the store is closed.
            if !matches!(stop.run_until_cancelled(turn).await, Some(Ok(()))) {
                return;
            }
        }
    }

    /// Applies what happened up to a place; gives the place that was reached, which may be a later one.
    async fn catch_up(&self, mut after: u64, upto: u64) -> Result<u64, StorageError> {
        while after < upto {
            match self.storage.client_tokens_changed(after, upto, PAGE).await? {
                TokenChanges::Upto { place, tokens } => {
                    for facts in &tokens {
                        note(facts, self.verifier.apply(facts));
                    }
                    if !tokens.is_empty() {
                        self.changed.send_replace(());
                    }
                    after = place;
                }
                TokenChanges::Forgotten => {
                    after = self.load_all().await?;
                    self.changed.send_replace(());
                }
            }
        }
        Ok(after)
    }

    async fn flush(&self, stop: &CancellationToken) {
        let mut ticks = interval(GATHER_USAGE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut kept = Vec::new();
        let mut written = Instant::now();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.verifier.gather_usage();
            if written.elapsed() >= FLUSH {
                kept = self.write_down(kept).await;
                written = Instant::now();
            }
        }
        self.write_down(kept).await;
    }

    /// Writes down what was counted, and what is left from last time; gives back what the store didn't take.
    async fn write_down(&self, mut usage: Vec<UsageDelta>) -> Vec<UsageDelta> {
        usage.extend(self.verifier.take_usage());
        while !usage.is_empty() {
            let page: Vec<_> = usage.drain(..usage.len().min(USAGE_PAGE)).collect();
            let write = Change::silent(Write::RecordUsage(page.clone()));
            if let Err(error) = self.storage.commit(write).await {
                tracing::warn!(%error, "could not write the usage of client tokens down");
                usage.extend(page);
                usage.truncate(USAGE_KEPT);
                break;
            }
        }
        usage
    }
}

/// What can't be taken in is refused as unknown; whoever runs this should know.
fn note(facts: &TokenFacts, applied: Result<(), ApplyError>) {
    if let Err(error) = applied {
        tracing::error!(%error, token = %facts.id, "a client token can't be checked");
    }
}
