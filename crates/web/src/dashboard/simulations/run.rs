//! `/dashboard/simulator/runs/{simulation}/{run}`: a run with its events, what was sent and what was answered.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::id::{SimulationEventId, SimulationId, SimulationRunId};
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{SimulationEvent, SimulationEventStatus};
use tollgate_storage::{IdPage, Order, Page};

use super::word;
use crate::App;
use crate::dashboard::download;
use crate::dashboard::excerpt::{Excerpt, excerpt, pretty, visible};
use crate::dashboard::failure::{Failure, sentence};
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id_of;
use crate::dashboard::moment::Moment;
use crate::dashboard::notification_settings::{Choice, choices};
use crate::dashboard::notifications::{Outcome, duration, outcome};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::error::ApiError;
use crate::extract::path::PathIds;

/// Events on one page.
const PER_PAGE: usize = 5;
/// Bytes of a page that each event's body may take.
const BODY: usize = 8 * 1024;
/// Bytes of a page that each answer may take.
const ANSWER: usize = 4 * 1024;
/// Seconds.
const BEAT: u32 = 1;

#[derive(Template)]
#[template(path = "dashboard/simulations/run.html")]
struct RunPage {
    frame: Frame,
    simulation: SimulationId,
    run: SimulationRunId,
    event_type: &'static str,
    created: Moment,
    /// Whether something is still to be sent.
    is_pending: bool,
    events: Vec<Sent>,
    older: Option<SimulationEventId>,
    may_send: bool,
}

/// An event of a run, as it is told.
struct Sent {
    id: SimulationEventId,
    setting: String,
    /// What the destination is called.
    destination: String,
    status: &'static str,
    status_name: &'static str,
    at: Moment,
    is_pending: bool,
    took: Option<String>,
    /// `None` while it waits.
    outcome: Option<Outcome>,
    body: Excerpt,
    has_left: bool,
    answer: Option<Excerpt>,
}

impl Sent {
    /// With the destination's name from these.
    fn of(event: &SimulationEvent, destinations: &[Choice]) -> Self {
        let setting = event.setting.to_string();
        let destination = destinations.iter().find(|known| known.id == setting);
        let (status, status_name) = word(event.status);
        let body = event.request.clone().unwrap_or_else(|| event.body());
        let body = pretty(&body).unwrap_or(body);
        let answered = event.response.as_ref();
        let problem = event.problem.as_deref();
        let ended = match event.status {
            SimulationEventStatus::Pending => None,
            SimulationEventStatus::Aborted => Some(Outcome {
                class: "bad",
                short: "Not sent".to_owned(),
                told: problem.map_or_else(|| "It was not sent.".to_owned(), sentence),
            }),
            SimulationEventStatus::Success | SimulationEventStatus::Failed => {
                Some(outcome(answered.map_or(0, |response| response.status_code), problem))
            }
        };
        let took = event.claimed_at.filter(|_| ended.is_some()).map(|claimed| {
            let micros = event.updated_at.as_micros().saturating_sub(claimed.as_micros()).max(0);
            duration(u32::try_from(micros / 1_000).unwrap_or(u32::MAX))
        });
        Self {
            id: event.id,
            destination: destination.map_or_else(|| setting.clone(), |known| known.text.clone()),
            setting,
            status,
            status_name,
            at: Moment(event.created_at),
            is_pending: event.status == SimulationEventStatus::Pending,
            took,
            outcome: ended,
            body: excerpt(&body, BODY),
            has_left: event.request.is_some(),
            answer: answered.map(|response| excerpt(&visible(&response.body), ANSWER)),
        }
    }
}

fn ids(path: &PathIds) -> Result<(SimulationId, SimulationRunId), Failure> {
    Ok((id_of(path, "simulation")?, id_of(path, "run")?))
}

/// 200 with the run.
pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    path: PathIds,
) -> Result<Response, Failure> {
    let (simulation, id) = ids(&path)?;
    let asked = IdPage {
        page: Page {
            after: SimulationEventId::parse(query.0.text("after")).ok(),
            order: Order::Descending,
            limit: PER_PAGE,
            count: false,
        },
        ids: Vec::new(),
    };
    let run = app.service.simulation_run(&visit.caller, simulation, id, false).await;
    let run = run.map_err(ApiError::from)?.run;
    let found = app
        .service
        .simulation_events(&visit.caller, (simulation, id), &asked)
        .await;
    let found = found.map_err(ApiError::from)?;
    let destinations = choices(&app.service, &visit, "", |_| true).await?;
    let events: Vec<Sent> = found.items.iter().map(|event| Sent::of(event, &destinations)).collect();
    let is_pending = events.iter().any(|event| event.is_pending);
    let frame = visit.frame(Section::Simulator, format!("{}, simulated", run.event_type.name()));
    Ok(page::ok(&RunPage {
        frame: if is_pending { frame.live(BEAT) } else { frame },
        simulation,
        run: id,
        event_type: run.event_type.name(),
        created: Moment(run.created_at),
        is_pending,
        older: found.items.last().filter(|_| found.has_more).map(|last| last.id),
        events,
        may_send: visit.may(Permission::NOTIFICATION_SIMULATION_WRITE),
    }))
}

async fn event(visit: &Visit, app: &App, path: &PathIds) -> Result<SimulationEvent, Failure> {
    let found = app
        .service
        .simulation_event(&visit.caller, ids(path)?, id_of(path, "event")?)
        .await;
    Ok(found.map_err(ApiError::from)?)
}

/// 200 with what is sent, byte for byte, as a file.
pub(super) async fn payload(visit: Visit, State(app): State<App>, path: PathIds) -> Result<Response, Failure> {
    let event = event(&visit, &app, &path).await?;
    let body = event.request.clone().unwrap_or_else(|| event.body());
    Ok(download::json(&event.id.to_string(), body))
}

/// 200 with what was kept of the answer, as a file.
pub(super) async fn answer(visit: Visit, State(app): State<App>, path: PathIds) -> Result<Response, Failure> {
    let event = event(&visit, &app, &path).await?;
    let answer = event.response.ok_or_else(|| Failure::not_found("Answer"))?;
    Ok(download::plain(&event.id.to_string(), answer.body))
}

/// 303 to the run, which has one more event.
pub(super) async fn replay(visit: Visit, State(app): State<App>, path: PathIds) -> Result<Response, Failure> {
    let (simulation, run) = ids(&path)?;
    app.service
        .replay_simulation_event(&visit.caller, (simulation, run), id_of(&path, "event")?)
        .await
        .map_err(ApiError::from)?;
    Ok(see_other(&format!("/dashboard/simulator/runs/{simulation}/{run}")))
}
