//! `revoke_at`: revoked at that time, unless withdrawn before.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tollgate_domain::event::Actor;
use tollgate_service::Housekeeping;

use super::{LIST, target, told};
use crate::support::{DAY, HOUR, Store, TestApp, at};

const TOMORROW: &str = "2026-03-03T09:15:04.218733Z";

/// A token that is to be revoked in a day.
async fn scheduled(app: &TestApp) -> Value {
    let token = app.token("Kiosk").await;
    let answer = app.patch(&target(&token), &json!({ "revoke_at": TOMORROW })).await;
    let scheduled = answer.data(200).clone();
    assert_eq!(
        (at(&scheduled, "revoke_at"), at(&scheduled, "status")),
        (TOMORROW, "active")
    );
    scheduled
}

/// Lets the clock do what is due.
async fn tick(app: &TestApp) {
    app.service.revoke_scheduled().await.expect("the store answers");
}

async fn shown(app: &TestApp, token: &Value) -> Value {
    app.get(&target(token)).await.data(200).clone()
}

pub(crate) async fn a_token_is_revoked_at_its_time_and_not_before(store: Store) {
    let app = TestApp::start(store).await;
    let token = scheduled(&app).await;
    app.clock.advance_almost(DAY);
    tick(&app).await;
    assert_eq!(shown(&app, &token).await, token);
    app.clock.advance(Duration::from_micros(1));
    for _ in 0..2 {
        tick(&app).await;
        let revoked = shown(&app, &token).await;
        assert_eq!(
            (at(&revoked, "status"), at(&revoked, "revoked_at")),
            ("revoked", TOMORROW)
        );
        assert_eq!(revoked["updated_at"], revoked["revoked_at"]);
        assert_eq!(revoked["revoke_at"], json!(null), "nothing is left to do");
    }
    assert_eq!(
        told(&app, &token).await,
        ["client_token.updated", "client_token.updated", "client_token.revoked"]
    );
    let events = app.events_of(at(&token, "id")).await;
    assert_eq!(events[1].actor, Actor::ApiKey(app.key.id));
    for event in &events[2..] {
        assert_eq!(
            (event.actor, event.occurred_at.to_string().as_str()),
            (Actor::Clock, TOMORROW)
        );
    }
    // A token may be made with its end.
    let new = json!({ "name": "Fair", "revoke_at": "2026-03-04T00:00:00Z" });
    let made = app.post(LIST, &new).await.data(201).clone();
    assert_eq!(at(&made, "revoke_at"), "2026-03-04T00:00:00.000000Z");
    app.clock.advance(DAY);
    tick(&app).await;
    assert_eq!(shown(&app, &made).await["status"], "revoked");
}

pub(crate) async fn a_schedule_can_be_moved_and_withdrawn(store: Store) {
    let app = TestApp::start(store).await;
    let (moved, withdrawn) = (scheduled(&app).await, scheduled(&app).await);
    let later = json!({ "revoke_at": "2026-03-05T00:00:00Z" });
    app.patch(&target(&moved), &later).await.data(200);
    let answer = app.patch(&target(&withdrawn), &json!({ "revoke_at": null })).await;
    assert_eq!(answer.data(200)["revoke_at"], json!(null));
    app.clock.advance(2 * DAY);
    tick(&app).await;
    for token in [&moved, &withdrawn] {
        assert_eq!(shown(&app, token).await["status"], "active");
    }
    app.clock.advance(100 * DAY);
    tick(&app).await;
    assert_eq!(shown(&app, &moved).await["status"], "revoked");
    assert_eq!(shown(&app, &withdrawn).await["status"], "active");
    assert_eq!(told(&app, &withdrawn).await, ["client_token.updated"; 2]);
}

pub(crate) async fn the_past_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let problem = [("revoke_at", "Must not be in the past")];
    let token = scheduled(&app).await;
    for past in ["2026-03-02T09:15:04.218732Z", "1970-01-01T00:00:00Z"] {
        let answer = app.patch(&target(&token), &json!({ "revoke_at": past })).await;
        answer.is_error_about("invalid_field", &problem);
        let answer = app.post(LIST, &json!({ "name": "Kiosk", "revoke_at": past })).await;
        answer.is_error_about("invalid_field", &problem);
    }
    assert_eq!(shown(&app, &token).await, token);
    // What is there already may be said again, also when nobody has looked at the clock yet.
    app.clock.advance(2 * DAY);
    let answer = app
        .patch(&target(&token), &json!({ "revoke_at": TOMORROW, "name": "Kiosk" }))
        .await;
    assert_eq!(answer.data(200), &token);
}

