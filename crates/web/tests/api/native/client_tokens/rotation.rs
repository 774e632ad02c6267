//! `POST /tollgate/client-tokens/{client_token_id}/rotate`.

use serde_json::{Value, json};

use super::{LIST, NATIVE, target, told};
use crate::support::{DAY, HOUR, Store, TestApp, at, post, shown_on};

async fn made(app: &TestApp) -> Value {
    let new = json!({
        "name": "Kiosk",
        "description": "Hall 4",
        "restrictions": { "allowed_origins": ["https://shop.example"], "report_only": ["allowed_origins"] },
    });
    app.post(LIST, &new).await.data(201).clone()
}

fn rotate(token: &Value) -> String {
    format!("{}/rotate", target(token))
}

pub(crate) async fn a_successor_has_the_same_name_description_and_restrictions(store: Store) {
    let app = TestApp::start(store).await;
    let token = made(&app).await;
    app.clock.advance(HOUR);
    let answer = app.post(&rotate(&token), &json!({})).await;
    let rotation = answer.data(201);
    let (successor, old) = (&rotation["successor"], &rotation["old"]);
    for same in ["name", "description", "restrictions", "status"] {
        assert_eq!(successor[same], token[same], "{same}");
    }
    for another in ["id", "token"] {
        assert_ne!(successor[another], token[another], "{another}");
    }
    assert_eq!(at(successor, "created_at"), "2026-03-02T10:15:04.218733Z");
    assert_eq!(
        (&successor["revoke_at"], &successor["last_used_at"]),
        (&json!(null), &json!(null))
    );
    for shown in [successor, old] {
        assert_eq!(app.get(&target(shown)).await.data(200), shown);
    }
    assert_eq!(app.get(LIST).await.total(), 2);
}

pub(crate) async fn the_old_token_goes_on_for_seven_days_or_as_long_as_asked(store: Store) {
    let app = TestApp::start(store).await;
    for (asked, revoke_at) in [
        (json!({}), "2026-03-09T09:15:04.218733Z"),
        (
            json!({ "revoke_at": "2026-03-02T12:00:00+01:00" }),
            "2026-03-02T11:00:00.000000Z",
        ),
        (
            json!({ "revoke_at": "2026-03-02T09:15:04.218733Z" }),
            "2026-03-02T09:15:04.218733Z",
        ),
    ] {
        let token = made(&app).await;
        let answer = app.post(&rotate(&token), &asked).await;
        let mut expected = token.clone();
        expected["revoke_at"] = json!(revoke_at);
        assert_eq!(answer.data(201)["old"], expected, "{asked}");
    }
    let token = made(&app).await;
    let answer = app.send(post(rotate(&token)).by(&app.key)).await; // no body at all
    assert_eq!(answer.data(201)["old"]["revoke_at"], "2026-03-09T09:15:04.218733Z");
    let gone = token;
    app.clock.advance(7 * DAY);
    app.service.revoke_scheduled().await.expect("the store answers");
    assert_eq!(app.get(&target(&gone)).await.data(200)["status"], "revoked");
    let successor = &answer.data(201)["successor"];
    assert_eq!(app.get(&target(successor)).await.data(200), successor);
}

pub(crate) async fn an_earlier_schedule_stays(store: Store) {
    let app = TestApp::start(store).await;
    for (scheduled, asked, kept) in [
        ("2026-03-03T00:00:00Z", json!({}), "2026-03-03T00:00:00.000000Z"),
        ("2026-04-01T00:00:00Z", json!({}), "2026-03-09T09:15:04.218733Z"),
        (
            "2026-03-03T00:00:00Z",
            json!({ "revoke_at": "2026-04-01T00:00:00Z" }),
            "2026-04-01T00:00:00.000000Z",
        ),
    ] {
        let token = made(&app).await;
        app.patch(&target(&token), &json!({ "revoke_at": scheduled }))
            .await
            .data(200);
        let answer = app.post(&rotate(&token), &asked).await;
        assert_eq!(answer.data(201)["old"]["revoke_at"], kept, "{scheduled} {asked}");
        assert_eq!(answer.data(201)["successor"]["revoke_at"], json!(null));
    }
}

