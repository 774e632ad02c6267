//! `/dashboard/simulator/runs/{simulation}`: all runs of a simulation, and running it again.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::id::{SimulationId, SimulationRunId};
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::SimulationStatus;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{IdPage, Order, Page};

use super::{Listed, path, why};
use crate::App;
use crate::dashboard::excerpt::{Excerpt, excerpt, pretty};
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id;
use crate::dashboard::notification_settings::choices;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::error::ApiError;
use crate::extract::path::PathId;

const PER_PAGE: usize = 50;
/// Bytes of a page that the payload may take.
const PAYLOAD: usize = 24 * 1024;
/// Seconds.
const BEAT: u32 = 3;

#[derive(Template)]
#[template(path = "dashboard/simulations/runs.html")]
struct RunsPage {
    frame: Frame,
    id: SimulationId,
    name: String,
    event_type: &'static str,
    setting: String,
    /// What the destination is called.
    destination: String,
    payload: Option<Excerpt>,
    runs: Vec<Listed>,
    older: Option<SimulationRunId>,
    may_run: bool,
    problem: Option<String>,
    now: Timestamp,
}

async fn shown(
    visit: &Visit,
    app: &App,
    query: &Query,
    id: SimulationId,
    problem: Option<String>,
) -> Result<RunsPage, Failure> {
    let simulation = app
        .service
        .simulation(&visit.caller, id)
        .await
        .map_err(ApiError::from)?;
    let asked = IdPage {
        page: Page {
            after: SimulationRunId::parse(query.0.text("after")).ok(),
            order: Order::Descending,
            limit: PER_PAGE,
            count: false,
        },
        ids: Vec::new(),
    };
    let found = app.service.simulation_runs(&visit.caller, id, &asked, true).await;
    let found = found.map_err(ApiError::from)?;
    let setting = simulation.setting.to_string();
    let destinations = choices(&app.service, visit, "", |_| true).await?;
    let destination = destinations.into_iter().find(|known| known.id == setting);
    let payload = simulation.payload.map(|payload| pretty(&payload).unwrap_or(payload));
    Ok(RunsPage {
        frame: visit.frame(Section::Simulator, "A simulation").live(BEAT),
        id,
        event_type: simulation.event_type.name(),
        destination: destination.map_or_else(|| setting.clone(), |known| known.text),
        setting,
        payload: payload.map(|payload| excerpt(&payload, PAYLOAD)),
        runs: found.items.iter().map(Listed::from).collect(),
        older: found.items.last().filter(|_| found.has_more).map(|last| last.run.id),
        may_run: visit.may(Permission::NOTIFICATION_SIMULATION_WRITE) && simulation.status == SimulationStatus::Active,
        name: simulation.name,
        problem,
        now: app.service.now(),
    })
}

/// 200 with the newest runs.
pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    path: PathId,
) -> Result<Response, Failure> {
    let id = id(&path, "Simulation")?;
    Ok(page::ok(&shown(&visit, &app, &query, id, None).await?))
}

/// 303 to the new run; 422 when it can't be run now.
pub(super) async fn again(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    asked: PathId,
) -> Result<Response, Failure> {
    let id = id(&asked, "Simulation")?;
    match app
        .service
        .run_simulation(&visit.caller, id)
        .await
        .map_err(ApiError::from)
    {
        Ok(run) => Ok(see_other(&path(&run))),
        Err(error) => {
            let problem = why(error)?;
            Ok(page::refused(&shown(&visit, &app, &query, id, Some(problem)).await?))
        }
    }
}
