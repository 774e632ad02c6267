//! `/tollgate/notification-settings/{notification_setting_id}`: its secrets, and a new one.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_domain::signature::EndpointSecret;

use crate::support::{DAY, Store, TestApp, at, path_of, post};

const MONTH: i64 = 30 * 24 * 60 * 60;

fn secrets(setting: &Value) -> String {
    format!("/tollgate{}/secrets", path_of(setting))
}

fn rotate(setting: &Value) -> String {
    format!("/tollgate{}/rotate-secret", path_of(setting))
}

pub(crate) async fn secrets_are_shown_in_both_forms(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let secret = at(&setting, "endpoint_secret_key");
    let answer = app.get(&secrets(&setting)).await;
    let standard = at(answer.data(200), "standard_webhooks_secret");
    assert_eq!(standard, EndpointSecret::from_text(secret).standard_webhooks());
    let base64 = standard.strip_prefix("whsec_").expect("as the standard has it");
    assert_eq!(decoded(base64), secret.as_bytes());
    let expected = format!(
        r#"{{"data":{{"id":"{}","endpoint_secret_key":"{secret}","standard_webhooks_secret":"{standard}","previous_secret_until":null}},"meta":{{"request_id":"{}"}}}}"#,
        at(&setting, "id"),
        answer.request_id()
    );
    assert_eq!(answer.body_text(), expected);
}

/// Base 64, read here once more.
fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    for letter in text.trim_end_matches('=').chars() {
        let value = ALPHABET.find(letter).expect("a letter of base 64");
        held = held << 6 | u32::try_from(value).expect("below 64");
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).expect("eight bits"));
        }
    }
    bytes
}

pub(crate) async fn a_rotation_gives_a_new_secret_and_a_day_for_the_old_one(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let other = app.setting(&json!({})).await;
    let mut known = vec![at(&setting, "endpoint_secret_key").to_owned()];
    for request in [
        post(rotate(&setting)),
        post(rotate(&setting)).text(""),
        post(rotate(&setting)).text("{}"),
    ] {
        let answer = app.send(request.by(&app.key)).await;
        let rotated = answer.data(200);
        let secret = at(rotated, "endpoint_secret_key").to_owned();
        assert!(
            secret.starts_with(&known[0][..38]) && secret.len() == known[0].len(),
            "{secret}"
        );
        assert!(!known.contains(&secret));
        assert_eq!(rotated["previous_secret_until"], "2026-03-03T09:15:04.218733Z");
        let standard = at(rotated, "standard_webhooks_secret");
        assert_eq!(decoded(&standard[6..]), secret.as_bytes());
        assert_eq!(app.get(&secrets(&setting)).await.data(200), rotated);
        // The contract shows the new one, and nothing else has changed.
        let mut expected = setting.clone();
        expected["endpoint_secret_key"] = json!(secret);
        assert_eq!(app.get(&path_of(&setting)).await.data(200), &expected);
        let list = app.get("/notification-settings").await;
        assert_eq!(list.data(200), &json!([other, expected]));
        known.push(secret);
    }
}

pub(crate) async fn an_overlap_is_as_long_as_asked(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for (seconds, until) in [
        (1, json!("2026-03-02T09:15:05.218733Z")),
        (3_600, json!("2026-03-02T10:15:04.218733Z")),
        (MONTH, json!("2026-04-01T09:15:04.218733Z")),
        (0, json!(null)),
    ] {
        let answer = app
            .post(&rotate(&setting), &json!({ "overlap_seconds": seconds }))
            .await;
        assert_eq!(answer.data(200)["previous_secret_until"], until);
        assert_eq!(
            app.get(&secrets(&setting)).await.data(200)["previous_secret_until"],
            until
        );
    }
    for (wrong, message) in [
        (json!(-1), "Must be greater than or equal to 0".to_owned()),
        (json!(MONTH + 1), format!("Must be less than or equal to {MONTH}")),
        (json!(1.5), "Invalid type. Expected: integer, given: number".to_owned()),
        (json!("60"), "Invalid type. Expected: integer, given: string".to_owned()),
        (json!(null), "Invalid type. Expected: integer, given: null".to_owned()),
    ] {
        let answer = app.post(&rotate(&setting), &json!({ "overlap_seconds": wrong })).await;
        answer.is_bad_request(&[("overlap_seconds", &message)]);
    }
    let answer = app.post(&rotate(&setting), &json!({ "overlap": 1 })).await;
    answer.is_bad_request(&[("(root)", "Additional property overlap is not allowed")]);
}

pub(crate) async fn an_overlap_that_is_over_is_shown_no_more(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let answer = app.post(&rotate(&setting), &json!({})).await;
    let mut expected = answer.data(200).clone();
    app.clock.advance_almost(DAY);
    assert_eq!(app.get(&secrets(&setting)).await.data(200), &expected);
    app.clock.advance(Duration::from_micros(1));
    expected["previous_secret_until"] = json!(null);
    assert_eq!(app.get(&secrets(&setting)).await.data(200), &expected);
}

pub(crate) async fn an_inactive_setting_can_be_rotated_too(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    app.patch(&path_of(&setting), &json!({ "active": false }))
        .await
        .data(200);
    let answer = app.post(&rotate(&setting), &json!({})).await;
    assert_ne!(answer.data(200)["endpoint_secret_key"], setting["endpoint_secret_key"]);
    assert_eq!(app.get(&path_of(&setting)).await.data(200)["active"], false);
}

pub(crate) async fn unknown_and_malformed_ids_are_told_apart(store: Store) {
    let app = TestApp::start(store).await;
    let unknown = "ntfset_01kjpx8smt1jx21jct317jay33";
    let answer = app
        .post(
            &format!("/tollgate/notification-settings/{unknown}/rotate-secret"),
            &json!({}),
        )
        .await;
    answer.is_error_saying("not_found", &format!("Notification setting {unknown} not found."));
    let answer = app
        .post("/tollgate/notification-settings/x/rotate-secret", &json!({}))
        .await;
    let message = r"Does not match pattern '^ntfset_[a-z\d]{26}$'";
    answer.is_bad_request(&[("notification_setting_id", message)]);
}
