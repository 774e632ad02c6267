//! `POST /notification-settings`: what a new setting is.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use crate::support::{RECEIVER, Store, TestApp, at, new_setting, path_of, post};

pub(crate) async fn a_new_setting_is_shown_byte_for_byte_in_the_contracts_order(store: Store) {
    let app = TestApp::start(store).await;
    let body = json!({
        "description": "Token audit log \u{e9} <&>",
        "type": "url",
        "destination": RECEIVER,
        "subscribed_events": ["client_token.revoked", "api_key.created"],
    });
    let answer = app.post("/notification-settings", &body).await;
    let setting = answer.data(201);
    let expected = format!(
        concat!(
            r#"{{"data":{{"id":"{}","description":"Token audit log {}","type":"url","destination":"{}","active":true,"#,
            r#""api_version":1,"include_sensitive_fields":false,"traffic_source":"platform","subscribed_events":["#,
            r#"{{"name":"client_token.revoked","description":"Occurs when a client token is revoked.","#,
            r#""group":"Client Token","available_versions":[1]}},"#,
            r#"{{"name":"api_key.created","description":"Occurs when an API key is created.","#,
            r#""group":"API Key","available_versions":[1]}}],"#,
            r#""endpoint_secret_key":"{}"}},"meta":{{"request_id":"{}"}}}}"#
        ),
        at(setting, "id"),
        "\u{e9} <&>",
        RECEIVER,
        at(setting, "endpoint_secret_key"),
        answer.request_id(),
    );
    assert_eq!(answer.body_text(), expected);
}

pub(crate) async fn what_can_be_chosen_is_as_chosen(store: Store) {
    let app = TestApp::start(store).await;
    for source in ["platform", "simulation", "all"] {
        for sensitive in [true, false] {
            let chosen = json!({
                "description": "One\n\ttwo 🔑",
                "api_version": 1,
                "include_sensitive_fields": sensitive,
                "traffic_source": source,
            });
            let setting = app.setting(&chosen).await;
            for (name, value) in chosen.as_object().expect("properties") {
                assert_eq!(&setting[name], value);
            }
            assert_eq!(setting["active"], true);
            app.delete(&path_of(&setting)).await;
        }
    }
}

/// One official client sends null for what its user left out.
pub(crate) async fn null_is_as_good_as_leaving_out(store: Store) {
    let app = TestApp::start(store).await;
    for nulls in [
        &["api_version"][..],
        &["include_sensitive_fields"],
        &["traffic_source"],
        &["api_version", "include_sensitive_fields", "traffic_source"],
    ] {
        let nulls: Value = nulls.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        let setting = app.setting(&nulls).await;
        assert_eq!(setting["api_version"], 1);
        assert_eq!(setting["include_sensitive_fields"], false);
        assert_eq!(setting["traffic_source"], "platform");
    }
}

fn names(setting: &Value) -> Vec<&str> {
    let events = setting["subscribed_events"].as_array().expect("a list");
    events.iter().map(|event| at(event, "name")).collect()
}

pub(crate) async fn events_come_back_in_the_order_given_and_each_once(store: Store) {
    let app = TestApp::start(store).await;
    let given = [
        "client_token.updated",
        "api_key.revoked",
        "client_token.updated",
        "address.created",
        "api_key.revoked",
    ];
    let setting = app.setting(&json!({ "subscribed_events": given })).await;
    let expected = ["client_token.updated", "api_key.revoked", "address.created"];
    assert_eq!(names(&setting), expected);
    assert_eq!(names(app.get(&path_of(&setting)).await.data(200)), expected);
}

pub(crate) async fn every_event_type_of_the_contract_can_be_subscribed_to(store: Store) {
    let app = TestApp::start(store).await;
    let types = app.get("/event-types").await;
    let mut all = types.column("name");
    let setting = app.setting(&json!({ "subscribed_events": all })).await;
    assert_eq!(&setting["subscribed_events"], types.data(200), "as they are listed");
    all.reverse();
    let setting = app.setting(&json!({ "subscribed_events": all })).await;
    assert_eq!(names(&setting), all);
    for name in all {
        let setting = app.setting(&json!({ "subscribed_events": [name] })).await;
        assert_eq!(names(&setting), [name]);
        app.delete(&path_of(&setting)).await;
    }
}

pub(crate) async fn the_secret_has_the_contracts_form_and_none_is_like_another(store: Store) {
    let app = TestApp::start(store).await;
    let mut secrets = Vec::new();
    for _ in 0..5 {
        let setting = app.setting(&json!({})).await;
        let secret = at(&setting, "endpoint_secret_key").to_owned();
        let tail = at(&setting, "id")
            .strip_prefix("ntfset_")
            .expect("the contract's prefix");
        assert_eq!(tail.len(), 26);
        let random = secret.strip_prefix(&format!("pdl_ntfset_{tail}_"));
        let random = random.unwrap_or_else(|| panic!("{secret} isn't of {tail}")).to_owned();
        assert_eq!(random.len(), 32);
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{random}");
        secrets.push(random);
    }
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 5);
}

pub(crate) async fn live_workspaces_have_settings_of_their_own(store: Store) {
    let app = TestApp::start(store).await;
    let live = app.workspace("Paper and Ink", Environment::Live).await.full_key().await;
    let body = new_setting(&json!({}));
    let ours = app.post("/notification-settings", &body).await;
    // The same destination in another workspace is no duplicate.
    let theirs = app.send(post("/notification-settings").by(&live).json(&body)).await;
    let (ours, theirs) = (ours.data(201), theirs.data(201));
    assert_eq!(ours["destination"], theirs["destination"]);
    assert_ne!(ours["id"], theirs["id"]);
    assert_ne!(ours["endpoint_secret_key"], theirs["endpoint_secret_key"]);
}

pub(crate) async fn a_change_that_others_keep_preventing_is_a_conflict(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    app.set_mood(crate::support::Mood::Contended);
    let path = path_of(&setting);
    let answer = app.patch(&path, &json!({ "description": "Again" })).await;
    let detail = format!("Concurrent modification of entity {}.", at(&setting, "id"));
    answer.is_error_saying("concurrent_modification", &detail);
    let rotate = format!("/tollgate{path}/rotate-secret");
    let answer = app.post(&rotate, &json!({})).await;
    answer.is_error_saying("concurrent_modification", &detail);
    // What isn't there yet has no name.
    let answer = app.post("/notification-settings", &new_setting(&json!({}))).await;
    answer.is_error("conflict");
    app.set_mood(crate::support::Mood::Sound);
    assert_eq!(app.get(&path).await.data(200), &setting);
}
