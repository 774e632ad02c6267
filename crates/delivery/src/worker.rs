//! Finds settings with something due and gives each a lane of its own, so that a slow receiver delays only itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_domain::ambient::{Clock, Entropy};
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{IdGenerator, NotificationSettingId};
use tollgate_domain::retry_schedule::RetrySchedule;
use tollgate_storage::{Storage, StorageError};

use crate::lane::Lane;
use crate::mail::Mailer;
use crate::sender::Sender;

/// The shortest time between two looks, however often the store rings.
const BREATH: Duration = Duration::from_millis(5);
/// How long to wait when the store gave no answer.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);
/// How long attempts that are under way get to finish when the worker is stopped. What is cut off is leased again.
pub(crate) const GRACE: Duration = Duration::from_secs(14);

/// How deliveries are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Retries in sandbox workspaces.
    pub sandbox_schedule: RetrySchedule,
    /// Retries in live workspaces.
    pub live_schedule: RetrySchedule,
    /// Attempts at once for one destination.
    pub per_destination: usize,
    /// Attempts at once in all; each destination with something due has an equal share.
    pub in_all: usize,
    /// Leased ahead for one destination.
    pub ahead_per_destination: usize,
    /// Leased ahead in all, in equal shares: what bounds the memory that waiting notifications take.
    pub ahead_in_all: usize,
    /// How often due notifications are looked for although nothing rang: retries become due by time alone.
    pub look_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sandbox_schedule: RetrySchedule::documented(Environment::Sandbox),
            live_schedule: RetrySchedule::documented(Environment::Live),
            per_destination: 64,
            in_all: 2_048,
            ahead_per_destination: 1_024,
            ahead_in_all: 16_384,
            look_every: Duration::from_millis(100),
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

/// A lane's place beside the others, which share what there is.
pub(crate) struct Place {
    lanes: Arc<AtomicUsize>,
    settings: Arc<Settings>,
}

impl Place {
    fn new(lanes: &Arc<AtomicUsize>, settings: &Arc<Settings>) -> Self {
        lanes.fetch_add(1, Ordering::Relaxed);
        Self {
            lanes: Arc::clone(lanes),
            settings: Arc::clone(settings),
        }
    }

    /// How many attempts may be under way, and how many notifications leased. One share is left over, so that whoever
    /// comes next needn't wait for the others, which may all hang.
    pub(crate) fn share(&self) -> (usize, usize) {
        let (lanes, settings) = (self.lanes.load(Ordering::Relaxed), &self.settings);
        let at_once = (settings.in_all / (lanes + 1)).min(settings.per_destination).max(1);
        let ahead = (settings.ahead_in_all / lanes.max(1)).min(settings.ahead_per_destination);
        (at_once, ahead.max(at_once))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lanes.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The lanes that are open.
#[derive(Default)]
struct Lanes {
    tasks: JoinSet<NotificationSettingId>,
    pokes: HashMap<NotificationSettingId, Arc<Notify>>,
    count: Arc<AtomicUsize>,
}

impl Lanes {
    fn ended(&mut self, ended: Result<NotificationSettingId, JoinError>) {
        match ended {
            Ok(setting) => drop(self.pokes.remove(&setting)),
            Err(error) => {
                tracing::error!(%error, "a lane ended abnormally");
                // Its setting can't be told, but nobody holds its poke any more.
                self.pokes.retain(|_, poke| Arc::strong_count(poke) > 1);
            }
        }
    }
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
        let delivery = Arc::new(self);
        tokio::join!(delivery.deliver_notifications(&stop), delivery.deliver_simulated(&stop));
    }

    async fn deliver_notifications(self: &Arc<Self>, stop: &CancellationToken) {
        let mut pulse = self.storage.pulse();
        let mut lanes = Lanes::default();
        while !stop.is_cancelled() {
            // Marked as seen before the look, so that a ring in between isn't lost.
            pulse.borrow_and_update();
            let began = Instant::now();
            let looked = self.open_lanes(&mut lanes, stop).await;
            // With very many destinations a look takes its time; it shall not be all that the store does.
            let rest = if let Err(error) = &looked {
                tracing::warn!(%error, "could not look for due notifications");
                PAUSE
            } else {
                BREATH.max(4 * began.elapsed())
            };
            if stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
                break;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = lanes.tasks.join_next() => lanes.ended(ended),
                Ok(()) = pulse.changed() => {}
                () = tokio::time::sleep(self.settings.look_every) => {}
            }
            while let Some(ended) = lanes.tasks.try_join_next() {
                lanes.ended(ended);
            }
        }
        let drained = async { while lanes.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, drained).await.is_err() {
            tracing::warn!("some deliveries did not finish; they are tried again when their leases end");
        }
    }

    /// A lane for each setting with something due; those that have one are told to look.
    async fn open_lanes(self: &Arc<Self>, lanes: &mut Lanes, stop: &CancellationToken) -> Result<(), StorageError> {
        for setting in self.storage.due_notification_settings(self.clock.now()).await? {
            if let Some(poke) = lanes.pokes.get(&setting.id) {
                poke.notify_one();
                continue;
            }
            let Some(workspace) = self.storage.workspace(setting.workspace).await? else {
                continue;
            };
            let (poke, id) = (Arc::new(Notify::new()), setting.id);
            lanes.pokes.insert(id, Arc::clone(&poke));
            let place = Place::new(&lanes.count, &self.settings);
            let lane = Lane::new(Arc::clone(self), setting, workspace.environment, place);
            let stop = stop.clone();
            lanes.tasks.spawn(async move {
                lane.run(poke, stop).await;
                id
            });
        }
        Ok(())
    }
}
