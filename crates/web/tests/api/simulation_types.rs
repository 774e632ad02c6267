//! `GET /simulation-types`.

use serde_json::json;

use crate::support::{Store, TestApp, get};

pub(crate) async fn single_events_of_client_tokens_and_api_keys_are_listed(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.send(get("/simulation-types").by(&app.home.key(&[]).await)).await;
    let mut listed = answer.column("name");
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            "api_key.created",
            "api_key.expired",
            "api_key.expiring",
            "api_key.revoked",
            "api_key.updated",
            "client_token.created",
            "client_token.revoked",
            "client_token.updated",
        ]
    );
    assert!(answer.json()["meta"].get("pagination").is_none(), "not paged");
    let revoked = answer
        .items()
        .iter()
        .find(|item| item["name"] == "client_token.revoked");
    assert_eq!(
        revoked.expect("listed"),
        &json!({
            "name": "client_token.revoked",
            "label": "client_token.revoked",
            "description": "Occurs when a client token is revoked.",
            "group": "Client Token",
            "type": "single_event",
            "events": ["client_token.revoked"],
        })
    );
}
