//! The model's simulations, runs and simulation events.

use std::collections::BTreeMap;

use tollgate_domain::id::{SimulationEventId, SimulationId, SimulationRunId, WorkspaceId, time_prefix};
use tollgate_domain::simulation::{
    Simulation, SimulationEvent, SimulationEventStatus, SimulationRun, SimulationRunStatus,
};
use tollgate_domain::time::Timestamp;

use super::insert;
use crate::{SimulationEventKey, SimulationRecord, StorageError};

/// All that is stored of them.
#[derive(Clone, Default)]
pub(super) struct Simulations {
    pub(super) rows: BTreeMap<(WorkspaceId, SimulationId), Simulation>,
    pub(super) runs: BTreeMap<SimulationRunId, SimulationRun>,
    pub(super) events: BTreeMap<(SimulationRunId, SimulationEventId), SimulationEvent>,
}

impl Simulations {
    pub(super) fn create(&mut self, simulation: Simulation) -> Result<bool, StorageError> {
        let key = (simulation.workspace, simulation.id);
        insert(&mut self.rows, key, simulation).map(|()| true)
    }

    /// `false` when it has another version by now.
    pub(super) fn update(&mut self, from: &Simulation, to: Simulation) -> bool {
        match self.rows.get_mut(&(from.workspace, from.id)) {
            Some(stored) if stored.version == from.version => {
                let (last_run_at, created_at) = (stored.last_run_at, stored.created_at);
                *stored = Simulation {
                    last_run_at,
                    created_at,
                    ..to
                };
                true
            }
            _ => false,
        }
    }

    /// `false` when another run is pending, or when there is no such simulation.
    pub(super) fn run(&mut self, run: SimulationRun, event: SimulationEvent) -> Result<bool, StorageError> {
        let key = (run.workspace, run.simulation);
        let mut others = self
            .runs
            .values()
            .filter(|other| (other.workspace, other.simulation) == key);
        let pending = others.any(|other| other.status == SimulationRunStatus::Pending);
        let Some(simulation) = self.rows.get_mut(&key).filter(|_| !pending) else {
            return Ok(false);
        };
        simulation.last_run_at = simulation.last_run_at.max(Some(run.created_at));
        insert(&mut self.runs, run.id, run)?;
        insert(&mut self.events, (event.run, event.id), event)?;
        Ok(true)
    }

    /// `false` when there is no such run.
    pub(super) fn replay(&mut self, event: SimulationEvent) -> Result<bool, StorageError> {
        let run = self.runs.get(&event.run);
        if run.is_none_or(|run| (run.workspace, run.simulation) != (event.workspace, event.simulation)) {
            return Ok(false);
        }
        insert(&mut self.events, (event.run, event.id), event).map(|()| true)
    }

    fn pending(&mut self, key: &SimulationEventKey) -> Option<&mut SimulationEvent> {
        let event = self.events.get_mut(&(key.run, key.id))?;
        (event.workspace == key.workspace && event.status == SimulationEventStatus::Pending).then_some(event)
    }

    /// `false` when somebody has it, or when it isn't pending.
    pub(super) fn claim(&mut self, key: &SimulationEventKey, at: Timestamp) -> bool {
        let unclaimed = self.pending(key).filter(|event| event.claimed_at.is_none());
        unclaimed.map(|event| event.claimed_at = Some(at)).is_some()
    }

    /// `false` when it isn't pending.
    pub(super) fn record(&mut self, record: SimulationRecord) -> bool {
        let Some(event) = self.pending(&record.event) else {
            return false;
        };
        event.status = record.status;
        event.request = record.request;
        event.response = record.response;
        event.problem = record.problem;
        event.updated_at = record.at;
        let mut of_run = self.events.values().filter(|event| event.run == record.event.run);
        let goes_on = of_run.any(|event| event.status == SimulationEventStatus::Pending);
        if let Some(run) = self.runs.get_mut(&record.event.run)
            && run.status == SimulationRunStatus::Pending
            && !goes_on
        {
            run.status = record.status.of_run();
            run.updated_at = record.at;
        }
        true
    }

    pub(super) fn prune(&mut self, before: Timestamp, limit: usize) {
        let before = time_prefix(before);
        let old = self.runs.keys().filter(|id| id.tail()[..10] < *before);
        for id in old.take(limit).copied().collect::<Vec<_>>() {
            self.runs.remove(&id);
            self.events.retain(|(run, _), _| *run != id);
        }
    }

    /// A workspace's events of a run, oldest first.
    pub(super) fn events_of(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
    ) -> impl DoubleEndedIterator<Item = &SimulationEvent> {
        let events = self.events.values();
        events.filter(move |event| event.workspace == workspace && event.run == run)
    }

    pub(super) fn due(&self, claimed_before: Timestamp, limit: usize) -> Vec<SimulationEvent> {
        let pending = self.events.values();
        let pending = pending.filter(|event| event.status == SimulationEventStatus::Pending);
        let due = pending.filter(|event| event.claimed_at.is_none_or(|at| at < claimed_before));
        let mut due: Vec<_> = due.cloned().collect();
        due.sort_by_key(|event| event.id);
        due.truncate(limit);
        due
    }
}
