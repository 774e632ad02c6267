//! The payload of a simulation: which properties it may have, and what is sent of it.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use super::{path, run, setting, simulation};
use crate::support::{Key, NOWHERE, START, Store, TestApp, at, get, post};

/// What a run of this simulation, by this key, tells of.
async fn told(app: &TestApp, key: &Key, simulation: &Value) -> Value {
    let run = app.send(post(path(simulation, "/runs")).by(key)).await;
    let run = at(run.data(201), "id").to_owned();
    let events = app
        .send(get(path(simulation, &format!("/runs/{run}/events"))).by(key))
        .await;
    events.items()[0]["payload"].clone()
}

pub(crate) async fn a_payload_comes_back_as_it_was_given(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    for (event_type, payload) in [
        ("client_token.created", json!({})),
        (
            "client_token.created",
            json!({
                "id": "ctkn_01kjpx8smtt7yvcqtc63b3kq74", "token": "test_da3059212d9a85cee360c0488e1", "name": "🔑 \"a\"",
                "description": null, "status": "revoked", "created_at": "2026-03-02T09:15:04.218733Z",
                "updated_at": "2026-03-02T10:15:04+01:00", "revoked_at": null,
            }),
        ),
        (
            "api_key.expiring",
            json!({
                "id": "apikey_01kjpx8smtt7yvcqtc63b3kq74", "name": "Backend", "description": "Two\nlines",
                "status": "expired", "key": "pdl_live_apikey_01jkdpbhaz****", "permissions": ["client_token.read"],
                "expires_at": null, "last_used_at": "2026-03-02T09:15:04Z", "created_at": "2026-03-02T09:15:04Z",
                "updated_at": "2026-03-02T09:15:04Z", "rotatable": true,
            }),
        ),
    ] {
        let simulation = simulation(&app, &setting, event_type, payload.clone()).await;
        assert_eq!(simulation["payload"], payload);
        // All of it is what is sent, and nothing else where nothing is left out.
        let told = told(&app, &app.key, &simulation).await;
        for (name, value) in payload.as_object().expect("an object") {
            assert_eq!(&told[name], value, "{name}");
        }
    }
}

pub(crate) async fn a_payload_holds_only_properties_of_its_entity(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let time = "Does not match format 'date-time'";
    for (event_type, payload, problems) in [
        (
            "client_token.created",
            json!({ "permissions": [], "x": 1 }),
            vec![
                ("payload", "Additional property permissions is not allowed"),
                ("payload", "Additional property x is not allowed"),
            ],
        ),
        (
            "client_token.updated",
            json!({ "id": "apikey_01kjpx8smtt7yvcqtc63b3kq74", "token": "test_x", "status": "expired", "name": "" }),
            vec![
                ("payload.id", r"Does not match pattern '^ctkn_[a-z\d]{26}$'"),
                (
                    "payload.token",
                    "Does not match pattern '^(test|live)_[a-zA-Z0-9]{27}$'",
                ),
                ("payload.name", "String length must be greater than or equal to 1"),
                ("payload.status", r#"must be one of the following: "active", "revoked""#),
            ],
        ),
        (
            "client_token.revoked",
            json!({ "revoked_at": "yesterday", "created_at": "2026-03-02", "updated_at": "2026-03-02T09:15:04" }),
            vec![
                ("payload.created_at", time),
                ("payload.updated_at", time),
                ("payload.revoked_at", time),
            ],
        ),
        (
            "api_key.revoked",
            json!({ "token": "x", "key": "secret", "permissions": ["everything"], "rotatable": null, "expires_at": 7 }),
            vec![
                ("payload.key", r"Does not match pattern '^[a-z\d_]*\*{4}$'"),
                ("payload.permissions.0", ""),
                ("payload.expires_at", "Invalid type. Expected: string, given: integer"),
                ("payload.rotatable", "Invalid type. Expected: boolean, given: null"),
                ("payload", "Additional property token is not allowed"),
            ],
        ),
    ] {
        let new = json!({
            "notification_setting_id": setting, "type": event_type, "name": "Kiosk", "payload": payload,
        });
        for target in ["/simulations", "/tollgate/simulations/trigger"] {
            let mut new = new.clone();
            if target.starts_with("/tollgate") {
                new.as_object_mut().expect("an object").remove("name");
            }
            let answer = app.post(target, &new).await;
            assert_eq!(answer.status, 400, "{}", answer.body_text());
            let errors = answer.json()["error"]["errors"].as_array().expect("problems");
            let fields: Vec<&str> = errors.iter().map(|error| at(error, "field")).collect();
            assert_eq!(fields, problems.iter().map(|(field, _)| *field).collect::<Vec<_>>());
            for (error, (_, message)) in errors.iter().zip(&problems) {
                assert!(at(error, "message").contains(message), "{error}");
            }
        }
    }
}

pub(crate) async fn without_a_payload_an_invented_entity_is_told_of(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let token = app.token("Kiosk").await;
    let key = app.get(&format!("/api-keys/{}", app.key.id)).await.data(200).clone();
    for event_type in app.get("/simulation-types").await.column("name") {
        let simulation = simulation(&app, &setting, event_type, Value::Null).await;
        let told = told(&app, &app.key, &simulation).await;
        let entity = if event_type.starts_with("api_key") {
            &key
        } else {
            &token
        };
        let names = |entity: &Value| {
            entity
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&told), names(entity), "{event_type}");
        assert_ne!(told["id"], entity["id"]);
        let expired_or_revoked = event_type.rsplit('.').next().expect("a verb");
        let status = match expired_or_revoked {
            ended @ ("revoked" | "expired") => ended,
            _ => "active",
        };
        assert_eq!(told["status"], status, "{event_type}");
        if event_type != "api_key.expiring" {
            assert_eq!(told["updated_at"], START, "{event_type}");
        }
    }
}

