//! `/simulations` and what is under it.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod payload;
pub(crate) mod replay;
pub(crate) mod runs;
pub(crate) mod sending;
pub(crate) mod update;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{TestApp, at};

/// A destination of this workspace that takes `source`.
pub(crate) async fn setting(app: &TestApp, destination: &str, source: &str) -> String {
    let setting = json!({ "destination": destination, "traffic_source": source });
    at(&app.setting(&setting).await, "id").to_owned()
}

/// A simulation of this type with this payload, to a destination.
pub(crate) async fn simulation(app: &TestApp, setting: &str, event_type: &str, payload: Value) -> Value {
    let simulation = json!({
        "notification_setting_id": setting,
        "type": event_type,
        "name": "Kiosk",
        "payload": payload,
    });
    app.post("/simulations", &simulation).await.data(201).clone()
}

/// Where the simulation is, with what follows.
pub(crate) fn path(simulation: &Value, rest: &str) -> String {
    format!("/simulations/{}{rest}", at(simulation, "id"))
}

/// Runs it; the run's id.
pub(crate) async fn run(app: &TestApp, simulation: &Value) -> String {
    let run = app.post(&path(simulation, "/runs"), &json!({})).await;
    at(run.data(201), "id").to_owned()
}

/// The run with its events, once none of them is pending.
pub(crate) async fn ended(app: &TestApp, simulation: &Value, run: &str) -> Value {
    let target = path(simulation, &format!("/runs/{run}?include=events"));
    for _ in 0..1_000 {
        let run = app.get(&target).await.data(200).clone();
        let events = run["events"].as_array().expect("events");
        if events.iter().all(|event| event["status"] != "pending") {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(10)).await; // for the worker, which looks every 100 ms
    }
    panic!("{target} is still pending");
}
