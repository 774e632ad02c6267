//! What is kept of changes to settings: who did it, and what it was, for the audit trail alone.

use serde_json::{Value, json};
use tollgate_domain::event::{Actor, Event};

use crate::support::{HOUR, Store, TestApp, at, path_of};

fn names(trail: &[Event]) -> Vec<&'static str> {
    trail.iter().map(|event| event.event_type.name()).collect()
}

pub(crate) async fn each_change_is_kept_with_who_did_it(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let path = path_of(&setting);
    app.clock.advance(HOUR);
    app.patch(&path, &json!({ "active": false })).await.data(200);
    app.post(&format!("/tollgate{path}/rotate-secret"), &json!({}))
        .await
        .data(200);
    app.delete(&path).await;
    let trail = app.audit_trail().await;
    assert_eq!(
        names(&trail),
        [
            "notification_setting.created",
            "notification_setting.updated",
            "notification_setting.updated",
            "notification_setting.deleted"
        ]
    );
    for event in &trail {
        assert_eq!(event.actor, Actor::ApiKey(app.key.id));
        assert_eq!(event.subject, at(&setting, "id"));
        let data: Value = serde_json::from_str(&event.data).expect("JSON");
        assert_eq!(data["id"], setting["id"]);
        assert_eq!(data["destination"], setting["destination"]);
    }
    assert_eq!(trail[1].occurred_at.to_string(), "2026-03-02T10:15:04.218733Z");
    let data: Value = serde_json::from_str(&trail[1].data).expect("JSON");
    assert_eq!(data["active"], false);
}

pub(crate) async fn what_is_kept_holds_no_secret(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    app.post(&format!("/tollgate{}/rotate-secret", path_of(&setting)), &json!({}))
        .await
        .data(200);
    for event in app.audit_trail().await {
        assert!(!event.data.contains("pdl_ntfset_"), "{}", event.data);
    }
}

pub(crate) async fn what_is_refused_is_not_kept(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let path = path_of(&setting);
    let body = crate::support::new_setting(&json!({ "destination": "http://127.0.0.1/" }));
    app.post("/notification-settings", &body).await;
    app.patch(&path, &json!({ "destination": "nowhere" })).await;
    app.patch(&path, &json!({ "active": "no" })).await;
    app.delete("/notification-settings/ntfset_01kjpx8smt1jx21jct317jay33")
        .await;
    assert_eq!(names(&app.audit_trail().await), ["notification_setting.created"]);
}

pub(crate) async fn the_contract_shows_nothing_of_it(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    app.delete(&path_of(&setting)).await;
    for list in [
        "/events",
        "/event-types",
        "/notifications",
        "/tollgate/events?after_sequence=0",
    ] {
        let answer = app.get(list).await;
        assert_eq!(answer.status, 200);
        for change in ["created", "updated", "deactivated", "deleted"] {
            let name = format!("notification_setting.{change}");
            assert!(!answer.body_text().contains(&name), "{}", answer.body_text());
        }
    }
    assert_eq!(app.get("/events").await.column("event_type"), ["api_key.created"]);
    assert_eq!(app.get("/events").await.total(), 1);
    let answer = app.get("/events?event_type=notification_setting.created").await;
    assert_eq!(answer.status, 400);
}
