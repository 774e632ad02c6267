//! What is told when keys are made, changed and revoked by the machine's operator.

use tollgate_domain::event::Actor;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_service::ApiKeyPatch;

use crate::support::{HOUR, Key, Store, TestApp, at};

/// The bytes that the API shows of a key.
async fn shown(app: &TestApp, key: &Key) -> String {
    let answer = app.get(&format!("/api-keys/{}", key.id)).await;
    let body = answer.body_text().strip_prefix("{\"data\":").expect("an envelope");
    body.split_once(",\"meta\":").expect("an envelope").0.to_owned()
}

pub(crate) async fn each_change_is_told_with_the_bytes_that_the_api_shows(store: Store) {
    let app = TestApp::start(store).await;
    let operator = &app.home.operator;
    let key = app.home.key(&["client_token.read"]).await;
    let mut expected = vec![("api_key.created", shown(&app, &key).await)];

    app.clock.advance(HOUR);
    let patch = ApiKeyPatch {
        name: Some("Nightly job".to_owned()),
        permissions: Some([Permission::CLIENT_TOKEN_WRITE].into_iter().collect::<PermissionSet>()),
        ..ApiKeyPatch::default()
    };
    app.service
        .update_api_key(operator, key.id, &patch)
        .await
        .expect("updated");
    expected.push(("api_key.updated", shown(&app, &key).await));
    app.service
        .update_api_key(operator, key.id, &patch)
        .await
        .expect("no change");

    app.clock.advance(HOUR);
    app.service.revoke_api_key(operator, key.id).await.expect("revoked");
    expected.push(("api_key.revoked", shown(&app, &key).await));
    app.service.revoke_api_key(operator, key.id).await.expect("no change");

    let events = app.events_of(&key.id.to_string()).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.event_type.name(), event.data.clone()))
        .collect();
    assert_eq!(told, expected);
    for event in &events {
        assert_eq!(event.actor, Actor::CommandLine);
        assert!(!event.data.contains(&key.secret[43..]), "the secret is told to nobody");
        let data: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
        assert_eq!(event.occurred_at.to_string(), at(&data, "updated_at"));
    }
}
