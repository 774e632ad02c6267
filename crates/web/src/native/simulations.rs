//! `/tollgate/simulations/trigger`: has an event simulated at once, without making a simulation first.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::id::{NotificationSettingId, SimulationId, SimulationRunId};
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{Simulation, SimulationRun};
use tollgate_domain::time::Timestamp;
use tollgate_service::Trigger;

use crate::App;
use crate::catalogue::INVALID_FIELD;
use crate::compatible::simulations::{SETTING, TYPE, event_type, setting};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Checked, Field, RawBody, Shape};
use crate::extract::payload::{self, PAYLOAD};
use crate::gate::Known;

/// Also of the dashboard's form.
pub(crate) const TRIGGER: Shape = Shape {
    name: "SimulationTrigger",
    fields: &[
        TYPE,
        Field {
            description: "Where it is sent; to each active notification setting with the traffic source `simulation` or \
                          `all` when absent.",
            required: false,
            nullable: true,
            ..SETTING
        },
        PAYLOAD,
    ],
    at_least: 0,
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::POST, "/tollgate/simulations/trigger"),
            (
                Surface::Native,
                Access::Needs(Permission::NOTIFICATION_SIMULATION_WRITE),
            ),
            trigger,
            (
                "triggerSimulations",
                "Make a simulation for one destination or for each, and run it",
            ),
            Answer::many::<TriggeredView>(),
        )
        .body(&TRIGGER)
        .success(201)
        .errors(&[&INVALID_FIELD]),
    ]
}

/// A run, and of what.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TriggeredSimulationRun")]
struct TriggeredView {
    id: SimulationRunId,
    simulation_id: SimulationId,
    notification_setting_id: NotificationSettingId,
    status: &'static str,
    #[serde(rename = "type")]
    event_type: &'static str,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&(Simulation, SimulationRun)> for TriggeredView {
    fn from((simulation, run): &(Simulation, SimulationRun)) -> Self {
        Self {
            id: run.id,
            simulation_id: simulation.id,
            notification_setting_id: simulation.setting,
            status: run.status.name(),
            event_type: run.event_type.name(),
            created_at: run.created_at,
            updated_at: run.updated_at,
        }
    }
}

/// 201 with the runs, pending.
async fn trigger(Known(caller): Known, State(app): State<App>, body: RawBody) -> Result<Response, ApiError> {
    let trigger = trigger_of(body.checked(&TRIGGER)?)?;
    let runs = app.service.trigger_simulations(&caller, trigger).await?;
    let data: Vec<_> = runs.iter().map(TriggeredView::from).collect();
    Ok(envelope::data(StatusCode::CREATED, &data))
}

/// What a body of the shape [`TRIGGER`] asks for.
pub(crate) fn trigger_of(mut body: Checked) -> Result<Trigger, ApiError> {
    let Some(event_type) = event_type(&mut body) else {
        return Err(ApiError::new(&INVALID_FIELD)); // it was checked
    };
    let trigger = Trigger {
        event_type,
        setting: setting(&mut body),
        payload: body.nullable_object(PAYLOAD.name).flatten(),
    };
    if let Some(payload) = &trigger.payload {
        payload::check(event_type, payload)?;
    }
    Ok(trigger)
}
