//! `Idempotency-Key` on `POST /client-tokens`.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use crate::support::{Answer, DAY, Key, SURFACES, Store, TestApp, at, post};

const MALFORMED: &str = "Must be 1 to 255 visible ASCII characters without blanks";

async fn create(app: &TestApp, key: &Key, name: &str, body: &Value) -> Answer {
    create_on(app, "", key, name, body).await
}

async fn create_on(app: &TestApp, surface: &str, key: &Key, name: &str, body: &Value) -> Answer {
    let create = post(format!("{surface}/client-tokens")).by(key).json(body);
    app.send(create.header("Idempotency-Key", name)).await
}

pub(crate) async fn the_same_request_gets_the_same_token_and_makes_one(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let name = format!("order-7{surface}");
        let body = json!({ "name": "Kiosk", "description": "Hall 4" });
        let first = create_on(&app, surface, &app.key, &name, &body).await;
        app.clock.advance_almost(DAY);
        let second = create_on(&app, surface, &app.key, &name, &body).await;
        assert_eq!(second.data(201), first.data(201));
        assert_ne!(second.request_id(), first.request_id(), "each request has its own id");
        assert_eq!(app.events_of(at(first.data(201), "id")).await.len(), 1);
    }
    assert_eq!(app.get("/client-tokens").await.total(), 2);
}

pub(crate) async fn the_answer_is_the_first_one_whatever_became_of_the_token(store: Store) {
    let app = TestApp::start(store).await;
    let body = json!({ "name": "Kiosk" });
    let first = create(&app, &app.key, "order-7", &body).await;
    let target = format!("/client-tokens/{}", at(first.data(201), "id"));
    app.patch(&target, &json!({ "status": "revoked" })).await.data(200);
    let second = create(&app, &app.key, "order-7", &body).await;
    assert_eq!(second.data(201), first.data(201));
}

pub(crate) async fn another_request_under_the_same_key_is_a_conflict(store: Store) {
    let app = TestApp::start(store).await;
    let first = create(&app, &app.key, "order-7", &json!({ "name": "Kiosk" })).await;
    first.data(201);
    for body in [
        json!({ "name": "Stall" }),
        json!({ "name": "Kiosk", "description": null }),
        json!({ "name": "kiosk" }),
    ] {
        create(&app, &app.key, "order-7", &body)
            .await
            .is_error("idempotency_key_reused");
    }
    let native = create_on(&app, "/tollgate", &app.key, "order-7", &json!({ "name": "Kiosk" })).await;
    native.is_error("idempotency_key_reused");
    assert_eq!(app.get("/client-tokens").await.total(), 1);
}

pub(crate) async fn keys_are_compared_exactly(store: Store) {
    let app = TestApp::start(store).await;
    for name in [
        "order-7",
        "Order-7",
        "order-70",
        "order-7.",
        "%6frder-7",
        &"k".repeat(255),
    ] {
        create(&app, &app.key, name, &json!({ "name": "Kiosk" }))
            .await
            .data(201);
    }
    assert_eq!(app.get("/client-tokens").await.total(), 6);
}

pub(crate) async fn each_api_key_has_idempotency_keys_of_its_own(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.workspace("Another shop", Environment::Live).await.full_key().await;
    let colleague = app.home.full_key().await;
    let first = create(&app, &app.key, "order-7", &json!({ "name": "Kiosk" })).await;
    for key in [&colleague, &another] {
        for body in [json!({ "name": "Stall" }), json!({ "name": "Kiosk" })] {
            let name = if body["name"] == "Stall" { "order-7" } else { "order-8" };
            let answer = create(&app, key, name, &body).await;
            assert_ne!(answer.data(201)["id"], first.data(201)["id"]);
        }
    }
}

pub(crate) async fn a_key_is_free_again_after_24_hours(store: Store) {
    let app = TestApp::start(store).await;
    let first = create(&app, &app.key, "order-7", &json!({ "name": "Kiosk" })).await;
    app.clock.advance(DAY);
    let second = create(&app, &app.key, "order-7", &json!({ "name": "Stall" })).await;
    assert_ne!(second.data(201)["id"], first.data(201)["id"]);
    let third = create(&app, &app.key, "order-7", &json!({ "name": "Stall" })).await;
    assert_eq!(third.data(201), second.data(201), "the key stands for the second now");
}

pub(crate) async fn what_was_refused_does_not_use_up_the_key(store: Store) {
    let app = TestApp::start(store).await;
    create(&app, &app.key, "order-7", &json!({ "name": "" })).await;
    let answer = create(&app, &app.key, "order-7", &json!({ "name": "Kiosk" })).await;
    answer.data(201);
}

pub(crate) async fn requests_at_once_make_one_token(store: Store) {
    let app = TestApp::start(store).await;
    for at_once in [2, 16] {
        let name = format!("order-{at_once}");
        let body = json!({ "name": name });
        let mut creations = Vec::new();
        for _ in 0..at_once {
            creations.push(create(&app, &app.key, &name, &body));
        }
        let answers = futures_util::future::join_all(creations).await;
        let token = answers[0].data(201).clone();
        for answer in &answers {
            assert_eq!(answer.data(201), &token);
        }
        assert_eq!(app.events_of(at(&token, "id")).await.len(), 1);
    }
    assert_eq!(app.get("/client-tokens").await.total(), 2);
}

pub(crate) async fn different_requests_at_once_under_one_key_make_one_token(store: Store) {
    let app = TestApp::start(store).await;
    let bodies: Vec<Value> = (0..16)
        .map(|number| json!({ "name": format!("Kiosk {number}") }))
        .collect();
    let creations = bodies.iter().map(|body| create(&app, &app.key, "order-7", body));
    let answers = futures_util::future::join_all(creations).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 15));
    for answer in refused {
        answer.is_error("idempotency_key_reused");
    }
    assert_eq!(app.get("/client-tokens").await.total(), 1);
}

pub(crate) async fn a_malformed_key_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens");
        let create = || post(&target).by(&app.key).json(&json!({ "name": "Kiosk" }));
        let too_long = "k".repeat(256);
        let malformed: [&[u8]; 6] = [
            b"",
            b"two words",
            b"tab\there",
            "clé".as_bytes(),
            b"\xff",
            too_long.as_bytes(),
        ];
        for name in malformed {
            let answer = app.send(create().header("Idempotency-Key", name)).await;
            answer.is_bad_request(&[("Idempotency-Key", MALFORMED)]);
        }
        let twice = create().header("Idempotency-Key", "a").header("idempotency-key", "a");
        let answer = app.send(twice).await;
        answer.is_bad_request(&[("Idempotency-Key", "Must be sent once")]);
    }
    assert_eq!(app.get("/client-tokens").await.total(), 0);
}
