//! `POST /client-tokens`, when all is well.

use serde_json::{Value, json};
use tollgate_domain::client_token::TokenText;
use tollgate_domain::environment::Environment;

use crate::support::{PLAIN, START, SURFACES, Store, TestApp, at, post};

pub(crate) async fn a_new_token_is_shown_byte_for_byte_in_the_contracts_order(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens");
        let body = json!({
            "name": "Docs site pricing table",
            "description": "Shows localized prices on the public pricing table.",
        });
        let answer = app.post(&target, &body).await;
        let token = answer.data(201);
        let (id, text) = (at(token, "id"), at(token, "token"));
        let expected = format!(
            concat!(
                r#"{{"data":{{"id":"{}","token":"{}","name":"Docs site pricing table","#,
                r#""description":"Shows localized prices on the public pricing table.","status":"active","#,
                r#""created_at":"{}","updated_at":"{}","revoked_at":null{}}},"meta":{{"request_id":"{}"}}}}"#
            ),
            id,
            text,
            START,
            START,
            if surface.is_empty() { "" } else { PLAIN },
            answer.request_id()
        );
        assert_eq!(answer.body_text(), expected);
        assert_eq!(
            answer.header("content-length"),
            Some(expected.len().to_string().as_str())
        );
    }
}

pub(crate) async fn a_description_that_is_null_or_left_out_is_null(store: Store) {
    let app = TestApp::start(store).await;
    for body in [
        json!({ "name": "Kiosk" }),
        json!({ "name": "Kiosk", "description": null }),
    ] {
        let answer = app.post("/client-tokens", &body).await;
        assert_eq!(answer.data(201)["description"], Value::Null);
    }
}

pub(crate) async fn a_token_has_the_contracts_pattern_and_a_checksum(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let text = at(&token, "token");
    // The description has the pattern, and every answer is held against it; the checksum is ours.
    let parsed = TokenText::parse(text).expect("a token of ours");
    assert_eq!(parsed.environment(), Environment::Sandbox);
    let mistyped = if text.ends_with('0') { '1' } else { '0' };
    assert!(TokenText::parse(&format!("{}{mistyped}", &text[..31])).is_err());
}

pub(crate) async fn sandbox_and_live_tokens_have_their_own_prefixes(store: Store) {
    let app = TestApp::start(store).await;
    let live = app.workspace("Live shop", Environment::Live).await;
    let live_key = live.full_key().await;
    let sandbox_token = app.token("Kiosk").await;
    let live_token = app.token_by(&live_key, "Kiosk").await;
    assert!(at(&sandbox_token, "token").starts_with("test_"));
    assert!(at(&live_token, "token").starts_with("live_"));
}

pub(crate) async fn names_need_not_be_unique(store: Store) {
    let app = TestApp::start(store).await;
    let (first, second) = (app.token("Kiosk").await, app.token("Kiosk").await);
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["token"], second["token"]);
    assert!(at(&first, "id") < at(&second, "id"), "ids sort by creation");
}

pub(crate) async fn names_and_descriptions_come_back_untouched(store: Store) {
    let app = TestApp::start(store).await;
    for text in [
        " ",
        "  Kiosk  ",
        "Größe, 価格, 🧾",
        "e\u{301} isn't \u{e9}",
        r#"quotes " and \ and / and <script>"#,
        "\u{202e}\u{feff}\u{10ffff}",
        "'; DROP TABLE client_tokens; --",
        "%00 {} {0} $1",
    ] {
        let answer = app
            .post("/client-tokens", &json!({ "name": text, "description": text }))
            .await;
        let token = answer.data(201).clone();
        assert_eq!((at(&token, "name"), at(&token, "description")), (text, text));
        let again = app.get(&format!("/client-tokens/{}", at(&token, "id"))).await;
        assert_eq!(again.data(200), &token);
    }
    let answer = app
        .post(
            "/client-tokens",
            &json!({ "name": "Lines", "description": "one\r\n\ttwo" }),
        )
        .await;
    assert_eq!(answer.data(201)["description"], "one\r\n\ttwo");
}

pub(crate) async fn nothing_else_can_be_chosen(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        for property in [
            "id",
            "token",
            "status",
            "created_at",
            "updated_at",
            "revoked_at",
            "seller_id",
        ] {
            let body = json!({ "name": "Kiosk", property: "x" });
            let answer = app
                .send(post(format!("{surface}/client-tokens")).by(&app.key).json(&body))
                .await;
            answer.is_bad_request(&[("(root)", &format!("Additional property {property} is not allowed"))]);
        }
    }
    assert_eq!(app.get("/client-tokens").await.total(), 0);
}
