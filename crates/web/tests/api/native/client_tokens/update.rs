//! `PATCH /tollgate/client-tokens/{client_token_id}`: name and description as well.

use serde_json::json;
use tollgate_domain::event::Actor;

use super::{NATIVE, target, told};
use crate::support::{HOUR, Store, TestApp, at, patch, shown_as_told, shown_on};

pub(crate) async fn a_name_can_be_changed_and_is_told(store: Store) {
    let app = TestApp::start(store).await;
    let mut token = shown_on(NATIVE, &app.token("Kiosk").await);
    app.clock.advance(HOUR);
    let answer = app.patch(&target(&token), &json!({ "name": "Stall" })).await;
    token["name"] = json!("Stall");
    token["updated_at"] = json!("2026-03-02T10:15:04.218733Z");
    assert_eq!(answer.data(200), &token);
    assert_eq!(app.get(&target(&token)).await.data(200), &token);

    let events = app.events_of(at(&token, "id")).await;
    assert_eq!(told(&app, &token).await, ["client_token.updated"]);
    assert_eq!(events[1].occurred_at.to_string(), at(&token, "updated_at"));
    assert_eq!(events[1].actor, Actor::ApiKey(app.key.id));
    assert!(answer.body_text().starts_with(&shown_as_told(NATIVE, &events[1])));
}

pub(crate) async fn a_description_can_be_given_changed_and_taken_away(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    for description in [json!("Hall 4"), json!("Hall 5"), json!(null)] {
        let answer = app.patch(&target(&token), &json!({ "description": description })).await;
        assert_eq!(answer.data(200)["description"], description);
        assert_eq!(answer.data(200)["name"], "Kiosk");
    }
    assert_eq!(told(&app, &token).await, ["client_token.updated"; 3]);
}

pub(crate) async fn everything_can_be_changed_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    app.clock.advance(HOUR);
    let change = json!({ "status": "revoked", "name": "Stall", "description": "Closed" });
    let answer = app.patch(&target(&token), &change).await;
    let changed = answer.data(200);
    assert_eq!((at(changed, "name"), at(changed, "description")), ("Stall", "Closed"));
    assert_eq!(changed["revoked_at"], changed["updated_at"]);
    assert_eq!(
        told(&app, &token).await,
        ["client_token.updated", "client_token.revoked"]
    );
    for event in &app.events_of(at(&token, "id")).await[1..] {
        assert!(answer.body_text().starts_with(&shown_as_told(NATIVE, event)));
    }
}

pub(crate) async fn a_revoked_token_can_be_renamed_and_stays_revoked_since_then(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.revoked_token("Kiosk").await;
    app.clock.advance(HOUR);
    let answer = app.patch(&target(&token), &json!({ "name": "Old kiosk" })).await;
    let renamed = answer.data(200);
    assert_eq!(renamed["status"], "revoked");
    assert_eq!(renamed["revoked_at"], token["revoked_at"]);
    assert_ne!(renamed["updated_at"], token["updated_at"]);
    assert_eq!(told(&app, &token).await.last(), Some(&"client_token.updated"));
}

pub(crate) async fn what_changes_nothing_is_told_to_nobody(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    app.clock.advance(HOUR);
    for same in [
        json!({ "name": "Kiosk" }),
        json!({ "description": null }),
        json!({ "status": "active" }),
        json!({ "name": "Kiosk", "description": null, "status": "active" }),
    ] {
        let answer = app.patch(&target(&token), &same).await;
        assert_eq!(answer.data(200), &shown_on(NATIVE, &token));
    }
    assert!(told(&app, &token).await.is_empty());
}

pub(crate) async fn a_refused_part_refuses_the_whole(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.revoked_token("Kiosk").await;
    let answer = app
        .patch(&target(&token), &json!({ "status": "active", "name": "Stall" }))
        .await;
    answer.is_error_about(
        "invalid_field",
        &[("status", "A revoked client token can't be made active again")],
    );
    assert_eq!(app.get(&target(&token)).await.data(200), &shown_on(NATIVE, &token));
}

pub(crate) async fn fields_keep_to_their_limits_here_too(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let change = json!({
        "name": "🔑".repeat(151), "description": "🔑".repeat(501), "status": "x", "token": "y",
    });
    app.patch(&target(&token), &change).await.is_bad_request(&[
        ("name", "String length must be less than or equal to 150"),
        ("description", "String length must be less than or equal to 500"),
        ("status", r#"must be one of the following: "active", "revoked""#),
        ("(root)", "Additional property token is not allowed"),
    ]);
    let change = json!({ "name": "🔑".repeat(150), "description": "🔑".repeat(500) });
    app.patch(&target(&token), &change).await.data(200);
    let answer = app.patch(&target(&token), &json!({ "name": null })).await;
    answer.is_bad_request(&[("name", "Invalid type. Expected: string, given: null")]);
}

pub(crate) async fn a_change_of_nothing_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    for request in [patch(target(&token)), patch(target(&token)).text("{}")] {
        let answer = app.send(request.by(&app.key)).await;
        answer.is_bad_request(&[("(root)", "Must have at least 1 properties")]);
    }
}
