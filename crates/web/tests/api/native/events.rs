//! `GET /tollgate/events`: following what happens.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use crate::support::{Answer, Store, TestApp, at, get, path_of, post};

fn sequence(answer: &Answer) -> u64 {
    answer.data(200)["sequence"].as_u64().expect("always there")
}

fn events(answer: &Answer) -> Vec<Value> {
    answer.data(200)["events"].as_array().expect("always there").clone()
}

fn types(answer: &Answer) -> Vec<String> {
    let types = events(answer).into_iter();
    types.map(|event| at(&event, "event_type").to_owned()).collect()
}

async fn present(app: &TestApp) -> u64 {
    let answer = app.get("/tollgate/events").await;
    assert!(events(&answer).is_empty());
    sequence(&answer)
}

async fn after(app: &TestApp, place: u64, more: &str) -> Answer {
    app.get(&format!("/tollgate/events?after_sequence={place}{more}")).await
}

pub(crate) async fn without_a_place_the_present_one_is_told_and_no_events(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    assert_eq!(start, 1, "the first key was made");
    app.token("Kiosk").await;
    assert_eq!(present(&app).await, 2);
    let began = Instant::now();
    let answer = app.get("/tollgate/events?wait_seconds=30&per_page=5").await;
    assert_eq!((events(&answer).len(), sequence(&answer)), (0, 2));
    assert!(began.elapsed() < Duration::from_secs(5), "there is nothing to wait for");
}

pub(crate) async fn events_come_in_the_order_of_their_places_in_the_contracts_form(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    app.revoked_token("Kiosk \u{e9} <&>").await;
    let answer = after(&app, start, "").await;
    assert_eq!(
        types(&answer),
        ["client_token.created", "client_token.updated", "client_token.revoked"]
    );
    let places: Vec<u64> = events(&answer)
        .iter()
        .filter_map(|event| event["sequence"].as_u64())
        .collect();
    assert_eq!(places, [start + 1, start + 2, start + 3]);
    assert_eq!(sequence(&answer), start + 3);
    let listed = app.get("/events?order_by=id[ASC]").await;
    for (followed, listed) in events(&answer).iter_mut().zip(&listed.items()[1..]) {
        followed.as_object_mut().expect("an event").remove("sequence");
        assert_eq!(followed, listed);
    }
    let one = after(&app, start + 2, "").await;
    let list = app.get("/events?per_page=1").await;
    let bytes = list.body_text().strip_prefix("{\"data\":[{").expect("a list");
    let bytes = bytes.split_once("}],\"meta\":").expect("a list").0;
    let place = start + 3;
    let expected = format!(
        r#"{{"data":{{"events":[{{"sequence":{place},{bytes}}}],"sequence":{place}}},"meta":{{"request_id":"{}"}}}}"#,
        one.request_id()
    );
    assert_eq!(one.body_text(), expected, "byte for byte");
    assert!(events(&after(&app, start + 3, "").await).is_empty());
}

pub(crate) async fn a_page_ends_where_the_next_one_begins(store: Store) {
    let app = TestApp::start(store).await;
    for number in 0..7 {
        app.token(&format!("Kiosk {number}")).await;
    }
    let mut place = 0;
    let mut names = Vec::new();
    for length in [3, 3, 2, 0] {
        let answer = after(&app, place, "&per_page=3").await;
        assert_eq!(events(&answer).len(), length);
        place = sequence(&answer);
        names.extend(
            events(&answer)
                .iter()
                .map(|event| at(&event["data"], "name").to_owned()),
        );
    }
    let expected: Vec<String> = (0..7).map(|number| format!("Kiosk {number}")).collect();
    assert_eq!(names[1..], expected, "after the first key");
    assert_eq!(place, present(&app).await);
}

pub(crate) async fn nothing_of_another_workspace_is_told(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    let stranger = app.workspace("Another shop", Environment::Live).await.full_key().await;
    for number in 0..5 {
        app.token_by(&stranger, &format!("Till {number}")).await;
        app.token(&format!("Kiosk {number}")).await;
    }
    let answer = after(&app, start, "").await;
    assert_eq!(events(&answer).len(), 5);
    assert!(!answer.body_text().contains("Till"), "{}", answer.body_text());
    // Their places are passed by, though: nothing of ours is behind the place that is told.
    assert_eq!(sequence(&answer), present(&app).await);
    let page = after(&app, start, "&per_page=2").await;
    let rest = after(&app, sequence(&page), "").await;
    assert_eq!((events(&page).len(), events(&rest).len()), (2, 3));
    let theirs = app
        .send(get(format!("/tollgate/events?after_sequence={start}")).by(&stranger))
        .await;
    assert_eq!(events(&theirs).len(), 6, "their key and its tokens");
    assert!(!theirs.body_text().contains("Kiosk"));
}

pub(crate) async fn what_is_for_the_audit_trail_alone_is_not_told(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    let setting = app.setting(&json!({})).await;
    app.patch(&path_of(&setting), &json!({ "active": false }))
        .await
        .data(200);
    app.delete(&path_of(&setting)).await;
    let answer = after(&app, start, "").await;
    assert!(events(&answer).is_empty());
    app.token("Kiosk").await;
    for from in [start, sequence(&answer)] {
        assert_eq!(types(&after(&app, from, "").await), ["client_token.created"]);
    }
}

