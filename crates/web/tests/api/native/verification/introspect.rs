//! `POST /tollgate/introspect`: for backends.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use super::restricted;
use crate::support::{Answer, HOUR, Key, Store, TestApp, at, post};

async fn introspect_by(app: &TestApp, key: &Key, form: &str) -> Answer {
    let request = post("/tollgate/introspect").by(key);
    app.send(request.form(form)).await
}

async fn introspect(app: &TestApp, token: &Value, more: &str) -> Value {
    let answer = introspect_by(app, &app.key, &format!("token={}{more}", at(token, "token"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body_text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json().clone()
}

pub(crate) async fn a_good_token_is_active_and_what_is_known_is_told(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(
        &app,
        json!({ "scopes": ["pay", "reports"], "expires_at": "2026-03-02T10:00:00Z" }),
    )
    .await;
    let mut told = introspect(&app, &token, "&token_type_hint=client_token").await;
    let sequence = told.as_object_mut().expect("an object").remove("sequence");
    assert!(sequence.is_some_and(|place| place.as_u64().is_some()));
    let expected = json!({
        "active": true,
        "token_type": "client_token",
        "sub": token["id"],
        "iat": 1_772_442_904,
        "exp": 1_772_445_600,
        "scope": "pay reports",
        "workspace_id": app.home.workspace.id,
        "environment": "sandbox",
    });
    assert_eq!(told, expected);
}

pub(crate) async fn whatever_is_not_good_is_told_as_inactive_and_no_more(store: Store) {
    let app = TestApp::start(store).await;
    let revoked = app.revoked_token("Kiosk").await;
    let expiring = restricted(&app, json!({ "expires_at": "2026-03-02T10:00:00Z" })).await;
    let foreign = app.workspace("Another shop", Environment::Sandbox).await;
    let foreign = app.token_by(&foreign.full_key().await, "Kiosk").await;
    app.clock.advance(HOUR);
    for token in [
        revoked,
        expiring,
        foreign,
        json!({ "token": "guess" }),
        json!({ "token": "" }),
    ] {
        let form = format!("token={}", at(&token, "token"));
        let answer = introspect_by(&app, &app.key, &form).await;
        assert_eq!(answer.body_text(), r#"{"active":false}"#, "{token}");
    }
}

pub(crate) async fn circumstances_are_judged_when_they_are_named(store: Store) {
    let app = TestApp::start(store).await;
    let restrictions = json!({
        "allowed_origins": ["https://shop.example"], "allowed_networks": ["192.0.2.0/24"], "scopes": ["pay"],
    });
    let token = restricted(&app, restrictions).await;
    let active = async |more: &str| introspect(&app, &token, more).await["active"] == json!(true);
    assert!(active("").await);
    assert!(active("&origin=https%3A%2F%2Fshop.example&client_address=192.0.2.1&scope=pay").await);
    assert!(!active("&origin=https%3A%2F%2Fevil.example").await);
    assert!(!active("&client_address=198.51.100.1").await);
    assert!(!active("&scope=admin").await);
}

pub(crate) async fn a_form_is_wanted_with_a_token_in_it(store: Store) {
    let app = TestApp::start(store).await;
    for (form, field, message) in [
        ("token_type_hint=x", "(root)", "token is required"),
        ("token=a&token=b", "token", "Given more than once"),
        (
            "token=a&client_address=home",
            "client_address",
            "Does not match pattern 'an IP address'",
        ),
        (
            "token=a&scope=No",
            "scope",
            "Does not match pattern '^[a-z0-9_.:-]{1,64}$'",
        ),
    ] {
        introspect_by(&app, &app.key, form)
            .await
            .is_bad_request(&[(field, message)]);
    }
    let json = post("/tollgate/introspect").by(&app.key).json(&json!({ "token": "a" }));
    app.send(json).await.is_error("form_expected");
}

pub(crate) async fn fields_that_are_not_known_are_passed_over(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    assert_eq!(
        introspect(&app, &token, "&client_id=a&client_id=b").await["active"],
        json!(true)
    );
}
