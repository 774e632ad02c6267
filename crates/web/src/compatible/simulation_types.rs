//! `/simulation-types`: what can be simulated.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::event::{EventTypeDescription, catalogue};
use tollgate_domain::simulation::TYPES;

use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(
        (Method::GET, "/simulation-types"),
        (Surface::Compatible, Access::AnyKey),
        list,
        ("listSimulationTypes", "List simulation types"),
        Answer::many::<SimulationTypeView>(),
    )]
}

/// A simulation type as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SimulationType")]
struct SimulationTypeView {
    name: String,
    /// The same as the name.
    label: String,
    description: String,
    group: String,
    /// `single_event`: there are no scenarios.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The event that it sends.
    events: [String; 1],
}

impl From<EventTypeDescription> for SimulationTypeView {
    fn from(described: EventTypeDescription) -> Self {
        Self {
            label: described.name.clone(),
            events: [described.name.clone()],
            name: described.name,
            description: described.description,
            group: described.group,
            kind: "single_event",
        }
    }
}

/// 200 with all of them; not paged.
async fn list() -> Response {
    let can_be_simulated =
        |described: &EventTypeDescription| TYPES.iter().any(|event_type| event_type.name() == described.name);
    let all: Vec<SimulationTypeView> = catalogue()
        .into_iter()
        .filter(can_be_simulated)
        .map(Into::into)
        .collect();
    envelope::data(StatusCode::OK, &all)
}