pub(crate) async fn both_are_told(store: Store) {
    let app = TestApp::start(store).await;
    let token = made(&app).await;
    let answer = app.post(&rotate(&token), &json!({})).await;
    assert_eq!(told(&app, &token).await, ["client_token.updated"]);
    let events = app.stored_events().await;
    let [.., created, updated] = &events[..] else {
        panic!("two events")
    };
    let rotation = answer.data(201);
    assert_eq!(created.event_type.name(), "client_token.created");
    assert_eq!(created.subject, at(&rotation["successor"], "id"));
    assert_eq!(updated.subject, at(&rotation["old"], "id"));
}

pub(crate) async fn a_revoked_token_is_not_rotated(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.revoked_token("Kiosk").await;
    let answer = app.post(&rotate(&token), &json!({})).await;
    answer.is_error_about(
        "invalid_field",
        &[("status", "A revoked client token can't be rotated")],
    );
    assert_eq!(app.get(LIST).await.total(), 0);
    assert_eq!(app.get(&target(&token)).await.data(200), &shown_on(NATIVE, &token));
}

pub(crate) async fn what_is_wrong_is_refused_and_makes_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let token = made(&app).await;
    let past = app
        .post(&rotate(&token), &json!({ "revoke_at": "2026-03-02T09:15:04Z" }))
        .await;
    past.is_error_about("invalid_field", &[("revoke_at", "Must not be in the past")]);
    let wrong = app
        .post(&rotate(&token), &json!({ "revoke_at": null, "name": "Stall" }))
        .await;
    wrong.is_bad_request(&[
        ("revoke_at", "Invalid type. Expected: string, given: null"),
        ("(root)", "Additional property name is not allowed"),
    ]);
    let unknown = "ctkn_01kjpx8smt1jx21jct317jay33";
    let answer = app.post(&format!("{LIST}/{unknown}/rotate"), &json!({})).await;
    answer.is_error_saying("not_found", &format!("Client token {unknown} not found."));
    let answer = app.post(&format!("{LIST}/x/rotate"), &json!({})).await;
    answer.is_bad_request(&[("client_token_id", r"Does not match pattern '^ctkn_[a-z\d]{26}$'")]);
    assert_eq!(app.get(LIST).await.data(200), &json!([token]));
}

pub(crate) async fn the_same_request_makes_one_successor(store: Store) {
    let app = TestApp::start(store).await;
    let token = made(&app).await;
    let ask = |body: Value| {
        let request = post(rotate(&token)).by(&app.key).json(&body);
        request.header("Idempotency-Key", "rotation-1")
    };
    let first = app.send(ask(json!({}))).await;
    app.clock.advance(HOUR);
    let again = app.send(ask(json!({}))).await;
    assert_eq!(again.data(201), first.data(201));
    assert_eq!(app.get(LIST).await.total(), 2);
    let other = app.send(ask(json!({ "revoke_at": "2027-01-01T00:00:00Z" }))).await;
    other.is_error("idempotency_key_reused");
}

pub(crate) async fn rotations_at_once_each_make_a_successor(store: Store) {
    let app = TestApp::start(store).await;
    let token = made(&app).await;
    let rotate = async || app.post(&rotate(&token), &json!({})).await.data(201)["successor"].clone();
    let (one, two, three) = tokio::join!(rotate(), rotate(), rotate());
    let mut made = app.get(LIST).await.data(200).as_array().expect("a list").clone();
    made.retain(|shown| shown["id"] != token["id"]);
    assert_eq!(made.len(), 3);
    assert!([one, two, three].iter().all(|successor| made.contains(successor)));
    assert_eq!(told(&app, &token).await, ["client_token.updated"; 3]);
}

pub(crate) async fn another_workspaces_token_does_not_exist(store: Store) {
    let app = TestApp::start(store).await;
    let token = made(&app).await;
    let another = app.workspace("Another shop", app.home.workspace.environment).await;
    let stranger = another.full_key().await;
    let answer = app.send(post(rotate(&token)).by(&stranger).json(&json!({}))).await;
    answer.is_error_saying("not_found", &format!("Client token {} not found.", at(&token, "id")));
    assert_eq!(app.get(&target(&token)).await.data(200), &token);
}
