//! `/simulations/{simulation_id}/runs`: runs of a simulation, the events of a run, and sending one once more.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use tollgate_domain::id::{SimulationEventId, SimulationId, SimulationRunId};
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{SimulationEvent, SimulationRun};
use tollgate_domain::time::Timestamp;
use tollgate_service::{RunWithEvents, SimulationError};
use tollgate_storage::{IdPage, Order, StorageError};

use super::simulations::{ID, IDS};
use crate::App;
use crate::catalogue::{INVALID_FIELD, SIMULATION_ALREADY_RUNNING, SIMULATION_SETTINGS_CONFLICT};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::list::{Filter, ListQuery, Listing};
use crate::extract::path::{PathId, PathIds};
use crate::gate::Known;

const RUN_ID: &str = "simulation_run_id";
const EVENT_ID: &str = "simulation_event_id";

const RUNS: Listing = Listing {
    default_order: Order::Descending,
    default_limit: 50,
    max_limit: 200,
    order_field: "id",
    filters: &[IDS, INCLUDE],
};

const EVENTS: Listing = Listing {
    filters: &[IDS],
    ..RUNS
};

const INCLUDE: Filter = Filter {
    name: "include",
    description: "`events`: each run with its newest events, 50 at most.",
    values: Some(|| vec!["events".to_owned()]),
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = (
        Surface::Compatible,
        Access::Needs(Permission::NOTIFICATION_SIMULATION_READ),
    );
    let write = (
        Surface::Compatible,
        Access::Needs(Permission::NOTIFICATION_SIMULATION_WRITE),
    );
    let (runs, run) = (
        "/simulations/{simulation_id}/runs",
        "/simulations/{simulation_id}/runs/{simulation_run_id}",
    );
    let (events, event, replay_event) = (
        "/simulations/{simulation_id}/runs/{simulation_run_id}/events",
        "/simulations/{simulation_id}/runs/{simulation_run_id}/events/{simulation_event_id}",
        "/simulations/{simulation_id}/runs/{simulation_run_id}/events/{simulation_event_id}/replay",
    );
    vec![
        Endpoint::new(
            (Method::GET, runs),
            read,
            list,
            ("listSimulationRuns", "List runs of a simulation"),
            Answer::many::<RunView<'_>>(),
        )
        .listing(&RUNS),
        Endpoint::new(
            (Method::POST, runs),
            write,
            create,
            ("createSimulationRun", "Run a simulation"),
            Answer::one::<RunView<'_>>(),
        )
        .success(201)
        .errors(&[
            &INVALID_FIELD,
            &SIMULATION_ALREADY_RUNNING,
            &SIMULATION_SETTINGS_CONFLICT,
        ]),
        Endpoint::new(
            (Method::GET, run),
            read,
            get,
            ("getSimulationRun", "Get a run of a simulation"),
            Answer::one::<RunView<'_>>(),
        )
        .filters(&[INCLUDE]),
        Endpoint::new(
            (Method::GET, events),
            read,
            list_events,
            ("listSimulationEvents", "List events of a simulation run"),
            Answer::many::<EventView<'_>>(),
        )
        .listing(&EVENTS),
        Endpoint::new(
            (Method::GET, event),
            read,
            get_event,
            ("getSimulationEvent", "Get an event of a simulation run"),
            Answer::one::<EventView<'_>>(),
        ),
        Endpoint::new(
            (Method::POST, replay_event),
            write,
            replay,
            ("replaySimulationEvent", "Send an event of a simulation run once more"),
            Answer::one::<EventView<'_>>(),
        )
        .success(202)
        .errors(&[&SIMULATION_SETTINGS_CONFLICT]),
    ]
}

/// A run as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SimulationRun")]
struct RunView<'a> {
    id: SimulationRunId,
    status: &'static str,
    #[serde(rename = "type")]
    event_type: &'static str,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// When they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventView<'a>>>,
}

impl From<&SimulationRun> for RunView<'_> {
    fn from(run: &SimulationRun) -> Self {
        Self {
            id: run.id,
            status: run.status.name(),
            event_type: run.event_type.name(),
            created_at: run.created_at,
            updated_at: run.updated_at,
            events: None,
        }
    }
}

impl<'a> TryFrom<&'a RunWithEvents> for RunView<'a> {
    type Error = StorageError;

    fn try_from(shown: &'a RunWithEvents) -> Result<Self, StorageError> {
        let events = shown.events.as_ref();
        let events = events.map(|events| events.iter().map(EventView::try_from).collect());
        Ok(Self {
            events: events.transpose()?,
            ..Self::from(&shown.run)
        })
    }
}

/// An event of a run as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SimulationEvent")]
struct EventView<'a> {
    id: SimulationEventId,
    status: &'static str,
    event_type: &'static str,
    /// The entity that it tells of.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    payload: &'a RawValue,
    /// Null while nothing was sent.
    request: Option<RequestView<'a>>,
    /// Null when there was no answer.
    response: Option<ResponseView<'a>>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SimulationEventRequest")]
