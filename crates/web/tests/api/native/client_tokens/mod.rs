//! `/tollgate/client-tokens`: what is ours of client tokens.

use serde_json::Value;

use crate::support::{TestApp, at};

pub(crate) mod fields;
pub(crate) mod places;
pub(crate) mod restrictions;
pub(crate) mod rotation;
pub(crate) mod schedule;
pub(crate) mod update;
pub(crate) mod usage;

/// What comes before `/client-tokens` here.
const NATIVE: &str = "/tollgate";

const LIST: &str = "/tollgate/client-tokens";

fn target(token: &Value) -> String {
    format!("{LIST}/{}", at(token, "id"))
}

/// The names of what was told of a token, its creation left out.
async fn told(app: &TestApp, token: &Value) -> Vec<&'static str> {
    let events = app.events_of(at(token, "id")).await;
    events[1..].iter().map(|event| event.event_type.name()).collect()
}
