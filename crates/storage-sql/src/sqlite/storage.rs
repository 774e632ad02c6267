//! The store as the floors above know it: a write goes into the writer's queue, a question to a reader.

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
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{
    ApiKeyPage, AuditPage, Change, ClientTokenPage, DeliveryCount, DeliveryTotal, EachToken, EventPage, IdPage,
    IdempotencyKey, IdempotentAnswer, NotificationPage, NotificationSettingPage, Outcome, Page, Pulse, Searched,
    SimulationPage, Slice, Storage, StorageError, TokenChanges, TokenSearch,
};

use super::{SqliteStore, reads};

#[async_trait]
impl Storage for SqliteStore {
    async fn commit(&self, change: Change) -> Result<Outcome, StorageError> {
        self.running.queue()?.commit(change).await
    }

    async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        self.readers
            .read(move |connection| reads::workspace(connection, id))
            .await
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        self.readers.read(reads::workspaces).await
    }

    async fn client_token(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
    ) -> Result<Option<ClientToken>, StorageError> {
        self.readers
            .read(move |connection| reads::client_tokens::one(connection, workspace, id))
            .await
    }

    async fn client_tokens(
        &self,
        workspace: WorkspaceId,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::client_tokens::page(connection, workspace, &page))
            .await
    }

    async fn search_client_tokens(
        &self,
        workspace: WorkspaceId,
        search: &TokenSearch,
        look_through: usize,
    ) -> Result<Searched<ClientTokenKind, ClientToken>, StorageError> {
        let search = search.clone();
        self.readers
            .read(move |connection| reads::client_tokens::search(connection, workspace, &search, look_through))
            .await
    }

    async fn each_client_token(&self, each: EachToken) -> Result<u64, StorageError> {
        self.readers
            .read(move |connection| reads::client_tokens::each(connection, each))
            .await
    }

    async fn client_tokens_changed(&self, after: u64, upto: u64, limit: usize) -> Result<TokenChanges, StorageError> {
        self.readers
            .read(move |connection| reads::client_tokens::changed(connection, (after, upto), limit))
            .await
    }

    async fn client_tokens_to_revoke(&self, now: Timestamp, limit: usize) -> Result<Vec<ClientToken>, StorageError> {
        self.readers
            .read(move |connection| reads::client_tokens::to_revoke(connection, now, limit))
            .await
    }

    async fn client_token_usage(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
        since: Hour,
    ) -> Result<Usage, StorageError> {
        self.readers
            .read(move |connection| reads::usage::of_token(connection, workspace, id, since))
            .await
    }

    async fn client_token_last_uses(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
    ) -> Result<HashMap<ClientTokenId, Timestamp>, StorageError> {
        let ids = ids.to_vec();
        self.readers
            .read(move |connection| reads::usage::last_uses(connection, workspace, &ids))
            .await
    }

    async fn client_token_usages(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
        since: Hour,
    ) -> Result<HashMap<ClientTokenId, Vec<(Hour, u64)>>, StorageError> {
        let ids = ids.to_vec();
        self.readers
            .read(move |connection| reads::usage::of_tokens(connection, workspace, &ids, since))
            .await
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        self.readers
            .read(move |connection| reads::api_key(connection, id))
            .await
    }

    async fn api_keys(&self, workspace: WorkspaceId, page: &ApiKeyPage) -> Result<Slice<ApiKey>, StorageError> {
        let page = *page;
        self.readers
            .read(move |connection| reads::api_keys(connection, workspace, page))
            .await
    }

    async fn api_keys_due(
        &self,
        now: Timestamp,
        announce_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StorageError> {
        self.readers
            .read(move |connection| reads::api_keys_due(connection, now, announce_before, limit))
            .await
    }

    async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Option<Event>, StorageError> {
        self.readers
            .read(move |connection| reads::event(connection, workspace, id))
            .await
    }

    async fn events(&self, workspace: WorkspaceId, page: &EventPage) -> Result<Slice<Event>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::events(connection, workspace, &page))
            .await
    }

    async fn audit_trail(
        &self,
        workspace: WorkspaceId,
        page: &AuditPage,
        look_through: usize,
    ) -> Result<Searched<EventKind, Event>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::audit::trail(connection, workspace, &page, look_through))
            .await
    }

    async fn api_keys_named(&self, workspace: WorkspaceId, ids: &[ApiKeyId]) -> Result<Vec<ApiKey>, StorageError> {
        let ids = ids.to_vec();
        self.readers
            .read(move |connection| reads::api_keys_named(connection, workspace, &ids))
            .await
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        let ids = ids.to_vec();
        self.readers
            .read(move |connection| reads::people::users(connection, &ids))
            .await
    }

    async fn events_between(
        &self,
        after: u64,
        upto: u64,
        types: &[EventType],
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        let types = types.to_vec();
        self.readers
            .read(move |connection| reads::events_between(connection, after, upto, &types))
            .await
    }

    async fn workspace_events_between(
        &self,
        workspace: WorkspaceId,
        after: u64,
        upto: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        self.readers
            .read(move |connection| reads::workspace_events_between(connection, workspace, (after, upto), limit))
            .await
    }

    async fn notification_setting(
        &self,
        workspace: WorkspaceId,
        id: NotificationSettingId,
    ) -> Result<Option<NotificationSetting>, StorageError> {
        self.readers
            .read(move |connection| reads::notification_settings::one(connection, workspace, id))
            .await
    }

    async fn all_notification_settings(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Vec<NotificationSetting>, StorageError> {
        self.readers
            .read(move |connection| reads::notification_settings::all(connection, workspace))
            .await
    }

    async fn notification_settings(
        &self,
        workspace: WorkspaceId,
        page: &NotificationSettingPage,
    ) -> Result<Slice<NotificationSetting>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::notification_settings::page(connection, workspace, &page))
            .await
    }

    async fn due_notification_settings(&self, now: Timestamp) -> Result<Vec<NotificationSetting>, StorageError> {
        self.readers
            .read(move |connection| reads::notification_settings::due(connection, now))
            .await
    }

    async fn notification(
        &self,
        workspace: WorkspaceId,
        id: NotificationId,
    ) -> Result<Option<Notification>, StorageError> {
        self.readers
            .read(move |connection| reads::notifications::one(connection, workspace, id))
            .await
    }

    async fn notifications(
        &self,
        workspace: WorkspaceId,
        page: &NotificationPage,
    ) -> Result<Slice<Notification>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::notifications::page(connection, workspace, &page))
            .await
    }

    async fn notifications_of(
        &self,
        workspace: WorkspaceId,
        event: EventId,
        limit: usize,
    ) -> Result<Vec<Notification>, StorageError> {
        self.readers
            .read(move |connection| reads::notifications::of_event(connection, workspace, event, limit))
            .await
    }

    async fn delivery_attempts(
        &self,
        notification: NotificationId,
        page: &Page<NotificationLogKind>,
    ) -> Result<Slice<DeliveryAttempt>, StorageError> {
        let page = *page;
        self.readers
            .read(move |connection| reads::notifications::attempts(connection, notification, page))
            .await
    }

    async fn delivery_counts(
        &self,
        workspace: WorkspaceId,
        setting: Option<NotificationSettingId>,
        since: Hour,
    ) -> Result<Vec<DeliveryCount>, StorageError> {
        self.readers
            .read(move |connection| reads::notifications::delivery_counts(connection, workspace, setting, since))
            .await
    }

    async fn delivery_totals(&self, workspace: WorkspaceId, since: Hour) -> Result<Vec<DeliveryTotal>, StorageError> {
        self.readers
            .read(move |connection| reads::notifications::delivery_totals(connection, workspace, since))
            .await
    }

    async fn simulation(&self, workspace: WorkspaceId, id: SimulationId) -> Result<Option<Simulation>, StorageError> {
        self.readers
            .read(move |connection| reads::simulations::one(connection, workspace, id))
            .await
    }

    async fn simulations(
        &self,
        workspace: WorkspaceId,
        page: &SimulationPage,
    ) -> Result<Slice<Simulation>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::simulations::page(connection, workspace, &page))
            .await
    }

    async fn simulation_run(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        id: SimulationRunId,
    ) -> Result<Option<SimulationRun>, StorageError> {
        self.readers
            .read(move |connection| reads::simulations::run(connection, workspace, simulation, id))
            .await
    }

    async fn simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        page: &IdPage<SimulationRunKind>,
    ) -> Result<Slice<SimulationRun>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::simulations::runs(connection, workspace, simulation, &page))
            .await
    }

    async fn newest_simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulations: &[SimulationId],
    ) -> Result<Vec<SimulationRun>, StorageError> {
        let simulations = simulations.to_vec();
        self.readers
            .read(move |connection| reads::simulations::newest_runs(connection, workspace, &simulations))
            .await
    }

    async fn simulation_event(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        id: SimulationEventId,
    ) -> Result<Option<SimulationEvent>, StorageError> {
        self.readers
            .read(move |connection| reads::simulations::event(connection, workspace, run, id))
            .await
    }

    async fn simulation_events(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        page: &IdPage<SimulationEventKind>,
    ) -> Result<Slice<SimulationEvent>, StorageError> {
        let page = page.clone();
        self.readers
            .read(move |connection| reads::simulations::events(connection, workspace, run, &page))
            .await
    }

    async fn simulation_events_of(
        &self,
        workspace: WorkspaceId,
        runs: &[SimulationRunId],
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        let runs = runs.to_vec();
        self.readers
            .read(move |connection| reads::simulations::events_of(connection, workspace, &runs, limit))
            .await
    }

    async fn simulation_events_due(
        &self,
        claimed_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        self.readers
            .read(move |connection| reads::simulations::events_due(connection, claimed_before, limit))
            .await
    }

    async fn idempotent_answer(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StorageError> {
        let key = key.clone();
        self.readers
            .read(move |connection| reads::idempotent_answer(connection, &key, now))
            .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        self.readers
            .read(move |connection| reads::people::user(connection, id))
            .await
    }

    async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StorageError> {
        let folded = email.folded();
        self.readers
            .read(move |connection| reads::people::user_by_email(connection, &folded))
            .await
    }

    async fn members(&self, workspace: WorkspaceId) -> Result<Vec<(User, Membership)>, StorageError> {
        self.readers
            .read(move |connection| reads::people::members(connection, workspace))
            .await
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StorageError> {
        self.readers
            .read(move |connection| reads::people::memberships(connection, user))
            .await
    }

    async fn session(&self, digest: SecretDigest) -> Result<Option<Session>, StorageError> {
        self.readers
            .read(move |connection| reads::people::session(connection, digest))
            .await
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StorageError> {
        self.readers
            .read(move |connection| reads::people::sessions(connection, user))
            .await
    }

    async fn one_time_link(&self, digest: SecretDigest) -> Result<Option<OneTimeLink>, StorageError> {
        self.readers
            .read(move |connection| reads::people::one_time_link(connection, digest))
            .await
    }

    async fn invitations(&self, workspace: WorkspaceId) -> Result<Vec<OneTimeLink>, StorageError> {
        self.readers
            .read(move |connection| reads::people::invitations(connection, workspace))
            .await
    }

    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, StorageError> {
        self.readers
            .read(move |connection| reads::passkeys::passkeys(connection, user))
            .await
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>, StorageError> {
        let credential = credential.to_vec();
        self.readers
            .read(move |connection| reads::passkeys::by_credential(connection, &credential))
            .await
    }

    async fn ceremony(&self, digest: SecretDigest) -> Result<Option<Ceremony>, StorageError> {
        self.readers
            .read(move |connection| reads::passkeys::ceremony(connection, digest))
            .await
    }

    async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StorageError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.readers
            .read(move |connection| reads::passkeys::identity(connection, &issuer, &subject))
            .await
    }

    async fn invitations_to(&self, email: &EmailAddress) -> Result<Vec<OneTimeLink>, StorageError> {
        let folded = email.folded();
        self.readers
            .read(move |connection| reads::people::invitations_to(connection, &folded))
            .await
    }

    async fn sign_in_attempts(&self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>, StorageError> {
        let keys = keys.to_vec();
        self.readers
            .read(move |connection| reads::people::sign_in_attempts(connection, &keys))
            .await
    }

    async fn sequence(&self) -> Result<u64, StorageError> {
        self.readers.read(reads::head).await
    }

    fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.subscribe()
    }
}
