//! Requests that are wrong in several ways at once: the contract says which one is told.

use serde_json::json;

use crate::support::{Request, Store, TestApp, at, get, patch, post, request};

const UNKNOWN: &str = "/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33";

pub(crate) async fn an_unknown_method_comes_before_all_else(store: Store) {
    let app = TestApp::with(store, |settings| settings.requests_per_minute = 1).await;
    for _ in 0..3 {
        for path in ["/nowhere", "/client-tokens", "/"] {
            let answer = app
                .send(request("BREW", path).header("Authorization", "?").bytes("{"))
                .await;
            answer.is_error("not_implemented");
        }
    }
}

pub(crate) async fn an_unknown_path_comes_before_its_method_and_everything_after(store: Store) {
    let app = TestApp::with(store, |settings| settings.requests_per_minute = 1).await;
    for _ in 0..3 {
        for method in ["GET", "POST", "DELETE", "OPTIONS", "PUT"] {
            let answer = app
                .send(
                    request(method, "/nowhere?per_page=x")
                        .header("Authorization", "?")
                        .bytes("{"),
                )
                .await;
            answer.is_error("invalid_url");
        }
    }
}

pub(crate) async fn a_method_that_a_path_lacks_comes_before_rate_and_credential(store: Store) {
    let app = TestApp::with(store, |settings| settings.requests_per_minute = 1).await;
    for _ in 0..3 {
        let answer = app
            .send(request("DELETE", UNKNOWN).header("Authorization", "?").bytes("{"))
            .await;
        answer.is_error("method_not_allowed");
    }
}

pub(crate) async fn the_rate_comes_before_the_credential(store: Store) {
    let app = TestApp::with(store, |settings| settings.requests_per_minute = 1).await;
    let wrong = || post("/client-tokens").header("Authorization", "?").bytes("{");
    app.send(wrong()).await.is_error("authentication_malformed");
    app.send(wrong()).await.is_error("too_many_requests");
}

/// Wrong in everything that comes after the permission.
fn all_wrong() -> [Request; 3] {
    [
        patch("/client-tokens/x")
            .header("Content-Type", "text/plain")
            .bytes("{"),
        post("/client-tokens")
            .header("Content-Type", "text/plain")
            .header("Idempotency-Key", "two words")
            .bytes("{"),
        get("/client-tokens?per_page=x"),
    ]
}

pub(crate) async fn the_credential_comes_before_the_permission_and_all_after(store: Store) {
    let app = TestApp::start(store).await;
    for request in all_wrong() {
        let request = request.header("Paddle-Version", "9");
        app.send(request.clone()).await.is_error("authentication_missing");
        let invalid = request.header("Authorization", "Bearer x");
        app.send(invalid).await.is_error("invalid_token");
    }
}

pub(crate) async fn the_permission_comes_before_what_the_request_says(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&["notification.read"]).await;
    for request in all_wrong() {
        let request = request.header("Paddle-Version", "9").by(&key);
        app.send(request).await.is_error("forbidden");
    }
}

pub(crate) async fn the_version_comes_before_what_the_body_says(store: Store) {
    let app = TestApp::start(store).await;
    for request in all_wrong() {
        let answer = app.send(request.by(&app.key).header("Paddle-Version", "9")).await;
        answer.is_bad_request(&[("Paddle-Version", r#"must be one of the following: "1""#)]);
    }
}

pub(crate) async fn the_media_type_comes_before_size_and_json(store: Store) {
    let app = TestApp::start(store).await;
    for body in ["{".to_owned(), " ".repeat(2_000_000)] {
        for request in [patch("/client-tokens/x"), post("/client-tokens")] {
            let text = request.header("Content-Type", "text/plain").bytes(&body);
            let answer = app.send(text.by(&app.key)).await;
            answer.is_error("unsupported_media_type");
        }
    }
}

pub(crate) async fn json_comes_before_ids_and_fields(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app
        .send(patch("/client-tokens/x").by(&app.key).text(r#"{"status":7,"#))
        .await;
    answer.is_error("invalid_json");
    let create = post("/client-tokens")
        .by(&app.key)
        .header("Idempotency-Key", "two words");
    app.send(create.text("{")).await.is_error("invalid_json");
}

pub(crate) async fn ids_and_fields_come_before_existence(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.patch(UNKNOWN, &json!({ "status": "gone" })).await;
    answer.is_bad_request(&[("status", r#"must be one of the following: "active", "revoked""#)]);
    let answer = app.patch("/client-tokens/x", &json!({ "status": "revoked" })).await;
    answer.is_bad_request(&[("client_token_id", r"Does not match pattern '^ctkn_[a-z\d]{26}$'")]);
}

pub(crate) async fn existence_comes_before_the_state(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.patch(UNKNOWN, &json!({ "status": "active" })).await;
    answer.is_error_saying("not_found", "Client token ctkn_01kjpx8smt1jx21jct317jay33 not found.");
    let token = app.revoked_token("Kiosk").await;
    let another = app.workspace("Another shop", app.home.workspace.environment).await;
    let stranger = another.full_key().await;
    let target = format!("/client-tokens/{}", at(&token, "id"));
    let reactivate = patch(&target).by(&stranger).json(&json!({ "status": "active" }));
    assert_eq!(app.send(reactivate).await.status, 404);
}
