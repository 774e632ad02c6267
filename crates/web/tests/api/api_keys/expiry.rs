//! Keys that expire: announced seven days before, refused from the very moment, told as expired.

use std::time::Duration;

use tollgate_domain::event::{Actor, Event};
use tollgate_domain::id::ApiKeyId;

use crate::support::{DAY, HOUR, Key, Store, TestApp, at, get};

const MICROSECOND: Duration = Duration::from_micros(1);

/// What was told of a key since it was made.
async fn told(app: &TestApp, id: ApiKeyId) -> Vec<Event> {
    let mut events = app.events_of(&id.to_string()).await;
    events.remove(0);
    events
}

async fn names(app: &TestApp, id: ApiKeyId) -> Vec<&'static str> {
    let events = told(app, id).await;
    events.iter().map(|event| event.event_type.name()).collect()
}

/// Lets the clock do what is due.
async fn tick(app: &TestApp) {
    app.service.expire_api_keys().await.expect("the store answers");
}

async fn status(app: &TestApp, key: &Key) -> u16 {
    app.send(get("/client-tokens").by(key)).await.status
}

pub(crate) async fn a_key_is_refused_from_the_moment_it_expires_whether_told_or_not(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key_for(&app, HOUR).await;
    assert_eq!(status(&app, &key).await, 200);
    app.clock.advance_almost(HOUR);
    assert_eq!(status(&app, &key).await, 200);
    app.clock.advance(MICROSECOND);
    let answer = app.send(get("/client-tokens").by(&key)).await;
    answer.is_error("invalid_token");
    tick(&app).await;
    let answer = app.send(get("/client-tokens").by(&key)).await;
    answer.is_error("invalid_token");
}

pub(crate) async fn an_expiry_is_announced_once_seven_days_before(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key_for(&app, 30 * DAY).await;
    app.clock.advance_almost(23 * DAY);
    tick(&app).await;
    assert!(names(&app, key.id).await.is_empty(), "a moment too early");
    app.clock.advance(MICROSECOND);
    for _ in 0..3 {
        tick(&app).await;
        assert_eq!(names(&app, key.id).await, ["api_key.expiring"]);
        app.clock.advance(DAY);
    }

    let [event] = &told(&app, key.id).await[..] else {
        panic!("one event")
    };
    assert_eq!(event.actor, Actor::Clock);
    assert_eq!(event.occurred_at.to_string(), "2026-03-25T09:15:04.218733Z");
    let data: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
    assert_eq!(at(&data, "status"), "active");
    assert_eq!(at(&data, "expires_at"), "2026-04-01T09:15:04.218733Z");
    assert_eq!(
        data["updated_at"], data["created_at"],
        "an announcement changes nothing"
    );
    assert_eq!(status(&app, &key).await, 200);
}

pub(crate) async fn an_expired_key_is_told_once_at_its_end(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key_for(&app, 10 * DAY).await;
    app.clock.advance(3 * DAY);
    tick(&app).await;
    app.clock.advance(7 * DAY);
    tick(&app).await;
    tick(&app).await;
    assert_eq!(names(&app, key.id).await, ["api_key.expiring", "api_key.expired"]);

    let events = told(&app, key.id).await;
    assert_eq!(events[1].actor, Actor::Clock);
    assert_eq!(events[1].occurred_at.to_string(), "2026-03-12T09:15:04.218733Z");
    let shown = app.get(&format!("/api-keys/{}", key.id)).await;
    assert!(
        shown
            .body_text()
            .starts_with(&format!("{{\"data\":{},", events[1].data))
    );
    let data = shown.data(200);
    assert_eq!(
        (at(data, "status"), at(data, "updated_at")),
        ("expired", "2026-03-12T09:15:04.218733Z")
    );
    assert_eq!(data["expires_at"], data["updated_at"]);
}

pub(crate) async fn an_end_that_passed_unannounced_is_only_told_as_expired(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key_for(&app, 2 * DAY).await;
    app.clock.advance(3 * DAY);
    tick(&app).await;
    tick(&app).await;
    assert_eq!(names(&app, key.id).await, ["api_key.expired"]);
}

pub(crate) async fn a_key_that_lives_for_less_than_a_week_is_announced_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key_for(&app, 2 * DAY).await;
    tick(&app).await;
    assert_eq!(names(&app, key.id).await, ["api_key.expiring"]);
}

pub(crate) async fn keys_that_never_expire_or_were_revoked_are_left_alone(store: Store) {
    let app = TestApp::start(store).await;
    let endless = app.home.key(&["client_token.read"]).await;
    let revoked = app.home.key_for(&app, DAY).await;
    app.service
        .revoke_api_key(&app.home.operator, revoked.id)
        .await
        .expect("revoked");
    app.clock.advance(1_000 * DAY);
    tick(&app).await;
    assert!(names(&app, endless.id).await.is_empty());
    assert_eq!(names(&app, revoked.id).await, ["api_key.revoked"]);
    assert_eq!(status(&app, &endless).await, 200);
}

pub(crate) async fn two_nodes_tell_of_an_expiry_once(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.service_of_another_process().await;
    let key = app.home.key_for(&app, 10 * DAY).await;
    for _ in 0..2 {
        app.clock.advance(5 * DAY);
        let (one, two) = tokio::join!(app.service.expire_api_keys(), another.expire_api_keys());
        one.and(two).expect("the store answers");
    }
    assert_eq!(names(&app, key.id).await, ["api_key.expiring", "api_key.expired"]);
}
