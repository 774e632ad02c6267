//! What comes to a receiver, and what is told of it.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::signature::EndpointSecret;
use tollgate_storage::{SimulationEventKey, Write};

use super::{ended, path, run, setting, simulation};
use crate::support::{NOWHERE, Receiver, START, Store, TestApp, at};

pub(crate) async fn a_simulated_event_is_delivered_as_a_real_one_with_ids_of_its_own(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    receiver.answer(201, "taken");
    let setting = setting(&app, &receiver.url("/hook?a=b"), "simulation").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", json!({ "name": "🔑" })).await;
    let run = run(&app, &simulation).await;
    let ended = ended(&app, &simulation, &run).await;
    assert_eq!(ended["status"], "completed");
    let event = &ended["events"][0];
    assert_eq!(event["status"], "success");
    assert_eq!(event["response"], json!({ "body": "taken", "status_code": 201 }));

    let delivered = receiver.delivered();
    assert_eq!(delivered.len(), 1);
    let delivered = &delivered[0];
    assert_eq!(delivered.line, "POST /hook?a=b HTTP/1.1");
    assert_eq!(event["request"]["body"], delivered.body);
    let id = at(event, "id");
    let notification_id = id.replace("ntfsimevt_", "ntfsimntf_");
    let head = format!(
        r#"{{"event_id":"{id}","event_type":"client_token.revoked","occurred_at":"{START}","notification_id":"{notification_id}","data":{{"id":"ctkn_"#
    );
    assert!(delivered.body.starts_with(&head), "{}", delivered.body);
    let body: Value = serde_json::from_str(&delivered.body).expect("JSON");
    assert_eq!(body["data"], event["payload"]);
    assert_eq!(body["data"]["name"], "🔑");

    assert_eq!(delivered.header("content-type"), "application/json");
    assert_eq!(delivered.header("user-agent"), "Paddle");
    assert_eq!(delivered.header("webhook-id"), id);
    let settings = app.get("/notification-settings").await;
    let secret = EndpointSecret::from_text(at(&settings.items()[0], "endpoint_secret_key"));
    let now = app.clock.now().as_millis() / 1_000;
    let signature = delivered.header("paddle-signature");
    assert_eq!(secret.check(signature, delivered.body.as_bytes(), now), Ok(()));
}

pub(crate) async fn neither_events_nor_notifications_know_of_it(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    let setting = setting(&app, &receiver.url("/"), "all").await;
    let before = (app.get("/events").await.total(), app.audit_trail().await.len());
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    let run = run(&app, &simulation).await;
    ended(&app, &simulation, &run).await;
    assert_eq!(receiver.delivered().len(), 1);
    assert_eq!(
        (app.get("/events").await.total(), app.audit_trail().await.len()),
        before
    );
    assert_eq!(app.get("/notifications").await.total(), 0);
    assert_eq!(app.lease(&json!({ "id": setting })).await, 0);
}

pub(crate) async fn a_receiver_that_refuses_fails_the_event_once_and_for_all(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    receiver.answer(500, "no");
    let setting = setting(&app, &receiver.url("/"), "all").await;
    let simulation = simulation(&app, &setting, "api_key.revoked", Value::Null).await;
    let run = run(&app, &simulation).await;
    let ended = ended(&app, &simulation, &run).await;
    assert_eq!(
        (&ended["status"], &ended["events"][0]["status"]),
        (&json!("completed"), &json!("failed"))
    );
    assert_eq!(
        ended["events"][0]["response"],
        json!({ "body": "no", "status_code": 500 })
    );
    app.clock.advance(Duration::from_hours(24));
    tokio::time::sleep(Duration::from_millis(250)).await; // nothing comes of it, whatever the clock says
    assert_eq!(receiver.delivered().len(), 1, "no retry");
    // Failures in trying don't count against the destination.
    assert_eq!(app.get("/notification-settings").await.items()[0]["active"], true);
}

