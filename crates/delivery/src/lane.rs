//! One destination's queue: leases a little ahead, has a bounded number of attempts under way, records each outcome.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::Notification;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_storage::{AttemptRecord, Change, Outcome, StorageError, Write};

use crate::sender::TIMEOUT;
use crate::worker::{Delivery, PAUSE, Place};

/// How long others keep their hands off what was leased.
pub const LEASE: Duration = Duration::from_secs(25);
/// The longest that an attempt can take: twice while a secret is being rotated, and its record.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(2 * TIMEOUT.as_secs() + 3);
/// How long after leasing an attempt may begin.
const BEGIN_WITHIN: Duration = LEASE.saturating_sub(LONGEST_ATTEMPT);
/// How long what is leased ahead may wait, so that an attempt begins well before its lease ends.
const AHEAD: Duration = Duration::from_secs(4);
/// How many outcomes may wait for the store. As long as there are more, nothing is sent.
const MOST_UNRECORDED: usize = 1_024;
/// How old the setting may be when an attempt begins: so long after a change, the old destination may still be sent to.
const FRESH: Duration = Duration::from_millis(100);
/// From this age on it is read again when the store is asked for more.
const READ_AGAIN: Duration = Duration::from_millis(50);
/// How long what is leased still goes out after the worker was stopped: a destination that is well loses no time by
/// our restart.
const DRAIN: Duration = Duration::from_secs(2);

/// A leased notification.
struct Leased {
    notification: Notification,
    leased_at: Instant,
}

/// What a look at the store gives.
struct Look {
    setting: Setting,
    began_at: Instant,
    leased: Vec<Notification>,
    /// Whether more may be due.
    more: bool,
}

/// What a look says of the setting.
enum Setting {
    /// Gone, or switched off.
    Gone,
    /// Not asked for.
    AsKnown,
    Read(Box<NotificationSetting>),
}

/// The attempts under way; their tasks go on to record them.
#[derive(Default)]
struct UnderWay {
    count: AtomicUsize,
    ended: Notify,
}

/// One of them, until it is dropped.
struct OneUnderWay(Arc<UnderWay>);

impl UnderWay {
    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn one(self: &Arc<Self>) -> OneUnderWay {
        self.count.fetch_add(1, Ordering::Relaxed);
        OneUnderWay(Arc::clone(self))
    }
}

impl Drop for OneUnderWay {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_one();
    }
}

pub(crate) struct Lane {
    delivery: Arc<Delivery>,
    setting: Arc<NotificationSetting>,
    environment: Environment,
    place: Place,
    /// When the setting was read.
    read_at: Option<Instant>,
    waiting: VecDeque<Leased>,
    /// At most one.
    looking: JoinSet<Result<Look, StorageError>>,
    /// Attempts, and how long each took without its record.
    sending: JoinSet<Duration>,
    under_way: Arc<UnderWay>,
    /// How long an attempt takes lately; decides how far ahead to lease.
    pace: Duration,
}

impl Lane {
    pub(crate) fn new(
        delivery: Arc<Delivery>,
        setting: NotificationSetting,
        environment: Environment,
        place: Place,
    ) -> Self {
        Self {
            delivery,
            setting: Arc::new(setting),
            environment,
            place,
            read_at: None,
            waiting: VecDeque::new(),
            looking: JoinSet::new(),
            sending: JoinSet::new(),
            under_way: Arc::default(),
            pace: TIMEOUT,
        }
    }

    /// Works until nothing is due any more, or until stopped; `poke` says that more is due.
    pub(crate) async fn run(mut self, poke: Arc<Notify>, stop: CancellationToken) {
        let mut more = true;
        let mut not_before = Instant::now(); // the next look; after one that failed, not at once
        let mut stopped_at: Option<Instant> = None;
        loop {
            if stopped_at.is_some_and(|stopped_at| stopped_at.elapsed() > DRAIN) {
                self.waiting.clear();
            }
            if self.looking.is_empty() && Instant::now() >= not_before {
                let ahead = self.ahead();
                if more && stopped_at.is_none() && self.waiting.len() <= ahead / 2 {
                    more = false;
                    self.look(ahead);
                } else if self.has_room() && !self.waiting.is_empty() && !self.is_fresh() {
                    self.look(0);
                }
            }
            self.start_waiting();
            let is_idle = self.waiting.is_empty() && self.looking.is_empty() && self.sending.is_empty();
            if is_idle && (!more || stopped_at.is_some()) {
                return;
            }
            tokio::select! {
                () = stop.cancelled(), if stopped_at.is_none() => stopped_at = Some(Instant::now()),
                () = poke.notified() => more = true,
                Some(looked) = self.looking.join_next() => match self.take(looked) {
                    Ok(all) => more |= all,
                    Err(error) => {
                        tracing::warn!(%error, setting = %self.setting.id, "could not lease notifications");
                        not_before = Instant::now() + PAUSE;
                        more = true;
                    }
                },
                () = self.under_way.ended.notified() => {}
                Some(sent) = self.sending.join_next() => {
                    self.note(sent);
                    while let Some(sent) = self.sending.try_join_next() {
                        self.note(sent);
                    }
                }
                () = tokio::time::sleep_until(not_before), if not_before > Instant::now() => {}
            }
        }
    }

