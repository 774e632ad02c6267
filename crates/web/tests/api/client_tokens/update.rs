//! `PATCH /client-tokens/{client_token_id}`: revoking, and what it refuses.

use std::time::Duration;

use serde_json::json;
use tollgate_domain::environment::Environment;
use tollgate_domain::event::Actor;

use crate::support::{HOUR, Mood, PLAIN, START, SURFACES, Store, TestApp, at, patch, shown_as_told, shown_on};

const STATUSES: &str = r#"must be one of the following: "active", "revoked""#;

pub(crate) async fn revoking_is_shown_byte_for_byte_in_the_contracts_order(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let created = START;
        let token = app.token("Docs site pricing table").await;
        app.clock.advance(Duration::from_micros(1_000_001));
        let (id, text) = (at(&token, "id"), at(&token, "token"));
        let answer = app
            .patch(
                &format!("{surface}/client-tokens/{id}"),
                &json!({ "status": "revoked" }),
            )
            .await;
        let created_at = at(&token, "created_at");
        let revoked_at = if surface.is_empty() {
            assert_eq!(created_at, created);
            "2026-03-02T09:15:05.218734Z"
        } else {
            "2026-03-02T09:15:06.218735Z"
        };
        let expected = format!(
            concat!(
                r#"{{"data":{{"id":"{}","token":"{}","name":"Docs site pricing table","description":null,"#,
                r#""status":"revoked","created_at":"{}","updated_at":"{}","revoked_at":"{}"{}}},"#,
                r#""meta":{{"request_id":"{}"}}}}"#
            ),
            id,
            text,
            created_at,
            revoked_at,
            revoked_at,
            if surface.is_empty() { "" } else { PLAIN },
            answer.request_id()
        );
        assert_eq!((answer.status, answer.body_text()), (200, expected.as_str()));
    }
}

pub(crate) async fn a_status_that_is_there_already_changes_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let active = app.token("Active").await;
    let revoked = app.revoked_token("Revoked").await;
    app.clock.advance(HOUR);
    for surface in SURFACES {
        for token in [&active, &revoked] {
            let target = format!("{surface}/client-tokens/{}", at(token, "id"));
            let events = app.stored_events().await;
            let answer = app.patch(&target, &json!({ "status": token["status"] })).await;
            assert_eq!(
                answer.data(200),
                &shown_on(surface, token),
                "the answer is the token as it was"
            );
            assert_eq!(app.get(&target).await.data(200), &shown_on(surface, token));
            assert_eq!(
                app.stored_events().await,
                events,
                "nothing happened, so nothing is told"
            );
        }
    }
}

pub(crate) async fn a_revoked_token_is_never_active_again(store: Store) {
    let app = TestApp::start(store).await;
    let revoked = app.revoked_token("Revoked").await;
    let events = app.stored_events().await;
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens/{}", at(&revoked, "id"));
        let answer = app.patch(&target, &json!({ "status": "active" })).await;
        answer.is_error_about(
            "invalid_field",
            &[("status", "A revoked client token can't be made active again")],
        );
        assert_eq!(app.get(&target).await.data(200), &shown_on(surface, &revoked));
    }
    assert_eq!(app.stored_events().await, events);
}

pub(crate) async fn a_patch_of_nothing_names_the_status(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let target = format!("/client-tokens/{}", at(&token, "id"));
    for request in [patch(&target).text("{}"), patch(&target).text(""), patch(&target)] {
        let answer = app.send(request.by(&app.key)).await;
        answer.is_bad_request(&[("(root)", "status is required")]);
    }
}

pub(crate) async fn an_unknown_status_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    for surface in SURFACES {
        for status in ["", "Revoked", "REVOKED", "archived", "expired", " revoked"] {
            let target = format!("{surface}/client-tokens/{}", at(&token, "id"));
            let answer = app.patch(&target, &json!({ "status": status })).await;
            answer.is_bad_request(&[("status", STATUSES)]);
        }
    }
}

