//! `/dashboard/simulator`, and testing a destination by it.

use std::time::Duration;

use serde_json::Value;
use tollgate_domain::role::Role;

use crate::simulations::setting;
use crate::support::{NOWHERE, Person, Receiver, Store, TestApp};

const PAGE: &str = "/dashboard/simulator";

/// The page of a run, once its receiver has answered.
async fn ended(app: &TestApp, person: &Person, run: &str) -> String {
    for _ in 0..1_000 {
        let shown = app.visit(person.page(run)).await;
        assert_eq!(shown.status, 200);
        if !shown.body_text().contains("data-live-beat") {
            return shown.body_text().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await; // for the worker, which looks every 100 ms
    }
    panic!("{run} is still pending");
}

pub(crate) async fn what_is_sent_is_shown_with_what_was_answered_and_is_the_apis_too(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    receiver.answer(418, "I am <b>");
    let to = setting(&app, &receiver.url("/"), "all").await;
    let person = app.person(Role::Developer).await;
    let example = app.visit(person.page(format!("{PAGE}?type=api_key.expired"))).await;
    assert!(example.body_text().contains("&#34;status&#34;: &#34;expired&#34;"));

    let fields =
        format!("type=client_token.revoked&notification_setting_id={to}&payload=%7B%22name%22%3A%22Mine%22%7D");
    let sent = app.visit(person.form(PAGE, &fields)).await;
    assert_eq!(sent.status, 303);
    let run = sent.header("location").expect("somewhere").to_owned();
    let shown = ended(&app, &person, &run).await;
    for part in [
        "Not taken",
        "418 I&#39;m a teapot",
        "I am &#60;b&#62;",
        "&#34;name&#34;: &#34;Mine&#34;",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(receiver.delivered().len(), 1);
    let same = app
        .get(
            &run.replace("/dashboard/simulator/runs", "/simulations")
                .replace("ntfsimrun", "runs/ntfsimrun"),
        )
        .await;
    assert_eq!(same.data(200)["status"], "completed");
    let listed = app.visit(person.page(PAGE)).await;
    assert!(listed.body_text().contains(&run) && listed.body_text().contains("Not taken"));
    // Once more, by a run of its own.
    let simulation = run.rsplit_once('/').expect("a path").0;
    let again = app.visit(person.form(simulation, "")).await;
    assert_eq!(again.status, 303);
    let again = again.header("location").expect("somewhere").to_owned();
    assert_ne!(again, run);
    ended(&app, &person, &again).await;
    assert_eq!(receiver.delivered().len(), 2);
}

pub(crate) async fn a_wrong_payload_is_told_with_its_place_and_nothing_is_sent(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let to = setting(&app, NOWHERE, "all").await;
    let person = app.person(Role::Developer).await;
    let huge = "a".repeat(40_000);
    for (payload, told) in [
        ("%7B%0A%22name%22%3A+oops%7D", "line 2 column 9"),
        ("%7B%0A%0A++%22status%22%3A+%22gone%22%7D", "(line 3, column 3)"),
        ("%7B%22name%22%3A1%2C%22name%22%3A2%7D", "name more than once"),
        ("%5B%5D", "is no object"),
        (huge.as_str(), "is longer than 16 KiB"),
    ] {
        let fields = format!("type=client_token.created&notification_setting_id={to}&payload={payload}");
        let answer = app.visit(person.form(PAGE, &fields)).await;
        assert_eq!(answer.status, 422, "{payload}");
        assert!(answer.body_text().contains(told), "{told}: {}", answer.body_text());
        assert!(answer.body.len() < 100 * 1024);
    }
    assert_eq!(app.get("/simulations").await.items(), [] as [Value; 0]);
}

pub(crate) async fn a_destination_is_tested_if_it_takes_simulated_events(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    receiver.answer(204, "");
    let person = app.person(Role::Developer).await;
    let test = |id: &str| format!("/dashboard/notifications/destinations/{id}/test");
    let real_only = setting(&app, NOWHERE, "platform").await;
    let shown = app.visit(person.page(test(&real_only))).await;
    assert!(shown.body_text().contains("takes real events only"));
    let refused = app
        .visit(person.form(test(&real_only), "type=client_token.created"))
        .await;
    assert_eq!(refused.status, 422);
    let both = setting(&app, &receiver.url("/"), "all").await;
    let sent = app.visit(person.form(test(&both), "type=client_token.created")).await;
    assert_eq!(sent.status, 303);
    let shown = ended(&app, &person, sent.header("location").expect("somewhere")).await;
    assert!(shown.contains("204 No Content") && shown.contains("Taken"), "{shown}");
    assert_eq!(receiver.delivered().len(), 1);
}
