//! `/event-types`: every event type that the contract knows, whether Tollgate emits it or not.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::event::{EventTypeDescription, catalogue};

use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(
        (Method::GET, "/event-types"),
        (Surface::Compatible, Access::AnyKey),
        list,
        ("listEventTypes", "List event types"),
        Answer::many::<EventTypeView>(),
    )]
}

/// An event type as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventType")]
pub(crate) struct EventTypeView {
    name: String,
    description: String,
    group: String,
    available_versions: [u32; 1],
}

impl From<EventTypeDescription> for EventTypeView {
    fn from(described: EventTypeDescription) -> Self {
        Self {
            name: described.name,
            description: described.description,
            group: described.group,
            available_versions: [1],
        }
    }
}

/// 200 with all of them; not paged.
async fn list() -> Response {
    let all: Vec<EventTypeView> = catalogue().into_iter().map(Into::into).collect();
    envelope::data(StatusCode::OK, &all)
}
