//! The `Paddle-Version` header.

use tollgate_web::{Access, endpoints};

use crate::support::{Store, TestApp, get, post, request};

pub(crate) async fn version_1_and_no_version_are_the_same(store: Store) {
    let app = TestApp::start(store).await;
    for value in ["1", " 1", "1\t"] {
        let answer = app
            .send(get("/client-tokens").by(&app.key).header("Paddle-Version", value))
            .await;
        answer.data(200);
    }
    let create = post("/client-tokens").by(&app.key).header("paddle-version", "1");
    app.send(create.text(r#"{"name":"Kiosk"}"#)).await.data(201);
}

pub(crate) async fn another_version_is_refused_on_every_keyed_path(store: Store) {
    let app = TestApp::start(store).await;
    for endpoint in endpoints() {
        if matches!(endpoint.access, Access::Open | Access::ClientToken) {
            continue;
        }
        let path = endpoint.path.replace("{client_token_id}", "x");
        let path = path.replace("{api_key_id}", &app.key.id.to_string());
        for value in ["", "2", "0", "1.0", "01", "v1", "one", "1, 1", "-1", "é", "1;"] {
            let request = request(endpoint.method.as_str(), &path).by(&app.key);
            let answer = app.send(request.header("Paddle-Version", value)).await;
            answer.is_bad_request(&[("Paddle-Version", r#"must be one of the following: "1""#)]);
        }
        let twice = request(endpoint.method.as_str(), &path).by(&app.key);
        let answer = app
            .send(twice.header("Paddle-Version", "1").header("Paddle-Version", "2"))
            .await;
        assert_eq!(answer.status, 400);
    }
}
