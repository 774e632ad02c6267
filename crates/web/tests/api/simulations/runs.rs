//! `POST /simulations/{simulation_id}/runs`: what is made, and when it is refused. Nothing is sent here.

use serde_json::{Value, json};

use super::{path, run, setting, simulation};
use crate::support::{HOUR, NOWHERE, START, Store, TestApp, at, post, request};

pub(crate) async fn a_run_is_made_pending_with_its_event_byte_for_byte(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "simulation").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    let answer = app.send(post(path(&simulation, "/runs")).by(&app.key)).await;
    let id = at(answer.data(201), "id").to_owned();
    let run = format!(
        r#"{{"id":"{id}","status":"pending","type":"client_token.revoked","created_at":"{START}","updated_at":"{START}"}}"#
    );
    let enveloped =
        |data: &str, request_id: &str| format!(r#"{{"data":{data},"meta":{{"request_id":"{request_id}"}}}}"#);
    assert_eq!(answer.body_text(), enveloped(&run, answer.request_id()));
    assert!(id.starts_with("ntfsimrun_"));

    let events = app.get(&path(&simulation, &format!("/runs/{id}/events"))).await;
    let event_id = events.column("id")[0].to_owned();
    let event = app
        .get(&path(&simulation, &format!("/runs/{id}/events/{event_id}")))
        .await;
    let token = &event.data(200)["payload"];
    let (token_id, text) = (at(token, "id"), at(token, "token"));
    let payload = format!(
        r#"{{"id":"{token_id}","token":"{text}","name":"Pricing page","description":"Shows localized prices on the public pricing page.","status":"revoked","created_at":"2026-01-31T09:15:04.218733Z","updated_at":"{START}","revoked_at":"{START}"}}"#
    );
    let expected = format!(
        r#"{{"id":"{event_id}","status":"pending","event_type":"client_token.revoked","payload":{payload},"request":null,"response":null,"created_at":"{START}","updated_at":"{START}"}}"#
    );
    assert_eq!(event.body_text(), enveloped(&expected, event.request_id()));
    assert!(event_id.starts_with("ntfsimevt_"));
}

pub(crate) async fn a_run_is_no_change_of_its_simulation(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let mut simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    app.clock.advance(HOUR);
    run(&app, &simulation).await;
    simulation["last_run_at"] = json!("2026-03-02T10:15:04.218733Z");
    assert_eq!(app.get(&path(&simulation, "")).await.data(200), &simulation);
}

pub(crate) async fn a_body_means_nothing_here(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    for body in ["", "{", r#"{"name":7}"#] {
        let run = request("POST", path(&simulation, "/runs")).by(&app.key).text(body);
        app.send(run).await.data(201);
        app.end_simulation_runs().await;
    }
}

pub(crate) async fn a_second_run_waits_for_the_first(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    let target = path(&simulation, "/runs");
    run(&app, &simulation).await;
    for _ in 0..2 {
        let answer = app.post(&target, &json!({})).await;
        answer.is_error("notification_simulation_already_running_conflict");
    }
    assert_eq!(app.get(&target).await.total(), 1);
    app.end_simulation_runs().await;
    run(&app, &simulation).await;
}

pub(crate) async fn of_many_runs_at_once_one_is_made(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    let target = path(&simulation, "/runs");
    let body = json!({});
    let runs = futures_util::future::join_all((0..8).map(|_| app.post(&target, &body))).await;
    let mut statuses: Vec<u16> = runs.iter().map(|run| run.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(app.get(&target).await.total(), 1);
}

pub(crate) async fn an_archived_simulation_is_not_run(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    app.patch(&path(&simulation, ""), &json!({ "status": "archived" }))
        .await
        .data(200);
    let answer = app.post(&path(&simulation, "/runs"), &json!({})).await;
    let message = "An archived simulation can't be run; make it active first";
    answer.is_error_about("invalid_field", &[("status", message)]);
    app.patch(&path(&simulation, ""), &json!({ "status": "active" }))
        .await
        .data(200);
    run(&app, &simulation).await;
}

pub(crate) async fn a_destination_that_takes_nothing_any_more_is_a_conflict(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    let first = run(&app, &simulation).await;
    app.end_simulation_runs().await;
    let event = app.get(&path(&simulation, &format!("/runs/{first}/events"))).await;
    let replay = path(
        &simulation,
        &format!("/runs/{first}/events/{}/replay", event.column("id")[0]),
    );
    let target = format!("/notification-settings/{setting}");
    for (before, after) in [
        (
            json!({ "traffic_source": "platform" }),
            json!({ "traffic_source": "simulation" }),
        ),
        (json!({ "active": false }), json!({ "active": true })),
    ] {
        app.patch(&target, &before).await.data(200);
        for refused in [&path(&simulation, "/runs"), &replay] {
            let answer = app.post(refused, &json!({})).await;
            answer.is_error("notification_simulation_run_notification_settings_conflict");
        }
        app.patch(&target, &after).await.data(200);
    }
    assert_eq!(app.delete(&target).await.status, 204);
    let answer = app.post(&path(&simulation, "/runs"), &json!({})).await;
    answer.is_error("notification_simulation_run_notification_settings_conflict");
    assert_eq!(app.get(&path(&simulation, "/runs")).await.total(), 1);
}
