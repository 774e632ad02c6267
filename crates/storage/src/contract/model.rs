//! The contract kept by the plainest store there is: maps behind a lock, nothing durable. It proves that the cases can
//! be passed, and is what to read when a case is unclear.

mod audit;
mod entry;
mod people;
mod simulations;
mod tokens;
mod usage;
mod webhooks;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::watch;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus, SecretDigest};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{
    ApiKeyId, ClientTokenId, ClientTokenKind, EventId, EventKind, Id, Kind, NotificationId, NotificationLogKind,
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

use super::Fresh;
use crate::{
    ApiKeyPage, AuditPage, Change, ClientTokenPage, DeliveryCount, DeliveryTotal, EachToken, EventPage, IdPage,
    IdempotencyKey, IdempotentAnswer, NotificationPage, NotificationSettingPage, Order, Outcome, Page, PeopleWrite,
    Pulse, Searched, SimulationPage, Slice, Storage, StorageError, TOTAL_CAP, TokenChanges, TokenSearch, Write,
};
use people::People;
use simulations::Simulations;
use usage::StoredUsage;
use webhooks::Webhooks;

crate::contract_suite!(suite, std::future::ready(fresh_model()));

/// The list of cases as texts.
macro_rules! names {
    ($($file:ident { $($case:ident)* })*) => {
        [$((stringify!($file), &[$(stringify!($case)),*][..])),*]
    };
}

#[test]
fn every_case_is_in_the_list() {
    let sources = [
        ("workspaces", include_str!("workspaces.rs")),
        ("client_tokens", include_str!("client_tokens.rs")),
        ("client_token_pages", include_str!("client_token_pages.rs")),
        ("client_token_search", include_str!("client_token_search.rs")),
        (
            "client_token_restrictions",
            include_str!("client_token_restrictions.rs"),
        ),
        ("client_token_facts", include_str!("client_token_facts.rs")),
        ("client_token_usage", include_str!("client_token_usage.rs")),
        ("api_keys", include_str!("api_keys.rs")),
        ("events", include_str!("events.rs")),
        ("audit", include_str!("audit.rs")),
        ("sequence", include_str!("sequence.rs")),
        ("idempotency", include_str!("idempotency.rs")),
        ("concurrency", include_str!("concurrency.rs")),
        ("notification_settings", include_str!("notification_settings.rs")),
        ("notifications", include_str!("notifications.rs")),
        ("leases", include_str!("leases.rs")),
        ("delivery", include_str!("delivery.rs")),
        ("notification_pages", include_str!("notification_pages.rs")),
        ("pruning", include_str!("pruning.rs")),
        ("delivery_at_once", include_str!("delivery_at_once.rs")),
        ("delivery_counts", include_str!("delivery_counts.rs")),
        ("simulations", include_str!("simulations.rs")),
        ("simulation_runs", include_str!("simulation_runs.rs")),
        ("simulation_events", include_str!("simulation_events.rs")),
        ("people", include_str!("people.rs")),
        ("invitations", include_str!("invitations.rs")),
        ("sessions", include_str!("sessions.rs")),
        ("passkeys", include_str!("passkeys.rs")),
        ("identities", include_str!("identities.rs")),
    ];
    let listed = crate::contract_cases! { [names] };
    for ((file, source), (listed_file, listed)) in sources.into_iter().zip(listed) {
        let cases = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        assert_eq!((file, cases.collect::<Vec<_>>()), (listed_file, listed.to_vec()));
    }
    assert_eq!(sources.len(), listed.len());
}

/// All that is stored.
#[derive(Clone, Default)]
struct State {
    workspaces: BTreeMap<WorkspaceId, Workspace>,
    client_tokens: BTreeMap<(WorkspaceId, ClientTokenId), ClientToken>,
    api_keys: BTreeMap<ApiKeyId, ApiKey>,
    events: BTreeMap<(WorkspaceId, EventId), (u64, Event)>,
    answers: HashMap<IdempotencyKey, IdempotentAnswer>,
    webhooks: Webhooks,
    simulations: Simulations,
    usage: StoredUsage,
    people: People,
    sequence: u64,
}

struct Model {
    state: Arc<Mutex<State>>,
    pulse: Arc<watch::Sender<Pulse>>,
}

fn fresh_model() -> Fresh {
    let pulse = Pulse {
        sequence: 0,
        heard_at: Instant::now(),
    };
    let (state, pulse) = (Arc::default(), Arc::new(watch::channel(pulse).0));
    tokio::spawn(beat(Arc::clone(&pulse)));
    let open = move || -> Arc<dyn Storage> {
        Arc::new(Model {
            state: Arc::clone(&state),
            pulse: Arc::clone(&pulse),
        })
    };
    Fresh {
        store: open(),
        another: Box::new(move || {
            let another = open();
            Box::pin(async move { Ok(another) })
        }),
        guard: Box::new(()),
    }
}

/// Rings every now and then, as long as the test's runtime lives.
async fn beat(pulse: Arc<watch::Sender<Pulse>>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        pulse.send_modify(|pulse| pulse.heard_at = Instant::now());
    }
}