struct RequestView<'a> {
    /// The bytes that were sent.
    body: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SimulationEventResponse")]
struct ResponseView<'a> {
    body: &'a str,
    status_code: u16,
}

impl<'a> TryFrom<&'a SimulationEvent> for EventView<'a> {
    type Error = StorageError;

    fn try_from(event: &'a SimulationEvent) -> Result<Self, StorageError> {
        let corrupt = |error| StorageError::Corrupt(format!("simulation_events.payload of {}: {error}", event.id));
        Ok(Self {
            id: event.id,
            status: event.status.name(),
            event_type: event.event_type.name(),
            payload: serde_json::from_str(&event.payload).map_err(corrupt)?,
            request: event.request.as_deref().map(|body| RequestView { body }),
            response: event.response.as_ref().map(|response| ResponseView {
                body: &response.body,
                status_code: response.status_code,
            }),
            created_at: event.created_at,
            updated_at: event.updated_at,
        })
    }
}

/// 200 with a page.
async fn list(
    Known(caller): Known,
    State(app): State<App>,
    id: PathId,
    mut query: ListQuery,
) -> Result<Response, ApiError> {
    let page = query.page(&RUNS);
    let ids = query.ids(&IDS);
    let with_events = !query.filter(&INCLUDE).is_empty();
    let simulation = id.parse(ID)?;
    query.finish()?;
    let asked = IdPage { page, ids };
    let slice = app.service.simulation_runs(&caller, simulation, &asked, with_events);
    let slice = slice
        .await
        .map_err(|error| ApiError::of_simulation(error, [id.as_str(), "", ""]))?;
    let last = slice.items.last().map(|shown| shown.run.id.to_string());
    let data = slice
        .items
        .iter()
        .map(RunView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(envelope::page(&data, query.pagination(page.limit, &slice, last)))
}

/// 201 with the run, pending.
async fn create(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let run = app.service.run_simulation(&caller, id.parse(ID)?).await;
    let run = run.map_err(|error| ApiError::of_simulation(error, [id.as_str(), "", ""]))?;
    Ok(envelope::data(StatusCode::CREATED, &RunView::from(&run)))
}

/// 200 with the run.
async fn get(
    Known(caller): Known,
    State(app): State<App>,
    ids: PathIds,
    mut query: ListQuery,
) -> Result<Response, ApiError> {
    let with_events = !query.filter(&INCLUDE).is_empty();
    let (simulation, run) = run_of(&ids)?;
    query.finish()?;
    let shown = app.service.simulation_run(&caller, simulation, run, with_events).await;
    let shown = shown.map_err(|error| refused(error, &ids))?;
    Ok(envelope::data(StatusCode::OK, &RunView::try_from(&shown)?))
}

/// 200 with a page.
async fn list_events(
    Known(caller): Known,
    State(app): State<App>,
    ids: PathIds,
    mut query: ListQuery,
) -> Result<Response, ApiError> {
    let page = query.page(&EVENTS);
    let wanted = query.ids(&IDS);
    let run = run_of(&ids)?;
    query.finish()?;
    let slice = app
        .service
        .simulation_events(&caller, run, &IdPage { page, ids: wanted })
        .await;
    let slice = slice.map_err(|error| refused(error, &ids))?;
    let last = slice.items.last().map(|event| event.id.to_string());
    let data = slice
        .items
        .iter()
        .map(EventView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(envelope::page(&data, query.pagination(page.limit, &slice, last)))
}

/// 200 with the event.
async fn get_event(Known(caller): Known, State(app): State<App>, ids: PathIds) -> Result<Response, ApiError> {
    let (run, id) = (run_of(&ids)?, ids.parse(EVENT_ID)?);
    let event = app.service.simulation_event(&caller, run, id).await;
    let event = event.map_err(|error| refused(error, &ids))?;
    Ok(envelope::data(StatusCode::OK, &EventView::try_from(&event)?))
}

/// 202 with the new event, pending.
async fn replay(Known(caller): Known, State(app): State<App>, ids: PathIds) -> Result<Response, ApiError> {
    let (run, id) = (run_of(&ids)?, ids.parse(EVENT_ID)?);
    let event = app.service.replay_simulation_event(&caller, run, id).await;
    let event = event.map_err(|error| refused(error, &ids))?;
    Ok(envelope::data(StatusCode::ACCEPTED, &EventView::try_from(&event)?))
}

fn run_of(ids: &PathIds) -> Result<(SimulationId, SimulationRunId), ApiError> {
    Ok((ids.parse(ID)?, ids.parse(RUN_ID)?))
}

fn refused(error: SimulationError, ids: &PathIds) -> ApiError {
    ApiError::of_simulation(error, [ids.text(ID), ids.text(RUN_ID), ids.text(EVENT_ID)])
}
