//! Credentials under `/tollgate`: 401 with a challenge, where the compatible surface has 403.

use crate::support::{Request, Store, TestApp, get, patch, post};

const MISSING: &str = r#"Bearer realm="tollgate""#;
const INVALID: &str = r#"Bearer realm="tollgate", error="invalid_token""#;

fn requests() -> [Request; 4] {
    let one = "/tollgate/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33";
    [
        get("/tollgate/client-tokens"),
        post("/tollgate/client-tokens").text("{}"),
        get(one),
        patch(one).text("{}"),
    ]
}

pub(crate) async fn a_missing_credential_is_challenged(store: Store) {
    let app = TestApp::start(store).await;
    for request in requests() {
        let answer = app.send(request).await;
        answer.is_unauthorized("authentication_missing", MISSING);
    }
}

pub(crate) async fn a_wrong_credential_is_challenged_as_invalid(store: Store) {
    let app = TestApp::start(store).await;
    for request in requests() {
        let malformed = app.send(request.clone().header("Authorization", "Bearer")).await;
        malformed.is_unauthorized("authentication_malformed", INVALID);
        let unknown = app.send(request.header("Authorization", "Bearer nonsense")).await;
        unknown.is_unauthorized("invalid_token", INVALID);
    }
}

pub(crate) async fn a_missing_permission_is_403_without_a_challenge(store: Store) {
    let app = TestApp::start(store).await;
    let key = app.home.key(&[]).await;
    for request in requests() {
        let answer = app.send(request.by(&key)).await;
        answer.is_error("forbidden");
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

pub(crate) async fn the_compatible_surface_never_challenges(store: Store) {
    let app = TestApp::start(store).await;
    for value in [None, Some("Bearer"), Some("Bearer nonsense")] {
        for path in ["/client-tokens", "/events", "/event-types", "/api-keys"] {
            let request = value.map_or(get(path), |value| get(path).header("Authorization", value));
            let answer = app.send(request).await;
            assert_eq!(answer.status, 403);
            assert_eq!(answer.header("www-authenticate"), None);
        }
    }
}
