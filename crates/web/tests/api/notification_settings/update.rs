//! `PATCH /notification-settings/{notification_setting_id}`.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use crate::support::{RECEIVER, Store, TestApp, at, mailer, patch, path_of};

pub(crate) async fn each_field_changes_alone_and_the_whole_setting_is_answered(store: Store) {
    let app = TestApp::start(store).await;
    let mut expected = app.setting(&json!({})).await;
    let path = path_of(&expected);
    for (name, value) in [
        ("description", json!("Another\ndescription")),
        ("destination", json!(format!("{RECEIVER}/another"))),
        ("active", json!(false)),
        ("active", json!(true)),
        ("include_sensitive_fields", json!(true)),
        ("traffic_source", json!("all")),
        ("traffic_source", json!("simulation")),
    ] {
        expected[name] = value.clone();
        let answer = app.patch(&path, &json!({ name: value })).await;
        assert_eq!(answer.data(200), &expected);
        assert_eq!(app.get(&path).await.data(200), &expected);
    }
}

pub(crate) async fn everything_can_be_changed_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let change = json!({
        "description": "Everything",
        "destination": format!("{RECEIVER}/everything"),
        "active": false,
        "api_version": 1,
        "include_sensitive_fields": true,
        "traffic_source": "all",
    });
    let mut expected = setting.clone();
    for (name, value) in change.as_object().expect("properties") {
        expected[name] = value.clone();
    }
    assert_eq!(app.patch(&path_of(&setting), &change).await.data(200), &expected);
}

fn names(setting: &Value) -> Vec<&str> {
    let events = setting["subscribed_events"].as_array().expect("a list");
    events.iter().map(|event| at(event, "name")).collect()
}

pub(crate) async fn a_list_of_events_replaces_the_one_before(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app
        .setting(&json!({ "subscribed_events": ["client_token.created", "api_key.created"] }))
        .await;
    for events in [
        &["client_token.revoked"][..],
        &["api_key.created", "client_token.revoked"],
        &["client_token.revoked", "api_key.created"], // another order only
        &["transaction.paid"],
    ] {
        let answer = app
            .patch(&path_of(&setting), &json!({ "subscribed_events": events }))
            .await;
        assert_eq!(names(answer.data(200)), events);
        assert_eq!(names(app.get(&path_of(&setting)).await.data(200)), events);
    }
}

pub(crate) async fn the_type_never_changes(store: Store) {
    let app = TestApp::with(store, |settings| settings.mailer = Some(mailer())).await;
    let setting = app.setting(&json!({})).await;
    for kind in ["url", "email", "sms"] {
        let change = json!({ "type": kind, "description": "Again" });
        let answer = app.patch(&path_of(&setting), &change).await;
        answer.is_bad_request(&[("(root)", "Additional property type is not allowed")]);
    }
    // Nor by way of the destination.
    let answer = app
        .patch(&path_of(&setting), &json!({ "destination": "ops@example.com" }))
        .await;
    answer.is_error("url_notification_setting_incorrect");
    assert_eq!(app.get(&path_of(&setting)).await.data(200), &setting);
}

pub(crate) async fn what_changes_nothing_is_answered_and_told_to_nobody(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let before = app.audit_trail().await.len();
    let path = path_of(&setting);
    for change in [
        json!({}),
        json!({ "description": setting["description"] }),
        json!({ "destination": setting["destination"] }),
        json!({ "active": true, "api_version": 1, "include_sensitive_fields": false, "traffic_source": "platform" }),
        json!({ "subscribed_events": ["client_token.created", "client_token.created"] }),
    ] {
        assert_eq!(app.patch(&path, &change).await.data(200), &setting, "{change}");
    }
    let answer = app.send(patch(&path).by(&app.key)).await;
    assert_eq!(answer.data(200), &setting, "nor does a body that isn't there");
    assert_eq!(app.audit_trail().await.len(), before);
}

pub(crate) async fn a_refused_part_refuses_the_whole(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for part in [
        json!({ "destination": "http://127.0.0.1/" }),
        json!({ "destination": "nowhere" }),
        json!({ "traffic_source": "x" }),
        json!({ "subscribed_events": [] }),
        json!({ "endpoint_secret_key": "x" }),
    ] {
        let mut change = json!({ "description": "Again", "active": false });
        for (name, value) in part.as_object().expect("properties") {
            change[name] = value.clone();
        }
        assert_eq!(app.patch(&path_of(&setting), &change).await.status, 400);
        assert_eq!(app.get(&path_of(&setting)).await.data(200), &setting);
    }
}

pub(crate) async fn unknown_malformed_and_foreign_ids_are_told_apart_as_for_reading(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let stranger = app
        .workspace("Another shop", Environment::Sandbox)
        .await
        .full_key()
        .await;
    let unknown = "ntfset_01kjpx8smt1jx21jct317jay33";
    // A destination is looked at only when there is a setting to have it.
    for change in [
        json!({}),
        json!({ "description": "Again" }),
        json!({ "destination": "nowhere" }),
    ] {
        let answer = app.patch(&format!("/notification-settings/{unknown}"), &change).await;
        answer.is_error_saying("not_found", &format!("Notification setting {unknown} not found."));
        let answer = app.send(patch(path_of(&setting)).by(&stranger).json(&change)).await;
        answer.is_error_saying(
            "not_found",
            &format!("Notification setting {} not found.", at(&setting, "id")),
        );
        let answer = app.patch("/notification-settings/x", &change).await;
        let message = r"Does not match pattern '^ntfset_[a-z\d]{26}$'";
        answer.is_bad_request(&[("notification_setting_id", message)]);
    }
    assert_eq!(app.get(&path_of(&setting)).await.data(200), &setting);
}