pub(crate) async fn a_revoked_token_has_nothing_to_schedule(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.revoked_token("Kiosk").await;
    let before = shown(&app, &token).await;
    let answer = app.patch(&target(&token), &json!({ "revoke_at": TOMORROW })).await;
    answer.is_error_about("invalid_field", &[("revoke_at", "The client token is revoked already")]);
    let answer = app.patch(&target(&token), &json!({ "revoke_at": null })).await;
    assert_eq!(answer.data(200), &before);
}

pub(crate) async fn now_and_later_together_are_refused(store: Store) {
    let app = TestApp::start(store).await;
    let token = scheduled(&app).await;
    let both = json!({ "status": "revoked", "revoke_at": TOMORROW });
    let answer = app.patch(&target(&token), &both).await;
    answer.is_error_about(
        "invalid_field",
        &[("revoke_at", "Can't be given together with the status `revoked`")],
    );
    assert_eq!(shown(&app, &token).await, token);
    let now = json!({ "status": "revoked", "revoke_at": null });
    assert_eq!(app.patch(&target(&token), &now).await.data(200)["status"], "revoked");
}

pub(crate) async fn revoking_now_ends_the_schedule(store: Store) {
    let app = TestApp::start(store).await;
    let token = scheduled(&app).await;
    app.clock.advance(HOUR);
    let answer = app.patch(&target(&token), &json!({ "status": "revoked" })).await;
    let revoked = answer.data(200).clone();
    assert_eq!(revoked["revoke_at"], json!(null));
    app.clock.advance(DAY);
    tick(&app).await;
    assert_eq!(shown(&app, &token).await, revoked);
}

pub(crate) async fn the_compatible_surface_revokes_a_scheduled_token_as_any(store: Store) {
    let app = TestApp::start(store).await;
    let token = scheduled(&app).await;
    let compatible = format!("/client-tokens/{}", at(&token, "id"));
    assert_eq!(app.get(&compatible).await.data(200)["status"], "active");
    app.patch(&compatible, &json!({ "status": "revoked" })).await.data(200);
    let revoked = shown(&app, &token).await;
    assert_eq!(
        (&revoked["status"], &revoked["revoke_at"]),
        (&json!("revoked"), &json!(null))
    );
}

pub(crate) async fn two_nodes_revoke_once(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.service_of_another_process().await;
    let token = scheduled(&app).await;
    app.clock.advance(DAY);
    let (one, two) = tokio::join!(app.service.revoke_scheduled(), another.revoke_scheduled());
    one.and(two).expect("the store answers");
    assert_eq!(
        told(&app, &token).await,
        ["client_token.updated", "client_token.updated", "client_token.revoked"]
    );
}

pub(crate) async fn many_that_end_together_are_revoked_together(store: Store) {
    let app = TestApp::start(store).await;
    for number in 0..30 {
        let new = json!({ "name": format!("Fair {number}"), "revoke_at": TOMORROW });
        app.post(LIST, &new).await.data(201);
    }
    app.clock.advance(DAY);
    tick(&app).await;
    assert_eq!(app.get(&format!("{LIST}?status=revoked")).await.total(), 30);
    let revoked = app.stored_events().await;
    let revoked = revoked
        .iter()
        .filter(|event| event.event_type.name() == "client_token.revoked");
    assert_eq!(revoked.count(), 30);
}

pub(crate) async fn the_house_revokes_what_is_due(store: Store) {
    let app = TestApp::start(store).await;
    let token = scheduled(&app).await;
    let mut pulse = app.storage().pulse();
    let stop = CancellationToken::new();
    let house = tokio::spawn({
        let (service, stop) = (app.service.clone(), stop.clone());
        async move { service.keep_house(Housekeeping::default(), stop).await }
    });
    app.clock.advance(DAY);
    while shown(&app, &token).await["status"] == "active" {
        pulse.changed().await.expect("the store is open");
    }
    stop.cancel();
    house.await.expect("no panic");
}
