//! Simulations: list, get, create, update. Their runs are in [`simulation_runs`](crate::simulation_runs).

use serde_json::{Map, Value};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{NotificationSettingId, SimulationId};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{Simulation, SimulationStatus};
use tollgate_storage::{Change, Outcome, SimulationPage, Slice, StorageError, Write};

use crate::{Caller, Denied, ROUNDS, Service};

/// Why a simulation use-case refused. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Also for another workspace's simulation: it isn't revealed that it exists.
    #[error("no such simulation")]
    NotFound,
    /// It isn't of that simulation.
    #[error("no such simulation run")]
    RunNotFound,
    /// It isn't of that run.
    #[error("no such simulation event")]
    EventNotFound,
    /// Nothing can be simulated there.
    #[error(transparent)]
    Setting(#[from] SettingProblem),
    /// The destination of a simulation that was fine when it was made.
    #[error("the simulation can't be run: {0}")]
    SettingConflict(SettingProblem),
    /// It was put away.
    #[error("an archived simulation can't be run; make it active first")]
    Archived,
    /// One run at a time.
    #[error("another run of the simulation is pending")]
    AlreadyRunning,
    /// Others changed the simulation each time we tried.
    #[error("the simulation is being changed by others")]
    Contended,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why nothing can be simulated at a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingProblem {
    /// Also for another workspace's.
    #[error("There is no such notification setting")]
    Unknown,
    /// Real events only.
    #[error("The notification setting takes no simulated events: set its traffic_source to simulation or all")]
    PlatformOnly,
    /// Nothing is sent there.
    #[error("The notification setting is not active")]
    Inactive,
    /// Of all that there are.
    #[error(
        "No active notification setting takes simulated events: create one with the traffic_source simulation or all"
    )]
    NoneAtAll,
}

/// What a new simulation is to be; the name keeps to [`tollgate_domain::text::NAME`], the payload has only properties of
/// the type's entity.
#[derive(Clone, Debug)]
pub struct NewSimulation {
    pub setting: NotificationSettingId,
    pub event_type: EventType,
    pub name: String,
    pub payload: Option<Map<String, Value>>,
}

/// What is to change of a simulation; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct SimulationPatch {
    pub setting: Option<NotificationSettingId>,
    pub event_type: Option<EventType>,
    pub name: Option<String>,
    pub status: Option<SimulationStatus>,
    pub payload: Option<Option<Map<String, Value>>>,
}

impl Service {
    /// A page of the caller's simulations.
    pub async fn simulations(
        &self,
        caller: &Caller,
        page: &SimulationPage,
    ) -> Result<Slice<Simulation>, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_READ)?;
        Ok(self.storage.simulations(caller.workspace_id(), page).await?)
    }

    /// One of the caller's simulations.
    pub async fn simulation(&self, caller: &Caller, id: SimulationId) -> Result<Simulation, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_READ)?;
        let found = self.storage.simulation(caller.workspace_id(), id).await?;
        found.ok_or(SimulationError::NotFound)
    }

    /// Makes a simulation, to be run.
    pub async fn create_simulation(&self, caller: &Caller, new: NewSimulation) -> Result<Simulation, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_WRITE)?;
        self.setting_for_simulations(caller, new.setting).await??;
        Ok(self.store_simulation(caller, new).await?)
    }

    pub(crate) async fn store_simulation(
        &self,
        caller: &Caller,
        new: NewSimulation,
    ) -> Result<Simulation, StorageError> {
        let now = self.clock.now();
        let simulation = Simulation {
            workspace: caller.workspace_id(),
            id: self.next_id(now),
            setting: new.setting,
            name: new.name,
            event_type: new.event_type,
            status: SimulationStatus::Active,
            payload: new.payload.map(text),
            last_run_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        self.storage
            .commit(Change::silent(Write::CreateSimulation(simulation.clone())))
            .await?;
        Ok(simulation)
    }

    /// Changes what `patch` names. What changes nothing is not a change. That the payload fits the type is looked at
    /// before; should another change come between, its properties that the entity lacks are passed over when it is run.
    pub async fn update_simulation(
        &self,
        caller: &Caller,
        id: SimulationId,
        patch: SimulationPatch,
    ) -> Result<Simulation, SimulationError> {
        caller.require(Permission::NOTIFICATION_SIMULATION_WRITE)?;
        let payload = patch.payload.map(|payload| payload.map(text));
        for _ in 0..ROUNDS {
            let from = self
                .storage
                .simulation(caller.workspace_id(), id)
                .await?
                .ok_or(SimulationError::NotFound)?;
            let mut to = Simulation {
                setting: patch.setting.unwrap_or(from.setting),
                event_type: patch.event_type.unwrap_or(from.event_type),
                status: patch.status.unwrap_or(from.status),
                ..from.clone()
            };
            if let Some(name) = &patch.name {
                to.name.clone_from(name);
            }
            if let Some(payload) = &payload {
                to.payload.clone_from(payload);
            }
            if to.setting != from.setting {
                self.setting_for_simulations(caller, to.setting).await??;
            }
            if to == from {
                return Ok(from);
            }
            to.updated_at = self.clock.now().max(from.updated_at);
            to.version += 1;
            let write = Write::UpdateSimulation { from, to: to.clone() };
            if let Outcome::Applied { .. } = self.storage.commit(Change::silent(write)).await? {
                return Ok(to);
            }
        }
        Err(SimulationError::Contended)
    }

    /// The caller's setting, if it takes simulated events; it may be inactive.
    pub(crate) async fn setting_for_simulations(
        &self,
        caller: &Caller,
        id: NotificationSettingId,
    ) -> Result<Result<NotificationSetting, SettingProblem>, StorageError> {
        let setting = self.storage.notification_setting(caller.workspace_id(), id).await?;
        Ok(match setting {
            None => Err(SettingProblem::Unknown),
            Some(setting) if !setting.traffic_source.takes_simulated() => Err(SettingProblem::PlatformOnly),
            Some(setting) => Ok(setting),
        })
    }
}

fn text(payload: Map<String, Value>) -> String {
    Value::Object(payload).to_string()
}
