//! What happens because time passes: keys that are about to expire, keys that expire, answers that are forgotten.
//!
//! Safe to run on every node at once: each step is a change with a precondition, and the first one wins.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::event::{Actor, EventType};
use tollgate_storage::{Change, StorageError, Write};

use crate::Service;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(500);
/// How long before its end a key's expiry is announced. Contract, section 5.
const ANNOUNCED_BEFORE: Duration = Duration::from_hours(7 * 24);
/// How many keys a tick takes at most; what is left comes with the next.
const KEYS_AT_ONCE: usize = 100;
/// How many answers a tick forgets at most, so that no other write waits long.
const ANSWERS_AT_ONCE: usize = 500;
/// Answers are looked for every so many ticks: once a minute.
const TICKS_BETWEEN_FORGETTING: u32 = 120;

impl Service {
    /// Does what is due, until stopped.
    pub async fn keep_house(&self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut until_forgetting = 0_u32;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.expire_api_keys().await {
                tracing::warn!(%error, "could not look for API keys that expire");
            }
            if until_forgetting == 0 {
                until_forgetting = TICKS_BETWEEN_FORGETTING;
                let forget = Write::ForgetIdempotentAnswers {
                    now: self.clock.now(),
                    limit: ANSWERS_AT_ONCE,
                };
                if let Err(error) = self.storage.commit(Change::silent(forget)).await {
                    tracing::warn!(%error, "could not forget old idempotent answers");
                }
            }
            until_forgetting -= 1;
        }
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
            self.store_api_key(Actor::Clock, event_type, now, from, to).await?;
        }
        Ok(())
    }
}
