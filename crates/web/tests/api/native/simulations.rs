//! `POST /tollgate/simulations/trigger`.

use serde_json::{Value, json};

use crate::simulations::{ended, setting};
use crate::support::{NOWHERE, Receiver, Store, TestApp, at};

const TARGET: &str = "/tollgate/simulations/trigger";

pub(crate) async fn every_active_destination_that_takes_simulated_events_gets_it(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    let simulated = setting(&app, &receiver.url("/simulation"), "simulation").await;
    let all = setting(&app, &receiver.url("/all"), "all").await;
    setting(&app, &receiver.url("/platform"), "platform").await;
    let inactive = setting(&app, &receiver.url("/inactive"), "all").await;
    app.patch(
        &format!("/notification-settings/{inactive}"),
        &json!({ "active": false }),
    )
    .await
    .data(200);

    let trigger = json!({ "type": "client_token.revoked", "payload": { "name": "Mine" } });
    let answer = app.post(TARGET, &trigger).await;
    let runs = answer.data(201).as_array().expect("runs");
    assert_eq!(runs.len(), 2);
    for (run, setting) in runs.iter().zip([&simulated, &all]) {
        assert_eq!(
            (&run["notification_setting_id"], &run["status"]),
            (&json!(setting), &json!("pending"))
        );
        let simulation = app.get(&format!("/simulations/{}", at(run, "simulation_id"))).await;
        let simulation = simulation.data(200);
        assert_eq!(simulation["name"], "Triggered: client_token.revoked");
        assert_eq!(simulation["payload"], json!({ "name": "Mine" }));
        let run = ended(&app, simulation, at(run, "id")).await;
        assert_eq!(run["events"][0]["status"], "success");
    }
    let mut lines: Vec<String> = receiver
        .delivered()
        .into_iter()
        .map(|delivered| delivered.line)
        .collect();
    lines.sort_unstable();
    assert_eq!(lines, ["POST /all HTTP/1.1", "POST /simulation HTTP/1.1"]);
}

pub(crate) async fn a_destination_that_is_named_gets_it_alone(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let first = setting(&app, NOWHERE, "all").await;
    setting(&app, &format!("{NOWHERE}/2"), "all").await;
    for _ in 0..2 {
        let trigger = json!({ "type": "api_key.expired", "notification_setting_id": first, "payload": null });
        let answer = app.post(TARGET, &trigger).await;
        let settings: Vec<&Value> = answer.data(201).as_array().expect("runs").iter().collect();
        assert_eq!(settings.len(), 1);
        assert_eq!(settings[0]["notification_setting_id"], json!(first));
    }
    assert_eq!(app.get("/simulations").await.total(), 2, "one for each time");
}

pub(crate) async fn without_a_destination_it_is_told_what_to_do(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let platform = setting(&app, NOWHERE, "platform").await;
    let inactive = setting(&app, &format!("{NOWHERE}/2"), "all").await;
    app.patch(
        &format!("/notification-settings/{inactive}"),
        &json!({ "active": false }),
    )
    .await
    .data(200);
    for (setting, message) in [
        (
            Value::Null,
            "No active notification setting takes simulated events: create one with the traffic_source simulation or all",
        ),
        (
            json!(platform),
            "The notification setting takes no simulated events: set its traffic_source to simulation or all",
        ),
        (json!(inactive), "The notification setting is not active"),
        (
            json!("ntfset_01kjpx8smt1jx21jct317jay33"),
            "There is no such notification setting",
        ),
    ] {
        let trigger = json!({ "type": "client_token.revoked", "notification_setting_id": setting });
        let answer = app.post(TARGET, &trigger).await;
        answer.is_error_about("invalid_field", &[("notification_setting_id", message)]);
    }
    app.post(TARGET, &json!({}))
        .await
        .is_bad_request(&[("(root)", "type is required")]);
    assert_eq!(app.get("/simulations?status=active,archived").await.total(), 0);
}
