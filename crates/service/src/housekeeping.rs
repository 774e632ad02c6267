//! What happens because time passes: keys that are about to expire, keys that expire, client tokens whose revocation was
//! scheduled, answers that are forgotten, sessions and links that are over, events and usage that are old, destinations that
//! have failed for too long.
//!
//! Safe to run on every node at once: each step is a change with a precondition, and the first one wins.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::event::EventType;
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, KEPT_HOURS};
use tollgate_storage::{Change, NotificationPage, Order, Page, PeopleWrite, StorageError, Write};

use crate::caller::Cause;
use crate::{Service, client_tokens};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(500);
/// How long before its end a key's expiry is announced. Contract, section 5.
const ANNOUNCED_BEFORE: Duration = Duration::from_hours(7 * 24);
/// How many keys a tick takes at most; what is left comes with the next.
const KEYS_AT_ONCE: usize = 100;
/// How many client tokens a tick revokes at most.
const TOKENS_AT_ONCE: usize = 500;
/// How many answers a tick forgets at most, so that no other write waits long.
const ANSWERS_AT_ONCE: usize = 500;
/// How many old notifications, and events, a tick removes at most.
const OLD_AT_ONCE: usize = 1_000;
/// Of how many notifications that failed it is looked when a destination was last attempted.
const FAILED_LOOKED_AT: usize = 20;
/// How many sessions, links and names of failures are removed at a time: more than a minute can bring, as each is paid for
/// with the hashing of a password.
const SESSIONS_AT_ONCE: usize = 10_000;
/// What isn't urgent is looked for every so many ticks: once a minute.
const TICKS_BETWEEN_LOOKS: u32 = 120;

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Housekeeping {
    /// Events, notifications, logs and simulation runs are removed when they are older. The contract's number by default: 90 days.
    pub retention: Duration,
    /// A destination is deactivated when an attempt fails this long after the first that failed, or later, and none
    /// succeeded between; never when absent.
    pub deactivate_after: Option<Duration>,
}

impl Default for Housekeeping {
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(days * 24);
        Self {
            retention: days(90),
            deactivate_after: Some(days(5)),
        }
    }
}

