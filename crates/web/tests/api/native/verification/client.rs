//! `GET /tollgate/client`: for the browser library.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::restricted;
use crate::support::{HOUR, Request, Store, TestApp, at, get, request};

const ORIGIN: &str = "https://shop.example";

fn asked(token: &Value, query: &str) -> Request {
    get(format!("/tollgate/client{query}"))
        .header("Tollgate-Client-Token", at(token, "token"))
        .header("Origin", ORIGIN)
}

pub(crate) async fn a_page_learns_that_its_token_is_good_and_nothing_of_the_workspace(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(
        &app,
        json!({ "allowed_origins": [ORIGIN], "expires_at": "2026-03-02T10:00:00Z" }),
    )
    .await;
    let answer = app.send(asked(&token, "")).await;
    let mut data = answer.data(200).clone();
    let sequence = data.as_object_mut().expect("an object").remove("sequence");
    assert!(sequence.is_some_and(|place| place.as_u64().is_some()));
    assert_eq!(
        data,
        json!({ "token_id": token["id"], "environment": "sandbox", "expires_at": "2026-03-02T10:00:00.000000Z" })
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

pub(crate) async fn a_refusal_says_why_and_can_be_read(store: Store) {
    let app = TestApp::start(store).await;
    let revoked = app.revoked_token("Kiosk").await;
    let answer = app.send(asked(&revoked, "")).await;
    answer.is_refused(401, "client_token_revoked");
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));

    let elsewhere = restricted(&app, json!({ "allowed_origins": ["https://other.example"] })).await;
    app.send(asked(&elsewhere, ""))
        .await
        .is_refused(403, "origin_not_allowed");
    let sandbox = app.token("Kiosk").await;
    app.send(asked(&sandbox, "?environment=live"))
        .await
        .is_refused(403, "client_token_wrong_environment");
    app.send(get("/tollgate/client"))
        .await
        .is_refused(401, "client_token_missing");
}

pub(crate) async fn a_preflight_allows_the_tokens_headers(store: Store) {
    let app = TestApp::start(store).await;
    let preflight = request("OPTIONS", "/tollgate/client")
        .header("Origin", ORIGIN)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "tollgate-client-token");
    let answer = app.send(preflight).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET"));
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("tollgate-client-token, paddle-clienttoken")
    );
}

pub(crate) async fn a_revocation_ends_the_wait(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let asking = app.begun(asked(&token, "?wait_seconds=25")).await;
    // What concerns others only doesn't end it.
    app.revoked_token("Till").await;
    assert!(!asking.is_finished(), "it still waits");
    let began = Instant::now();
    let target = format!("/client-tokens/{}", at(&token, "id"));
    app.patch(&target, &json!({ "status": "revoked" })).await.data(200);
    asking.await.expect("an answer").is_refused(401, "client_token_revoked");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

pub(crate) async fn an_end_that_comes_by_itself_ends_the_wait(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, json!({ "expires_at": "2026-03-02T10:00:00Z" })).await;
    let asking = app.begun(asked(&token, "?wait_seconds=25")).await;
    app.clock.advance(HOUR);
    asking.await.expect("an answer").is_refused(401, "client_token_expired");
}

pub(crate) async fn a_wait_for_nothing_ends_with_the_same_answer(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let answer = app.send(asked(&token, "?wait_seconds=1")).await;
    assert_eq!(answer.data(200)["token_id"], token["id"]);
}

pub(crate) async fn a_server_that_stops_ends_the_wait(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let asking = app.begun(asked(&token, "?wait_seconds=25")).await;
    app.stop();
    assert_eq!(asking.await.expect("an answer").status, 200);
}

pub(crate) async fn parameters_that_are_wrong_are_told_and_can_be_read(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let answer = app.send(asked(&token, "?wait_seconds=26&scope=pay")).await;
    answer.is_bad_request(&[
        ("wait_seconds", "Must be a whole number from 0 to 25"),
        ("scope", "Unknown parameter"),
    ]);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
}
