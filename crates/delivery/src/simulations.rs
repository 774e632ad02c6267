//! Simulated events: claimed one by one, sent once, and recorded. A few at once, and fewer to one destination, so that a
//! slow receiver delays mostly itself.
//!
//! An event is claimed in a commit before it is sent, so no two nodes send it; what a crash cut off is never sent again,
//! but told as aborted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::simulation::{SimulationEvent, SimulationEventStatus, SimulationResponse};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, Outcome, SimulationEventKey, SimulationRecord, StorageError, Write};

use crate::attempt::Parcel;
use crate::worker::{Delivery, GRACE, PAUSE};

/// How old a pending event may become: longer than any attempt takes.
const STALE: Duration = Duration::from_mins(1);
/// How long after it was claimed an attempt may begin, so that it ends before it is stale.
const BEGIN_WITHIN: Duration = Duration::from_secs(30);
/// How many are looked at at once.
const LOOK: usize = 256;
/// Attempts at once.
const AT_ONCE: usize = 64;
/// Attempts at once for one destination.
const PER_DESTINATION: usize = 8;

/// Attempts under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<NotificationSettingId>,
    by_setting: HashMap<NotificationSettingId, usize>,
}

impl Running {
    fn has_room(&self, setting: NotificationSettingId) -> bool {
        let of_setting = self.by_setting.get(&setting).copied().unwrap_or(0);
        self.tasks.len() < AT_ONCE && of_setting < PER_DESTINATION
    }

    fn start(&mut self, delivery: Arc<Delivery>, event: SimulationEvent) {
        let setting = event.setting;
        *self.by_setting.entry(setting).or_default() += 1;
        self.tasks.spawn(async move {
            delivery.send_simulated(event).await;
            setting
        });
    }

    /// Forgets what has ended.
    fn clear(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            match ended {
                Ok(setting) => {
                    if let Some(count) = self.by_setting.get_mut(&setting) {
                        *count -= 1;
                    }
                }
                Err(error) => tracing::error!(%error, "a simulated delivery ended abnormally"),
            }
        }
        self.by_setting.retain(|_, count| *count > 0);
        if self.tasks.is_empty() {
            self.by_setting.clear();
        }
    }
}

impl Delivery {
    /// Works until stopped, then lets the attempts under way finish.
    pub(crate) async fn deliver_simulated(self: &Arc<Self>, stop: &CancellationToken) {
        let mut running = Running::default();
        while !stop.is_cancelled() {
            running.clear();
            let pause = match self.look_for_simulated(&mut running).await {
                Ok(()) => self.settings.look_every,
                Err(error) => {
                    tracing::warn!(%error, "could not look for simulated events");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        let drained = async { while running.tasks.join_next().await.is_some() {} };
        if timeout(GRACE, drained).await.is_err() {
            tracing::warn!("some simulated deliveries did not finish; they will be told as aborted");
        }
    }

    async fn look_for_simulated(self: &Arc<Self>, running: &mut Running) -> Result<(), StorageError> {
        let now = self.clock.now();
        let stale = now.minus(STALE);
        for event in self.storage.simulation_events_due(stale, LOOK).await? {
            let problem = if event.claimed_at.is_some() {
                Some("it was cut off while it was being sent")
            } else if event.created_at < stale {
                Some("nobody sent it within a minute")
            } else {
                None
            };
            if let Some(problem) = problem {
                self.record_simulated(aborted(&event, problem, now)).await;
            } else if running.has_room(event.setting) && self.claim_simulated(&event).await? {
                running.start(Arc::clone(self), event);
            }
        }
        Ok(())
    }

    /// Whether it is ours to send.
    async fn claim_simulated(&self, event: &SimulationEvent) -> Result<bool, StorageError> {
        let claim = Write::ClaimSimulationEvent {
            event: SimulationEventKey::of(event),
            at: self.clock.now(),
        };
        let outcome = self.storage.commit(Change::silent(claim)).await?;
        Ok(matches!(outcome, Outcome::Applied { .. }))
    }

    async fn send_simulated(&self, event: SimulationEvent) {
        let Ok(slot) = timeout(BEGIN_WITHIN, self.slots.acquire()).await else {
            let record = aborted(&event, "too many deliveries were under way", self.clock.now());
            return self.record_simulated(record).await;
        };
        let slot = slot.expect("the semaphore is never closed");
        let record = match self.storage.notification_setting(event.workspace, event.setting).await {
            Ok(Some(setting)) if setting.active && setting.traffic_source.takes_simulated() => {
                self.attempt_simulated(&setting, &event).await
            }
            Ok(_) => aborted(
                &event,
                "its destination is gone, is not active, or takes no simulated events",
                self.clock.now(),
            ),
            Err(error) => {
                tracing::warn!(%error, event = %event.id, "could not look up the destination of a simulated event");
                aborted(&event, "its destination could not be looked up", self.clock.now())
            }
        };
        drop(slot);
        self.record_simulated(record).await;
    }

    async fn attempt_simulated(&self, setting: &NotificationSetting, event: &SimulationEvent) -> SimulationRecord {
        let body = event.body();
        let notification = event.notification();
        let parcel = Parcel {
            event_id: event.id.to_string(),
            event_type: event.event_type,
            subject: &subject(event),
            occurred_at: event.created_at,
            notification_id: &notification,
            payload: body.clone(),
        };
        let answer = self.attempt(setting, parcel).await.last.answer;
        let status = if answer.is_success() {
            SimulationEventStatus::Success
        } else {
            SimulationEventStatus::Failed
        };
        SimulationRecord {
            event: SimulationEventKey::of(event),
            status,
            request: Some(body),
            response: (answer.status != 0).then_some(SimulationResponse {
                status_code: answer.status,
                body: answer.body,
            }),
            problem: answer.problem,
            at: self.clock.now(),
        }
    }

    async fn record_simulated(&self, record: SimulationRecord) {
        let event = record.event.id;
        let write = Write::RecordSimulationEvent(record);
        if let Err(error) = self.storage.commit(Change::silent(write)).await {
            tracing::warn!(%error, %event, "could not record a simulated delivery; it will be told as aborted");
        }
    }
}

fn aborted(event: &SimulationEvent, problem: &str, at: Timestamp) -> SimulationRecord {
    SimulationRecord {
        event: SimulationEventKey::of(event),
        status: SimulationEventStatus::Aborted,
        request: None,
        response: None,
        problem: Some(problem.to_owned()),
        at,
    }
}

/// The id that the payload gives its entity.
fn subject(event: &SimulationEvent) -> String {
    let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    payload["id"].as_str().unwrap_or_default().to_owned()
}
