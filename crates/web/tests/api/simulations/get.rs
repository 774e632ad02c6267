//! `GET` of one simulation, one run, one event: what is found, and in which words what isn't.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use super::{path, run, setting, simulation};
use crate::support::{NOWHERE, Store, TestApp, get, post};

pub(crate) async fn what_was_made_is_shown_as_it_was_answered(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", json!({ "name": "Mine" })).await;
    assert_eq!(app.get(&path(&simulation, "")).await.data(200), &simulation);
    let created = app
        .post(&path(&simulation, "/runs"), &json!({}))
        .await
        .data(201)
        .clone();
    let run = created["id"].as_str().expect("an id");
    assert_eq!(
        app.get(&path(&simulation, &format!("/runs/{run}"))).await.data(200),
        &created
    );
    let events = app.get(&path(&simulation, &format!("/runs/{run}/events"))).await;
    let event = &events.items()[0];
    let target = path(
        &simulation,
        &format!("/runs/{run}/events/{}", event["id"].as_str().expect("an id")),
    );
    assert_eq!(app.get(&target).await.data(200), event);
}

/// Unknown ids in place of one after the other, and what the answer is about.
fn unknown(simulation: &Value, run: &str) -> [(String, &'static str); 6] {
    let tail = "01kjpx8smt1jx21jct317jay33";
    let all_unknown = format!("/simulations/ntfsim_{tail}/runs/ntfsimrun_{tail}/events/ntfsimevt_{tail}");
    [
        (
            format!("/simulations/ntfsim_{tail}"),
            "Simulation ntfsim_01kjpx8smt1jx21jct317jay33",
        ),
        (
            format!("/simulations/ntfsim_{tail}/runs"),
            "Simulation ntfsim_01kjpx8smt1jx21jct317jay33",
        ),
        (all_unknown, "Simulation ntfsim_01kjpx8smt1jx21jct317jay33"),
        (
            path(simulation, &format!("/runs/ntfsimrun_{tail}")),
            "Simulation run ntfsimrun_01kjpx8smt1jx21jct317jay33",
        ),
        (
            path(simulation, &format!("/runs/ntfsimrun_{tail}/events")),
            "Simulation run ntfsimrun_01kjpx8smt1jx21jct317jay33",
        ),
        (
            path(simulation, &format!("/runs/{run}/events/ntfsimevt_{tail}")),
            "Simulation event ntfsimevt_01kjpx8smt1jx21jct317jay33",
        ),
    ]
}

pub(crate) async fn what_is_unknown_is_named(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let run = run(&app, &simulation).await;
    for (target, entity) in unknown(&simulation, &run) {
        let answer = app.get(&target).await;
        answer.is_error_saying("not_found", &format!("{entity} not found."));
        if target.contains("/events/") {
            let answer = app.post(&format!("{target}/replay"), &json!({})).await;
            answer.is_error_saying("not_found", &format!("{entity} not found."));
        }
    }
}

pub(crate) async fn a_run_is_found_under_its_own_simulation_only(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let one = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let other = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let (run_of_one, run_of_other) = (run(&app, &one).await, run(&app, &other).await);
    let event = app.get(&path(&one, &format!("/runs/{run_of_one}/events"))).await;
    let event = event.column("id")[0].to_owned();
    for rest in ["", "/events", &format!("/events/{event}")] {
        assert_eq!(
            app.get(&path(&one, &format!("/runs/{run_of_one}{rest}"))).await.status,
            200
        );
        assert_eq!(
            app.get(&path(&other, &format!("/runs/{run_of_one}{rest}")))
                .await
                .status,
            404
        );
    }
    let answer = app
        .get(&path(&other, &format!("/runs/{run_of_other}/events/{event}")))
        .await;
    answer.is_error_saying("not_found", &format!("Simulation event {event} not found."));
}

pub(crate) async fn another_workspaces_simulations_do_not_exist(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let run = run(&app, &simulation).await;
    let event = app.get(&path(&simulation, &format!("/runs/{run}/events"))).await;
    let event = event.column("id")[0].to_owned();
    let stranger = app
        .workspace("Another shop", Environment::Sandbox)
        .await
        .full_key()
        .await;
    for rest in [
        "",
        "/runs",
        &format!("/runs/{run}"),
        &format!("/runs/{run}/events/{event}"),
    ] {
        let answer = app.send(get(path(&simulation, rest)).by(&stranger)).await;
        assert_eq!(answer.status, 404, "{rest}");
    }
    for rest in ["/runs", &format!("/runs/{run}/events/{event}/replay")] {
        let answer = app.send(post(path(&simulation, rest)).by(&stranger)).await;
        assert_eq!(answer.status, 404, "{rest}");
    }
    assert_eq!(app.send(get("/simulations").by(&stranger)).await.total(), 0);
}

pub(crate) async fn a_malformed_id_is_a_bad_request_that_names_it(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let tail = "01kjpx8smt1jx21jct317jay33";
    let (simulation, run) = (format!("/simulations/ntfsim_{tail}"), format!("/runs/ntfsimrun_{tail}"));
    for (target, parameter, prefix) in [
        ("/simulations/x".to_owned(), "simulation_id", "ntfsim_"),
        (format!("/simulations/%ff{run}"), "simulation_id", "ntfsim_"),
        (
            format!("/simulations/ntfsimrun_{tail}/runs"),
            "simulation_id",
            "ntfsim_",
        ),
        (
            format!("{simulation}/runs/ntfsim_{tail}"),
            "simulation_run_id",
            "ntfsimrun_",
        ),
        (format!("{simulation}/runs/x/events"), "simulation_run_id", "ntfsimrun_"),
        (
            format!("{simulation}{run}/events/evt_{tail}"),
            "simulation_event_id",
            "ntfsimevt_",
        ),
    ] {
        let message = format!(r"Does not match pattern '^{prefix}[a-z\d]{{26}}$'");
        app.get(&target).await.is_bad_request(&[(parameter, &message)]);
    }
}
