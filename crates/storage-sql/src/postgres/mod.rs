//! PostgreSQL 13 and newer, for any number of nodes.
//!
//! One connection writes (`writer`, `batch`), one more takes and records notifications, one more counts uses, one listens (`listener`), a pool reads (`reads`). Connections are set up
//! with `SET`, keep prepared statements and listen, so between a node and the server there may be a pooler only if it
//! gives each of them a session of its own.

mod batch;
mod cells;
mod columns;
mod conflicts;
mod connect;
mod failure;
mod listener;
mod migrate;
mod passkeys;
mod people;
mod plan;
mod pulse;
mod reads;
mod rows;
mod simulations;
mod statements;
#[cfg(test)]
mod tests;
mod usage;
mod webhooks;
mod writer;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;
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
use tracing::error;

use self::connect::Connector;
use self::pulse::Bell;
use self::reads::Reads;
use self::writer::Writer;
use crate::queue::Queue;

pub use self::migrate::{migrate, migrate_to};

/// How the store uses the database.
#[derive(Clone, Copy, Debug)]
pub struct PostgresOptions {
    /// Connections that read.
    pub readers: usize,
    /// Changes in one commit at most; 1 = each alone.
    pub max_batch: usize,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            readers: 8,
            max_batch: 512,
        }
    }
}

/// The store of one node.
pub struct PostgresStore {
    /// Of what takes a place in the sequence.
    queue: Queue,
    /// Of what only takes and records notifications.
    deliveries: Queue,
    /// Of what only concerns the usage of client tokens.
    usage: Queue,
    reads: Reads,
    bell: Bell,
    stop: watch::Sender<bool>, // the tasks stop as well when it is dropped
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl PostgresStore {
    /// Migrates the database at `url`, and opens it.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self, StorageError> {
        let connector = Connector::new(url)?;
        migrate::bring_to(&connector, crate::LATEST_SCHEMA_VERSION).await?;
        let reads = Reads::new(connector.clone(), options.readers)?;
        let asked_at = Instant::now();
        let bell = Bell::new(reads.sequence().await?, asked_at);
        let schema = reads.schema().await?;
        let (stop, stopped) = watch::channel(false);
        let (queue, jobs) = Queue::new();
        let (deliveries, delivery_jobs) = Queue::new();
        let (usage, usage_jobs) = Queue::new();
        let writer = |jobs| {
            let (connector, stopped, bell) = (connector.clone(), stopped.clone(), bell.clone());
            Box::pin(Writer::open(connector, jobs, stopped, bell, options.max_batch))
        };
        let (writer, delivery_writer, usage_writer) =
            tokio::try_join!(writer(jobs), writer(delivery_jobs), writer(usage_jobs))?;
        let listener = listener::run(connector, schema, bell.clone(), stopped);
        let tasks = Mutex::new(vec![
            tokio::spawn(writer.run()),
            tokio::spawn(delivery_writer.run()),
            tokio::spawn(usage_writer.run()),
            tokio::spawn(listener),
        ]);
        Ok(Self {
            queue,
            deliveries,
            usage,
            reads,
            bell,
            stop,
            tasks,
        })
    }

    /// Finishes the changes that are queued, and stops; every later call answers [`StorageError::Unavailable`].
    pub async fn close(&self) {
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                error!(%error, "a task of the store has failed");
            }
        }
        self.reads.close();
    }
}

#[async_trait]
impl Storage for PostgresStore {
    async fn commit(&self, change: Change) -> Result<Outcome, StorageError> {
        let queue = if plan::is_delivery(&change) {
            &self.deliveries
        } else if plan::is_usage(&change) {
            &self.usage
        } else {
            &self.queue
        };
        queue.clone().commit(change).await
    }