fn taken() -> StorageError {
    StorageError::Unavailable("the id is taken".into())
}

fn insert<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, row: V) -> Result<(), StorageError> {
    match rows.insert(key, row) {
        None => Ok(()),
        Some(_) => Err(taken()),
    }
}

impl State {
    fn apply(&mut self, change: Change) -> Result<Outcome, StorageError> {
        let now = change.happens_at();
        if let Some((key, _)) = &change.idempotency
            && let Some(answer) = self.answers.get(key)
            && now.is_none_or(|now| now < answer.expires_at)
        {
            return Ok(Outcome::AlreadyAnswered(answer.clone()));
        }
        if let Write::LeaseNotifications {
            setting,
            now,
            until,
            limit,
        } = change.write
        {
            return Ok(Outcome::Leased(self.webhooks.lease(setting, (now, until), limit)));
        }
        let wanting: Vec<_> = change.events.iter().map(|event| self.webhooks.wanting(event)).collect();
        if !self.write(change.write)? {
            return Ok(Outcome::Stale);
        }
        for (event, wanting) in change.events.into_iter().zip(wanting) {
            self.sequence += 1;
            for setting in wanting {
                self.webhooks.notify(&event, setting)?;
            }
            insert(&mut self.events, (event.workspace, event.id), (self.sequence, event))?;
        }
        self.answers.extend(change.idempotency);
        Ok(Outcome::Applied {
            sequence: self.sequence,
        })
    }

