//! Runs of simulations: run, list, get, their events, replay. A run and its event are stored before anything is sent; the
//! delivery plane sends them.

use serde_json::{Map, Value};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{
    ApiKeyId, ClientTokenId, NotificationSettingId, SimulationEventId, SimulationEventKind, SimulationId,
    SimulationRunId, SimulationRunKind,
};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{
    Simulation, SimulationEvent, SimulationEventStatus, SimulationRun, SimulationRunStatus, SimulationStatus,
};
use tollgate_domain::simulation_payload::{Entity, demo_api_key, demo_client_token};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, IdPage, Outcome, Slice, StorageError, Write};

use crate::{Caller, NewSimulation, Service, SettingProblem, SimulationError};

/// How many events come with each run that is shown with its events: as many as a page of them has by default.
const EVENTS_INCLUDED: usize = 50;

/// A run, with its newest events when they were asked for.
#[derive(Clone, Debug)]
pub struct RunWithEvents {
    pub run: SimulationRun,
    pub events: Option<Vec<SimulationEvent>>,
}

/// What is to be triggered.
#[derive(Clone, Debug)]
pub struct Trigger {
    pub event_type: EventType,
    /// Where; at each active destination that takes simulated events when absent.
    pub setting: Option<NotificationSettingId>,
    pub payload: Option<Map<String, Value>>,
}

impl Service {
    /// A page of a simulation's runs.
    pub async fn simulation_runs(
        &self,
        caller: &Caller,
        id: SimulationId,
        page: &IdPage<SimulationRunKind>,
        with_events: bool,
    ) -> Result<Slice<RunWithEvents>, SimulationError> {
        self.simulation(caller, id).await?;
        let slice = self.storage.simulation_runs(caller.workspace_id(), id, page).await?;
        Ok(Slice {
            items: self.with_events(caller, slice.items, with_events).await?,
            has_more: slice.has_more,
            total: slice.total,
        })
    }

