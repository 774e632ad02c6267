//! `GET /notification-settings/{notification_setting_id}`.

use serde_json::json;
use tollgate_domain::environment::Environment;

use crate::support::{Store, TestApp, at, get, path_of};

const UNKNOWN: &str = "ntfset_01kjpx8smt1jx21jct317jay33";

pub(crate) async fn a_setting_is_shown_with_its_secret_as_it_was_answered_at_creation(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let answer = app.get(&path_of(&setting)).await;
    assert_eq!(answer.data(200), &setting);
    let list = app.get("/notification-settings").await;
    let bytes = answer.body_text().strip_prefix("{\"data\":").expect("an envelope");
    let bytes = bytes.split_once(",\"meta\"").expect("an envelope").0;
    assert!(
        list.body_text().starts_with(&format!("{{\"data\":[{bytes}],")),
        "{}",
        list.body_text()
    );
}

pub(crate) async fn unknown_and_malformed_ids_are_told_apart(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.get(&format!("/notification-settings/{UNKNOWN}")).await;
    answer.is_error_saying("not_found", &format!("Notification setting {UNKNOWN} not found."));
    for id in [
        "x",
        "ntf_01kjpx8smt1jx21jct317jay33",
        &UNKNOWN.to_uppercase(),
        &UNKNOWN[..32],
        "%ff",
        "%00",
    ] {
        for path in [
            format!("/notification-settings/{id}"),
            format!("/tollgate/notification-settings/{id}/secrets"),
        ] {
            let answer = app.get(&path).await;
            let message = r"Does not match pattern '^ntfset_[a-z\d]{26}$'";
            answer.is_bad_request(&[("notification_setting_id", message)]);
        }
    }
}

pub(crate) async fn another_workspaces_setting_does_not_exist(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for environment in Environment::ALL {
        let stranger = app.workspace("Another shop", environment).await.full_key().await;
        let answer = app.send(get(path_of(&setting)).by(&stranger)).await;
        answer.is_error_saying(
            "not_found",
            &format!("Notification setting {} not found.", at(&setting, "id")),
        );
        let list = app.send(get("/notification-settings").by(&stranger)).await;
        assert_eq!((list.data(200), list.total()), (&json!([]), 0));
    }
}
