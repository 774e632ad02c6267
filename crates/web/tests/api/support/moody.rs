//! A store that can be told to misbehave.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
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
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{
    ApiKeyPage, AuditPage, Change, ClientTokenPage, DeliveryCount, DeliveryTotal, EachToken, EventPage, IdPage,
    IdempotencyKey, IdempotentAnswer, NotificationPage, NotificationSettingPage, Outcome, Page, Pulse, Searched,
    SimulationPage, Slice, Storage, StorageError, TokenChanges, TokenSearch,
};

/// How the store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As it should.
    Sound,
    /// Every call fails, and the error tells a secret.
    Failing,
    /// Reads work; every write finds that another one came first.
    Contended,
    /// Looking for client tokens panics.
    Panicking,
}

/// What a failing store's errors say; nobody outside may read it.
pub(crate) const SECRET: &str = "password=hunter2 at /var/lib/tollgate";

pub(crate) struct Moody {
    inner: Arc<dyn Storage>,
    mood: Mutex<Mood>,
}

impl Moody {
    pub(crate) fn new(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            mood: Mutex::new(Mood::Sound),
        }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock()
    }

    /// The store itself, unless it is failing.
    fn able(&self) -> Result<&dyn Storage, StorageError> {
        match self.mood() {
            Mood::Failing => Err(StorageError::Unavailable(SECRET.into())),
            _ => Ok(self.inner.as_ref()),
        }
    }
}

#[async_trait]
impl Storage for Moody {
    async fn commit(&self, change: Change) -> Result<Outcome, StorageError> {
        if self.mood() == Mood::Contended {
            return Ok(Outcome::Stale);
        }
        self.able()?.commit(change).await
    }

