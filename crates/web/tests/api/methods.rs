//! Methods: known to HTTP or not, allowed for a path or not.

use crate::support::{Answer, Store, TestApp, get, request};

/// What can be done at each path.
const ALLOWED: [(&str, &[&str]); 19] = [
    ("/", &["GET", "HEAD"]),
    ("/client-tokens", &["GET", "HEAD", "POST"]),
    (
        "/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33",
        &["GET", "HEAD", "PATCH"],
    ),
    ("/client-tokens/nonsense", &["GET", "HEAD", "PATCH"]),
    ("/events", &["GET", "HEAD"]),
    ("/event-types", &["GET", "HEAD"]),
    ("/api-keys", &["GET", "HEAD"]),
    ("/api-keys/apikey_01kjpx8smt1jx21jct317jay33", &["GET", "HEAD"]),
    ("/tollgate/client-tokens", &["GET", "HEAD", "POST"]),
    (
        "/tollgate/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33",
        &["GET", "HEAD", "PATCH"],
    ),
    ("/notification-settings", &["GET", "HEAD", "POST"]),
    (
        "/notification-settings/ntfset_01kjpx8smt1jx21jct317jay33",
        &["DELETE", "GET", "HEAD", "PATCH"],
    ),
    ("/notifications", &["GET", "HEAD"]),
    ("/notifications/ntf_01kjpx8smt1jx21jct317jay33/logs", &["GET", "HEAD"]),
    ("/notifications/ntf_01kjpx8smt1jx21jct317jay33/replay", &["POST"]),
    (
        "/tollgate/notification-settings/ntfset_01kjpx8smt1jx21jct317jay33/secrets",
        &["GET", "HEAD"],
    ),
    (
        "/tollgate/notification-settings/ntfset_01kjpx8smt1jx21jct317jay33/rotate-secret",
        &["POST"],
    ),
    ("/tollgate/events", &["GET", "HEAD"]),
    ("/openapi.json", &["GET", "HEAD"]),
];

fn allow(answer: &Answer) -> Vec<&str> {
    let mut methods: Vec<&str> = answer
        .header("allow")
        .expect("405 says what is allowed")
        .split(',')
        .map(str::trim)
        .collect();
    methods.sort_unstable();
    methods
}

pub(crate) async fn a_method_that_a_path_lacks_is_told_what_is_allowed(store: Store) {
    let app = TestApp::start(store).await;
    for (path, allowed) in ALLOWED {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            if allowed.contains(&method) {
                continue;
            }
            for request in [request(method, path), request(method, path).by(&app.key)] {
                let answer = app.send(request).await;
                answer.is_error("method_not_allowed");
                assert_eq!(allow(&answer), allowed, "{method} {path}");
            }
        }
    }
}

pub(crate) async fn a_method_that_http_lacks_is_not_implemented(store: Store) {
    let app = TestApp::start(store).await;
    for (path, _) in ALLOWED {
        for method in [
            "BREW", "get", "Post", "LINK", "PROPFIND", "PURGE", "QUERY", "GETT", "X-Y",
        ] {
            let answer = app.send(request(method, path).by(&app.key)).await;
            answer.is_error("not_implemented");
            assert_eq!(answer.header("allow"), None);
        }
    }
}

pub(crate) async fn head_is_get_without_its_body(store: Store) {
    let app = TestApp::start(store).await;
    app.token("Kiosk").await;
    for (path, _) in ALLOWED {
        for keyed in [false, true] {
            let by = |method: &str| {
                let request = request(method, path);
                if keyed { request.by(&app.key) } else { request }
            };
            let (got, head) = (app.send(by("GET")).await, app.send(by("HEAD")).await);
            assert_eq!(head.status, got.status, "{path}");
            assert!(head.body.is_empty());
            for name in ["content-type", "content-length", "www-authenticate"] {
                assert_eq!(head.header(name), got.header(name), "{name} of {path}");
            }
        }
    }
}

/// Browsers ask before they send a key; they get no leave.
pub(crate) async fn no_answer_lets_browsers_in_from_elsewhere(store: Store) {
    let app = TestApp::start(store).await;
    let preflight = |path: &str| {
        request("OPTIONS", path)
            .header("Origin", "https://shop.example")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization")
    };
    for (path, _) in ALLOWED {
        for answer in [
            app.send(preflight(path)).await,
            app.send(get(path).by(&app.key).header("Origin", "https://shop.example"))
                .await,
            app.send(get(path).header("Origin", "https://shop.example")).await,
        ] {
            let cors: Vec<&str> = answer
                .header_names()
                .filter(|name| name.starts_with("access-control"))
                .collect();
            assert!(cors.is_empty(), "{cors:?} of {path}");
        }
    }
}

pub(crate) async fn targets_of_connect_and_options_star_lead_nowhere(store: Store) {
    let app = TestApp::start(store).await;
    for (method, target) in [("OPTIONS", "*"), ("CONNECT", "shop.example:443")] {
        let bytes = request(method, target).to_bytes("tollgate.example");
        let received = crate::support::exchange(app.address, &bytes).await;
        let (answer, _) = Answer::parse(method, target, &received).expect("an answer");
        assert!([404, 405].contains(&answer.status), "{} for {method}", answer.status);
        assert_eq!(answer.json()["meta"]["request_id"], answer.request_id());
    }
}
