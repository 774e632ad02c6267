//! Simulations, their runs, and the events of these. They are few: totals are counted, up to the contract's cap.

use tokio_postgres::Row;
use tollgate_domain::id::{
    Id, Kind, SimulationEventId, SimulationEventKind, SimulationId, SimulationRunId, SimulationRunKind, WorkspaceId,
};
use tollgate_domain::simulation::{Simulation, SimulationEvent, SimulationRun, SimulationStatus};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{IdPage, Page, SimulationPage, Slice, StorageError, TOTAL_CAP};

use super::{Parameters, Reads, bigint};
use crate::counters;
use crate::keyset::{cursor, words};
use crate::postgres::rows::{self, SIMULATION, SIMULATION_EVENT, SIMULATION_RUN};

/// What a page is taken from: the columns, the table, and the condition on the parameters.
struct Source<'a> {
    columns: &'static str,
    table: &'static str,
    filter: &'static str,
    parameters: Parameters<'a>,
}

impl Reads {
    pub(in crate::postgres) async fn simulation(
        &self,
        workspace: WorkspaceId,
        id: SimulationId,
    ) -> Result<Option<Simulation>, StorageError> {
        let sql = format!("SELECT {SIMULATION} FROM simulations WHERE workspace_id = $1 AND id = $2");
        self.one(&sql, &[&workspace.to_string(), &id.to_string()], rows::simulation)
            .await
    }

    pub(in crate::postgres) async fn simulations(
        &self,
        workspace: WorkspaceId,
        asked: &SimulationPage,
    ) -> Result<Slice<Simulation>, StorageError> {
        let statuses: Vec<&str> = asked.statuses.iter().copied().map(SimulationStatus::name).collect();
        let source = Source {
            columns: SIMULATION,
            table: "simulations",
            filter: "workspace_id = $1 AND (cardinality($2::text[]) = 0 OR id = ANY ($2)) AND \
                     (cardinality($3::text[]) = 0 OR setting_id = ANY ($3)) AND \
                     (cardinality($4::text[]) = 0 OR status = ANY ($4))",
            parameters: &[
                &workspace.to_string(),
                &texts(&asked.ids),
                &texts(&asked.settings),
                &statuses,
            ],
        };
        self.filtered(source, &asked.page, rows::simulation).await
    }

    pub(in crate::postgres) async fn simulation_run(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        id: SimulationRunId,
    ) -> Result<Option<SimulationRun>, StorageError> {
        let sql = format!(
            "SELECT {SIMULATION_RUN} FROM simulation_runs WHERE id = $1 AND workspace_id = $2 AND simulation_id = $3"
        );
        let parameters: Parameters = &[&id.to_string(), &workspace.to_string(), &simulation.to_string()];
        self.one(&sql, parameters, rows::simulation_run).await
    }