    async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        self.able()?.workspace(id).await
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        self.able()?.workspaces().await
    }

    async fn client_token(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
    ) -> Result<Option<ClientToken>, StorageError> {
        assert!(self.mood() != Mood::Panicking, "{SECRET}");
        self.able()?.client_token(workspace, id).await
    }

    async fn client_tokens(
        &self,
        workspace: WorkspaceId,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, StorageError> {
        self.able()?.client_tokens(workspace, page).await
    }

    async fn search_client_tokens(
        &self,
        workspace: WorkspaceId,
        search: &TokenSearch,
        look_through: usize,
    ) -> Result<Searched<ClientTokenKind, ClientToken>, StorageError> {
        self.able()?.search_client_tokens(workspace, search, look_through).await
    }

    async fn each_client_token(&self, each: EachToken) -> Result<u64, StorageError> {
        self.able()?.each_client_token(each).await
    }

    async fn client_tokens_changed(&self, after: u64, upto: u64, limit: usize) -> Result<TokenChanges, StorageError> {
        self.able()?.client_tokens_changed(after, upto, limit).await
    }

    async fn client_tokens_to_revoke(&self, now: Timestamp, limit: usize) -> Result<Vec<ClientToken>, StorageError> {
        self.able()?.client_tokens_to_revoke(now, limit).await
    }

    async fn client_token_usage(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
        since: Hour,
    ) -> Result<Usage, StorageError> {
        self.able()?.client_token_usage(workspace, id, since).await
    }

    async fn client_token_last_uses(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
    ) -> Result<HashMap<ClientTokenId, Timestamp>, StorageError> {
        self.able()?.client_token_last_uses(workspace, ids).await
    }

    async fn client_token_usages(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
        since: Hour,
    ) -> Result<HashMap<ClientTokenId, Vec<(Hour, u64)>>, StorageError> {
        self.able()?.client_token_usages(workspace, ids, since).await
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        self.able()?.api_key(id).await
    }

    async fn api_keys(&self, workspace: WorkspaceId, page: &ApiKeyPage) -> Result<Slice<ApiKey>, StorageError> {
        self.able()?.api_keys(workspace, page).await
    }

    async fn api_keys_due(
        &self,
        now: Timestamp,
        announce_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StorageError> {
        self.able()?.api_keys_due(now, announce_before, limit).await
    }

    async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Option<Event>, StorageError> {
        self.able()?.event(workspace, id).await
    }

    async fn events(&self, workspace: WorkspaceId, page: &EventPage) -> Result<Slice<Event>, StorageError> {
        self.able()?.events(workspace, page).await
    }

    async fn audit_trail(
        &self,
        workspace: WorkspaceId,
        page: &AuditPage,
        look_through: usize,
    ) -> Result<Searched<EventKind, Event>, StorageError> {
        self.able()?.audit_trail(workspace, page, look_through).await
    }

    async fn api_keys_named(&self, workspace: WorkspaceId, ids: &[ApiKeyId]) -> Result<Vec<ApiKey>, StorageError> {
        self.able()?.api_keys_named(workspace, ids).await
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        self.able()?.users(ids).await
    }

    async fn events_between(
        &self,
        after: u64,
        upto: u64,
        types: &[EventType],
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        self.able()?.events_between(after, upto, types).await
    }

    async fn workspace_events_between(
        &self,
        workspace: WorkspaceId,
        after: u64,
        upto: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        self.able()?
            .workspace_events_between(workspace, after, upto, limit)
            .await
    }

    async fn notification_setting(
        &self,
        workspace: WorkspaceId,
        id: NotificationSettingId,
    ) -> Result<Option<NotificationSetting>, StorageError> {
        self.able()?.notification_setting(workspace, id).await
    }

    async fn all_notification_settings(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Vec<NotificationSetting>, StorageError> {
        self.able()?.all_notification_settings(workspace).await
    }

    async fn notification_settings(
        &self,
        workspace: WorkspaceId,
        page: &NotificationSettingPage,
    ) -> Result<Slice<NotificationSetting>, StorageError> {
        self.able()?.notification_settings(workspace, page).await
    }

    async fn due_notification_settings(&self, now: Timestamp) -> Result<Vec<NotificationSetting>, StorageError> {
        self.able()?.due_notification_settings(now).await
    }

    async fn notification(
        &self,
        workspace: WorkspaceId,
        id: NotificationId,
    ) -> Result<Option<Notification>, StorageError> {
        self.able()?.notification(workspace, id).await
    }

    async fn notifications(
        &self,
        workspace: WorkspaceId,
        page: &NotificationPage,
    ) -> Result<Slice<Notification>, StorageError> {
        self.able()?.notifications(workspace, page).await
    }

    async fn notifications_of(
        &self,
        workspace: WorkspaceId,
        event: EventId,
        limit: usize,
    ) -> Result<Vec<Notification>, StorageError> {
        self.able()?.notifications_of(workspace, event, limit).await
    }

    async fn delivery_attempts(
        &self,
        notification: NotificationId,
        page: &Page<NotificationLogKind>,
    ) -> Result<Slice<DeliveryAttempt>, StorageError> {
        self.able()?.delivery_attempts(notification, page).await
    }

    async fn delivery_counts(
        &self,
        workspace: WorkspaceId,
        setting: Option<NotificationSettingId>,
        since: Hour,
    ) -> Result<Vec<DeliveryCount>, StorageError> {
        self.able()?.delivery_counts(workspace, setting, since).await
    }

    async fn delivery_totals(&self, workspace: WorkspaceId, since: Hour) -> Result<Vec<DeliveryTotal>, StorageError> {
        self.able()?.delivery_totals(workspace, since).await
    }

    async fn simulation(&self, workspace: WorkspaceId, id: SimulationId) -> Result<Option<Simulation>, StorageError> {
        self.able()?.simulation(workspace, id).await
    }

    async fn simulations(
        &self,
        workspace: WorkspaceId,
        page: &SimulationPage,
    ) -> Result<Slice<Simulation>, StorageError> {
        self.able()?.simulations(workspace, page).await
    }

    async fn simulation_run(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        id: SimulationRunId,
    ) -> Result<Option<SimulationRun>, StorageError> {
        self.able()?.simulation_run(workspace, simulation, id).await
    }

    async fn simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        page: &IdPage<SimulationRunKind>,
    ) -> Result<Slice<SimulationRun>, StorageError> {
        self.able()?.simulation_runs(workspace, simulation, page).await
    }

    async fn newest_simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulations: &[SimulationId],
    ) -> Result<Vec<SimulationRun>, StorageError> {
        self.able()?.newest_simulation_runs(workspace, simulations).await
    }

    async fn simulation_event(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        id: SimulationEventId,
    ) -> Result<Option<SimulationEvent>, StorageError> {
        self.able()?.simulation_event(workspace, run, id).await
    }

    async fn simulation_events(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        page: &IdPage<SimulationEventKind>,
    ) -> Result<Slice<SimulationEvent>, StorageError> {
        self.able()?.simulation_events(workspace, run, page).await
    }

    async fn simulation_events_of(
        &self,
        workspace: WorkspaceId,
        runs: &[SimulationRunId],
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        self.able()?.simulation_events_of(workspace, runs, limit).await
    }

    async fn simulation_events_due(
        &self,
        claimed_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        self.able()?.simulation_events_due(claimed_before, limit).await
    }

    async fn idempotent_answer(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StorageError> {
        self.able()?.idempotent_answer(key, now).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        self.able()?.user(id).await
    }

    async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StorageError> {
        self.able()?.user_by_email(email).await
    }

    async fn members(&self, workspace: WorkspaceId) -> Result<Vec<(User, Membership)>, StorageError> {
        self.able()?.members(workspace).await
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StorageError> {
        self.able()?.memberships(user).await
    }

    async fn session(&self, digest: SecretDigest) -> Result<Option<Session>, StorageError> {
        self.able()?.session(digest).await
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StorageError> {
        self.able()?.sessions(user).await
    }

    async fn one_time_link(&self, digest: SecretDigest) -> Result<Option<OneTimeLink>, StorageError> {
        self.able()?.one_time_link(digest).await
    }

    async fn invitations(&self, workspace: WorkspaceId) -> Result<Vec<OneTimeLink>, StorageError> {
        self.able()?.invitations(workspace).await
    }

    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, StorageError> {
        self.able()?.passkeys(user).await
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>, StorageError> {
        self.able()?.passkey_by_credential(credential).await
    }

    async fn ceremony(&self, digest: SecretDigest) -> Result<Option<Ceremony>, StorageError> {
        self.able()?.ceremony(digest).await
    }

    async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StorageError> {
        self.able()?.identity(issuer, subject).await
    }

    async fn invitations_to(&self, email: &EmailAddress) -> Result<Vec<OneTimeLink>, StorageError> {
        self.able()?.invitations_to(email).await
    }

    async fn sign_in_attempts(&self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>, StorageError> {
        self.able()?.sign_in_attempts(keys).await
    }

    async fn sequence(&self) -> Result<u64, StorageError> {
        self.able()?.sequence().await
    }

    fn pulse(&self) -> watch::Receiver<Pulse> {
        self.inner.pulse()
    }
}
