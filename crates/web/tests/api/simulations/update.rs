//! `PATCH /simulations/{simulation_id}`.

use serde_json::{Value, json};

use super::{path, setting, simulation};
use crate::support::{HOUR, NOWHERE, START, Store, TestApp, at};

pub(crate) async fn each_field_can_be_changed_and_the_rest_stays(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let first = setting(&app, NOWHERE, "all").await;
    let second = setting(&app, &format!("{NOWHERE}/2"), "simulation").await;
    let mut expected = simulation(&app, &first, "client_token.created", json!({ "name": "Mine" })).await;
    let target = path(&expected, "");
    app.clock.advance(HOUR);
    expected["updated_at"] = json!("2026-03-02T10:15:04.218733Z");
    for (field, value) in [
        ("name", json!("Stall")),
        ("notification_setting_id", json!(second)),
        ("type", json!("client_token.revoked")),
        ("payload", json!({ "name": "Yours", "description": null })),
        ("payload", Value::Null),
        ("type", json!("api_key.expiring")),
        ("payload", json!({ "rotatable": false })),
        ("status", json!("archived")),
        ("status", json!("active")),
    ] {
        expected[field] = value.clone();
        assert_eq!(
            app.patch(&target, &json!({ field: value })).await.data(200),
            &expected,
            "{field}"
        );
        assert_eq!(app.get(&target).await.data(200), &expected, "{field}");
    }
    assert_eq!(expected["created_at"], START);
}

pub(crate) async fn what_changes_nothing_is_no_change(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", json!({ "name": "Mine" })).await;
    app.clock.advance(HOUR);
    for patch in [
        json!({}),
        json!({ "name": "Kiosk", "status": "active" }),
        json!({ "notification_setting_id": setting, "type": "client_token.created", "payload": { "name": "Mine" } }),
    ] {
        assert_eq!(app.patch(&path(&simulation, ""), &patch).await.data(200), &simulation);
    }
}

pub(crate) async fn a_payload_must_fit_the_type_that_it_comes_to_have(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", json!({ "revoked_at": null })).await;
    let target = path(&simulation, "");
    let unfit = [("payload", "Additional property revoked_at is not allowed")];
    app.patch(&target, &json!({ "type": "api_key.created" }))
        .await
        .is_bad_request(&unfit);
    let both = json!({ "type": "api_key.created", "payload": { "revoked_at": null } });
    app.patch(&target, &both).await.is_bad_request(&unfit);
    let both = json!({ "type": "api_key.created", "payload": { "rotatable": true } });
    assert_eq!(at(app.patch(&target, &both).await.data(200), "type"), "api_key.created");
    let unfit = [("payload", "Additional property token is not allowed")];
    app.patch(&target, &json!({ "payload": { "token": "x" } }))
        .await
        .is_bad_request(&unfit);
}

pub(crate) async fn what_is_wrong_is_refused_and_changes_nothing(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let all = setting(&app, NOWHERE, "all").await;
    let platform = setting(&app, &format!("{NOWHERE}/2"), "platform").await;
    let simulation = simulation(&app, &all, "client_token.created", Value::Null).await;
    let target = path(&simulation, "");
    for (field, value, message) in [
        (
            "status",
            json!("deleted"),
            r#"must be one of the following: "active", "archived""#,
        ),
        ("status", Value::Null, "Invalid type. Expected: string, given: null"),
        ("name", json!(""), "String length must be greater than or equal to 1"),
        ("payload", json!(7), "Invalid type. Expected: object, given: integer"),
    ] {
        let answer = app.patch(&target, &json!({ field: value })).await;
        answer.is_bad_request(&[(field, message)]);
    }
    app.patch(&target, &json!({ "last_run_at": null }))
        .await
        .is_bad_request(&[("(root)", "Additional property last_run_at is not allowed")]);
    let takes_none = "The notification setting takes no simulated events: set its traffic_source to simulation or all";
    let answer = app
        .patch(&target, &json!({ "notification_setting_id": platform }))
        .await;
    answer.is_error_about("invalid_field", &[("notification_setting_id", takes_none)]);
    assert_eq!(app.get(&target).await.data(200), &simulation);
    let unknown = "/simulations/ntfsim_01kjpx8smt1jx21jct317jay33";
    for patch in [json!({ "name": "Stall" }), json!({ "payload": {} })] {
        let answer = app.patch(unknown, &patch).await;
        answer.is_error_saying("not_found", "Simulation ntfsim_01kjpx8smt1jx21jct317jay33 not found.");
    }
}