    pub(in crate::postgres) async fn simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulation: SimulationId,
        asked: &IdPage<SimulationRunKind>,
    ) -> Result<Slice<SimulationRun>, StorageError> {
        let source = Source {
            columns: SIMULATION_RUN,
            table: "simulation_runs",
            filter: "workspace_id = $1 AND simulation_id = $2 AND (cardinality($3::text[]) = 0 OR id = ANY ($3))",
            parameters: &[&workspace.to_string(), &simulation.to_string(), &texts(&asked.ids)],
        };
        self.filtered(source, &asked.page, rows::simulation_run).await
    }

    pub(in crate::postgres) async fn newest_simulation_runs(
        &self,
        workspace: WorkspaceId,
        simulations: &[SimulationId],
    ) -> Result<Vec<SimulationRun>, StorageError> {
        let sql = format!(
            "SELECT newest.* FROM UNNEST($1::text[]) WITH ORDINALITY AS wanted (simulation_id, place) CROSS JOIN LATERAL (\
             SELECT {SIMULATION_RUN} FROM simulation_runs AS run \
             WHERE run.workspace_id = $2 AND run.simulation_id = wanted.simulation_id ORDER BY run.id DESC LIMIT 1\
             ) AS newest ORDER BY wanted.place"
        );
        let parameters: Parameters = &[&texts(simulations), &workspace.to_string()];
        rows::all(&self.many(&sql, parameters).await?, rows::simulation_run)
    }

    pub(in crate::postgres) async fn simulation_event(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        id: SimulationEventId,
    ) -> Result<Option<SimulationEvent>, StorageError> {
        let sql = format!(
            "SELECT {SIMULATION_EVENT} FROM simulation_events WHERE run_id = $1 AND id = $2 AND workspace_id = $3"
        );
        let parameters: Parameters = &[&run.to_string(), &id.to_string(), &workspace.to_string()];
        self.one(&sql, parameters, rows::simulation_event).await
    }

    pub(in crate::postgres) async fn simulation_events(
        &self,
        workspace: WorkspaceId,
        run: SimulationRunId,
        asked: &IdPage<SimulationEventKind>,
    ) -> Result<Slice<SimulationEvent>, StorageError> {
        let source = Source {
            columns: SIMULATION_EVENT,
            table: "simulation_events",
            filter: "run_id = $1 AND workspace_id = $2 AND (cardinality($3::text[]) = 0 OR id = ANY ($3))",
            parameters: &[&run.to_string(), &workspace.to_string(), &texts(&asked.ids)],
        };
        self.filtered(source, &asked.page, rows::simulation_event).await
    }

    pub(in crate::postgres) async fn simulation_events_of(
        &self,
        workspace: WorkspaceId,
        runs: &[SimulationRunId],
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        let sql = format!(
            "SELECT newest.* FROM UNNEST($1::text[]) WITH ORDINALITY AS wanted (run_id, place) CROSS JOIN LATERAL (\
             SELECT {SIMULATION_EVENT} FROM simulation_events AS event \
             WHERE event.run_id = wanted.run_id AND event.workspace_id = $2 ORDER BY event.id DESC LIMIT $3\
             ) AS newest ORDER BY wanted.place, newest.id DESC"
        );
        let parameters: Parameters = &[&texts(runs), &workspace.to_string(), &bigint(limit)];
        rows::all(&self.many(&sql, parameters).await?, rows::simulation_event)
    }

    pub(in crate::postgres) async fn simulation_events_due(
        &self,
        claimed_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SimulationEvent>, StorageError> {
        let sql = format!(
            "SELECT {SIMULATION_EVENT} FROM simulation_events \
             WHERE status = 'pending' AND (claimed_at IS NULL OR claimed_at < $1) ORDER BY id LIMIT $2"
        );
        let parameters: Parameters = &[&claimed_before.as_micros(), &bigint(limit)];
        rows::all(&self.many(&sql, parameters).await?, rows::simulation_event)
    }

    async fn filtered<K: Kind, T>(
        &self,
        source: Source<'_>,
        page: &Page<K>,
        read: impl Fn(&Row) -> Result<T, StorageError>,
    ) -> Result<Slice<T>, StorageError> {
        let Source {
            columns,
            table,
            filter,
            parameters,
        } = source;
        let (beyond, direction) = words(page.order);
        let (after, one_more) = (cursor(page), bigint(page.limit).saturating_add(1));
        let (after_at, limit_at) = (parameters.len() + 1, parameters.len() + 2);
        let items = format!(
            "SELECT {columns} FROM {table} WHERE {filter} AND id {beyond} ${after_at} ORDER BY id {direction} \
             LIMIT ${limit_at}"
        );
        let mut items_of = parameters.to_vec();
        items_of.push(&after);
        items_of.push(&one_more);
        let count = format!(
            "SELECT count(*) AS total FROM (SELECT 1 FROM {table} WHERE {filter} LIMIT {}) AS counted",
            TOTAL_CAP + 1
        );
        let count = page.count.then_some((count.as_str(), parameters));
        let (items, total) = self.counted((&items, &items_of), count).await?;
        let items = rows::all(&items, read)?;
        Ok(Slice::from_one_more(items, page.limit, total.map(counters::total)))
    }
}

fn texts<K: Kind>(ids: &[Id<K>]) -> Vec<String> {
    ids.iter().map(Id::to_string).collect()
}
