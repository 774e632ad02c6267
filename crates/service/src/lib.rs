//! The use-cases: may this caller, what changes, one commit.
//!
//! Every surface enters here: the compatible API, the native one, the command line, the clock. Nothing here knows
//! HTTP, SQL or the command line.

pub mod ambient;
mod api_keys;
mod audit;
pub mod audit_csv;
mod authentication;
mod caller;
mod client_tokens;
mod events;
mod housekeeping;
mod idempotency;
mod invitations;
mod joining;
mod links;
mod notification_settings;
mod notifications;
mod openid;
mod passkeys;
mod passwords;
mod people;
mod relying_party;
mod replays;
mod restrictions;
mod rotation;
mod sessions;
mod sign_in;
mod simulation_runs;
mod simulations;
mod token_search;
mod usage;
mod verification;
mod workspaces;

use std::sync::Arc;

use serde::Serialize;
use tollgate_domain::ambient::{Clock, Entropy};
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{Id, IdGenerator, Kind, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::verdict::TokenFacts;
use tollgate_storage::{Storage, StorageError};

pub use api_keys::{ApiKeyError, ApiKeyPatch, NewApiKey};
pub use audit::{AUDIT_LOOKED_THROUGH, AuditEntry, AuditError, AuditTrail, HistoryOf};
pub use audit_csv::{AuditExport, MOST_EXPORTED};
pub use authentication::AuthenticationError;
pub use caller::{Caller, Denied};
pub use client_tokens::{ClientTokenError, ClientTokenPatch, NewClientToken};
pub use events::{EventError, Followed};
pub use housekeeping::Housekeeping;
pub use idempotency::{IdempotentRequest, KeyReused};
pub use invitations::OpenInvitation;
pub use links::{Invited, IssuedLink, NewPerson};
pub use notification_settings::{NewNotificationSetting, NotificationSettingError, NotificationSettingPatch};
pub use notifications::NotificationError;
pub use openid::{Fetch, FetchFailed, OpenIdAnswer, OpenIdError, OpenIdProvider, OpenIdSignedIn, OpenIdStart};
pub use passkeys::{PasskeyChallenge, PasskeyError};
pub use people::{Member, PeopleError};
pub use relying_party::RelyingParty;
pub use replays::{FailedNotifications, MOST_REPLAYED, ToReplay};
pub use restrictions::{NotRestricted, RestrictionsPatch};
pub use rotation::{OVERLAP, Rotation};
pub use sessions::SignedIn;
pub use sign_in::{SignInError, SignInMethods};
pub use simulation_runs::{RunWithEvents, Trigger};
pub use simulations::{NewSimulation, SettingProblem, SimulationError, SimulationPatch};
pub use token_search::{ClientTokenSearch, FoundClientTokens, TOKENS_LOOKED_THROUGH};
pub use usage::ClientTokenUsage;
pub use verification::Verification;

use authentication::Keyring;
use caller::Cause;
use passwords::Passwords;

/// How often a use-case looks again when another change of the same row came first. Each round is lost only to
/// somebody else's progress.
const ROUNDS: usize = 16;

/// Is told of each client token that this process has made or changed, with the place of that in the sequence, before
/// whoever asked for it is; also of what the clock did. It should not wait.
pub type TokenWatch = Arc<dyn Fn(u64, &TokenFacts) + Send + Sync>;

/// What a use-case has done or found done, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The outcome.
    pub value: T,
    /// The place of the change in the sequence; `None` when nothing was left to change, and it was made before.
    pub sequence: Option<u64>,
}

impl<T> Placed<T> {
    pub(crate) const fn unchanged(value: T) -> Self {
        Self { value, sequence: None }
    }
}

/// The use-cases, over one store. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    ids: Arc<IdGenerator>,
    keyring: Arc<Keyring>,
    passwords: Arc<Passwords>,
    sign_in_methods: Arc<SignInMethods>,
    openid: Option<Arc<OpenIdProvider>>,
    token_watch: Option<TokenWatch>,
}

impl Service {
    /// Over this store, with this time and this chance.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            storage,
            clock,
            entropy,
            ids: Arc::default(),
            keyring: Arc::default(),
            passwords: Arc::default(),
            sign_in_methods: Arc::default(),
            openid: None,
            token_watch: None,
        }
    }

    /// The same, telling `watch` of client tokens: a verifier in this process refuses what was revoked here at once.
    #[must_use]
    pub fn with_token_watch(self, watch: TokenWatch) -> Self {
        Self {
            token_watch: Some(watch),
            ..self
        }
    }

    /// The same, with these ways to sign in, and the provider that the third one is.
    #[must_use]
    pub fn with_sign_in(self, methods: SignInMethods, openid: Option<OpenIdProvider>) -> Self {
        Self {
            sign_in_methods: Arc::new(methods),
            openid: openid.map(Arc::new),
            ..self
        }
    }

    /// Which ways to sign in are switched on.
    pub fn sign_in_methods(&self) -> &SignInMethods {
        &self.sign_in_methods
    }

    fn tell_token_watch(&self, sequence: u64, token: &ClientToken) {
        if let Some(watch) = &self.token_watch {
            watch(sequence, &token.facts());
        }
    }

    /// Whether the store answers; the last place of its sequence.
    pub async fn ready(&self) -> Result<u64, StorageError> {
        self.storage.sequence().await
    }

    /// The time, as everything here goes by it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Fills a buffer from the service's source of randomness: for what the surfaces name themselves, request ids.
    pub fn fill_random(&self, buffer: &mut [u8]) {
        self.entropy.fill(buffer);
    }

    fn next_id<K: Kind>(&self, now: Timestamp) -> Id<K> {
        self.ids.next(now, self.entropy.as_ref())
    }

    /// What happened to the entity `subject`, of which `snapshot` is what the wire shows.
    fn event(
        &self,
        (workspace, cause): (WorkspaceId, Cause),
        event_type: EventType,
        occurred_at: Timestamp,
        subject: &dyn std::fmt::Display,
        snapshot: &impl Serialize,
    ) -> Event {
        Event {
            workspace,
            id: self.next_id(occurred_at),
            event_type,
            occurred_at,
            subject: subject.to_string(),
            data: serde_json::to_string(snapshot).expect("a snapshot has text keys and finite numbers"),
            actor: cause.actor,
            address: cause.address,
        }
    }
}
