//! Simulations, their runs, and the events of these. They are few: totals are counted, up to the contract's cap.

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use tollgate_domain::id::{
    Id, Kind, SimulationEventId, SimulationEventKind, SimulationId, SimulationRunId, SimulationRunKind, WorkspaceId,
};
use tollgate_domain::simulation::{Simulation, SimulationEvent, SimulationRun};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{IdPage, Page, SimulationPage, Slice, TOTAL_CAP};

use super::{limit_of, one_more};
use crate::counters;
use crate::keyset::{cursor, words};
use crate::sqlite::rows;

pub(crate) fn one(
    connection: &Connection,
    workspace: WorkspaceId,
    id: SimulationId,
) -> rusqlite::Result<Option<Simulation>> {
    connection
        .prepare_cached("SELECT * FROM simulations WHERE workspace_id = ?1 AND id = ?2")?
        .query_row([workspace.to_string(), id.to_string()], rows::simulation)
        .optional()
}

pub(crate) fn page(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: &SimulationPage,
) -> rusqlite::Result<Slice<Simulation>> {
    let filter = "workspace_id = ?1 AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR \
                  setting_id IN (SELECT value FROM json_each(?3))) AND (?4 IS NULL OR status IN (SELECT value FROM \
                  json_each(?4)))";
    let statuses = asked.statuses.iter().map(|status| status.name().to_owned());
    let values: [&dyn ToSql; 4] = [
        &workspace.to_string(),
        &listed(asked.ids.iter().map(Id::to_string)),
        &listed(asked.settings.iter().map(Id::to_string)),
        &listed(statuses),
    ];
    filtered(
        connection,
        ("simulations", filter, &values),
        &asked.page,
        rows::simulation,
    )
}

pub(crate) fn run(
    connection: &Connection,
    workspace: WorkspaceId,
    simulation: SimulationId,
    id: SimulationRunId,
) -> rusqlite::Result<Option<SimulationRun>> {
    connection
        .prepare_cached("SELECT * FROM simulation_runs WHERE id = ?1 AND workspace_id = ?2 AND simulation_id = ?3")?
        .query_row(
            [id.to_string(), workspace.to_string(), simulation.to_string()],
            rows::simulation_run,
        )
        .optional()
}

pub(crate) fn runs(
    connection: &Connection,
    workspace: WorkspaceId,
    simulation: SimulationId,
    asked: &IdPage<SimulationRunKind>,
) -> rusqlite::Result<Slice<SimulationRun>> {
    let filter = "workspace_id = ?1 AND simulation_id = ?2 AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3)))";
    let values: [&dyn ToSql; 3] = [
        &workspace.to_string(),
        &simulation.to_string(),
        &listed(asked.ids.iter().map(Id::to_string)),
    ];
    let from = ("simulation_runs", filter, &values[..]);
    filtered(connection, from, &asked.page, rows::simulation_run)
}

/// The newest of each of these simulations.
pub(crate) fn newest_runs(
    connection: &Connection,
    workspace: WorkspaceId,
    simulations: &[SimulationId],
) -> rusqlite::Result<Vec<SimulationRun>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM simulation_runs WHERE workspace_id = ?1 AND simulation_id = ?2 ORDER BY id DESC LIMIT 1",
    )?;
    let mut runs = Vec::new();
    for simulation in simulations {
        let asked = [workspace.to_string(), simulation.to_string()];
        runs.extend(statement.query_row(asked, rows::simulation_run).optional()?);
    }
    Ok(runs)
}

pub(crate) fn event(
    connection: &Connection,
    workspace: WorkspaceId,
    run: SimulationRunId,
    id: SimulationEventId,
) -> rusqlite::Result<Option<SimulationEvent>> {
    connection
        .prepare_cached("SELECT * FROM simulation_events WHERE run_id = ?1 AND id = ?2 AND workspace_id = ?3")?
        .query_row(
            [run.to_string(), id.to_string(), workspace.to_string()],
            rows::simulation_event,
        )
        .optional()
}

pub(crate) fn events(
    connection: &Connection,
    workspace: WorkspaceId,
    run: SimulationRunId,
    asked: &IdPage<SimulationEventKind>,
) -> rusqlite::Result<Slice<SimulationEvent>> {
    let filter = "run_id = ?1 AND workspace_id = ?2 AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3)))";
    let values: [&dyn ToSql; 3] = [
        &run.to_string(),
        &workspace.to_string(),
        &listed(asked.ids.iter().map(Id::to_string)),
    ];
    let from = ("simulation_events", filter, &values[..]);
    filtered(connection, from, &asked.page, rows::simulation_event)
}

/// The newest of each of these runs.
pub(crate) fn events_of(
    connection: &Connection,
    workspace: WorkspaceId,
    runs: &[SimulationRunId],
    limit: usize,
) -> rusqlite::Result<Vec<SimulationEvent>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM simulation_events WHERE run_id = ?1 AND workspace_id = ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let mut events = Vec::new();
    for run in runs {
        let of_run = statement.query_map(
            params![run.to_string(), workspace.to_string(), limit_of(limit)],
            rows::simulation_event,
        )?;
        for event in of_run {
            events.push(event?);
        }
    }
    Ok(events)
}

pub(crate) fn events_due(
    connection: &Connection,
    claimed_before: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<SimulationEvent>> {
    connection
        .prepare_cached(
            "SELECT * FROM simulation_events WHERE status = 'pending' AND (claimed_at IS NULL OR claimed_at < ?1) \
             ORDER BY id LIMIT ?2",
        )?
        .query_map(
            params![claimed_before.as_micros(), limit_of(limit)],
            rows::simulation_event,
        )?
        .collect()
}

/// Texts as a JSON array; `None` when there are none: no filter.
fn listed(texts: impl Iterator<Item = String>) -> Option<String> {
    let quoted: Vec<String> = texts.map(|text| format!("\"{text}\"")).collect();
    (!quoted.is_empty()).then(|| format!("[{}]", quoted.join(",")))
}

/// A page of a table's rows that a filter lets through, and how many those are.
fn filtered<K: Kind, T>(
    connection: &Connection,
    (table, filter, values): (&str, &str, &[&dyn ToSql]),
    page: &Page<K>,
    read: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Slice<T>> {
    let (beyond, direction) = words(page.order);
    let (after, limit) = (cursor(page), one_more(page.limit));
    let mut with_page = values.to_vec();
    with_page.extend([&after as &dyn ToSql, &limit]);
    let (after, limit) = (values.len() + 1, values.len() + 2);
    let items = connection
        .prepare_cached(&format!(
            "SELECT * FROM {table} WHERE {filter} AND id {beyond} ?{after} ORDER BY id {direction} LIMIT ?{limit}"
        ))?
        .query_map(with_page.as_slice(), read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let total = page.count.then(|| {
        connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {filter} LIMIT {})",
                TOTAL_CAP + 1
            ))?
            .query_row(values, |row| row.get(0))
    });
    Ok(Slice::from_one_more(
        items,
        page.limit,
        total.transpose()?.map(counters::total),
    ))
}
