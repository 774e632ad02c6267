//! `GET /notifications/{notification_id}`: what is shown, and how it changes.

use serde_json::json;
use tollgate_domain::ambient::Clock;
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;

use crate::support::{Answer, HOUR, START, Store, TestApp, at, get};

const UNKNOWN: &str = "ntf_01kjpx8smt1jx21jct317jay33";

/// `data` of an answer, as it was written.
fn bytes(answer: &Answer) -> &str {
    let data = answer.body_text().strip_prefix("{\"data\":").expect("an envelope");
    data.split_once(",\"meta\":").expect("an envelope").0
}

pub(crate) async fn a_notification_is_shown_byte_for_byte_in_the_contracts_order(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let created = app.post("/client-tokens", &json!({ "name": "Kiosk \u{e9} <&>" })).await;
    let event = app.get("/events?per_page=1").await;
    let event_id = at(&event.items()[0], "event_id").to_owned();
    let notification = app.newest_notification().await;
    let id = at(&notification, "id");
    app.clock.advance(HOUR);
    app.attempted(&notification, NotificationStatus::Delivered).await;
    let answer = app.get(&format!("/notifications/{id}")).await;
    let later = "2026-03-02T10:15:04.218733Z";
    let expected = format!(
        concat!(
            r#"{{"data":{{"id":"{}","type":"client_token.created","status":"delivered","payload":{{"data":{},"#,
            r#""event_id":"{}","event_type":"client_token.created","occurred_at":"{}","notification_id":"{}"}},"#,
            r#""occurred_at":"{}","delivered_at":"{}","replayed_at":null,"origin":"event","last_attempt_at":"{}","#,
            r#""retry_at":null,"times_attempted":1,"notification_setting_id":"{}"}},"meta":{{"request_id":"{}"}}}}"#
        ),
        id,
        bytes(&created),
        event_id,
        START,
        id,
        START,
        later,
        later,
        at(&setting, "id"),
        answer.request_id(),
    );
    assert_eq!(answer.body_text(), expected);
    let list = app.get("/notifications").await;
    assert!(
        list.body_text()
            .starts_with(&format!("{{\"data\":[{}],", bytes(&answer))),
        "alike in a list"
    );
}

pub(crate) async fn each_status_is_shown_as_it_comes(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    app.token("Kiosk").await;
    let mut expected = app.newest_notification().await;
    assert_eq!(expected["status"], "not_attempted");
    assert_eq!(expected["times_attempted"], 0);
    for name in ["delivered_at", "replayed_at", "last_attempt_at", "retry_at"] {
        assert_eq!(expected[name], json!(null), "{name}");
    }
    // Whoever is trying to deliver it changes nothing until it is known how that went.
    assert_eq!(app.lease(&setting).await, 1);
    assert_eq!(app.newest_notification().await, expected);

    for (status, attempts) in [
        (NotificationStatus::NeedsRetry, 1),
        (NotificationStatus::NeedsRetry, 2),
        (NotificationStatus::Failed, 3),
    ] {
        app.clock.advance(HOUR);
        let now = app.clock.now();
        let shown = app.attempted(&expected, status).await;
        expected["status"] = json!(status.name());
        expected["times_attempted"] = json!(attempts);
        expected["last_attempt_at"] = json!(now.to_string());
        let retries = status == NotificationStatus::NeedsRetry;
        expected["retry_at"] = if retries {
            json!(now.plus(HOUR).to_string())
        } else {
            json!(null)
        };
        assert_eq!(shown, expected);
    }
}

pub(crate) async fn a_setting_is_told_of_what_it_subscribed_to_while_it_was_active(store: Store) {
    let app = TestApp::start(store).await;
    let created = app.setting(&json!({})).await;
    let revoked = app
        .setting(&json!({ "subscribed_events": ["client_token.revoked"] }))
        .await;
    let both = ["client_token.revoked", "client_token.created"];
    let both = app
        .setting(&json!({ "subscribed_events": both, "traffic_source": "all" }))
        .await;
    app.setting(&json!({ "subscribed_events": ["transaction.paid"] })).await;
    app.setting(&json!({ "traffic_source": "simulation" })).await;
    let idle = app.setting(&json!({})).await;
    let path = crate::support::path_of(&idle);
    app.patch(&path, &json!({ "active": false })).await.data(200);
    app.revoked_token("Kiosk").await;
    app.patch(&path, &json!({ "active": true })).await.data(200);

    let mut told: Vec<(String, String)> = Vec::new();
    for notification in app.notifications().await {
        let setting = at(&notification, "notification_setting_id").to_owned();
        told.push((setting, at(&notification, "type").to_owned()));
    }
    let mut expected: Vec<(String, String)> = Vec::new();
    for (setting, event) in [
        (&created, "client_token.created"),
        (&revoked, "client_token.revoked"),
        (&both, "client_token.created"),
        (&both, "client_token.revoked"),
    ] {
        expected.push((at(setting, "id").to_owned(), event.to_owned()));
    }
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

pub(crate) async fn unknown_and_malformed_ids_are_told_apart(store: Store) {
    let app = TestApp::start(store).await;
    for end in ["", "/logs"] {
        let answer = app.get(&format!("/notifications/{UNKNOWN}{end}")).await;
        answer.is_error_saying("not_found", &format!("Notification {UNKNOWN} not found."));
        for id in [
            "x",
            "ntfset_01kjpx8smt1jx21jct317jay33",
            &UNKNOWN.to_uppercase(),
            "%ff",
            "%00",
        ] {
            let answer = app.get(&format!("/notifications/{id}{end}")).await;
            let message = r"Does not match pattern '^ntf_[a-z\d]{26}$'";
            answer.is_bad_request(&[("notification_id", message)]);
        }
    }
}

pub(crate) async fn another_workspaces_notification_does_not_exist(store: Store) {
    let app = TestApp::start(store).await;
    app.setting(&json!({})).await;
    app.token("Kiosk").await;
    let notification = app.newest_notification().await;
    let notification = app.attempted(&notification, NotificationStatus::Delivered).await;
    let id = at(&notification, "id");
    for environment in Environment::ALL {
        let stranger = app.workspace("Another shop", environment).await.full_key().await;
        for path in [
            format!("/notifications/{id}"),
            format!("/notifications/{id}/logs"),
            format!("/tollgate/notifications/{id}/logs"),
        ] {
            let answer = app.send(get(path).by(&stranger)).await;
            answer.is_error_saying("not_found", &format!("Notification {id} not found."));
        }
        let setting = at(&notification, "notification_setting_id");
        for query in [
            String::new(),
            format!("?notification_setting_id={setting}"),
            format!("?search={id}"),
        ] {
            let list = app.send(get(format!("/notifications{query}")).by(&stranger)).await;
            assert_eq!(list.data(200), &json!([]));
            assert!(list.total() <= 0);
        }
    }
}