pub(crate) async fn an_event_ends_the_wait_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    let follow = get(format!("/tollgate/events?after_sequence={start}&wait_seconds=30")).by(&app.key);
    let asking = app.begun(follow).await;
    // What concerns others only doesn't end it.
    app.setting(&json!({})).await;
    let stranger = app.workspace("Another shop", Environment::Live).await.full_key().await;
    app.token_by(&stranger, "Till").await;
    assert!(!asking.is_finished(), "it still waits");
    let began = Instant::now();
    let token = app.token("Kiosk").await;
    let answer = asking.await.expect("an answer");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(types(&answer), ["client_token.created"]);
    assert_eq!(events(&answer)[0]["data"], token);
    assert_eq!(
        sequence(&answer),
        events(&answer)[0]["sequence"].as_u64().expect("a place")
    );
}

pub(crate) async fn an_event_of_another_process_ends_the_wait_within_a_second(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.service_of_another_process().await;
    let key = app.home.key(&[]).await;
    let start = present(&app).await;
    let follow = get(format!("/tollgate/events?after_sequence={start}&wait_seconds=30")).by(&app.key);
    let asking = app.begun(follow).await;
    let began = Instant::now();
    another
        .revoke_api_key(&app.home.operator, key.id)
        .await
        .expect("revoked");
    let answer = asking.await.expect("an answer");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(types(&answer).last().map(String::as_str), Some("api_key.revoked"));
}

pub(crate) async fn a_server_that_stops_ends_the_wait(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    let follow = get(format!("/tollgate/events?after_sequence={start}&wait_seconds=30")).by(&app.key);
    let asking = app.begun(follow).await;
    let began = Instant::now();
    app.stop();
    let answer = asking.await.expect("an answer");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!((events(&answer).len(), sequence(&answer)), (0, start));
}

pub(crate) async fn what_happened_already_is_not_waited_for(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    app.token("Kiosk").await;
    let began = Instant::now();
    let answer = after(&app, start, "&wait_seconds=30").await;
    assert_eq!(events(&answer).len(), 1);
    assert!(began.elapsed() < Duration::from_secs(5));
}

pub(crate) async fn a_wait_for_nothing_ends_with_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let start = present(&app).await;
    let began = Instant::now();
    let answer = after(&app, start, "&wait_seconds=1").await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!((events(&answer).len(), sequence(&answer)), (0, start));
    for more in ["", "&wait_seconds=0"] {
        let began = Instant::now();
        assert!(events(&after(&app, start, more).await).is_empty());
        assert!(began.elapsed() < Duration::from_secs(1), "nobody asked to wait");
    }
}

pub(crate) async fn a_place_that_nothing_has_yet_is_kept(store: Store) {
    let app = TestApp::start(store).await;
    for place in [1_000_000, u64::try_from(i64::MAX).expect("positive")] {
        let answer = after(&app, place, "").await;
        assert_eq!((events(&answer).len(), sequence(&answer)), (0, place));
    }
}

pub(crate) async fn numbers_that_are_wrong_are_told_in_one_answer(store: Store) {
    let app = TestApp::start(store).await;
    let integer = "Invalid type. Expected: integer, given: string";
    for (query, field, message) in [
        (
            "after_sequence=-1",
            "after_sequence",
            "Must be greater than or equal to 0",
        ),
        ("after_sequence=x", "after_sequence", integer),
        ("after_sequence=", "after_sequence", integer),
        ("after_sequence=1.5", "after_sequence", integer),
        ("after_sequence=%00", "after_sequence", integer),
        (
            "after_sequence=9223372036854775808",
            "after_sequence",
            "Must be less than or equal to 9223372036854775807",
        ),
        ("wait_seconds=31", "wait_seconds", "Must be less than or equal to 30"),
        ("wait_seconds=-5", "wait_seconds", "Must be greater than or equal to 0"),
        ("wait_seconds=1s", "wait_seconds", integer),
        (
            "wait_seconds=99999999999999999999",
            "wait_seconds",
            "Must be less than or equal to 30",
        ),
        ("per_page=0", "per_page", "Must be greater than or equal to 1"),
        ("per_page=-1", "per_page", "Must be greater than or equal to 1"),
        ("per_page=1001", "per_page", "Must be less than or equal to 1000"),
        ("per_page=1&per_page=2", "per_page", "Must be given once"),
    ] {
        let answer = app.get(&format!("/tollgate/events?{query}")).await;
        answer.is_bad_request(&[(field, message)]);
    }
    let answer = app
        .get("/tollgate/events?wait_seconds=x&per_page=0&after_sequence=-1")
        .await;
    answer.is_bad_request(&[
        ("after_sequence", "Must be greater than or equal to 0"),
        ("per_page", "Must be greater than or equal to 1"),
        ("wait_seconds", integer),
    ]);
    app.get("/tollgate/events?after_sequence=0&per_page=1000&wait_seconds=30")
        .await
        .data(200);
    let create = post("/tollgate/events").by(&app.key).text("{}");
    app.send(create).await.is_error("method_not_allowed");
}
