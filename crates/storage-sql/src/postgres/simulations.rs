//! What a batch does to simulations, their runs, and the events of these: one change after the other, by statements that
//! aren't kept prepared. They are few.

use tokio_postgres::Error;
use tollgate_domain::id;
use tollgate_domain::simulation::{Simulation, SimulationEvent, SimulationRun};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{SimulationEventKey, SimulationRecord, Write};

use super::batch::{Session, bigint};

/// Whether this is for [`Session::simulate`].
pub(super) const fn is_simulation(write: &Write) -> bool {
    matches!(
        write,
        Write::CreateSimulation(_)
            | Write::UpdateSimulation { .. }
            | Write::RunSimulation { .. }
            | Write::ReplaySimulationEvent(_)
            | Write::ClaimSimulationEvent { .. }
            | Write::RecordSimulationEvent(_)
            | Write::PruneSimulationRuns { .. }
    )
}

impl Session {
    /// Writes one change; `false` when its precondition doesn't hold, and then nothing was written. The head is locked:
    /// no other node does any of this at the same time.
    pub(super) async fn simulate(&self, write: &Write) -> Result<bool, Error> {
        match write {
            Write::CreateSimulation(simulation) => self.create_simulation(simulation).await,
            Write::UpdateSimulation { from, to } => self.update_simulation(from, to).await,
            Write::RunSimulation { run, event } => self.run_simulation(run, event).await,
            Write::ReplaySimulationEvent(event) => self.replay_simulation_event(event).await,
            Write::ClaimSimulationEvent { event, at } => self.claim_simulation_event(event, *at).await,
            Write::RecordSimulationEvent(record) => self.record_simulation_event(record).await,
            Write::PruneSimulationRuns { before, limit } => self.prune_simulation_runs(*before, *limit).await,
            _ => Ok(true),
        }
    }

    async fn create_simulation(&self, new: &Simulation) -> Result<bool, Error> {
        self.client
            .execute(
                CREATE,
                &[
                    &new.workspace.to_string(),
                    &new.id.to_string(),
                    &new.setting.to_string(),
                    &new.name,
                    &new.event_type.name(),
                    &new.status.name(),
                    &new.payload,
                    &new.last_run_at.map(Timestamp::as_micros),
                    &new.created_at.as_micros(),
                    &new.updated_at.as_micros(),
                    &new.version,
                ],
            )
            .await?;
        Ok(true)
    }

    async fn update_simulation(&self, from: &Simulation, to: &Simulation) -> Result<bool, Error> {
        let updated = self
            .client
            .execute(
                UPDATE,
                &[
                    &from.workspace.to_string(),
                    &from.id.to_string(),
                    &from.version,
                    &to.setting.to_string(),
                    &to.name,
                    &to.event_type.name(),
                    &to.status.name(),
                    &to.payload,
                    &to.updated_at.as_micros(),
                    &to.version,
                ],
            )
            .await?;
        Ok(updated == 1)
    }

    async fn run_simulation(&self, run: &SimulationRun, event: &SimulationEvent) -> Result<bool, Error> {
        let (workspace, simulation) = (run.workspace.to_string(), run.simulation.to_string());
        let noted = self
            .client
            .execute(NOTE_RUN, &[&workspace, &simulation, &run.created_at.as_micros()])
            .await?;
        if noted == 0 {
            return Ok(false);
        }
        self.client
            .execute(
                CREATE_RUN,
                &[
                    &run.id.to_string(),
                    &workspace,
                    &simulation,
                    &run.status.name(),
                    &run.event_type.name(),
                    &run.created_at.as_micros(),
                    &run.updated_at.as_micros(),
                ],
            )
            .await?;
        self.create_simulation_event(event).await?;
        Ok(true)
    }

    async fn replay_simulation_event(&self, event: &SimulationEvent) -> Result<bool, Error> {
        let found = self
            .client
            .query_opt(
                FIND_RUN,
                &[
                    &event.run.to_string(),
                    &event.workspace.to_string(),
                    &event.simulation.to_string(),
                ],
            )
            .await?;
        if found.is_none() {
            return Ok(false);
        }
        self.create_simulation_event(event).await?;
        Ok(true)
    }

    async fn create_simulation_event(&self, event: &SimulationEvent) -> Result<(), Error> {
        let response = event.response.as_ref();
        self.client
            .execute(
                CREATE_EVENT,
                &[
                    &event.run.to_string(),
                    &event.id.to_string(),
                    &event.workspace.to_string(),
                    &event.simulation.to_string(),
                    &event.setting.to_string(),
                    &event.status.name(),
                    &event.event_type.name(),
                    &event.payload,
                    &event.request,
                    &response.map(|response| i64::from(response.status_code)),
                    &response.map(|response| text(&response.body)),
                    &event.problem.as_deref().map(text),
                    &event.claimed_at.map(Timestamp::as_micros),
                    &event.created_at.as_micros(),
                    &event.updated_at.as_micros(),
                ],
            )
            .await?;
        Ok(())
    }

