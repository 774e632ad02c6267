//! The boundary to what is durable.
//!
//! A write is a value: a use-case looks, decides, and hands over one [`Change`], rows and events together. The store
//! applies it whole or not at all, and answers only when it would survive power loss. There is no open transaction
//! to hold, nothing to await inside one, and many callers' changes can share one commit.
#![warn(missing_docs)]

mod audit;
mod change;
#[cfg(feature = "contract")]
pub mod contract;
mod delivery;
mod page;
mod people;
mod token_search;

use std::collections::HashMap;

use async_trait::async_trait;
use tokio::sync::watch;
use tollgate_domain::api_key::{ApiKey, SecretDigest};
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{
    ApiKeyId, ClientTokenId, ClientTokenKind, EventId, EventKind, NotificationId, NotificationLogKind,
    NotificationSettingId, SimulationEventId, SimulationEventKind, SimulationId, SimulationRunId, SimulationRunKind,
    UserId, WorkspaceId,
};
use tollgate_domain::identity::Identity;
use tollgate_domain::notification::{DeliveryAttempt, Notification};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::one_time_link::OneTimeLink;
use tollgate_domain::passkey::{Ceremony, Passkey};
use tollgate_domain::session::Session;
use tollgate_domain::simulation::{Simulation, SimulationEvent, SimulationRun};
use tollgate_domain::throttle::{AttemptKey, Attempts};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, Usage};
use tollgate_domain::user::{EmailAddress, Membership, User};
use tollgate_domain::verdict::TokenFacts;
use tollgate_domain::workspace::Workspace;

pub use audit::{AuditPage, Searched};
pub use change::{
    AttemptRecord, Change, IdempotencyKey, IdempotentAnswer, Outcome, SettingsSeen, SimulationEventKey,
    SimulationRecord, Write,
};
pub use delivery::{DeliveryCount, DeliveryTotal};
pub use page::{
    ApiKeyPage, ClientTokenPage, EventPage, IdPage, NotificationPage, NotificationSettingPage, Order, Page,
    SimulationPage, Slice, TOTAL_CAP,
};
pub use people::{AttemptCount, LinkUse, PasswordChange, PeopleWrite, SignInNames};
pub use token_search::{Sought, TokenSearch};

/// Why the store gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// It can't be reached, is full, or refuses. What was asked may or may not have happened.
    #[error("the store gave no answer: {0}")]
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    /// A stored value is none that we write.
    #[error("the store holds a value that this version can't read: {0}")]
    Corrupt(String),
    /// A later version of Tollgate has been here.
    #[error(
        "the database has schema version {found}, this program knows {known} and older: start the version of Tollgate \
         that wrote it, or a later one"
    )]
    SchemaTooNew {
        /// The version in the database.
        found: u32,
        /// The latest version this program knows.
        known: u32,
    },
}

/// The last thing known of the store's sequence.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    /// Every event up to this place is committed and visible; 0 = none yet.
    pub sequence: u64,
    /// When the store itself said so.
    pub heard_at: std::time::Instant,
}

/// Is handed each token's facts, on whatever thread the store reads on; it should not wait.
pub type EachToken = Box<dyn FnMut(TokenFacts) + Send>;

/// What became of client tokens between two places of the sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenChanges {
    /// Each token that something happened to, once, as it is now: so it may be newer than the place.
    Upto {
        /// Everything up to this place is in it. Ask again from here as long as it is before the place asked for.
        place: u64,
        /// In no order that means anything.
        tokens: Vec<TokenFacts>,
    },
    /// Some of these events were removed, as they are too old: what they changed isn't known. Start anew with
    /// [`Storage::each_client_token`].
    Forgotten,
}

