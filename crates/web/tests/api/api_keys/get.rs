//! `GET /api-keys/{api_key_id}`.

use std::time::{Duration, Instant};

use tollgate_domain::environment::Environment;

use crate::support::{HOUR, Key, START, Store, TestApp, at, get};

fn target(key: &Key) -> String {
    format!("/api-keys/{}", key.id)
}

pub(crate) async fn a_key_is_shown_byte_for_byte_in_the_contracts_order_without_its_secret(store: Store) {
    let app = TestApp::start(store).await;
    for (tenant, word) in [
        (app.home.clone(), "sdbx"),
        (app.workspace("Live shop", Environment::Live).await, "live"),
    ] {
        // The spelling of the older documentation is granted, the other one is shown.
        let key = tenant.key(&["client_tokens.write", "notification.read"]).await;
        let reader = tenant.key(&["api_key.read"]).await;
        let answer = app.send(get(target(&key)).by(&reader)).await;
        let tail = key.id.tail();
        let expected = format!(
            concat!(
                r#"{{"data":{{"id":"apikey_{}","name":"Billing backend","description":null,"status":"active","#,
                r#""key":"pdl_{}_apikey_{}****","permissions":["client_token.write","notification.read"],"#,
                r#""expires_at":null,"last_used_at":null,"created_at":"{}","updated_at":"{}","rotatable":false}},"#,
                r#""meta":{{"request_id":"{}"}}}}"#
            ),
            tail,
            word,
            &tail[..10],
            START,
            START,
            answer.request_id()
        );
        assert_eq!((answer.status, answer.body_text()), (200, expected.as_str()));
        assert!(key.secret.starts_with(&format!("pdl_{word}_apikey_{tail}_")));
    }
}

pub(crate) async fn a_key_may_always_get_itself_and_no_other(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&[]).await;
    let answer = app.send(get(target(&key)).by(&key)).await;
    assert_eq!(at(answer.data(200), "id"), key.id.to_string());
    for other in [
        target(&app.key),
        "/api-keys/apikey_01kjpx8smt1jx21jct317jay33".to_owned(),
        "/api-keys/x".to_owned(),
        "/api-keys/%ff".to_owned(),
        target(&key).to_uppercase().replace("/API-KEYS", "/api-keys"),
    ] {
        app.send(get(other).by(&key)).await.is_error("forbidden");
    }
}

pub(crate) async fn unknown_and_malformed_ids_are_told_apart(store: Store) {
    let app = TestApp::start(store).await;
    let id = "apikey_01kjpx8smt1jx21jct317jay33";
    let answer = app.get(&format!("/api-keys/{id}")).await;
    answer.is_error_saying("not_found", &format!("API key {id} not found."));
    for id in ["x", "apikey_", "ctkn_01kjpx8smt1jx21jct317jay33", "%ff"] {
        let answer = app.get(&format!("/api-keys/{id}")).await;
        answer.is_bad_request(&[("api_key_id", r"Does not match pattern '^apikey_[a-z\d]{26}$'")]);
    }
}

pub(crate) async fn another_workspaces_key_does_not_exist(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.workspace("Another shop", Environment::Sandbox).await;
    let stranger = another.full_key().await;
    let answer = app.send(get(target(&app.key)).by(&stranger)).await;
    answer.is_error_saying("not_found", &format!("API key {} not found.", app.key.id));
}

/// The last use is written beside the request, so it is asked for until it is there.
async fn last_used_at(app: &TestApp, key: &Key, other_than: &str) -> String {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        let answer = app.get(&target(key)).await;
        let shown = answer.data(200)["last_used_at"].as_str();
        if let Some(shown) = shown.filter(|shown| *shown != other_than) {
            return shown.to_owned();
        }
        tokio::task::yield_now().await;
    }
    panic!("no use was noted within ten seconds")
}

pub(crate) async fn the_last_use_is_accurate_to_an_hour_and_is_no_change(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&["client_token.read"]).await;
    let uses = async || app.send(get("/client-tokens").by(&key)).await.data(200).clone();
    uses().await;
    assert_eq!(last_used_at(&app, &key, "").await, START);
    app.clock.advance(HOUR);
    uses().await;
    let later = last_used_at(&app, &key, START).await;
    assert_eq!(later, "2026-03-02T10:15:04.218733Z");
    let shown = app.get(&target(&key)).await;
    assert_eq!(at(shown.data(200), "updated_at"), START);
    assert_eq!(app.events_of(&key.id.to_string()).await.len(), 1, "only its making");
}
