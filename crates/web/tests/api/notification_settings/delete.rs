//! `DELETE /notification-settings/{notification_setting_id}`.

use serde_json::json;
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;

use crate::support::{Store, TestApp, at, path_of, post, request};

pub(crate) async fn a_deletion_is_answered_with_nothing_but_the_requests_id(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let answer = app.delete(&path_of(&setting)).await;
    assert_eq!((answer.status, answer.body_text()), (204, ""));
    assert_eq!(answer.request_id().len(), 36);
    let mut headers: Vec<&str> = answer.header_names().collect();
    headers.sort_unstable();
    assert!(
        !headers.contains(&"content-type") && !headers.contains(&"content-length"),
        "{headers:?}"
    );
}

pub(crate) async fn what_is_deleted_is_not_found_any_more(store: Store) {
    let app = TestApp::start(store).await;
    let (kept, setting) = (app.setting(&json!({})).await, app.setting(&json!({})).await);
    let path = path_of(&setting);
    assert_eq!(app.delete(&path).await.status, 204);
    let not_found = format!("Notification setting {} not found.", at(&setting, "id"));
    for answer in [
        app.get(&path).await,
        app.patch(&path, &json!({ "active": true })).await,
        app.delete(&path).await,
        app.get(&format!("/tollgate{path}/secrets")).await,
        app.post(&format!("/tollgate{path}/rotate-secret"), &json!({})).await,
    ] {
        answer.is_error_saying("not_found", &not_found);
    }
    let list = app.get("/notification-settings").await;
    assert_eq!((list.data(200), list.total()), (&json!([kept]), 1));
}

/// One official client sends its content type with everything, and some send a body.
pub(crate) async fn a_body_of_a_deletion_is_not_looked_at(store: Store) {
    let app = TestApp::start(store).await;
    for body in ["", "{}", "{", "[1]"] {
        let setting = app.setting(&json!({})).await;
        let delete = request("DELETE", path_of(&setting)).by(&app.key).text(body);
        assert_eq!(app.send(delete).await.status, 204, "{body:?}");
    }
}

pub(crate) async fn unknown_malformed_and_foreign_ids_are_told_apart_as_for_reading(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let unknown = "ntfset_01kjpx8smt1jx21jct317jay33";
    let answer = app.delete(&format!("/notification-settings/{unknown}")).await;
    answer.is_error_saying("not_found", &format!("Notification setting {unknown} not found."));
    let answer = app.delete("/notification-settings/x").await;
    let message = r"Does not match pattern '^ntfset_[a-z\d]{26}$'";
    answer.is_bad_request(&[("notification_setting_id", message)]);
    let stranger = app
        .workspace("Another shop", Environment::Sandbox)
        .await
        .full_key()
        .await;
    let answer = app.send(request("DELETE", path_of(&setting)).by(&stranger)).await;
    answer.is_error_saying(
        "not_found",
        &format!("Notification setting {} not found.", at(&setting, "id")),
    );
    assert_eq!(app.get(&path_of(&setting)).await.data(200), &setting);
}

pub(crate) async fn its_notifications_and_their_logs_go_with_it(store: Store) {
    let app = TestApp::start(store).await;
    let (kept, setting) = (app.setting(&json!({})).await, app.setting(&json!({})).await);
    app.token("Kiosk").await;
    let all = app.notifications().await;
    assert_eq!(all.len(), 2);
    for notification in &all {
        app.attempted(notification, NotificationStatus::Delivered).await;
    }
    app.delete(&path_of(&setting)).await;
    for notification in &all {
        let path = format!("/notifications/{}", at(notification, "id"));
        let logs = format!("{path}/logs");
        if notification["notification_setting_id"] == kept["id"] {
            app.get(&path).await.data(200);
            assert_eq!(app.get(&logs).await.total(), 1);
            continue;
        }
        let not_found = format!("Notification {} not found.", at(notification, "id"));
        for answer in [
            app.get(&path).await,
            app.get(&logs).await,
            app.get(&format!("/tollgate{logs}")).await,
            app.send(post(format!("{path}/replay")).by(&app.key)).await,
        ] {
            answer.is_error_saying("not_found", &not_found);
        }
    }
    let list = app.get("/notifications").await;
    assert_eq!(
        (list.column("notification_setting_id"), list.total()),
        (vec![at(&kept, "id")], 1)
    );
    let gone = app
        .get(&format!(
            "/notifications?notification_setting_id={}",
            at(&setting, "id")
        ))
        .await;
    assert_eq!((gone.data(200), gone.total()), (&json!([]), 0));
    // The event itself happened, though.
    assert_eq!(app.get("/events?event_type=client_token.created").await.total(), 1);
}