    async fn claim_simulation_event(&self, event: &SimulationEventKey, at: Timestamp) -> Result<bool, Error> {
        let claimed = self
            .client
            .execute(
                CLAIM_EVENT,
                &[
                    &event.run.to_string(),
                    &event.id.to_string(),
                    &event.workspace.to_string(),
                    &at.as_micros(),
                ],
            )
            .await?;
        Ok(claimed == 1)
    }

    async fn record_simulation_event(&self, record: &SimulationRecord) -> Result<bool, Error> {
        let (run, workspace) = (record.event.run.to_string(), record.event.workspace.to_string());
        let (response, at) = (record.response.as_ref(), record.at.as_micros());
        let recorded = self
            .client
            .execute(
                RECORD_EVENT,
                &[
                    &run,
                    &record.event.id.to_string(),
                    &workspace,
                    &record.status.name(),
                    &record.request,
                    &response.map(|response| i64::from(response.status_code)),
                    &response.map(|response| text(&response.body)),
                    &record.problem.as_deref().map(text),
                    &at,
                ],
            )
            .await?;
        if recorded == 0 {
            return Ok(false);
        }
        let of_run = record.status.of_run().name();
        self.client.execute(END_RUN, &[&run, &workspace, &of_run, &at]).await?;
        Ok(true)
    }

    async fn prune_simulation_runs(&self, before: Timestamp, limit: usize) -> Result<bool, Error> {
        let oldest_kept = format!("ntfsimrun_{}", id::time_prefix(before));
        self.client.execute(PRUNE_RUNS, &[&oldest_kept, &bigint(limit)]).await?;
        Ok(true)
    }
}

/// PostgreSQL's text can't hold the character 0, and a receiver may answer with any.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

const CREATE: &str = "
    INSERT INTO simulations (workspace_id, id, setting_id, name, type, status, payload, last_run_at, created_at,
        updated_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const UPDATE: &str = "
    UPDATE simulations SET setting_id = $4, name = $5, type = $6, status = $7, payload = $8, updated_at = $9,
        version = $10
    WHERE workspace_id = $1 AND id = $2 AND version = $3";

/// Nothing while another run is pending. `greatest` passes over NULL.
const NOTE_RUN: &str = "
    UPDATE simulations SET last_run_at = greatest(last_run_at, $3)
    WHERE workspace_id = $1 AND id = $2 AND NOT EXISTS (
        SELECT 1 FROM simulation_runs WHERE workspace_id = $1 AND simulation_id = $2 AND status = 'pending')";

const CREATE_RUN: &str = "
    INSERT INTO simulation_runs (id, workspace_id, simulation_id, status, type, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const FIND_RUN: &str = "SELECT 1 FROM simulation_runs WHERE id = $1 AND workspace_id = $2 AND simulation_id = $3";

const CREATE_EVENT: &str = "
    INSERT INTO simulation_events (run_id, id, workspace_id, simulation_id, setting_id, status, type, payload,
        request_body, response_status, response_body, problem, claimed_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

const CLAIM_EVENT: &str = "
    UPDATE simulation_events SET claimed_at = $4
    WHERE run_id = $1 AND id = $2 AND workspace_id = $3 AND status = 'pending' AND claimed_at IS NULL";

const RECORD_EVENT: &str = "
    UPDATE simulation_events SET status = $4, request_body = $5, response_status = $6, response_body = $7, problem = $8,
        updated_at = $9
    WHERE run_id = $1 AND id = $2 AND workspace_id = $3 AND status = 'pending'";

const END_RUN: &str = "
    UPDATE simulation_runs SET status = $3, updated_at = $4
    WHERE id = $1 AND workspace_id = $2 AND status = 'pending' AND NOT EXISTS (
        SELECT 1 FROM simulation_events WHERE run_id = $1 AND status = 'pending')";

/// At most `$2` runs with ids before `$1`: an id begins with the time it was made at.
const PRUNE_RUNS: &str = "
    WITH doomed AS (
        DELETE FROM simulation_runs WHERE id = ANY (ARRAY(
            SELECT id FROM simulation_runs WHERE id < $1 ORDER BY id LIMIT $2))
        RETURNING id
    )
    DELETE FROM simulation_events WHERE run_id IN (SELECT id FROM doomed)";
