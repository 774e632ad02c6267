//! The simulator: an event that didn't happen, sent to a destination, and what came of it.

mod form;
mod payload;
mod run;
mod runs;

use axum::response::Response;
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{
    Simulation, SimulationEvent, SimulationEventStatus, SimulationRun, SimulationRunStatus,
};
use tollgate_service::RunWithEvents;

use super::failure::Failure;
use super::mistakes::Mistakes;
use super::moment::Moment;
use super::page::see_other;
use super::row::{Right, Row};
use crate::error::ApiError;

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::NOTIFICATION_SIMULATION_READ);
    let write = Right::Permission(Permission::NOTIFICATION_SIMULATION_WRITE);
    vec![
        Row::get("/dashboard/simulator", read, form::show),
        Row::post("/dashboard/simulator", write, form::send),
        Row::get("/dashboard/simulator/runs/{simulation}", read, runs::show),
        Row::post("/dashboard/simulator/runs/{simulation}", write, runs::again),
        Row::get("/dashboard/simulator/runs/{simulation}/{run}", read, run::show),
        Row::get(
            "/dashboard/simulator/runs/{simulation}/{run}/{event}/payload.json",
            read,
            run::payload,
        ),
        Row::get(
            "/dashboard/simulator/runs/{simulation}/{run}/{event}/answer.txt",
            read,
            run::answer,
        ),
        Row::post(
            "/dashboard/simulator/runs/{simulation}/{run}/{event}/replay",
            write,
            run::replay,
        ),
    ]
}

/// A run in a list.
struct Listed {
    path: String,
    status: &'static str,
    status_name: &'static str,
    at: Moment,
}

impl From<&RunWithEvents> for Listed {
    fn from(shown: &RunWithEvents) -> Self {
        let run = &shown.run;
        let (status, status_name) = told(run, shown.events.as_ref().and_then(|events| events.first()));
        Self {
            path: path(run),
            status,
            status_name,
            at: Moment(run.created_at),
        }
    }
}

fn path(run: &SimulationRun) -> String {
    format!("/dashboard/simulator/runs/{}/{}", run.simulation, run.id)
}

/// How a run stands by its newest event: the color's class, and a word.
fn told(run: &SimulationRun, newest: Option<&SimulationEvent>) -> (&'static str, &'static str) {
    match newest.map(|event| event.status) {
        Some(status) => word(status),
        None => match run.status {
            SimulationRunStatus::Pending => ("pending", "Sending"),
            SimulationRunStatus::Completed => ("good", "Sent"),
            SimulationRunStatus::Canceled => ("bad", "Not sent"),
        },
    }
}

const fn word(status: SimulationEventStatus) -> (&'static str, &'static str) {
    match status {
        SimulationEventStatus::Pending => ("pending", "Sending"),
        SimulationEventStatus::Success => ("good", "Taken"),
        SimulationEventStatus::Failed => ("bad", "Not taken"),
        SimulationEventStatus::Aborted => ("bad", "Not sent"),
    }
}

/// 303 to what was started: the run, or all of them when there are several.
pub(super) fn run_page(runs: &[(Simulation, SimulationRun)]) -> Response {
    match runs {
        [(_, run)] => see_other(&path(run)),
        _ => see_other("/dashboard/simulator?done=sent"),
    }
}

/// Why nothing was sent, in one sentence; a failure when it isn't for what was asked.
pub(super) fn why(error: ApiError) -> Result<String, Failure> {
    let remedy = error.entry.remedy;
    let mistakes = Mistakes::of(error, &[])?;
    let told = mistakes.all.first().map(|problem| problem.message.clone());
    Ok(told.unwrap_or_else(|| remedy.to_owned()))
}
