//! From a presented API key to a caller, from memory.
//!
//! What is known of a key is kept here and forgotten when an event tells of a change, by following the store's
//! sequence. A key is trusted from memory only while the store was heard from less than [`TRUST`] ago; past that, each
//! request asks the store itself. So a key that was revoked or expired anywhere is refused within a second.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tollgate_domain::api_key::{ApiKey, ApiKeySecret};
use tollgate_domain::event::EventType;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{Change, StorageError, Write};

use crate::{Caller, Service};

/// How often changes of keys are looked for.
const FOLLOW: Duration = Duration::from_millis(100);
/// How old the last word from the store may be for a key to be trusted from memory. With the time that the word itself
/// takes (the stores tell of another process's commit within 100 ms, and ring every half second at least) a second in all.
const TRUST: Duration = Duration::from_millis(800);
/// How many keys are remembered; past that, all are forgotten and looked up anew.
const MOST_KEYS: usize = 100_000;
/// What changes what is known of a key: its own changes, and its workspace's name.
const FOLLOWED: [EventType; 6] = {
    let [created, updated, expiring, expired, revoked] = EventType::API_KEY;
    [
        created,
        updated,
        expiring,
        expired,
        revoked,
        EventType::WorkspaceRenamed,
    ]
};
/// How accurate a key's last use is. Contract, section 5.
const USE_ACCURACY: Duration = Duration::from_hours(1);

/// Why nobody was recognised.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// Not a key of ours, or one that was revoked or has expired: the caller isn't told which.
    #[error("invalid, expired or revoked API key")]
    Invalid,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A key, its workspace, and the last use that was written down.
#[derive(Debug)]
struct Known {
    key: ApiKey,
    workspace: Workspace,
    noted_use: AtomicI64,
}

/// The keys that were presented lately.
#[derive(Debug, Default)]
pub(crate) struct Keyring(RwLock<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    keys: HashMap<ApiKeyId, Arc<Known>>,
    /// When the store was last heard from, all it told of being applied here; `None` before the first time.
    heard_at: Option<Instant>,
    /// Counts the times that something was forgotten, so that a look-up that began before isn't remembered after.
    forgotten: u64,
}

impl Keyring {
    /// What is known of the key, if the store was heard from lately.
    fn trusted(&self, id: ApiKeyId) -> Option<Arc<Known>> {
        let remembered = self.0.read();
        let fresh = remembered.heard_at.is_some_and(|heard_at| heard_at.elapsed() < TRUST);
        if fresh { remembered.keys.get(&id).cloned() } else { None }
    }

    /// Asks anew for this key.
    pub(crate) fn forget(&self, id: ApiKeyId) {
        let mut remembered = self.0.write();
        remembered.keys.remove(&id);
        remembered.forgotten += 1;
    }

    pub(crate) fn forget_all(&self) {
        let mut remembered = self.0.write();
        remembered.keys.clear();
        remembered.forgotten += 1;
    }

    fn forgotten(&self) -> u64 {
        self.0.read().forgotten
    }

    /// Keeps what was looked up, unless something was forgotten since the look-up began.
    fn remember(&self, known: &Arc<Known>, forgotten_before: u64) {
        let mut remembered = self.0.write();
        if remembered.forgotten != forgotten_before {
            return;
        }
        if remembered.keys.len() >= MOST_KEYS {
            remembered.keys.clear();
        }
        remembered.keys.insert(known.key.id, Arc::clone(known));
    }

    fn heard(&self, at: Instant, changed: &[ApiKeyId]) {
        let mut remembered = self.0.write();
        for id in changed {
            remembered.keys.remove(id);
            remembered.forgotten += 1;
        }
        remembered.heard_at = Some(at);
    }
}

impl Service {
    /// Recognises whoever presents `text` as an API key, from a client's address as far as it is known, and notes the use.
    pub async fn authenticate(&self, text: &str, address: Option<IpAddr>) -> Result<Caller, AuthenticationError> {
        let secret = ApiKeySecret::parse(text).map_err(|_| AuthenticationError::Invalid)?;
        let known = match self.keyring.trusted(secret.id()) {
            Some(known) => known,
            None => self.look_up(secret.id()).await?.ok_or(AuthenticationError::Invalid)?,
        };
        let now = self.clock.now();
        if known.key.digest != secret.digest() || !known.key.is_usable(now) {
            return Err(AuthenticationError::Invalid);
        }
        self.note_use(&known, now);
        Ok(Caller::api_key(
            known.workspace.clone(),
            known.key.id,
            known.key.permissions,
            address,
        ))
    }

    async fn look_up(&self, id: ApiKeyId) -> Result<Option<Arc<Known>>, StorageError> {
        let forgotten_before = self.keyring.forgotten();
        let Some(key) = self.storage.api_key(id).await? else {
            return Ok(None);
        };
        let workspace = self
            .storage
            .workspace(key.workspace)
            .await?
            .ok_or_else(|| StorageError::Corrupt(format!("api_keys.workspace_id: {id} has no workspace")))?;
        let noted_use = AtomicI64::new(key.last_used_at.map_or(i64::MIN, Timestamp::as_micros));
        let known = Arc::new(Known {
            key,
            workspace,
            noted_use,
        });
        self.keyring.remember(&known, forgotten_before);
        Ok(Some(known))
    }

    /// Writes down that the key was used, once an hour, beside the request.
    fn note_use(&self, known: &Known, now: Timestamp) {
        let noted = known.noted_use.load(Ordering::Relaxed);
        if noted > now.minus(USE_ACCURACY).as_micros()
            || known
                .noted_use
                .compare_exchange(noted, now.as_micros(), Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let storage = Arc::clone(&self.storage);
        let id = known.key.id;
        tokio::spawn(async move {
            let touch = Change::silent(Write::TouchApiKey { id, used_at: now });
            if let Err(error) = storage.commit(touch).await {
                tracing::warn!(%error, key = %id, "could not note the use of an API key");
            }
        });
    }

    /// Follows the store's sequence and forgets the keys that changed, until stopped.
    pub async fn follow_api_keys(&self, stop: CancellationToken) {
        let pulse = self.storage.pulse();
        let mut applied = pulse.borrow().sequence;
        // What was looked up before is older than the place that changes are followed from.
        self.keyring.forget_all();
        let mut ticks = interval(FOLLOW);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let heard = *pulse.borrow();
            if heard.sequence > applied {
                match self.storage.events_between(applied, heard.sequence, &FOLLOWED).await {
                    Ok(events) => {
                        if events
                            .iter()
                            .any(|(_, event)| event.event_type == EventType::WorkspaceRenamed)
                        {
                            self.keyring.forget_all();
                        }
                        let changed: Vec<ApiKeyId> = events
                            .iter()
                            .filter_map(|(_, event)| ApiKeyId::parse(&event.subject).ok())
                            .collect();
                        self.keyring.heard(heard.heard_at, &changed);
                        applied = heard.sequence;
                    }
                    // Not heard: past `TRUST`, every request asks the store.
                    Err(error) => tracing::warn!(%error, "could not follow changes of API keys"),
                }
            } else {
                self.keyring.heard(heard.heard_at, &[]);
            }
        }
    }
}
