//! Who is let in, on every keyed path.

use std::time::{Duration, Instant};

use tollgate_domain::api_key::ApiKeySecret;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_service::ApiKeyPatch;

use crate::support::{Key, SeededEntropy, Store, TestApp, at, get, post};

async fn list(app: &TestApp, key: &Key) -> crate::support::Answer {
    app.send(get("/client-tokens").by(key)).await
}

pub(crate) async fn the_scheme_may_be_in_any_case(store: Store) {
    let app = TestApp::start(store).await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        for blanks in [" ", "   "] {
            let value = format!("{scheme}{blanks}{}", app.key.secret);
            let answer = app.send(get("/client-tokens").header("authorization", value)).await;
            answer.data(200);
        }
    }
}

pub(crate) async fn a_header_that_is_absent_is_missing(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    for request in [
        get("/client-tokens"),
        get("/client-tokens").header("Paddle-Clienttoken", at(&token, "token")),
        get(format!("/client-tokens?api_key={}", app.key.secret)),
        get("/client-tokens").header("X-Api-Key", &app.key.secret),
        get("/client-tokens").header("Cookie", format!("Authorization={}", app.key.secret)),
        get("/client-tokens").header("Proxy-Authorization", format!("Bearer {}", app.key.secret)),
    ] {
        app.send(request).await.is_error("authentication_missing");
    }
}

pub(crate) async fn a_header_of_another_form_is_malformed(store: Store) {
    let app = TestApp::start(store).await;
    let secret = &app.key.secret;
    for value in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer    ".to_owned(),
        secret.clone(),
        format!("Basic {secret}"),
        format!("Token {secret}"),
        format!("Bearer:{secret}"),
        format!("Bearer\t{secret}"),
        format!("Bearer{secret}"),
        format!("Bearer é{secret}"),
    ] {
        let answer = app.send(get("/client-tokens").header("Authorization", &value)).await;
        answer.is_error("authentication_malformed");
    }
    let twice = get("/client-tokens").by(&app.key).by(&app.key);
    app.send(twice).await.is_error("authentication_malformed");
}

pub(crate) async fn a_key_that_is_not_ours_is_invalid(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let secret = &app.key.secret;
    let entropy = SeededEntropy::new(99);
    let unknown = ApiKeyId::parse("apikey_01kjpx8smt1jx21jct317jay33").expect("an id");
    let invent = |id| {
        ApiKeySecret::generate(Environment::Sandbox, id, &entropy)
            .reveal()
            .to_owned()
    };
    let mistyped = if secret.ends_with('0') { "1" } else { "0" };
    for value in [
        "x".to_owned(),
        at(&token, "token").to_owned(),
        app.key.id.to_string(),
        "pdl_sdbx_apikey_".to_owned(),
        secret[..68].to_owned(),
        format!("{secret}a"),
        format!("{secret} {secret}"),
        format!("\"{secret}\""),
        format!("{}{mistyped}", &secret[..68]),
        secret.replacen("sdbx", "live", 1),
        secret.to_uppercase(),
        "k".repeat(50), // as old keys of the contract were
        "k".repeat(20_000),
        invent(unknown),    // well-formed, with a right checksum
        invent(app.key.id), // and of a key that there is
    ] {
        let answer = app
            .send(get("/client-tokens").header("Authorization", format!("Bearer {value}")))
            .await;
        answer.is_error("invalid_token");
    }
}

pub(crate) async fn a_live_key_sees_and_makes_live_things_only(store: Store) {
    let app = TestApp::start(store).await;
    let sandbox_token = app.token("Kiosk").await;
    let live = app.workspace("Paper and Ink", Environment::Live).await.full_key().await;
    let id = at(&sandbox_token, "id");
    let answer = app.send(get(format!("/client-tokens/{id}")).by(&live)).await;
    answer.is_error_saying("not_found", &format!("Client token {id} not found."));
    assert_eq!(list(&app, &live).await.total(), 0);
    let live_token = app.token_by(&live, "Till").await;
    assert!(at(&live_token, "token").starts_with("live_"));
    assert_eq!(list(&app, &live).await.column("id"), [at(&live_token, "id")]);
    assert_eq!(list(&app, &app.key).await.column("id"), [id]);
}

pub(crate) async fn writing_implies_reading(store: Store) {
    let app = TestApp::start(store).await;
    let writer = app.home.key(&["client_token.write"]).await;
    let token = app.token_by(&writer, "Kiosk").await;
    assert_eq!(list(&app, &writer).await.column("id"), [at(&token, "id")]);
    let reader = app.home.key(&["client_token.read"]).await;
    list(&app, &reader).await.data(200);
    let create = post("/client-tokens").by(&reader).text(r#"{"name":"Stall"}"#);
    app.send(create).await.is_error("forbidden");
    let notifier = app.home.key(&["notification.write"]).await;
    app.send(get("/events").by(&notifier)).await.data(200);
}

pub(crate) async fn a_revoked_key_is_refused_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&["client_token.read"]).await;
    list(&app, &key).await.data(200);
    app.service
        .revoke_api_key(&app.home.operator, key.id)
        .await
        .expect("revoked");
    list(&app, &key).await.is_error("invalid_token");
    app.send(get("/").by(&key)).await.is_error("invalid_token");
}

pub(crate) async fn permissions_that_change_count_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&["notification.read"]).await;
    list(&app, &key).await.is_error("forbidden");
    let granted: PermissionSet = [Permission::CLIENT_TOKEN_READ].into_iter().collect();
    let patch = ApiKeyPatch {
        permissions: Some(granted),
        ..ApiKeyPatch::default()
    };
    app.service
        .update_api_key(&app.home.operator, key.id, &patch)
        .await
        .expect("updated");
    list(&app, &key).await.data(200);
    app.send(get("/events").by(&key)).await.is_error("forbidden");
}

pub(crate) async fn a_key_that_another_process_revokes_is_refused_within_a_second(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.service_of_another_process().await;
    let key = app.home.key(&["client_token.read"]).await;
    list(&app, &key).await.data(200);
    another
        .revoke_api_key(&app.home.operator, key.id)
        .await
        .expect("revoked");
    let revoked = Instant::now();
    while list(&app, &key).await.status == 200 {
        assert!(
            revoked.elapsed() < Duration::from_secs(1),
            "still let in after a second"
        );
        tokio::task::yield_now().await;
    }
    list(&app, &key).await.is_error("invalid_token");
}

pub(crate) async fn a_key_that_another_process_makes_is_known_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.service_of_another_process().await;
    let tenant = crate::support::Tenant::new(&another, "Made elsewhere", Environment::Live).await;
    list(&app, &tenant.full_key().await).await.data(200);
}
