//! Paths that lead nowhere, and those that nearly do.

use crate::support::{Answer, Store, TestApp, get, request};

pub(crate) async fn a_path_that_leads_nowhere_is_an_invalid_url(store: Store) {
    let app = TestApp::start(store).await;
    for path in [
        "/nowhere",
        "/client-tokens/",
        "/client-tokens//",
        "/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33/",
        "/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33/revoke",
        "/client_tokens",
        "/Client-Tokens",
        "/client-tokens%2F",
        "/client%2Dtokenz",
        "/%63lient-tokens-",
        "/v1/client-tokens",
        "/tollgate",
        "/tollgate/",
        "/tollgate//client-tokens",
        "/tollgate/client-tokens/",
        "/tollgate/event-types",
        "/tollgate/events/",
        "/notifications/",
        "/notifications//logs",
        "/notifications///replay",
        "/notifications/ntf_01kjpx8smt1jx21jct317jay33//logs",
        "/notifications/ntf_01kjpx8smt1jx21jct317jay33/logs/ntflog_01kjpx8smt1jx21jct317jay33",
        "/notification-settings/ntfset_01kjpx8smt1jx21jct317jay33/secrets",
        "/tollgate/notification-settings/ntfset_01kjpx8smt1jx21jct317jay33",
        "/tollgate/notification-settings//secrets",
        "/tollgate/notifications",
        "/events/evt_01kjpx8smt1jx21jct317jay33",
        "/event-types/client_token.created",
        "/api-keys/",
        "/api-keys/apikey_01kjpx8smt1jx21jct317jay33/rotations",
        "/health",
        "/openapi.json/",
        "/openapi.yaml",
        "/.env",
        "/%ff",
        "/%00",
        "/%",
        "/..",
        "/client-tokens/../client-tokens",
        "/;",
        "/*",
    ] {
        for method in ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"] {
            let answer = app.send(request(method, path).by(&app.key)).await;
            if method == "HEAD" {
                assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
            } else {
                answer.is_error("invalid_url");
            }
        }
    }
}

pub(crate) async fn slashes_at_the_beginning_count_as_one(store: Store) {
    let app = TestApp::start(store).await;
    for slashes in ["//", "///", "//////////"] {
        let answer = app.get(&format!("{slashes}client-tokens?per_page=3")).await;
        answer.data(200);
        // The address of the next page is one that works everywhere.
        assert_eq!(answer.next(), format!("{}/client-tokens?per_page=3", app.base()));
        app.send(get(slashes)).await.data(200);
        app.send(get(format!("{slashes}tollgate/client-tokens")).by(&app.key))
            .await
            .data(200);
        app.send(get(format!("{slashes}evil.example/")))
            .await
            .is_error("invalid_url");
    }
}

pub(crate) async fn a_target_may_name_the_host_too(store: Store) {
    let app = TestApp::start(store).await;
    let target = format!("http://{}/client-tokens", app.address);
    let bytes = get(target).by(&app.key).to_bytes("tollgate.example");
    let received = crate::support::exchange(app.address, &bytes).await;
    let (answer, _) = Answer::parse("GET", "/client-tokens", &received).expect("an answer");
    assert_eq!(answer.next(), "http://tollgate.example/client-tokens");
}

pub(crate) async fn a_query_may_hold_anything(store: Store) {
    let app = TestApp::start(store).await;
    for query in [
        "?",
        "??",
        "?&",
        "?=",
        "?%",
        "?%zz=%",
        "?a[]=1&a[]=2",
        "?+=+",
        "?\u{e9}",
        &format!("?{}", "a".repeat(8_000)),
    ] {
        let answer = app.get(&format!("/client-tokens{query}")).await;
        answer.data(200);
    }
}
