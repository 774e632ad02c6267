//! `/health`.

use serde_json::json;

use crate::support::{Mood, Store, TestApp, get};

pub(crate) async fn a_server_that_runs_is_live_and_ready(store: Store) {
    let app = TestApp::start(store).await;
    let live = app.send(get("/health/live")).await;
    assert_eq!((live.status, live.json()), (200, &json!({ "status": "live" })));
    let ready = app.send(get("/health/ready")).await;
    assert_eq!(
        (ready.status, ready.json()),
        (200, &json!({ "status": "ready", "sequence": 1 }))
    );
    app.token("Kiosk").await;
    let ready = app.send(get("/health/ready")).await;
    assert_eq!(ready.json()["sequence"], 2);
}

pub(crate) async fn without_its_store_it_is_live_but_not_ready(store: Store) {
    let app = TestApp::start(store).await;
    app.set_mood(Mood::Failing);
    let ready = app.send(get("/health/ready")).await;
    assert_eq!((ready.status, ready.json()), (503, &json!({ "status": "not ready" })));
    assert_eq!(app.send(get("/health/live")).await.status, 200);
    app.set_mood(Mood::Sound);
    assert_eq!(app.send(get("/health/ready")).await.status, 200);
}
