//! `GET /`.

use serde_json::json;
use tollgate_domain::environment::Environment;

use crate::support::{Store, TestApp, get};

pub(crate) async fn nobody_learns_what_the_api_is(store: Store) {
    for (environment, word) in [(Environment::Sandbox, "sandbox"), (Environment::Live, "production")] {
        let app = TestApp::with(store, |settings| settings.root_environment = environment).await;
        let answer = app.send(get("/")).await;
        assert_eq!(
            answer.data(200),
            &json!({
                "api": {
                    "name": "Tollgate",
                    "version": "1",
                    "environment": word,
                    "documentation_url": "https://developer.paddle.com",
                },
                "caller": { "auth_type": null, "account": null, "permissions": [] },
            })
        );
        assert!(answer.json()["meta"].get("pagination").is_none());
    }
}

pub(crate) async fn a_caller_learns_who_it_is(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&["client_token.write", "api_key.read"]).await;
    let answer = app.send(get("/").by(&key)).await;
    let data = answer.data(200);
    assert_eq!(data["api"]["environment"], "sandbox");
    assert_eq!(
        data["caller"],
        json!({
            "auth_type": "api_key",
            "account": { "id": app.home.workspace.id.to_string(), "name": "Paper and Ink" },
            // Exactly what was granted: what is implied isn't listed.
            "permissions": ["client_token.write", "api_key.read"],
        })
    );
}

pub(crate) async fn a_live_key_is_told_production(store: Store) {
    let app = TestApp::with(store, |settings| settings.root_environment = Environment::Sandbox).await;
    let live = app.workspace("Live shop", Environment::Live).await;
    let answer = app.send(get("/").by(&live.full_key().await)).await;
    assert_eq!(answer.data(200)["api"]["environment"], "production");
}

pub(crate) async fn an_invalid_key_is_refused_at_the_root_too(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.send(get("/").header("Authorization", "Bearer nonsense")).await;
    answer.is_error("invalid_token");
    app.send(get("/").header("Authorization", "Basic YTpi"))
        .await
        .is_error("authentication_malformed");
}
