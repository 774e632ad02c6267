//! Simulations, their runs, and the events of these.

use rusqlite::{OptionalExtension, Transaction, params};
use tollgate_domain::id::{self, SimulationId, SimulationRunId, WorkspaceId};
use tollgate_domain::simulation::{Simulation, SimulationEvent, SimulationRun};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{SimulationEventKey, SimulationRecord};

use crate::sqlite::rows;

pub(super) fn insert(transaction: &Transaction<'_>, simulation: &Simulation) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO simulations (workspace_id, id, setting_id, name, type, status, payload, last_run_at, created_at, \
         updated_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            simulation.workspace.to_string(),
            simulation.id.to_string(),
            simulation.setting.to_string(),
            simulation.name,
            simulation.event_type.name(),
            simulation.status.name(),
            simulation.payload,
            simulation.last_run_at.map(Timestamp::as_micros),
            simulation.created_at.as_micros(),
            simulation.updated_at.as_micros(),
            simulation.version,
        ],
    )?;
    Ok(())
}

pub(super) fn update(transaction: &Transaction<'_>, from: &Simulation, to: &Simulation) -> rusqlite::Result<bool> {
    let updated = transaction.execute(
        "UPDATE simulations SET setting_id = ?4, name = ?5, type = ?6, status = ?7, payload = ?8, updated_at = ?9, \
         version = ?10 WHERE workspace_id = ?1 AND id = ?2 AND version = ?3",
        params![
            from.workspace.to_string(),
            from.id.to_string(),
            from.version,
            to.setting.to_string(),
            to.name,
            to.event_type.name(),
            to.status.name(),
            to.payload,
            to.updated_at.as_micros(),
            to.version,
        ],
    )?;
    Ok(updated == 1)
}

/// `false` when another run of the simulation is pending, or when there is no such simulation.
pub(super) fn run(
    transaction: &Transaction<'_>,
    run: &SimulationRun,
    event: &SimulationEvent,
) -> rusqlite::Result<bool> {
    let noted = transaction.execute(
        "UPDATE simulations SET last_run_at = max(coalesce(last_run_at, 0), ?3) WHERE workspace_id = ?1 AND id = ?2 AND \
         NOT EXISTS (SELECT 1 FROM simulation_runs WHERE workspace_id = ?1 AND simulation_id = ?2 AND status = 'pending')",
        params![
            run.workspace.to_string(),
            run.simulation.to_string(),
            run.created_at.as_micros()
        ],
    )?;
    if noted == 0 {
        return Ok(false);
    }
    transaction.execute(
        "INSERT INTO simulation_runs (id, workspace_id, simulation_id, status, type, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            run.id.to_string(),
            run.workspace.to_string(),
            run.simulation.to_string(),
            run.status.name(),
            run.event_type.name(),
            run.created_at.as_micros(),
            run.updated_at.as_micros(),
        ],
    )?;
    insert_event(transaction, event)?;
    Ok(true)
}

/// `false` when there is no such run.
pub(super) fn replay(transaction: &Transaction<'_>, event: &SimulationEvent) -> rusqlite::Result<bool> {
    let there = is_there(transaction, event.workspace, event.simulation, event.run)?;
    if there {
        insert_event(transaction, event)?;
    }
    Ok(there)
}

fn is_there(
    transaction: &Transaction<'_>,
    workspace: WorkspaceId,
    simulation: SimulationId,
    run: SimulationRunId,
) -> rusqlite::Result<bool> {
    let found = transaction
        .query_row(
            "SELECT 1 FROM simulation_runs WHERE id = ?1 AND workspace_id = ?2 AND simulation_id = ?3",
            [run.to_string(), workspace.to_string(), simulation.to_string()],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}

fn insert_event(transaction: &Transaction<'_>, event: &SimulationEvent) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO simulation_events (run_id, id, workspace_id, simulation_id, setting_id, status, type, payload, \
         request_body, response_status, response_body, problem, claimed_at, created_at, updated_at) VALUES (?1, ?2, ?3, \
         ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            event.run.to_string(),
            event.id.to_string(),
            event.workspace.to_string(),
            event.simulation.to_string(),
            event.setting.to_string(),
            event.status.name(),
            event.event_type.name(),
            event.payload,
            event.request,
            event.response.as_ref().map(|response| response.status_code),
            event.response.as_ref().map(|response| &response.body),
            event.problem,
            event.claimed_at.map(Timestamp::as_micros),
            event.created_at.as_micros(),
            event.updated_at.as_micros(),
        ],
    )?;
    Ok(())
}

/// `false` when somebody has it already, or when it isn't pending.
pub(super) fn claim(
    transaction: &Transaction<'_>,
    event: &SimulationEventKey,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let claimed = transaction.execute(
        "UPDATE simulation_events SET claimed_at = ?4 WHERE run_id = ?1 AND id = ?2 AND workspace_id = ?3 AND \
         status = 'pending' AND claimed_at IS NULL",
        params![
            event.run.to_string(),
            event.id.to_string(),
            event.workspace.to_string(),
            at.as_micros()
        ],
    )?;
    Ok(claimed == 1)
}

/// Ends a pending event, and its run with it; `false` when it isn't pending.
pub(super) fn record(transaction: &Transaction<'_>, record: &SimulationRecord) -> rusqlite::Result<bool> {
    let (run, workspace) = (record.event.run.to_string(), record.event.workspace.to_string());
    let recorded = transaction.execute(
        "UPDATE simulation_events SET status = ?4, request_body = ?5, response_status = ?6, response_body = ?7, \
         problem = ?8, updated_at = ?9 WHERE run_id = ?1 AND id = ?2 AND workspace_id = ?3 AND status = 'pending'",
        params![
            run,
            record.event.id.to_string(),
            workspace,
            record.status.name(),
            record.request,
            record.response.as_ref().map(|response| response.status_code),
            record.response.as_ref().map(|response| &response.body),
            record.problem,
            record.at.as_micros(),
        ],
    )?;
    if recorded == 0 {
        return Ok(false);
    }
    transaction.execute(
        "UPDATE simulation_runs SET status = ?3, updated_at = ?4 WHERE id = ?1 AND workspace_id = ?2 AND \
         status = 'pending' AND NOT EXISTS (SELECT 1 FROM simulation_events WHERE run_id = ?1 AND status = 'pending')",
        params![run, workspace, record.status.of_run().name(), record.at.as_micros()],
    )?;
    Ok(true)
}

/// An id begins with the time it was made at, so the primary key finds the oldest.
pub(super) fn prune(transaction: &Transaction<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<()> {
    let doomed: Vec<String> = transaction
        .prepare_cached("SELECT id FROM simulation_runs WHERE id < ?1 ORDER BY id LIMIT ?2")?
        .query_map(
            params![format!("ntfsimrun_{}", id::time_prefix(before)), rows::limit(limit)],
            |row| row.get(0),
        )?
        .collect::<rusqlite::Result<_>>()?;
    for run in doomed {
        transaction.execute("DELETE FROM simulation_events WHERE run_id = ?1", [&run])?;
        transaction.execute("DELETE FROM simulation_runs WHERE id = ?1", [&run])?;
    }
    Ok(())
}