pub(crate) async fn what_is_given_stands_beside_invented_values_and_the_rest_follows_from_an_unknown_id(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let unknown = json!({ "id": "apikey_01kjpx8smtt7yvcqtc63b3kq74", "name": "Mine" });
    let simulation = simulation(&app, &setting, "api_key.revoked", unknown).await;
    let told = told(&app, &app.key, &simulation).await;
    assert_eq!(
        (&told["name"], &told["id"]),
        (&json!("Mine"), &json!("apikey_01kjpx8smtt7yvcqtc63b3kq74"))
    );
    assert_eq!(told["key"], "pdl_sdbx_apikey_01kjpx8smt****");
    assert_eq!(told["status"], "revoked");
}

pub(crate) async fn the_id_of_a_real_entity_brings_its_values(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let token = app.token("Real kiosk").await;
    let payload = json!({ "id": token["id"], "status": "revoked" });
    let simulation_of_token = simulation(&app, &setting, "client_token.revoked", payload).await;
    let mut expected = token.clone();
    expected["status"] = json!("revoked");
    assert_eq!(told(&app, &app.key, &simulation_of_token).await, expected);

    let key = app.get(&format!("/api-keys/{}", app.key.id)).await.data(200).clone();
    let simulation_of_key = simulation(&app, &setting, "api_key.updated", json!({ "id": key["id"] })).await;
    let mut told_of_key = told(&app, &app.key, &simulation_of_key).await;
    told_of_key["last_used_at"] = key["last_used_at"].clone(); // the use is noted beside the request
    assert_eq!(told_of_key, key);
}

pub(crate) async fn whoever_may_not_read_the_entity_learns_nothing_of_it(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let token = app.token("Real kiosk").await;
    let stranger = app
        .workspace("Another shop", Environment::Sandbox)
        .await
        .full_key()
        .await;
    let foreign = app.token_by(&stranger, "Foreign kiosk").await;
    let powerless = app.home.key(&["notification_simulation.write"]).await;
    let ids = [
        (&powerless, &token["id"], "client_token.updated"),
        (&app.key, &foreign["id"], "client_token.updated"),
    ];
    let keys = [
        (&powerless, json!(app.key.id.to_string()), "api_key.updated"),
        (&app.key, json!(stranger.id.to_string()), "api_key.updated"),
    ];
    for (key, id, event_type) in ids
        .into_iter()
        .map(|(key, id, event_type)| (key, id.clone(), event_type))
        .chain(keys)
    {
        let simulation = simulation(&app, &setting, event_type, json!({ "id": id })).await;
        let told = told(&app, key, &simulation).await;
        assert_eq!(told["id"], id);
        assert!(
            ["Pricing page", "Storefront backend"].contains(&at(&told, "name")),
            "{told}"
        );
        assert_ne!(told.get("token").unwrap_or(&Value::Null), &token["token"]);
    }
    // Every key may read itself.
    let own = simulation(
        &app,
        &setting,
        "api_key.updated",
        json!({ "id": powerless.id.to_string() }),
    )
    .await;
    assert_eq!(told(&app, &powerless, &own).await["name"], "Billing backend");
}

pub(crate) async fn a_run_tells_of_the_payload_as_it_was_when_it_was_run(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", json!({ "name": "Before" })).await;
    let run = run(&app, &simulation).await;
    app.patch(&path(&simulation, ""), &json!({ "payload": { "name": "After" } }))
        .await
        .data(200);
    let events = app.get(&path(&simulation, &format!("/runs/{run}/events"))).await;
    assert_eq!(events.items()[0]["payload"]["name"], "Before");
}