    /// The newest run of each of these simulations, with its newest event; those that were never run are left out.
    pub async fn newest_simulation_runs(
        &self,
        caller: &Caller,
        simulations: &[SimulationId],
    ) -> Result<Vec<RunWithEvents>, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_READ)?;
        let workspace = caller.workspace_id();
        let runs = self.storage.newest_simulation_runs(workspace, simulations).await?;
        Ok(self.with_events(caller, runs, true).await?)
    }

    /// One of a simulation's runs.
    pub async fn simulation_run(
        &self,
        caller: &Caller,
        simulation: SimulationId,
        id: SimulationRunId,
        with_events: bool,
    ) -> Result<RunWithEvents, SimulationError> {
        self.simulation(caller, simulation).await?;
        let run = self.own_run(caller, simulation, id).await?;
        let mut shown = self.with_events(caller, vec![run], with_events).await?;
        let mut shown = shown.pop().ok_or(SimulationError::RunNotFound)?;
        // The run was read before its events: when it has ended in between, it is read again, so that the two agree.
        let is_pending = |event: &SimulationEvent| event.status == SimulationEventStatus::Pending;
        let has_ended = shown
            .events
            .as_ref()
            .is_some_and(|events| !events.iter().any(is_pending));
        if has_ended && shown.run.status == SimulationRunStatus::Pending {
            shown.run = self.own_run(caller, simulation, id).await?;
        }
        Ok(shown)
    }

    async fn own_run(
        &self,
        caller: &Caller,
        simulation: SimulationId,
        id: SimulationRunId,
    ) -> Result<SimulationRun, SimulationError> {
        let run = self
            .storage
            .simulation_run(caller.workspace_id(), simulation, id)
            .await?;
        run.ok_or(SimulationError::RunNotFound)
    }

    async fn with_events(
        &self,
        caller: &Caller,
        runs: Vec<SimulationRun>,
        wanted: bool,
    ) -> Result<Vec<RunWithEvents>, StorageError> {
        if !wanted {
            return Ok(runs
                .into_iter()
                .map(|run| RunWithEvents { run, events: None })
                .collect());
        }
        let ids: Vec<SimulationRunId> = runs.iter().map(|run| run.id).collect();
        let mut all = self
            .storage
            .simulation_events_of(caller.workspace_id(), &ids, EVENTS_INCLUDED)
            .await?;
        let take = |run: SimulationRun| {
            let (events, others) = std::mem::take(&mut all)
                .into_iter()
                .partition(|event| event.run == run.id);
            all = others;
            RunWithEvents {
                run,
                events: Some(events),
            }
        };
        Ok(runs.into_iter().map(take).collect())
    }

    /// A page of a run's events.
    pub async fn simulation_events(
        &self,
        caller: &Caller,
        (simulation, run): (SimulationId, SimulationRunId),
        page: &IdPage<SimulationEventKind>,
    ) -> Result<Slice<SimulationEvent>, SimulationError> {
        self.simulation(caller, simulation).await?;
        self.own_run(caller, simulation, run).await?;
        Ok(self.storage.simulation_events(caller.workspace_id(), run, page).await?)
    }

    /// One of a run's events.
    pub async fn simulation_event(
        &self,
        caller: &Caller,
        (simulation, run): (SimulationId, SimulationRunId),
        id: SimulationEventId,
    ) -> Result<SimulationEvent, SimulationError> {
        self.simulation(caller, simulation).await?;
        self.own_run(caller, simulation, run).await?;
        let event = self.storage.simulation_event(caller.workspace_id(), run, id).await?;
        event.ok_or(SimulationError::EventNotFound)
    }

    /// Runs a simulation: stored as pending when this answers, and sent soon after.
    pub async fn run_simulation(&self, caller: &Caller, id: SimulationId) -> Result<SimulationRun, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_WRITE)?;
        let simulation = self.simulation(caller, id).await?;
        if simulation.status == SimulationStatus::Archived {
            return Err(SimulationError::Archived);
        }
        self.destination_of(caller, simulation.setting).await?;
        self.start(caller, &simulation).await
    }

    /// Has an event of a run sent once more, as an event of its own.
    pub async fn replay_simulation_event(
        &self,
        caller: &Caller,
        (simulation, run): (SimulationId, SimulationRunId),
        id: SimulationEventId,
    ) -> Result<SimulationEvent, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_WRITE)?;
        let original = self.simulation_event(caller, (simulation, run), id).await?;
        self.destination_of(caller, original.setting).await?;
        let now = self.clock.now();
        let replay = SimulationEvent {
            id: self.next_id(now),
            status: SimulationEventStatus::Pending,
            request: None,
            response: None,
            problem: None,
            claimed_at: None,
            created_at: now,
            updated_at: now,
            ..original
        };
        let write = Write::ReplaySimulationEvent(replay.clone());
        match self.storage.commit(Change::silent(write)).await? {
            Outcome::Applied { .. } => Ok(replay),
            _ => Err(SimulationError::RunNotFound),
        }
    }

    /// Makes a simulation for the destination named, or for each active one that takes simulated events, and runs it.
    pub async fn trigger_simulations(
        &self,
        caller: &Caller,
        trigger: Trigger,
    ) -> Result<Vec<(Simulation, SimulationRun)>, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_WRITE)?;
        let mut runs = Vec::new();
        for setting in self.settings_to_trigger(caller, trigger.setting).await? {
            let new = NewSimulation {
                setting,
                event_type: trigger.event_type,
                name: format!("Triggered: {}", trigger.event_type.name()),
                payload: trigger.payload.clone(),
            };
            let simulation = self.store_simulation(caller, new).await?;
            let run = self.start(caller, &simulation).await?;
            runs.push((simulation, run));
        }
        Ok(runs)
    }

    /// The setting that is named, or each of the workspace's that takes simulated events; never none.
    async fn settings_to_trigger(
        &self,
        caller: &Caller,
        named: Option<NotificationSettingId>,
    ) -> Result<Vec<NotificationSettingId>, SimulationError> {
        if let Some(id) = named {
            let setting = self.setting_for_simulations(caller, id).await??;
            return if setting.active {
                Ok(vec![id])
            } else {
                Err(SettingProblem::Inactive.into())
            };
        }
        let all = self.storage.all_notification_settings(caller.workspace_id()).await?;
        let takes = |setting: &&NotificationSetting| setting.active && setting.traffic_source.takes_simulated();
        let ids: Vec<_> = all.iter().filter(takes).map(|setting| setting.id).collect();
        if ids.is_empty() {
            return Err(SettingProblem::NoneAtAll.into());
        }
        Ok(ids)
    }

    /// Whether something can be sent there now.
    async fn destination_of(&self, caller: &Caller, setting: NotificationSettingId) -> Result<(), SimulationError> {
        match self.setting_for_simulations(caller, setting).await? {
            Ok(setting) if setting.active => Ok(()),
            Ok(_) => Err(SimulationError::SettingConflict(SettingProblem::Inactive)),
            Err(problem) => Err(SimulationError::SettingConflict(problem)),
        }
    }

    async fn start(&self, caller: &Caller, simulation: &Simulation) -> Result<SimulationRun, SimulationError> {
        let now = self.clock.now();
        let run = SimulationRun {
            workspace: simulation.workspace,
            simulation: simulation.id,
            id: self.next_id(now),
            status: SimulationRunStatus::Pending,
            event_type: simulation.event_type,
            created_at: now,
            updated_at: now,
        };
        let event = SimulationEvent {
            workspace: simulation.workspace,
            simulation: simulation.id,
            run: run.id,
            id: self.next_id(now),
            setting: simulation.setting,
            status: SimulationEventStatus::Pending,
            event_type: simulation.event_type,
            payload: self.simulated_entity(caller, simulation, now).await?,
            request: None,
            response: None,
            problem: None,
            claimed_at: None,
            created_at: now,
            updated_at: now,
        };
        let write = Write::RunSimulation {
            run: run.clone(),
            event,
        };
        match self.storage.commit(Change::silent(write)).await? {
            Outcome::Applied { .. } => Ok(run),
            _ => Err(SimulationError::AlreadyRunning),
        }
    }

    /// The entity that a simulation tells of, as JSON text: what its payload gives, and for the rest the entity that has
    /// the id which the payload names, or an invented one. Whoever may not read such entities gets nothing of a real one.
    async fn simulated_entity(
        &self,
        caller: &Caller,
        simulation: &Simulation,
        now: Timestamp,
    ) -> Result<String, StorageError> {
        let given: Map<String, Value> = match &simulation.payload {
            None => Map::new(),
            Some(payload) => serde_json::from_str(payload)
                .map_err(|error| StorageError::Corrupt(format!("simulations.payload of {}: {error}", simulation.id)))?,
        };
        let merged = self.entity_of(caller, simulation.event_type, &given, now).await?;
        merged.ok_or_else(|| StorageError::Corrupt(format!("simulations.type of {}", simulation.id)))
    }

    /// An example of what an event of this type tells of, as JSON text: an invented entity. `None` for what can't be
    /// simulated.
    pub async fn example_entity(
        &self,
        caller: &Caller,
        event_type: EventType,
    ) -> Result<Option<String>, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_READ)?;
        let now = self.clock.now();
        Ok(self.entity_of(caller, event_type, &Map::new(), now).await?)
    }

    async fn entity_of(
        &self,
        caller: &Caller,
        event_type: EventType,
        given: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Option<String>, StorageError> {
        let Some(entity) = Entity::of(event_type) else {
            return Ok(None);
        };
        let id = given.get("id").and_then(Value::as_str).unwrap_or_default();
        let workspace = caller.workspace();
        let base = match entity {
            Entity::ClientToken => {
                let id = ClientTokenId::parse(id).ok();
                let real = match id {
                    Some(id) if caller.require(Permission::CLIENT_TOKEN_READ).is_ok() => {
                        self.storage.client_token(workspace.id, id).await?
                    }
                    _ => None,
                };
                let token = real.unwrap_or_else(|| {
                    let id = id.unwrap_or_else(|| self.next_id(now));
                    demo_client_token(event_type, workspace, id, now, self.entropy.as_ref())
                });
                serde_json::to_value(token.snapshot())
            }
            Entity::ApiKey => {
                let id = ApiKeyId::parse(id).ok();
                let may_read = caller.api_key_id() == id || caller.require(Permission::API_KEY_READ).is_ok();
                let real = match id {
                    Some(id) if may_read => self.storage.api_key(id).await?,
                    _ => None,
                };
                let key = real.filter(|key| key.workspace == workspace.id).unwrap_or_else(|| {
                    let id = id.unwrap_or_else(|| self.next_id(now));
                    demo_api_key(event_type, workspace, id, now)
                });
                serde_json::to_value(key.snapshot())
            }
        };
        let base = base.expect("a snapshot has text keys and finite numbers");
        Ok(Some(entity.merged(&base, given)))
    }
}