    async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        self.reads.workspace(id).await
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        self.reads.workspaces().await
    }

    async fn client_token(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
    ) -> Result<Option<ClientToken>, StorageError> {
        self.reads.client_token(workspace, id).await
    }

    async fn client_tokens(
        &self,
        workspace: WorkspaceId,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, StorageError> {
        self.reads.client_tokens(workspace, page).await
    }

    async fn search_client_tokens(
        &self,
        workspace: WorkspaceId,
        search: &TokenSearch,
        look_through: usize,
    ) -> Result<Searched<ClientTokenKind, ClientToken>, StorageError> {
        self.reads.search_client_tokens(workspace, search, look_through).await
    }

    async fn each_client_token(&self, each: EachToken) -> Result<u64, StorageError> {
        self.reads.each_client_token(each).await
    }

    async fn client_tokens_changed(&self, after: u64, upto: u64, limit: usize) -> Result<TokenChanges, StorageError> {
        self.reads.client_tokens_changed((after, upto), limit).await
    }

    async fn client_tokens_to_revoke(&self, now: Timestamp, limit: usize) -> Result<Vec<ClientToken>, StorageError> {
        self.reads.client_tokens_to_revoke(now, limit).await
    }

    async fn client_token_usage(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
        since: Hour,
    ) -> Result<Usage, StorageError> {
        self.reads.client_token_usage(workspace, id, since).await
    }

    async fn client_token_last_uses(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
    ) -> Result<HashMap<ClientTokenId, Timestamp>, StorageError> {
        self.reads.client_token_last_uses(workspace, ids).await
    }

    async fn client_token_usages(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
        since: Hour,
    ) -> Result<HashMap<ClientTokenId, Vec<(Hour, u64)>>, StorageError> {
        self.reads.client_token_usages(workspace, ids, since).await
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        self.reads.api_key(id).await
    }

    async fn api_keys(&self, workspace: WorkspaceId, page: &ApiKeyPage) -> Result<Slice<ApiKey>, StorageError> {
        self.reads.api_keys(workspace, page).await
    }

    async fn api_keys_due(
        &self,
        now: Timestamp,
        announce_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StorageError> {
        self.reads.api_keys_due(now, announce_before, limit).await
    }

    async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Option<Event>, StorageError> {
        self.reads.event(workspace, id).await
    }

    async fn events(&self, workspace: WorkspaceId, page: &EventPage) -> Result<Slice<Event>, StorageError> {
        self.reads.events(workspace, page).await
    }

    async fn audit_trail(
        &self,
        workspace: WorkspaceId,
        page: &AuditPage,
        look_through: usize,
    ) -> Result<Searched<EventKind, Event>, StorageError> {
        self.reads.audit_trail(workspace, page, look_through).await
    }

    async fn api_keys_named(&self, workspace: WorkspaceId, ids: &[ApiKeyId]) -> Result<Vec<ApiKey>, StorageError> {
        self.reads.api_keys_named(workspace, ids).await
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        self.reads.users(ids).await
    }

    async fn events_between(
        &self,
        after: u64,
        upto: u64,
        types: &[EventType],
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        self.reads.events_between(after, upto, types).await
    }

    async fn workspace_events_between(
        &self,
        workspace: WorkspaceId,
        after: u64,
        upto: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        self.reads
            .workspace_events_between(workspace, (after, upto), limit)
            .await
    }

    async fn notification_setting(
        &self,
        workspace: WorkspaceId,
        id: NotificationSettingId,
    ) -> Result<Option<NotificationSetting>, StorageError> {
        self.reads.notification_setting(workspace, id).await
    }

    async fn all_notification_settings(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Vec<NotificationSetting>, StorageError> {
        self.reads.all_notification_settings(workspace).await
    }

    async fn notification_settings(
        &self,
        workspace: WorkspaceId,
        page: &NotificationSettingPage,
    ) -> Result<Slice<NotificationSetting>, StorageError> {
        self.reads.notification_settings(workspace, page).await
    }

    async fn due_notification_settings(&self, now: Timestamp) -> Result<Vec<NotificationSetting>, StorageError> {
        self.reads.due_notification_settings(now).await
    }

    async fn notification(
        &self,
        workspace: WorkspaceId,
        id: NotificationId,
    ) -> Result<Option<Notification>, StorageError> {
        self.reads.notification(workspace, id).await
    }

    async fn notifications(
        &self,
        workspace: WorkspaceId,
        page: &NotificationPage,
    ) -> Result<Slice<Notification>, StorageError> {
        self.reads.notifications(workspace, page).await
    }

    async fn notifications_of(
        &self,
        workspace: WorkspaceId,
        event: EventId,
        limit: usize,
    ) -> Result<Vec<Notification>, StorageError> {
        self.reads.notifications_of(workspace, event, limit).await
    }

    async fn delivery_attempts(
        &self,
        notification: NotificationId,
        page: &Page<NotificationLogKind>,
    ) -> Result<Slice<DeliveryAttempt>, StorageError> {
        self.reads.delivery_attempts(notification, page).await
    }

    async fn delivery_counts(
        &self,
        workspace: WorkspaceId,
        setting: Option<NotificationSettingId>,
        since: Hour,
    ) -> Result<Vec<DeliveryCount>, StorageError> {
        self.reads.delivery_counts(workspace, setting, since).await
    }

    async fn delivery_totals(&self, workspace: WorkspaceId, since: Hour) -> Result<Vec<DeliveryTotal>, StorageError> {
        self.reads.delivery_totals(workspace, since).await
    }

    async fn simulation(&self, workspace: WorkspaceId, id: SimulationId) -> Result<Option<Simulation>, StorageError> {
        self.reads.simulation(workspace, id).await
    }

    async fn simulations(
        &self,
        workspace: WorkspaceId,
        page: &SimulationPage,
    ) -> Result<Slice<Simulation>, StorageError> {
        self.reads.simulations(workspace, page).await
    }

    async fn simulation_run(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        id: SimulationRunId,
    ) -> Result<Option<SimulationRun>, StorageError> {
        self.reads.simulation_run(workspace, simulation, id).await
    }

    async fn simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        page: &IdPage<SimulationRunKind>,
    ) -> Result<Slice<SimulationRun>, StorageError> {
        self.reads.simulation_runs(workspace, simulation, page).await
    }

    async fn newest_simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulations: &[SimulationId],
    ) -> Result<Vec<SimulationRun>, StorageError> {
        self.reads.newest_simulation_runs(workspace, simulations).await
    }

    async fn simulation_event(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        id: SimulationEventId,
    ) -> Result<Option<SimulationEvent>, StorageError> {
        self.reads.simulation_event(workspace, run, id).await
    }

    async fn simulation_events(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        page: &IdPage<SimulationEventKind>,
    ) -> Result<Slice<SimulationEvent>, StorageError> {
        self.reads.simulation_events(workspace, run, page).await
    }

    async fn simulation_events_of(
        &self,
        workspace: WorkspaceId,
        runs: &[SimulationRunId],
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        self.reads.simulation_events_of(workspace, runs, limit).await
    }

    async fn simulation_events_due(
        &self,
        claimed_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        self.reads.simulation_events_due(claimed_before, limit).await
    }

    async fn idempotent_answer(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StorageError> {
        self.reads.idempotent_answer(key, now).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        self.reads.user(id).await
    }

    async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StorageError> {
        self.reads.user_by_email(email).await
    }

    async fn members(&self, workspace: WorkspaceId) -> Result<Vec<(User, Membership)>, StorageError> {
        self.reads.members(workspace).await
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StorageError> {
        self.reads.memberships(user).await
    }

    async fn session(&self, digest: SecretDigest) -> Result<Option<Session>, StorageError> {
        self.reads.session(digest).await
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StorageError> {
        self.reads.sessions(user).await
    }

    async fn one_time_link(&self, digest: SecretDigest) -> Result<Option<OneTimeLink>, StorageError> {
        self.reads.one_time_link(digest).await
    }

    async fn invitations(&self, workspace: WorkspaceId) -> Result<Vec<OneTimeLink>, StorageError> {
        self.reads.invitations(workspace).await
    }

    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, StorageError> {
        self.reads.passkeys(user).await
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>, StorageError> {
        self.reads.passkey_by_credential(credential).await
    }

    async fn ceremony(&self, digest: SecretDigest) -> Result<Option<Ceremony>, StorageError> {
        self.reads.ceremony(digest).await
    }

    async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StorageError> {
        self.reads.identity(issuer, subject).await
    }

    async fn invitations_to(&self, email: &EmailAddress) -> Result<Vec<OneTimeLink>, StorageError> {
        self.reads.invitations_to(email).await
    }

    async fn sign_in_attempts(&self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>, StorageError> {
        self.reads.sign_in_attempts(keys).await
    }

    async fn sequence(&self) -> Result<u64, StorageError> {
        self.reads.sequence().await
    }

    fn pulse(&self) -> watch::Receiver<Pulse> {
        self.bell.subscribe()
    }
}
