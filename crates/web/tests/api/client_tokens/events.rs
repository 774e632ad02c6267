//! What is told when a token is made. What is told of changes stands with the changes.

use tollgate_domain::event::{Actor, EventType};

use crate::support::{START, Store, TestApp, at, post};

pub(crate) async fn a_creation_is_told_with_the_bytes_of_its_answer(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&["client_token.write"]).await;
    let create = post("/client-tokens")
        .by(&key)
        .text(r#"{"description":"\u00e9 <b>","name":"Kiosk"}"#);
    let answer = app.send(create).await;
    let token = answer.data(201);
    let events = app.events_of(at(token, "id")).await;
    let [event] = &events[..] else {
        panic!("one event: {events:?}")
    };
    assert_eq!(event.event_type, EventType::ClientTokenCreated);
    assert_eq!(event.occurred_at.to_string(), START);
    assert_eq!(event.actor, Actor::ApiKey(key.id));
    assert!(answer.body_text().starts_with(&format!("{{\"data\":{},", event.data)));
}

pub(crate) async fn what_is_refused_is_told_to_nobody(store: Store) {
    let app = TestApp::start(store).await;
    let before = app.stored_events().await;
    let reader = app.home.key(&["client_token.read"]).await;
    let create = || post("/client-tokens").text(r#"{"name":"Kiosk"}"#);
    app.send(create()).await.is_error("authentication_missing");
    app.send(create().by(&reader)).await.is_error("forbidden");
    app.send(post("/client-tokens").by(&app.key).text("{}")).await;
    let after = app.stored_events().await;
    assert_eq!(after.len(), before.len() + 1, "only the making of the second key");
}
