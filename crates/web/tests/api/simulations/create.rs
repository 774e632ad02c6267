//! `POST /simulations`.

use serde_json::json;
use tollgate_domain::environment::Environment;

use super::setting;
use crate::support::{NOWHERE, START, Store, TestApp, at, post};

pub(crate) async fn a_new_simulation_is_shown_byte_for_byte_in_the_contracts_order(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "simulation").await;
    let answer = app
        .post(
            "/simulations",
            &json!({ "notification_setting_id": setting, "type": "client_token.revoked", "name": "Kiosk" }),
        )
        .await;
    let id = at(answer.data(201), "id");
    let expected = format!(
        r#"{{"data":{{"id":"{id}","status":"active","notification_setting_id":"{setting}","name":"Kiosk","type":"client_token.revoked","payload":null,"config":null,"last_run_at":null,"created_at":"{START}","updated_at":"{START}"}},"meta":{{"request_id":"{}"}}}}"#,
        answer.request_id()
    );
    assert_eq!(answer.body_text(), expected);
    assert!(id.starts_with("ntfsim_"));
}

pub(crate) async fn every_single_event_can_be_simulated_and_nothing_else(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let types = app.get("/simulation-types").await;
    let types = types.column("name");
    for event_type in &types {
        let new = json!({ "notification_setting_id": setting, "type": event_type, "name": "Kiosk", "payload": null });
        app.post("/simulations", &new).await.data(201);
    }
    let known = "must be one of the following: \"client_token.created\", \"client_token.updated\", \
         \"client_token.revoked\", \"api_key.created\", \"api_key.updated\", \"api_key.expiring\", \"api_key.expired\", \
         \"api_key.revoked\"";
    for event_type in [
        "subscription_creation",
        "subscription_renewal",
        "subscription_pause",
        "subscription_resume",
        "subscription_cancellation",
        "transaction.paid",
        "notification_setting.created",
        "",
    ] {
        let new = json!({ "notification_setting_id": setting, "type": event_type, "name": "Kiosk" });
        app.post("/simulations", &new).await.is_bad_request(&[("type", known)]);
    }
}

pub(crate) async fn only_destinations_that_take_simulated_events_will_do(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let platform = setting(&app, NOWHERE, "platform").await;
    let stranger = app
        .workspace("Another shop", Environment::Sandbox)
        .await
        .full_key()
        .await;
    let foreign = json!({
        "description": "Shop backend", "type": "url", "destination": NOWHERE,
        "subscribed_events": ["transaction.paid"], "traffic_source": "all",
    });
    let foreign = app
        .send(post("/notification-settings").by(&stranger).json(&foreign))
        .await;
    let takes_none = "The notification setting takes no simulated events: set its traffic_source to simulation or all";
    let unknown = "There is no such notification setting";
    for (setting, message) in [
        (platform.as_str(), takes_none),
        ("ntfset_01kjpx8smt1jx21jct317jay33", unknown),
        (at(foreign.data(201), "id"), unknown),
    ] {
        let new = json!({ "notification_setting_id": setting, "type": "client_token.revoked", "name": "Kiosk" });
        let answer = app.post("/simulations", &new).await;
        answer.is_error_about("invalid_field", &[("notification_setting_id", message)]);
    }
    assert_eq!(app.get("/simulations").await.total(), 0);
}

pub(crate) async fn each_field_is_held_to_its_limits(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    app.post("/simulations", &json!({ "config": null }))
        .await
        .is_bad_request(&[
            ("(root)", "notification_setting_id is required"),
            ("(root)", "type is required"),
            ("(root)", "name is required"),
            ("(root)", "Additional property config is not allowed"),
        ]);
    let right = json!({ "notification_setting_id": setting, "type": "client_token.revoked", "name": "🔑".repeat(150) });
    app.post("/simulations", &right).await.data(201);
    let string = "Invalid type. Expected: string, given: null";
    for (field, value, message) in [
        ("name", json!(""), "String length must be greater than or equal to 1"),
        (
            "name",
            json!("x".repeat(151)),
            "String length must be less than or equal to 150",
        ),
        ("name", json!(null), string),
        ("type", json!(null), string),
        ("notification_setting_id", json!(null), string),
        (
            "notification_setting_id",
            json!("x"),
            r"Does not match pattern '^ntfset_[a-z\d]{26}$'",
        ),
        ("payload", json!([]), "Invalid type. Expected: object, given: array"),
        ("payload", json!("{}"), "Invalid type. Expected: object, given: string"),
    ] {
        let mut wrong = right.clone();
        wrong[field] = value;
        app.post("/simulations", &wrong)
            .await
            .is_bad_request(&[(field, message)]);
    }
}