/// Everything durable. Two implementations, one contract ([`contract`]).
///
/// Every look-up by a caller names the workspace, so that another tenant's rows can't be had by forgetting it.
/// Every committed event has a place in one strictly increasing sequence per store, and becomes visible in that order:
/// whoever has seen place N has missed nothing before it.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Applies `change` whole, events included, or not at all; answers once it would survive power loss.
    async fn commit(&self, change: Change) -> Result<Outcome, StorageError>;

    /// The workspace of this id.
    async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError>;

    /// All workspaces, oldest first.
    async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError>;

    /// The client token of this id in this workspace.
    async fn client_token(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
    ) -> Result<Option<ClientToken>, StorageError>;

    /// A page of a workspace's client tokens, by id. The cursor need not exist.
    async fn client_tokens(
        &self,
        workspace: WorkspaceId,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, StorageError>;

    /// A page of a workspace's client tokens that fit a search, newest first. It looks at `look_through` of them at most, of
    /// those with the statuses asked for.
    async fn search_client_tokens(
        &self,
        workspace: WorkspaceId,
        search: &TokenSearch,
        look_through: usize,
    ) -> Result<Searched<ClientTokenKind, ClientToken>, StorageError>;

    /// The facts of all client tokens of all workspaces, as they are together at one moment: its place in the sequence
    /// is answered, and every event up to it is in the facts, and none after it.
    async fn each_client_token(&self, each: EachToken) -> Result<u64, StorageError>;

    /// The facts of the tokens that the events after place `after` up to `upto` are about. Looks at `limit` events at
    /// most, of whatever kind; at no more than there are, whatever `upto` says.
    async fn client_tokens_changed(&self, after: u64, upto: u64, limit: usize) -> Result<TokenChanges, StorageError>;

    /// Active client tokens, in any workspace, that are to be revoked by `now`; earliest first, at most `limit`.
    async fn client_tokens_to_revoke(&self, now: Timestamp, limit: usize) -> Result<Vec<ClientToken>, StorageError>;

    /// What is stored of a token's usage: the hours from `since` on, and the origins of the UTC days from the one of
    /// `since` on, summed over the days. Nothing for an unknown token.
    async fn client_token_usage(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
        since: Hour,
    ) -> Result<Usage, StorageError>;

    /// When each of these client tokens was last let in; those that never were are absent.
    async fn client_token_last_uses(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
    ) -> Result<HashMap<ClientTokenId, Timestamp>, StorageError>;

    /// How often each of these client tokens was let in, hour by hour from `since` on, oldest first; those that never were
    /// are absent, and so are their hours without.
    async fn client_token_usages(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
        since: Hour,
    ) -> Result<HashMap<ClientTokenId, Vec<(Hour, u64)>>, StorageError>;

    /// The API key of this id in whatever workspace: for authentication, which doesn't know the workspace yet.
    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError>;

    /// A page of a workspace's API keys, by id. The cursor need not exist. The total is told of all keys together only.
    async fn api_keys(&self, workspace: WorkspaceId, page: &ApiKeyPage) -> Result<Slice<ApiKey>, StorageError>;

    /// Active API keys, in any workspace, that have expired at `now`, or that expire by `announce_before` and haven't
    /// been announced; soonest first, at most `limit`.
    async fn api_keys_due(
        &self,
        now: Timestamp,
        announce_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StorageError>;

    /// The event of this id in this workspace, whatever its type.
    async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Option<Event>, StorageError>;

    /// A page of a workspace's events, by id. The cursor need not exist.
    async fn events(&self, workspace: WorkspaceId, page: &EventPage) -> Result<Slice<Event>, StorageError>;

    /// A page of a workspace's events of all types, newest first. Where no index tells all that is asked for (an actor with
    /// types, or more than the entity), it looks at `look_through` events of the actor or the entity at most.
    async fn audit_trail(
        &self,
        workspace: WorkspaceId,
        page: &AuditPage,
        look_through: usize,
    ) -> Result<Searched<EventKind, Event>, StorageError>;

    /// The API keys of these ids in this workspace, in no order that means anything.
    async fn api_keys_named(&self, workspace: WorkspaceId, ids: &[ApiKeyId]) -> Result<Vec<ApiKey>, StorageError>;

    /// The people of these ids, in no order that means anything.
    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError>;

    /// The events of these types in any workspace, with their places, after place `after` up to and including `upto`.
    async fn events_between(
        &self,
        after: u64,
        upto: u64,
        types: &[EventType],
    ) -> Result<Vec<(u64, Event)>, StorageError>;

    /// A workspace's public events, with their places, after place `after` up to and including `upto`, in the order of
    /// the sequence; at most `limit`.
    async fn workspace_events_between(
        &self,
        workspace: WorkspaceId,
        after: u64,
        upto: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Event)>, StorageError>;

    /// The notification setting of this id in this workspace.
    async fn notification_setting(
        &self,
        workspace: WorkspaceId,
        id: NotificationSettingId,
    ) -> Result<Option<NotificationSetting>, StorageError>;

    /// All notification settings of a workspace, oldest first.
    async fn all_notification_settings(&self, workspace: WorkspaceId)
    -> Result<Vec<NotificationSetting>, StorageError>;

    /// A page of a workspace's notification settings, by id. The total is exact: they are few.
    async fn notification_settings(
        &self,
        workspace: WorkspaceId,
        page: &NotificationSettingPage,
    ) -> Result<Slice<NotificationSetting>, StorageError>;

    /// Active settings, in any workspace, with a notification that is due at `now`.
    async fn due_notification_settings(&self, now: Timestamp) -> Result<Vec<NotificationSetting>, StorageError>;

    /// The notification of this id in this workspace, unless its setting is gone.
    async fn notification(
        &self,
        workspace: WorkspaceId,
        id: NotificationId,
    ) -> Result<Option<Notification>, StorageError>;

    /// A page of a workspace's notifications, by id; none whose setting is gone. The total is told when only settings
    /// and statuses are asked for.
    async fn notifications(
        &self,
        workspace: WorkspaceId,
        page: &NotificationPage,
    ) -> Result<Slice<Notification>, StorageError>;

    /// The notifications of an event, its replays among them, newest first, at most `limit`; none whose setting is gone.
    async fn notifications_of(
        &self,
        workspace: WorkspaceId,
        event: EventId,
        limit: usize,
    ) -> Result<Vec<Notification>, StorageError>;

    /// A page of a notification's delivery attempts, by id. Whose it is, and whether it still shows, says
    /// [`notification`](Self::notification): the attempts of one whose setting is gone are there until they are removed.
    async fn delivery_attempts(
        &self,
        notification: NotificationId,
        page: &Page<NotificationLogKind>,
    ) -> Result<Slice<DeliveryAttempt>, StorageError>;

    /// How a workspace's attempts to deliver went, of one setting or of all, in each hour from `since` on that had any,
    /// oldest first; from counters, so that it costs the same for many attempts. Also of settings that are gone; hours that
    /// are older than what was removed as too old are gone too.
    async fn delivery_counts(
        &self,
        workspace: WorkspaceId,
        setting: Option<NotificationSettingId>,
        since: Hour,
    ) -> Result<Vec<DeliveryCount>, StorageError>;

    /// The same summed over the hours, for each setting that had any attempts, by the settings' ids.
    async fn delivery_totals(&self, workspace: WorkspaceId, since: Hour) -> Result<Vec<DeliveryTotal>, StorageError>;

    /// The simulation of this id in this workspace.
    async fn simulation(&self, workspace: WorkspaceId, id: SimulationId) -> Result<Option<Simulation>, StorageError>;

    /// A page of a workspace's simulations, by id.
    async fn simulations(
        &self,
        workspace: WorkspaceId,
        page: &SimulationPage,
    ) -> Result<Slice<Simulation>, StorageError>;

    /// The run of this id, if it is of this simulation in this workspace.
    async fn simulation_run(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        id: SimulationRunId,
    ) -> Result<Option<SimulationRun>, StorageError>;

    /// A page of a simulation's runs, by id.
    async fn simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        page: &IdPage<SimulationRunKind>,
    ) -> Result<Slice<SimulationRun>, StorageError>;

    /// The newest run of each of these simulations, in their order; those that were never run are left out.
    async fn newest_simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulations: &[SimulationId],
    ) -> Result<Vec<SimulationRun>, StorageError>;

    /// The event of this id, if it is of this run in this workspace.
    async fn simulation_event(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        id: SimulationEventId,
    ) -> Result<Option<SimulationEvent>, StorageError>;

    /// A page of a run's events, by id.
    async fn simulation_events(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        page: &IdPage<SimulationEventKind>,
    ) -> Result<Slice<SimulationEvent>, StorageError>;

    /// Of each of these runs the newest events, newest first, at most `limit` of each.
    async fn simulation_events_of(
        &self,
        workspace: WorkspaceId,
        runs: &[SimulationRunId],
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError>;

    /// Pending events, in any workspace, that nobody has claimed, or that were claimed before `claimed_before`; oldest
    /// first, at most `limit`.
    async fn simulation_events_due(
        &self,
        claimed_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError>;

    /// What was answered to the request with this key, unless that is forgotten at `now`.
    async fn idempotent_answer(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StorageError>;

    /// The person of this id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError>;

    /// The person with this email address.
    async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StorageError>;

    /// All members of a workspace, by the ids of the people. They are few.
    async fn members(&self, workspace: WorkspaceId) -> Result<Vec<(User, Membership)>, StorageError>;

    /// What a person is a member of, by the ids of the workspaces.
    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StorageError>;

    /// The session with this digest, also when it is over and wasn't removed yet.
    async fn session(&self, digest: SecretDigest) -> Result<Option<Session>, StorageError>;

    /// A person's sessions, newest first; also those that are over and weren't removed yet. They are few.
    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StorageError>;

    /// The link with this digest, unless it was used; also when its time is over and it wasn't removed yet.
    async fn one_time_link(&self, digest: SecretDigest) -> Result<Option<OneTimeLink>, StorageError>;

    /// All passkeys of a person, by their ids.
    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, StorageError>;

    /// The passkey with this credential id, whosever it is.
    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>, StorageError>;

    /// The ceremony with this digest, unless it was used; also when its time is over and it wasn't removed yet.
    async fn ceremony(&self, digest: SecretDigest) -> Result<Option<Ceremony>, StorageError>;

    /// The identity of this issuer and subject, byte for byte.
    async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StorageError>;

    /// The links that invite to a workspace, by the addresses they were made for, compared in lower case; also those whose
    /// time is over and that weren't removed yet. They are few.
    async fn invitations(&self, workspace: WorkspaceId) -> Result<Vec<OneTimeLink>, StorageError>;

    /// The links that invite whoever has this email address, by the ids of the workspaces; also those whose time is over
    /// and that weren't removed yet.
    async fn invitations_to(&self, email: &EmailAddress) -> Result<Vec<OneTimeLink>, StorageError>;

    /// What is counted under each of these names, in their order.
    async fn sign_in_attempts(&self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>, StorageError>;

    /// Asks the store itself for the last place of the sequence: also the proof that it answers.
    async fn sequence(&self) -> Result<u64, StorageError>;

    /// Follows the sequence: rings after each commit of this process at once, of another process within 100 ms, and
    /// at least every second while the store answers, so that silence can be told from a standstill.
    fn pulse(&self) -> watch::Receiver<Pulse>;
}