    /// Writes what isn't an event; `false` when its precondition doesn't hold.
    fn write(&mut self, write: Write) -> Result<bool, StorageError> {
        match write {
            Write::CreateWorkspace(workspace) => insert(&mut self.workspaces, workspace.id, workspace)?,
            Write::CreateClientToken(token) => insert(&mut self.client_tokens, (token.workspace, token.id), token)?,
            Write::CreateApiKey(key) => insert(&mut self.api_keys, key.id, key)?,
            Write::UpdateClientToken { from, to } => match self.client_tokens.get_mut(&(from.workspace, from.id)) {
                Some(stored) if stored.version == from.version => *stored = to,
                _ => return Ok(false),
            },
            Write::ReplaceClientToken { from, to, successor } => {
                match self.client_tokens.get_mut(&(from.workspace, from.id)) {
                    Some(stored) if stored.version == from.version => *stored = to,
                    _ => return Ok(false),
                }
                insert(&mut self.client_tokens, (successor.workspace, successor.id), successor)?;
            }
            Write::RecordUsage(deltas) => {
                for delta in deltas {
                    if self.client_tokens.contains_key(&(delta.workspace, delta.id)) {
                        self.usage.add(delta);
                    }
                }
            }
            Write::PruneUsage { before, limit } => self.usage.prune(before, limit),
            Write::UpdateApiKey { from, to } => match self.api_keys.get_mut(&from.id) {
                Some(stored) if stored.version == from.version => {
                    let last_used_at = stored.last_used_at;
                    *stored = ApiKey { last_used_at, ..to };
                }
                _ => return Ok(false),
            },
            Write::TouchApiKey { id, used_at } => {
                if let Some(key) = self.api_keys.get_mut(&id) {
                    key.last_used_at = key.last_used_at.max(Some(used_at));
                }
            }
            Write::ForgetIdempotentAnswers { now, limit } => {
                let expired = self.answers.iter().filter(|(_, answer)| answer.expires_at <= now);
                let expired: Vec<_> = expired.map(|(key, _)| key.clone()).take(limit).collect();
                for key in expired {
                    self.answers.remove(&key);
                }
            }
            Write::CreateNotificationSetting { setting, seen } => return self.webhooks.create(setting, &seen),
            Write::UpdateNotificationSetting { to, seen } => return Ok(self.webhooks.update(to, &seen)),
            Write::DeleteNotificationSetting { workspace, id } => return Ok(self.webhooks.delete(workspace, id)),
            Write::LeaseNotifications { .. } => unreachable!("a lease is answered before"),
            Write::RecordAttempt(record) => self.webhooks.record(record),
            Write::ReplayNotification {
                workspace,
                original,
                id,
                at,
            } => return self.webhooks.replay(workspace, (original, id), at),
            Write::Prune { before, limit } => self.prune(before, limit),
            Write::CreateSimulation(simulation) => return self.simulations.create(simulation),
            Write::UpdateSimulation { from, to } => return Ok(self.simulations.update(&from, to)),
            Write::RunSimulation { run, event } => return self.simulations.run(run, event),
            Write::ReplaySimulationEvent(event) => return self.simulations.replay(event),
            Write::ClaimSimulationEvent { event, at } => return Ok(self.simulations.claim(&event, at)),
            Write::RecordSimulationEvent(record) => return Ok(self.simulations.record(record)),
            Write::PruneSimulationRuns { before, limit } => self.simulations.prune(before, limit),
            Write::People(PeopleWrite::RenameWorkspace { workspace, from, to }) => {
                match self.workspaces.get_mut(&workspace) {
                    Some(stored) if stored.name == from => stored.name = to,
                    _ => return Ok(false),
                }
            }
            Write::People(write) => return Ok(self.people.write(write)),
        }
        Ok(true)
    }

    fn prune(&mut self, before: Timestamp, limit: usize) {
        self.webhooks.prune(before, limit);
        let mut old: Vec<_> = self
            .events
            .iter()
            .map(|(key, (place, event))| (*place, key, event))
            .collect();
        old.sort_by_key(|(place, ..)| *place);
        old.retain(|(.., event)| event.occurred_at < before && !self.webhooks.is_left_of(event));
        let old: Vec<_> = old.into_iter().map(|(_, key, _)| *key).take(limit).collect();
        for key in old {
            self.events.remove(&key);
        }
    }
}

impl Model {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The page of `rows`, which come oldest first.
fn slice<K: Kind, T: Clone>(rows: Vec<(Id<K>, &T)>, page: &Page<K>) -> Slice<T> {
    let total = u64::try_from(rows.len()).expect("few").min(TOTAL_CAP + 1);
    let items = match page.order {
        Order::Ascending => {
            let rows = rows
                .into_iter()
                .filter(|(id, _)| page.after.is_none_or(|after| *id > after));
            rows.map(|(_, row)| row.clone()).take(page.limit + 1).collect()
        }
        Order::Descending => {
            let rows = rows
                .into_iter()
                .rev()
                .filter(|(id, _)| page.after.is_none_or(|after| *id < after));
            rows.map(|(_, row)| row.clone()).take(page.limit + 1).collect()
        }
    };
    Slice::from_one_more(items, page.limit, page.count.then_some(total))
}

#[async_trait]
impl Storage for Model {
    async fn commit(&self, change: Change) -> Result<Outcome, StorageError> {
        let mut state = self.state();
        let mut next = state.clone();
        let outcome = next.apply(change)?;
        if let Outcome::Applied { .. } | Outcome::Leased(_) = outcome {
            *state = next;
        }
        if let Outcome::Applied { sequence } = outcome {
            self.pulse.send_replace(Pulse {
                sequence,
                heard_at: Instant::now(),
            });
        }
        Ok(outcome)
    }

    async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        Ok(self.state().workspaces.get(&id).cloned())
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        Ok(self.state().workspaces.values().cloned().collect())
    }

