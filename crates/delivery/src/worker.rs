//! Finds settings with something due and gives each a lane of its own, so that a slow receiver delays only itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tollgate_domain::ambient::{Clock, Entropy};
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{IdGenerator, NotificationSettingId};
use tollgate_domain::retry_schedule::RetrySchedule;
use tollgate_storage::{Storage, StorageError};

use crate::lane::Lane;
use crate::mail::Mailer;
use crate::sender::Sender;

/// How often due notifications are looked for although nothing rang: retries become due by time alone.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// The shortest time between two looks, however often the store rings.
const BREATH: Duration = Duration::from_millis(2);
/// How long to wait when the store gives no answer.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);
/// How long attempts that are under way get to finish when the worker is stopped. What is cut off is leased again.
pub(crate) const GRACE: Duration = Duration::from_secs(12);

/// How deliveries are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Retries in sandbox workspaces.
    pub sandbox_schedule: RetrySchedule,
    /// Retries in live workspaces.
    pub live_schedule: RetrySchedule,
    /// Attempts at once for one destination.
    pub per_destination: usize,
    /// Attempts at once in all.
    pub in_all: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sandbox_schedule: RetrySchedule::documented(Environment::Sandbox),
            live_schedule: RetrySchedule::documented(Environment::Live),
            per_destination: 64,
            in_all: 2_048,
        }
    }
}

impl Settings {
    pub(crate) const fn schedule(&self, environment: Environment) -> &RetrySchedule {
        match environment {
            Environment::Sandbox => &self.sandbox_schedule,
            Environment::Live => &self.live_schedule,
        }
    }
}

/// The delivery plane of one node.
#[derive(Clone)]
pub struct Delivery {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) ids: Arc<IdGenerator>,
    pub(crate) sender: Sender,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) slots: Arc<Semaphore>,
}

impl Delivery {
    /// Delivers what is due in this store.
    pub fn new(
        storage: Arc<dyn Storage>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        (sender, mailer): (Sender, Option<Mailer>),
        settings: Settings,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(settings.in_all));
        Self {
            storage,
            clock,
            entropy,
            ids: Arc::default(),
            sender,
            mailer,
            settings: Arc::new(settings),
            slots,
        }
    }

    /// Works until stopped, then lets the attempts under way finish.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.deliver(&stop), self.deliver_simulated(&stop));
    }

    async fn deliver(&self, stop: &CancellationToken) {
        let mut pulse = self.storage.pulse();
        let mut lanes: JoinSet<NotificationSettingId> = JoinSet::new();
        let mut pokes: HashMap<NotificationSettingId, Arc<Notify>> = HashMap::new();
        while !stop.is_cancelled() {
            // Marked as seen before the look, so that a ring in between isn't lost.
            pulse.borrow_and_update();
            let pause = match self.open_lanes(&mut lanes, &mut pokes, stop).await {
                Ok(()) => TICK,
                Err(error) => {
                    tracing::warn!(%error, "could not look for due notifications");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = lanes.join_next(), if !lanes.is_empty() => match ended {
                    Ok(setting) => drop(pokes.remove(&setting)),
                    // Its setting can't be told; all that still run are poked anew by the next look.
                    Err(error) => {
                        tracing::error!(%error, "a lane ended abnormally");
                        pokes.retain(|_, poke| Arc::strong_count(poke) > 1);
                    }
                },
                _ = pulse.changed() => tokio::time::sleep(BREATH).await,
                () = tokio::time::sleep(pause) => {}
            }
        }
        let drained = async { while lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, drained).await.is_err() {
            tracing::warn!("some deliveries did not finish; they are tried again when their leases end");
        }
    }

    /// A lane for each setting with something due; those that have one are told to look.
    async fn open_lanes(
        &self,
        lanes: &mut JoinSet<NotificationSettingId>,
        pokes: &mut HashMap<NotificationSettingId, Arc<Notify>>,
        stop: &CancellationToken,
    ) -> Result<(), StorageError> {
        for setting in self.storage.due_notification_settings(self.clock.now()).await? {
            if let Some(poke) = pokes.get(&setting.id) {
                poke.notify_one();
                continue;
            }
            let Some(workspace) = self.storage.workspace(setting.workspace).await? else {
                continue;
            };
            let poke = Arc::new(Notify::new());
            pokes.insert(setting.id, Arc::clone(&poke));
            let id = setting.id;
            let lane = Lane::new(self.clone(), setting, workspace.environment, poke, stop.clone());
            lanes.spawn(async move {
                lane.run().await;
                id
            });
        }
        Ok(())
    }
}