pub(crate) async fn without_an_answer_there_is_no_response(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    receiver.hang_up();
    let hangs_up = setting(&app, &receiver.url("/"), "all").await;
    let refuses = setting(&app, NOWHERE, "all").await;
    for setting in [hangs_up, refuses] {
        let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
        let run = run(&app, &simulation).await;
        let ended = ended(&app, &simulation, &run).await;
        let event = &ended["events"][0];
        assert_eq!(
            (&ended["status"], &event["status"]),
            (&json!("completed"), &json!("failed"))
        );
        assert_eq!(event["response"], Value::Null);
        assert!(at(&event["request"], "body").contains("client_token.created"));
    }
}

pub(crate) async fn a_destination_that_changed_in_between_gets_nothing(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    let setting = setting(&app, &receiver.url("/"), "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let run = run(&app, &simulation).await;
    let target = format!("/notification-settings/{setting}");
    app.patch(&target, &json!({ "traffic_source": "platform" }))
        .await
        .data(200);
    app.deliver();
    let ended = ended(&app, &simulation, &run).await;
    let event = &ended["events"][0];
    assert_eq!(
        (&ended["status"], &event["status"]),
        (&json!("canceled"), &json!("aborted"))
    );
    assert_eq!((&event["request"], &event["response"]), (&Value::Null, &Value::Null));
    assert!(receiver.delivered().is_empty());
}

pub(crate) async fn what_nobody_sent_in_time_is_aborted(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    let setting = setting(&app, &receiver.url("/"), "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let run = run(&app, &simulation).await;
    app.clock.advance(Duration::from_mins(1) + Duration::from_micros(1));
    app.deliver();
    let ended = ended(&app, &simulation, &run).await;
    assert_eq!(
        (&ended["status"], &ended["events"][0]["status"]),
        (&json!("canceled"), &json!("aborted"))
    );
    assert_eq!(ended["updated_at"], "2026-03-02T09:16:04.218734Z");
    assert!(receiver.delivered().is_empty());
}

pub(crate) async fn what_a_crash_cut_off_is_aborted_after_a_minute_and_not_sent_again(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    let setting = setting(&app, &receiver.url("/"), "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let run = run(&app, &simulation).await;
    let due = app
        .storage()
        .simulation_events_due(app.clock.now(), 1)
        .await
        .expect("an answer");
    app.commit(Write::ClaimSimulationEvent {
        event: SimulationEventKey::of(&due[0]),
        at: app.clock.now(),
    })
    .await;
    app.deliver();
    tokio::time::sleep(Duration::from_millis(250)).await; // two looks of the worker
    let target = path(&simulation, &format!("/runs/{run}"));
    assert_eq!(app.get(&target).await.data(200)["status"], "pending");
    app.clock.advance(Duration::from_mins(1) + Duration::from_micros(1));
    let ended = ended(&app, &simulation, &run).await;
    assert_eq!(
        (&ended["status"], &ended["events"][0]["status"]),
        (&json!("canceled"), &json!("aborted"))
    );
    assert!(receiver.delivered().is_empty());
}

pub(crate) async fn while_a_secret_is_rotated_a_receiver_with_the_old_one_is_sent_to_twice(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    receiver.answer(401, "whose signature?");
    let setting = setting(&app, &receiver.url("/"), "all").await;
    let secrets = || async { app.get("/notification-settings").await.items()[0]["endpoint_secret_key"].clone() };
    let old = secrets().await;
    app.post(
        &format!("/tollgate/notification-settings/{setting}/rotate-secret"),
        &json!({}),
    )
    .await
    .data(200);
    let new = secrets().await;
    let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let run = run(&app, &simulation).await;
    let ended = ended(&app, &simulation, &run).await;
    assert_eq!(ended["events"][0]["status"], "failed");
    let delivered = receiver.delivered();
    let now = app.clock.now().as_millis() / 1_000;
    assert_eq!(delivered.len(), 2);
    for (delivered, secret) in delivered.iter().zip([new, old]) {
        let secret = EndpointSecret::from_text(secret.as_str().expect("a text"));
        let signature = delivered.header("paddle-signature");
        assert_eq!(secret.check(signature, delivered.body.as_bytes(), now), Ok(()));
    }
}