    async fn client_token(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
    ) -> Result<Option<ClientToken>, StorageError> {
        Ok(self.state().client_tokens.get(&(workspace, id)).cloned())
    }

    async fn client_tokens(
        &self,
        workspace: WorkspaceId,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, StorageError> {
        let state = self.state();
        let tokens = state
            .client_tokens
            .values()
            .filter(|token| token.workspace == workspace);
        let tokens = tokens.filter(|token| page.statuses.is_empty() || page.statuses.contains(&token.status));
        Ok(slice(tokens.map(|token| (token.id, token)).collect(), &page.page))
    }

    async fn search_client_tokens(
        &self,
        workspace: WorkspaceId,
        search: &TokenSearch,
        look_through: usize,
    ) -> Result<Searched<ClientTokenKind, ClientToken>, StorageError> {
        Ok(tokens::search(
            &self.state().client_tokens,
            workspace,
            search,
            look_through,
        ))
    }

    async fn each_client_token(&self, mut each: EachToken) -> Result<u64, StorageError> {
        let state = self.state().clone();
        for token in state.client_tokens.values() {
            each(token.facts());
        }
        Ok(state.sequence)
    }

    async fn client_tokens_changed(&self, after: u64, upto: u64, limit: usize) -> Result<TokenChanges, StorageError> {
        let state = self.state().clone();
        let most = after + u64::try_from(limit).expect("cases ask for few");
        let place = upto.min(state.sequence).min(most).max(after);
        let events = state.events.values().filter(|(at, _)| after < *at && *at <= place);
        let events: Vec<&Event> = events.map(|(_, event)| event).collect();
        if u64::try_from(events.len()) != Ok(place - after) {
            return Ok(TokenChanges::Forgotten);
        }
        let about = events
            .into_iter()
            .filter(|event| EventType::CLIENT_TOKEN.contains(&event.event_type))
            .filter_map(|event| Some((event.workspace, ClientTokenId::parse(&event.subject).ok()?)));
        let about: BTreeSet<_> = about.collect();
        let tokens = about.iter().filter_map(|key| state.client_tokens.get(key));
        Ok(TokenChanges::Upto {
            place,
            tokens: tokens.map(ClientToken::facts).collect(),
        })
    }

    async fn client_tokens_to_revoke(&self, now: Timestamp, limit: usize) -> Result<Vec<ClientToken>, StorageError> {
        let state = self.state();
        let due = state.client_tokens.values().filter(|token| {
            token.status == ClientTokenStatus::Active && token.revoke_at.is_some_and(|revoke_at| revoke_at <= now)
        });
        let mut due: Vec<ClientToken> = due.cloned().collect();
        due.sort_by_key(|token| token.revoke_at);
        due.truncate(limit);
        Ok(due)
    }

    async fn client_token_usage(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
        since: Hour,
    ) -> Result<Usage, StorageError> {
        Ok(self.state().usage.of((workspace, id), since))
    }

    async fn client_token_last_uses(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
    ) -> Result<HashMap<ClientTokenId, Timestamp>, StorageError> {
        let state = self.state();
        let last_use = |id: &ClientTokenId| Some((*id, state.usage.last_use((workspace, *id))?));
        Ok(ids.iter().filter_map(last_use).collect())
    }

    async fn client_token_usages(
        &self,
        workspace: WorkspaceId,
        ids: &[ClientTokenId],
        since: Hour,
    ) -> Result<HashMap<ClientTokenId, Vec<(Hour, u64)>>, StorageError> {
        let state = self.state();
        let hours = |id: &ClientTokenId| {
            let hours = state.usage.of((workspace, *id), since).hours.into_iter();
            let let_in: Vec<_> = hours
                .map(|(hour, counts)| (hour, counts.allowed))
                .filter(|(_, allowed)| *allowed > 0)
                .collect();
            (!let_in.is_empty()).then_some((*id, let_in))
        };
        Ok(ids.iter().filter_map(hours).collect())
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        Ok(self.state().api_keys.get(&id).cloned())
    }

    async fn api_keys(&self, workspace: WorkspaceId, page: &ApiKeyPage) -> Result<Slice<ApiKey>, StorageError> {
        let state = self.state();
        let keys = state.api_keys.values().filter(|key| key.workspace == workspace);
        let keys = keys.filter(|key| page.status.is_none_or(|status| key.status == status));
        let slice = slice(keys.map(|key| (key.id, key)).collect(), &page.page);
        let total = slice.total.filter(|_| page.status.is_none());
        Ok(Slice { total, ..slice })
    }

    async fn api_keys_due(
        &self,
        now: Timestamp,
        announce_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StorageError> {
        let state = self.state();
        let active = state.api_keys.values().filter(|key| key.status == ApiKeyStatus::Active);
        let due = active.filter(|key| match key.expires_at {
            None => false,
            Some(expires_at) if expires_at <= now => true,
            Some(expires_at) => expires_at <= announce_before && key.expiring_announced_at.is_none(),
        });
        let mut due: Vec<ApiKey> = due.cloned().collect();
        due.sort_by_key(|key| key.expires_at);
        due.truncate(limit);
        Ok(due)
    }

    async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Option<Event>, StorageError> {
        let state = self.state();
        let mut events = state.events.values().map(|(_, event)| event);
        Ok(events
            .find(|event| (event.workspace, event.id) == (workspace, id))
            .cloned())
    }

    async fn events(&self, workspace: WorkspaceId, page: &EventPage) -> Result<Slice<Event>, StorageError> {
        let state = self.state();
        let events = state.events.values().map(|(_, event)| event);
        let events = events.filter(|event| event.workspace == workspace);
        let events = events.filter(|event| match &page.types {
            None => event.event_type.is_public(),
            Some(types) => types.contains(&event.event_type),
        });
        Ok(slice(events.map(|event| (event.id, event)).collect(), &page.page))
    }

    async fn audit_trail(
        &self,
        workspace: WorkspaceId,
        page: &AuditPage,
        look_through: usize,
    ) -> Result<Searched<EventKind, Event>, StorageError> {
        let state = self.state();
        let events = state.events.values().map(|(_, event)| event);
        let mut events: Vec<&Event> = events.filter(|event| event.workspace == workspace).collect();
        events.sort_unstable_by_key(|event| Reverse(event.id));
        Ok(audit::trail(events, page, look_through))
    }

    async fn api_keys_named(&self, workspace: WorkspaceId, ids: &[ApiKeyId]) -> Result<Vec<ApiKey>, StorageError> {
        let state = self.state();
        let keys = state.api_keys.values().filter(|key| key.workspace == workspace);
        Ok(keys.filter(|key| ids.contains(&key.id)).cloned().collect())
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        let state = self.state();
        let users = state.people.users.values();
        Ok(users.filter(|user| ids.contains(&user.id)).cloned().collect())
    }

    async fn events_between(
        &self,
        after: u64,
        upto: u64,
        types: &[EventType],
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        let state = self.state();
        let events = state
            .events
            .values()
            .filter(|(place, _)| after < *place && *place <= upto);
        let mut events: Vec<_> = events
            .filter(|(_, event)| types.contains(&event.event_type))
            .cloned()
            .collect();
        events.sort_by_key(|(place, _)| *place);
        Ok(events)
    }

    async fn workspace_events_between(
        &self,
        workspace: WorkspaceId,
        after: u64,
        upto: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        let mut events = self.events_between(after, upto, &EventType::ALL).await?;
        events.retain(|(_, event)| event.workspace == workspace);
        events.truncate(limit);
        Ok(events)
    }

    async fn notification_setting(
        &self,
        workspace: WorkspaceId,
        id: NotificationSettingId,
    ) -> Result<Option<NotificationSetting>, StorageError> {
        Ok(self.state().webhooks.setting(workspace, id).cloned())
    }

    async fn all_notification_settings(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Vec<NotificationSetting>, StorageError> {
        Ok(self.state().webhooks.settings(workspace).cloned().collect())
    }

    async fn notification_settings(
        &self,
        workspace: WorkspaceId,
        page: &NotificationSettingPage,
    ) -> Result<Slice<NotificationSetting>, StorageError> {
        let state = self.state();
        let rows = state.webhooks.settings(workspace);
        let rows = rows.filter(|row| page.active.is_none_or(|active| row.active == active));
        let rows = rows.filter(|row| page.traffic_source.is_none_or(|source| row.traffic_source == source));
        Ok(slice(rows.map(|row| (row.id, row)).collect(), &page.page))
    }

    async fn due_notification_settings(&self, now: Timestamp) -> Result<Vec<NotificationSetting>, StorageError> {
        Ok(self.state().webhooks.due(now))
    }

    async fn notification(
        &self,
        workspace: WorkspaceId,
        id: NotificationId,
    ) -> Result<Option<Notification>, StorageError> {
        let state = self.state();
        let mut rows = state.webhooks.notifications(workspace);
        Ok(rows.find(|row| row.id == id).cloned())
    }

    async fn notifications(
        &self,
        workspace: WorkspaceId,
        page: &NotificationPage,
    ) -> Result<Slice<Notification>, StorageError> {
        Ok(self.state().webhooks.page(workspace, page))
    }

    async fn notifications_of(
        &self,
        workspace: WorkspaceId,
        event: EventId,
        limit: usize,
    ) -> Result<Vec<Notification>, StorageError> {
        let page = NotificationPage {
            page: Page {
                after: None,
                order: Order::Descending,
                limit: 1_000_000,
                count: false,
            },
            settings: Vec::new(),
            statuses: Vec::new(),
            search: None,
            subject: None,
            from: None,
            to: None,
        };
        let all = self.state().webhooks.page(workspace, &page).items;
        let of_event = all.into_iter().filter(|notification| notification.event.id == event);
        Ok(of_event.take(limit).collect())
    }

    async fn delivery_attempts(
        &self,
        notification: NotificationId,
        page: &Page<NotificationLogKind>,
    ) -> Result<Slice<DeliveryAttempt>, StorageError> {
        let state = self.state();
        let rows = state.webhooks.attempts(notification);
        Ok(slice(rows.map(|row| (row.id, row)).collect(), page))
    }

    async fn delivery_counts(
        &self,
        workspace: WorkspaceId,
        setting: Option<NotificationSettingId>,
        since: Hour,
    ) -> Result<Vec<DeliveryCount>, StorageError> {
        Ok(self.state().webhooks.delivery_counts(workspace, setting, since))
    }

    async fn delivery_totals(&self, workspace: WorkspaceId, since: Hour) -> Result<Vec<DeliveryTotal>, StorageError> {
        Ok(self.state().webhooks.delivery_totals(workspace, since))
    }

    async fn simulation(&self, workspace: WorkspaceId, id: SimulationId) -> Result<Option<Simulation>, StorageError> {
        Ok(self.state().simulations.rows.get(&(workspace, id)).cloned())
    }

    async fn simulations(
        &self,
        workspace: WorkspaceId,
        page: &SimulationPage,
    ) -> Result<Slice<Simulation>, StorageError> {
        let state = self.state();
        let rows = state.simulations.rows.values();
        let rows = rows.filter(|row| row.workspace == workspace);
        let rows = rows.filter(|row| page.ids.is_empty() || page.ids.contains(&row.id));
        let rows = rows.filter(|row| page.settings.is_empty() || page.settings.contains(&row.setting));
        let rows = rows.filter(|row| page.statuses.is_empty() || page.statuses.contains(&row.status));
        Ok(slice(rows.map(|row| (row.id, row)).collect(), &page.page))
    }

    async fn simulation_run(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        id: SimulationRunId,
    ) -> Result<Option<SimulationRun>, StorageError> {
        let state = self.state();
        let run = state.simulations.runs.get(&id);
        let run = run.filter(|run| (run.workspace, run.simulation) == (workspace, simulation));
        Ok(run.cloned())
    }

    async fn simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        page: &IdPage<SimulationRunKind>,
    ) -> Result<Slice<SimulationRun>, StorageError> {
        let state = self.state();
        let rows = state.simulations.runs.values();
        let rows = rows.filter(|run| (run.workspace, run.simulation) == (workspace, simulation));
        let rows = rows.filter(|row| page.ids.is_empty() || page.ids.contains(&row.id));
        Ok(slice(rows.map(|row| (row.id, row)).collect(), &page.page))
    }

    async fn newest_simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulations: &[SimulationId],
    ) -> Result<Vec<SimulationRun>, StorageError> {
        let state = self.state();
        let newest = |simulation: &SimulationId| {
            let mut runs = state.simulations.runs.values().rev();
            runs.find(|run| (run.workspace, run.simulation) == (workspace, *simulation))
        };
        Ok(simulations.iter().filter_map(newest).cloned().collect())
    }

    async fn simulation_event(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        id: SimulationEventId,
    ) -> Result<Option<SimulationEvent>, StorageError> {
        let state = self.state();
        let mut events = state.simulations.events_of(workspace, run);
        Ok(events.find(|event| event.id == id).cloned())
    }

    async fn simulation_events(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        page: &IdPage<SimulationEventKind>,
    ) -> Result<Slice<SimulationEvent>, StorageError> {
        let state = self.state();
        let rows = state.simulations.events_of(workspace, run);
        let rows = rows.filter(|row| page.ids.is_empty() || page.ids.contains(&row.id));
        Ok(slice(rows.map(|row| (row.id, row)).collect(), &page.page))
    }

    async fn simulation_events_of(
        &self,
        workspace: WorkspaceId,
        runs: &[SimulationRunId],
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        let state = self.state();
        let newest = |run: &SimulationRunId| state.simulations.events_of(workspace, *run).rev().take(limit);
        Ok(runs.iter().flat_map(newest).cloned().collect())
    }

    async fn simulation_events_due(
        &self,
        claimed_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        Ok(self.state().simulations.due(claimed_before, limit))
    }

    async fn idempotent_answer(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StorageError> {
        Ok(self
            .state()
            .answers
            .get(key)
            .filter(|answer| now < answer.expires_at)
            .cloned())
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        Ok(self.state().people.users.get(&id).cloned())
    }

    async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StorageError> {
        Ok(self.state().people.by_email(email).cloned())
    }

    async fn members(&self, workspace: WorkspaceId) -> Result<Vec<(User, Membership)>, StorageError> {
        Ok(self.state().people.members(workspace))
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StorageError> {
        Ok(self.state().people.memberships(user))
    }

    async fn session(&self, digest: SecretDigest) -> Result<Option<Session>, StorageError> {
        Ok(self.state().people.sessions.get(&digest.0).cloned())
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StorageError> {
        let state = self.state();
        let theirs = state.people.sessions.values().filter(|session| session.user == user);
        let mut theirs: Vec<Session> = theirs.cloned().collect();
        theirs.sort_by_key(|session| (std::cmp::Reverse(session.created_at), session.digest.0));
        Ok(theirs)
    }

    async fn one_time_link(&self, digest: SecretDigest) -> Result<Option<OneTimeLink>, StorageError> {
        Ok(self.state().people.links.get(&digest.0).cloned())
    }

    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, StorageError> {
        Ok(self.state().people.entry.passkeys(user))
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>, StorageError> {
        Ok(self.state().people.entry.by_credential(credential).cloned())
    }

    async fn ceremony(&self, digest: SecretDigest) -> Result<Option<Ceremony>, StorageError> {
        Ok(self.state().people.entry.ceremonies.get(&digest.0).cloned())
    }

    async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StorageError> {
        Ok(self.state().people.entry.identity(issuer, subject).cloned())
    }

    async fn invitations(&self, workspace: WorkspaceId) -> Result<Vec<OneTimeLink>, StorageError> {
        Ok(self.state().people.invitations(|to, _| to == workspace))
    }

    async fn invitations_to(&self, email: &EmailAddress) -> Result<Vec<OneTimeLink>, StorageError> {
        Ok(self.state().people.invitations(|_, to| to == email))
    }

    async fn sign_in_attempts(&self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>, StorageError> {
        let state = self.state();
        Ok(keys
            .iter()
            .map(|key| state.people.attempts.get(key.as_str()).copied())
            .collect())
    }

    async fn sequence(&self) -> Result<u64, StorageError> {
        Ok(self.state().sequence)
    }

    fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.subscribe()
    }
}
