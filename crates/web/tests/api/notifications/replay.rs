//! `POST /notifications/{notification_id}/replay`.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;

use crate::support::{Answer, HOUR, Key, Store, TestApp, at, post};

async fn notification(app: &TestApp) -> Value {
    app.setting(&json!({})).await;
    app.token("Kiosk").await;
    app.newest_notification().await
}

async fn replay(app: &TestApp, key: &Key, id: &str) -> Answer {
    app.send(post(format!("/notifications/{id}/replay")).by(key)).await
}

pub(crate) async fn a_replay_is_a_notification_of_its_own(store: Store) {
    let app = TestApp::start(store).await;
    let original = notification(&app).await;
    let mut original = app.attempted(&original, NotificationStatus::Delivered).await;
    app.clock.advance(HOUR);
    let answer = replay(&app, &app.key, at(&original, "id")).await;
    let id = at(answer.data(202), "notification_id").to_owned();
    let expected = format!(
        r#"{{"data":{{"notification_id":"{id}"}},"meta":{{"request_id":"{}"}}}}"#,
        answer.request_id()
    );
    assert_eq!(answer.body_text(), expected);
    assert_ne!(id, at(&original, "id"));

    original["replayed_at"] = json!("2026-03-02T10:15:04.218733Z");
    let mut replayed = original.clone();
    for (name, value) in [
        ("id", json!(id)),
        ("status", json!("not_attempted")),
        ("origin", json!("replay")),
        ("times_attempted", json!(0)),
        ("delivered_at", json!(null)),
        ("replayed_at", json!(null)),
        ("last_attempt_at", json!(null)),
    ] {
        replayed[name] = value;
    }
    replayed["payload"]["notification_id"] = json!(id);
    assert_eq!(app.get(&format!("/notifications/{id}")).await.data(200), &replayed);
    assert_eq!(app.notifications().await, [replayed, original], "newest first");
}

pub(crate) async fn what_failed_can_be_replayed_again_and_again(store: Store) {
    let app = TestApp::start(store).await;
    let original = notification(&app).await;
    let original = app.attempted(&original, NotificationStatus::Failed).await;
    for made in 2..=4 {
        app.clock.advance(HOUR);
        replay(&app, &app.key, at(&original, "id")).await.data(202);
        assert_eq!(app.notifications().await.len(), made);
    }
    let shown = app.get(&format!("/notifications/{}", at(&original, "id"))).await;
    assert_eq!(
        shown.data(200)["replayed_at"],
        "2026-03-02T12:15:04.218733Z",
        "the last time"
    );
    assert_eq!(shown.data(200)["status"], "failed");
    // Nothing happened in the workspace, so there is no event.
    assert_eq!(app.get("/events").await.total(), 2);
}

pub(crate) async fn what_is_on_its_way_cannot_be_replayed(store: Store) {
    let app = TestApp::start(store).await;
    let original = notification(&app).await;
    let id = at(&original, "id");
    let detail = format!("Notification {id} can't be replayed because it's not `delivered` or `failed`.");
    replay(&app, &app.key, id)
        .await
        .is_error_saying("notification_cannot_replay", &detail);
    app.attempted(&original, NotificationStatus::NeedsRetry).await;
    replay(&app, &app.key, id)
        .await
        .is_error_saying("notification_cannot_replay", &detail);
    assert_eq!(app.notifications().await.len(), 1);
}

pub(crate) async fn a_replay_cannot_be_replayed(store: Store) {
    let app = TestApp::start(store).await;
    let original = notification(&app).await;
    app.attempted(&original, NotificationStatus::Delivered).await;
    app.clock.advance(HOUR);
    replay(&app, &app.key, at(&original, "id")).await.data(202);
    let replayed = app.newest_notification().await;
    let id = at(&replayed, "id");
    let code = "notification_replay_invalid_origin_type";
    replay(&app, &app.key, id).await.is_error(code);
    app.attempted(&replayed, NotificationStatus::Delivered).await;
    replay(&app, &app.key, id).await.is_error(code);
}

pub(crate) async fn a_replay_needs_a_permission_to_write(store: Store) {
    let app = TestApp::start(store).await;
    let original = notification(&app).await;
    app.attempted(&original, NotificationStatus::Delivered).await;
    let id = at(&original, "id");
    let reader = app.home.key(&["notification.read", "notification_setting.write"]).await;
    replay(&app, &reader, id).await.is_error("forbidden");
    let writer = app.home.key(&["notification.write"]).await;
    replay(&app, &writer, id).await.data(202);
}

pub(crate) async fn unknown_malformed_and_foreign_ids_are_told_apart(store: Store) {
    let app = TestApp::start(store).await;
    let original = notification(&app).await;
    app.attempted(&original, NotificationStatus::Delivered).await;
    let unknown = "ntf_01kjpx8smt1jx21jct317jay33";
    let answer = replay(&app, &app.key, unknown).await;
    answer.is_error_saying("not_found", &format!("Notification {unknown} not found."));
    let answer = replay(&app, &app.key, "x").await;
    answer.is_bad_request(&[("notification_id", r"Does not match pattern '^ntf_[a-z\d]{26}$'")]);
    let stranger = app
        .workspace("Another shop", Environment::Sandbox)
        .await
        .full_key()
        .await;
    let id = at(&original, "id");
    let answer = replay(&app, &stranger, id).await;
    answer.is_error_saying("not_found", &format!("Notification {id} not found."));
    assert_eq!(app.notifications().await.len(), 1);
}

/// Both official clients send a content type with it, and one of them could send a body.
pub(crate) async fn a_body_is_not_looked_at(store: Store) {
    let app = TestApp::start(store).await;
    let original = notification(&app).await;
    app.attempted(&original, NotificationStatus::Delivered).await;
    for body in ["", "{}", "{", "null"] {
        let request = post(format!("/notifications/{}/replay", at(&original, "id"))).by(&app.key);
        app.send(request.text(body)).await.data(202);
    }
}