pub(crate) async fn name_and_description_cannot_be_changed_here(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let target = format!("/client-tokens/{}", at(&token, "id"));
    let no_name = ("(root)", "Additional property name is not allowed");
    let answer = app
        .patch(&target, &json!({ "status": "revoked", "name": "Stall" }))
        .await;
    answer.is_bad_request(&[no_name]);
    let answer = app
        .patch(&target, &json!({ "name": "Stall", "description": null }))
        .await;
    answer.is_bad_request(&[
        ("(root)", "status is required"),
        ("(root)", "Additional property description is not allowed"),
        no_name,
    ]);
    assert_eq!(app.get(&target).await.data(200), &token);
}

pub(crate) async fn unknown_malformed_and_foreign_ids_are_told_apart_as_for_reading(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let revoke = json!({ "status": "revoked" });
    for surface in SURFACES {
        let unknown = "ctkn_01kjpx8smt1jx21jct317jay33";
        let answer = app.patch(&format!("{surface}/client-tokens/{unknown}"), &revoke).await;
        answer.is_error_saying("not_found", &format!("Client token {unknown} not found."));
        let answer = app.patch(&format!("{surface}/client-tokens/x"), &revoke).await;
        answer.is_bad_request(&[("client_token_id", r"Does not match pattern '^ctkn_[a-z\d]{26}$'")]);

        let id = at(&token, "id");
        let another = app.workspace("Another shop", Environment::Sandbox).await;
        let stranger = another.full_key().await;
        let target = format!("{surface}/client-tokens/{id}");
        let answer = app.send(patch(&target).by(&stranger).json(&revoke)).await;
        answer.is_error_saying("not_found", &format!("Client token {id} not found."));
    }
    let target = format!("/client-tokens/{}", at(&token, "id"));
    assert_eq!(app.get(&target).await.data(200), &token);
}

pub(crate) async fn a_revocation_is_told_as_updated_then_revoked(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let token = app.token("Kiosk").await;
        app.clock.advance(HOUR);
        let target = format!("{surface}/client-tokens/{}", at(&token, "id"));
        let answer = app.patch(&target, &json!({ "status": "revoked" })).await;
        let revoked = answer.data(200);

        let events = app.events_of(at(&token, "id")).await;
        let names: Vec<_> = events.iter().map(|event| event.event_type.name()).collect();
        assert_eq!(
            names,
            ["client_token.created", "client_token.updated", "client_token.revoked"]
        );
        assert!(events.is_sorted_by_key(|event| event.id), "ids in that order");
        for event in &events[1..] {
            assert_eq!(event.occurred_at.to_string(), at(revoked, "revoked_at"));
            // The data has the very bytes of the answer.
            assert!(answer.body_text().starts_with(&shown_as_told(surface, event)));
        }
        for event in &events {
            assert_eq!(event.actor, Actor::ApiKey(app.key.id));
            assert!(!event.data.contains("apikey_"), "who did it isn't in the payload");
        }
    }
}

pub(crate) async fn sixteen_revocations_at_once_are_one(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let target = format!("/client-tokens/{}", at(&token, "id"));
    let revoke = json!({ "status": "revoked" });
    let mut revocations = Vec::new();
    for _ in 0..16 {
        revocations.push(app.patch(&target, &revoke));
    }
    let mut answers = futures_util::future::join_all(revocations).await;
    let first = answers.pop().expect("sixteen").data(200).clone();
    for answer in answers {
        assert_eq!(answer.data(200), &first);
    }
    assert_eq!(app.events_of(at(&token, "id")).await.len(), 3);
}

pub(crate) async fn a_change_that_others_keep_preventing_is_a_conflict(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let id = at(&token, "id");
    app.set_mood(Mood::Contended);
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens/{id}");
        let answer = app.patch(&target, &json!({ "status": "revoked" })).await;
        answer.is_error_saying(
            "concurrent_modification",
            &format!("Concurrent modification of entity {id}."),
        );
    }
}