    /// How many notifications to lease.
    fn ahead(&self) -> usize {
        let (at_once, most) = self.place.share();
        let rounds = AHEAD.as_micros() / self.pace.as_micros().max(1);
        let rounds = usize::try_from(rounds).unwrap_or(usize::MAX);
        rounds.saturating_mul(at_once).clamp(at_once, most)
    }

    fn is_fresh(&self) -> bool {
        self.read_at.is_some_and(|read_at| read_at.elapsed() <= FRESH)
    }

    /// Leases up to `limit` of what is due, and reads the setting unless that was just done.
    fn look(&mut self, limit: usize) {
        let delivery = Arc::clone(&self.delivery);
        let (workspace, id) = (self.setting.workspace, self.setting.id);
        let reads = limit == 0 || self.read_at.is_none_or(|read_at| read_at.elapsed() > READ_AGAIN);
        self.looking.spawn(async move {
            let began_at = Instant::now();
            let mut setting = Setting::AsKnown;
            if reads {
                let read = delivery.storage.notification_setting(workspace, id).await?;
                setting = read
                    .filter(|setting| setting.active)
                    .map_or(Setting::Gone, |setting| Setting::Read(Box::new(setting)));
            }
            let mut leased = Vec::new();
            if limit > 0 && !matches!(setting, Setting::Gone) {
                let now = delivery.clock.now();
                let write = Write::LeaseNotifications {
                    setting: id,
                    now,
                    until: now.plus(LEASE),
                    limit,
                };
                if let Outcome::Leased(due) = delivery.storage.commit(Change::silent(write)).await? {
                    leased = due;
                }
            }
            Ok(Look {
                setting,
                began_at,
                more: limit > 0 && leased.len() == limit,
                leased,
            })
        });
    }

    /// Whether more may be due. What waits for a destination that is gone or switched off is left to its lease's end.
    fn take(&mut self, looked: Result<Result<Look, StorageError>, JoinError>) -> Result<bool, StorageError> {
        let looked = looked.map_err(|error| StorageError::Unavailable(error.into()))??;
        match looked.setting {
            Setting::Gone => {
                self.waiting.clear();
                return Ok(false);
            }
            Setting::AsKnown => {}
            Setting::Read(setting) => {
                self.setting = Arc::new(*setting);
                self.read_at = Some(looked.began_at);
            }
        }
        self.waiting
            .extend(looked.leased.into_iter().map(|notification| Leased {
                notification,
                leased_at: looked.began_at,
            }));
        Ok(looked.more)
    }

    /// Whether another attempt may begin.
    fn has_room(&self) -> bool {
        let ((at_once, _), under_way) = (self.place.share(), self.under_way.count());
        under_way < at_once && self.sending.len() < under_way + MOST_UNRECORDED
    }

    fn start_waiting(&mut self) {
        while self.has_room()
            && self.is_fresh()
            && let Some(leased) = self.waiting.pop_front()
        {
            let (delivery, setting) = (Arc::clone(&self.delivery), Arc::clone(&self.setting));
            let (environment, under_way) = (self.environment, self.under_way.one());
            self.sending.spawn(async move {
                let began = Instant::now();
                let slot = delivery.slots.acquire().await.expect("the semaphore is never closed");
                let leased_at = leased.leased_at;
                // Later, the lease could end before the outcome is recorded, and somebody else would try as well.
                if leased_at.elapsed() >= BEGIN_WITHIN {
                    return began.elapsed();
                }
                let made = delivery.deliver(&setting, environment, &leased.notification).await;
                let took = began.elapsed();
                drop((slot, under_way, leased));
                record(&delivery, made, leased_at).await;
                took
            });
        }
    }

    fn note(&mut self, sent: Result<Duration, JoinError>) {
        match sent {
            Ok(took) => self.pace = (self.pace * 15 + took) / 16, // a weighted mean of the last attempts
            Err(error) => tracing::error!(%error, "an attempt ended abnormally; it is made again when its lease ends"),
        }
    }
}

/// Records an attempt; goes on trying, while the lease lasts, when the store gives no answer.
async fn record(delivery: &Delivery, made: AttemptRecord, leased_at: Instant) {
    loop {
        let write = Write::RecordAttempt(made.clone());
        let Err(error) = delivery.storage.commit(Change::silent(write)).await else {
            return;
        };
        if leased_at.elapsed() + 2 * PAUSE > LEASE {
            let notification = made.attempts.first().map(|attempt| attempt.notification.to_string());
            tracing::warn!(%error, ?notification, "could not record an attempt; it is made again when its lease ends");
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
