//! One destination's queue: leases a little ahead, sends a bounded number at once, records each outcome.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::{self, DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_storage::{AttemptRecord, Change, Outcome, StorageError, Write};

use crate::attempt::{Attempt, Parcel};
use crate::sender::TIMEOUT;
use crate::worker::Delivery;

/// How long others keep their hands off what was leased.
const LEASE: Duration = Duration::from_secs(25);
/// The longest that an attempt can take: twice while a secret is being rotated, and its record.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(2 * TIMEOUT.as_secs() + 3);
/// How long after leasing an attempt may begin.
const BEGIN_WITHIN: Duration = LEASE.saturating_sub(LONGEST_ATTEMPT);
/// How far ahead a lane leases at the most.
const MOST_AHEAD: usize = 512;
/// How long what is leased ahead may wait, so that an attempt begins well before its lease ends.
const AHEAD: Duration = Duration::from_secs(4);

/// A leased notification.
struct Leased {
    notification: Notification,
    /// After this moment it isn't begun: the lease may end before it is recorded.
    begin_before: Instant,
}

pub(crate) struct Lane {
    delivery: Delivery,
    setting: Arc<NotificationSetting>,
    environment: Environment,
    poke: Arc<Notify>,
    stop: CancellationToken,
    waiting: VecDeque<Leased>,
    running: JoinSet<Duration>,
    /// How long an attempt takes lately; decides how far ahead to lease.
    pace: Duration,
}

impl Lane {
    pub(crate) fn new(
        delivery: Delivery,
        setting: NotificationSetting,
        environment: Environment,
        poke: Arc<Notify>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            delivery,
            setting: Arc::new(setting),
            environment,
            poke,
            stop,
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            pace: TIMEOUT,
        }
    }

    /// Works until nothing is due any more.
    pub(crate) async fn run(mut self) {
        let most = self.delivery.settings.per_destination.max(1);
        let mut look = true;
        while !self.stop.is_cancelled() {
            if look && self.waiting.len() < most {
                look = match self.lease().await {
                    Ok(all) => all,
                    Err(error) => {
                        tracing::warn!(%error, setting = %self.setting.id, "could not lease notifications");
                        false
                    }
                };
            }
            while self.running.len() < most
                && let Some(leased) = self.waiting.pop_front()
            {
                self.start(leased);
            }
            if self.running.is_empty() && self.waiting.is_empty() && !look {
                return;
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.poke.notified() => look = true,
                Some(ended) = self.running.join_next(), if !self.running.is_empty() => self.keep_pace(ended),
            }
            while let Some(ended) = self.running.try_join_next() {
                self.keep_pace(ended);
            }
        }
        while self.running.join_next().await.is_some() {}
    }

    /// A weighted mean of the last attempts.
    fn keep_pace(&mut self, ended: Result<Duration, tokio::task::JoinError>) {
        match ended {
            Ok(took) => self.pace = (self.pace * 15 + took) / 16,
            Err(error) => tracing::error!(%error, "an attempt ended abnormally; its lease will end"),
        }
    }

    /// Takes what is due, as much as can be begun in time; whether there may be more.
    async fn lease(&mut self) -> Result<bool, StorageError> {
        let storage = &self.delivery.storage;
        match storage
            .notification_setting(self.setting.workspace, self.setting.id)
            .await?
        {
            Some(setting) if setting.active => self.setting = Arc::new(setting),
            _ => return Ok(false),
        }
        let most = self.delivery.settings.per_destination.max(1);
        let rounds = AHEAD.as_micros() / self.pace.as_micros().max(1);
        let limit = usize::try_from(rounds)
            .unwrap_or(usize::MAX)
            .saturating_mul(most)
            .clamp(most, MOST_AHEAD.max(most));
        let leased_at = Instant::now();
        let now = self.delivery.clock.now();
        let write = Write::LeaseNotifications {
            setting: self.setting.id,
            now,
            until: now.plus(LEASE),
            limit,
        };
        let Outcome::Leased(leased) = storage.commit(Change::silent(write)).await? else {
            return Ok(false);
        };
        let all = leased.len() == limit;
        let begin_before = leased_at + BEGIN_WITHIN;
        self.waiting.extend(leased.into_iter().map(|notification| Leased {
            notification,
            begin_before,
        }));
        Ok(all)
    }

    fn start(&mut self, leased: Leased) {
        let (delivery, setting, environment) = (self.delivery.clone(), Arc::clone(&self.setting), self.environment);
        self.running.spawn(async move {
            let began = Instant::now();
            let slot = delivery.slots.acquire().await.expect("the semaphore is never closed");
            if Instant::now() < leased.begin_before {
                deliver(&delivery, &setting, environment, &leased.notification).await;
            }
            drop(slot);
            began.elapsed()
        });
    }
}

/// One attempt and its record.
async fn deliver(
    delivery: &Delivery,
    setting: &NotificationSetting,
    environment: Environment,
    notification: &Notification,
) {
    let event = &notification.event;
    let parcel = Parcel {
        event_id: event.id.to_string(),
        event_type: event.event_type,
        subject: &event.subject,
        occurred_at: event.occurred_at,
        notification_id: &notification.id,
        payload: notification::payload(event, notification.id),
    };
    let attempted = delivery.attempt(setting, parcel).await;
    let answer = &attempted.last.answer;
    let at = delivery.clock.now();
    let failed = notification.times_attempted + 1;
    let delay = delivery
        .settings
        .schedule(environment)
        .delay_after(failed, answer.retry_after);
    let (status, retry_at) = match delay {
        _ if answer.is_success() => (NotificationStatus::Delivered, None),
        Some(delay) => (NotificationStatus::NeedsRetry, Some(at.plus(delay))),
        None => (NotificationStatus::Failed, None),
    };
    let attempts = attempted.first.into_iter().chain([attempted.last]);
    let record = AttemptRecord {
        workspace: notification.workspace,
        setting: setting.id,
        attempts: attempts
            .map(|attempt| logged(delivery, notification, attempt))
            .collect(),
        status,
        retry_at,
        at,
    };
    if let Err(error) = delivery
        .storage
        .commit(Change::silent(Write::RecordAttempt(record)))
        .await
    {
        tracing::warn!(%error, notification = %notification.id, "could not record an attempt; it will be made again");
    }
}

fn logged(delivery: &Delivery, notification: &Notification, attempt: Attempt) -> DeliveryAttempt {
    let Attempt { at, answer } = attempt;
    DeliveryAttempt {
        id: delivery.ids.next(at, delivery.entropy.as_ref()),
        notification: notification.id,
        response_code: answer.status,
        response_content_type: answer.content_type,
        response_body: answer.body,
        problem: answer.problem,
        attempted_at: at,
        duration_ms: u32::try_from(answer.took.as_millis()).unwrap_or(u32::MAX),
    }
}