impl Service {
    /// Does what is due, until stopped.
    pub async fn keep_house(&self, settings: Housekeeping, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut until_look = 0_u32;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            told(self.expire_api_keys().await, "could not look for API keys that expire");
            told(
                self.revoke_scheduled().await,
                "could not look for client tokens to revoke",
            );
            told(self.remove_old_usage().await, "could not remove old usage");
            told(
                self.remove_old(settings.retention).await,
                "could not remove old events and notifications",
            );
            if until_look == 0 {
                until_look = TICKS_BETWEEN_LOOKS;
                told(self.forget_answers().await, "could not forget old idempotent answers");
                told(
                    self.remove_old_sessions().await,
                    "could not remove sessions that are over",
                );
                told(
                    self.remove_old_runs(settings.retention).await,
                    "could not remove old simulation runs",
                );
                if let Some(after) = settings.deactivate_after {
                    told(
                        self.deactivate_failing(after).await,
                        "could not look for failing destinations",
                    );
                }
            }
            until_look -= 1;
        }
    }

    /// Revokes the client tokens whose time has come, as whoever scheduled it would have.
    pub async fn revoke_scheduled(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        let mut revocations = JoinSet::new();
        for from in self.storage.client_tokens_to_revoke(now, TOKENS_AT_ONCE).await? {
            let mut to = from.clone();
            to.updated_at = now.max(from.updated_at);
            to.version += 1;
            client_tokens::end(&mut to);
            // All at once: they share a commit. Another node may have been first, or somebody withdrew it; then there is
            // nothing left to do.
            let service = self.clone();
            revocations.spawn(async move { service.store_client_token(Cause::CLOCK, from, to).await });
        }
        revocations
            .join_all()
            .await
            .into_iter()
            .try_for_each(|done| done.map(drop))
    }

    /// Removes a small batch of the usage that is older than is told.
    pub async fn remove_old_usage(&self) -> Result<(), StorageError> {
        let prune = Write::PruneUsage {
            before: Hour::of(self.clock.now()).minus(KEPT_HOURS),
            limit: OLD_AT_ONCE,
        };
        self.storage.commit(Change::silent(prune)).await.map(drop)
    }

    async fn forget_answers(&self) -> Result<(), StorageError> {
        let forget = Write::ForgetIdempotentAnswers {
            now: self.clock.now(),
            limit: ANSWERS_AT_ONCE,
        };
        self.storage.commit(Change::silent(forget)).await.map(drop)
    }

    /// Removes a batch of the sessions and links that are over, and of the failures to sign in that are forgotten.
    pub async fn remove_old_sessions(&self) -> Result<(), StorageError> {
        let prune = PeopleWrite::PrunePeople {
            now: self.clock.now(),
            limit: SESSIONS_AT_ONCE,
        };
        let prune = Change::silent(Write::People(prune));
        self.storage.commit(prune).await.map(drop)
    }

    /// Removes a small batch of what is older than `retention`, or belongs to settings that are gone.
    pub async fn remove_old(&self, retention: Duration) -> Result<(), StorageError> {
        let prune = Write::Prune {
            before: self.clock.now().minus(retention),
            limit: OLD_AT_ONCE,
        };
        self.storage.commit(Change::silent(prune)).await.map(drop)
    }

    /// Removes a small batch of simulation runs that are older than `retention`, with their events.
    pub async fn remove_old_runs(&self, retention: Duration) -> Result<(), StorageError> {
        let prune = Write::PruneSimulationRuns {
            before: self.clock.now().minus(retention),
            limit: OLD_AT_ONCE,
        };
        self.storage.commit(Change::silent(prune)).await.map(drop)
    }

    /// Switches off the destinations that have failed for this long; the audit trail tells. A single failure that nothing
    /// followed says nothing of the days since.
    pub async fn deactivate_failing(&self, after: Duration) -> Result<(), StorageError> {
        let now = self.clock.now();
        for workspace in self.storage.workspaces().await? {
            let all = self.storage.all_notification_settings(workspace.id).await?;
            for setting in all.iter().filter(|setting| setting.active) {
                let Some(since) = setting.failing_since.map(|since| since.plus(after)) else {
                    continue;
                };
                if since <= now && self.failed_from(setting, since).await? {
                    self.deactivate(setting, &all).await?;
                    tracing::warn!(setting = %setting.id, "deactivated: no delivery has succeeded for {} hours", after.as_secs() / 3_600);
                    // One at a time: the next look, a minute later, sees the others as they are then.
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether an attempt failed at this moment or later, by the newest notifications that were attempted in vain: older
    /// ones come to the end of their retries before these.
    async fn failed_from(&self, setting: &NotificationSetting, from: Timestamp) -> Result<bool, StorageError> {
        let page = NotificationPage {
            page: Page {
                after: None,
                order: Order::Descending,
                limit: FAILED_LOOKED_AT,
                count: false,
            },
            settings: vec![setting.id],
            statuses: vec![NotificationStatus::NeedsRetry, NotificationStatus::Failed],
            search: None,
            subject: None,
            from: None,
            to: None,
        };
        let newest = self.storage.notifications(setting.workspace, &page).await?.items;
        Ok(newest
            .iter()
            .any(|notification| notification.last_attempt_at.is_some_and(|at| at >= from)))
    }

    /// Emits `api_key.expiring` for keys with seven days left or fewer, once each, and ends the keys whose time is
    /// over with `api_key.expired`. A key whose end passed unannounced is only told as expired.
    pub async fn expire_api_keys(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        let due = self
            .storage
            .api_keys_due(now, now.plus(ANNOUNCED_BEFORE), KEYS_AT_ONCE)
            .await?;
        for from in due {
            let (event_type, to) = if from.expires_at.is_some_and(|expires_at| expires_at <= now) {
                let ended = ApiKey {
                    status: ApiKeyStatus::Expired,
                    updated_at: now.max(from.updated_at),
                    ..from.clone()
                };
                (EventType::ApiKeyExpired, ended)
            } else {
                (
                    EventType::ApiKeyExpiring,
                    ApiKey {
                        expiring_announced_at: Some(now),
                        ..from.clone()
                    },
                )
            };
            // Another node may have been first; then there is nothing left to do.
            self.store_api_key(Cause::CLOCK, event_type, now, from, to).await?;
        }
        Ok(())
    }
}

fn told(result: Result<(), StorageError>, what: &str) {
    if let Err(error) = result {
        tracing::warn!(%error, "{what}");
    }
}
