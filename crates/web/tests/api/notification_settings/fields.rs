//! The fields of what is sent to `/notification-settings`: each limit, and the exact words about it.

use serde_json::{Value, json};

use crate::support::{RECEIVER, Store, TestApp, at, document, new_setting, path_of, post, validator};

const TOO_SHORT: &str = "String length must be greater than or equal to 1";
const TYPES: &str = r#"must be one of the following: "email", "url""#;
const SOURCES: &str = r#"must be one of the following: "platform", "simulation", "all""#;

/// A refusal at creation, and, of what can be changed, as a change.
async fn refused(app: &TestApp, setting: &Value, wrong: &Value, problems: &[(&str, &str)]) {
    let answer = app.post("/notification-settings", &new_setting(wrong)).await;
    answer.is_bad_request(problems);
    if wrong.get("type").is_none() {
        app.patch(&path_of(setting), wrong).await.is_bad_request(problems);
    }
}

pub(crate) async fn a_description_has_1_to_500_code_points(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for length in [1, 499, 500] {
        let description = "🔑".repeat(length);
        let changed = app
            .patch(&path_of(&setting), &json!({ "description": description }))
            .await;
        assert_eq!(at(changed.data(200), "description"), description);
        let made = app.setting(&json!({ "description": description })).await;
        assert_eq!(at(&made, "description"), description);
    }
    let too_long = ("description", "String length must be less than or equal to 500");
    for length in [501, 10_000] {
        let wrong = json!({ "description": "🔑".repeat(length) });
        refused(&app, &setting, &wrong, &[too_long]).await;
    }
    refused(
        &app,
        &setting,
        &json!({ "description": "" }),
        &[("description", TOO_SHORT)],
    )
    .await;
    let control = ("description", "Control characters are not allowed (found U+0000)");
    refused(&app, &setting, &json!({ "description": "a\0" }), &[control]).await;
}

pub(crate) async fn a_destination_has_1_to_2048_code_points(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let of_length = |length: usize| format!("{RECEIVER}/{}", "a".repeat(length - RECEIVER.len() - 1));
    let longest = of_length(2_048);
    let made = app.setting(&json!({ "destination": longest })).await;
    assert_eq!(at(&made, "destination"), longest);
    let too_long = ("destination", "String length must be less than or equal to 2048");
    let wrong = json!({ "destination": of_length(2_049) });
    refused(&app, &setting, &wrong, &[too_long]).await;
    refused(
        &app,
        &setting,
        &json!({ "destination": "" }),
        &[("destination", TOO_SHORT)],
    )
    .await;
    let control = ("destination", "Control characters are not allowed (found U+000A)");
    let wrong = json!({ "destination": format!("{RECEIVER}/\n") });
    refused(&app, &setting, &wrong, &[control]).await;
}

pub(crate) async fn numbers_flags_and_names_keep_to_their_kinds(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for (wrong, message) in [
        (json!({ "api_version": 0 }), "Must be greater than or equal to 1"),
        (json!({ "api_version": -1 }), "Must be greater than or equal to 1"),
        (json!({ "api_version": 2 }), "Must be less than or equal to 1"),
        (json!({ "api_version": u64::MAX }), "Must be less than or equal to 1"),
        (
            json!({ "api_version": "1" }),
            "Invalid type. Expected: integer, given: string",
        ),
        (
            json!({ "api_version": 1.5 }),
            "Invalid type. Expected: integer, given: number",
        ),
        (
            json!({ "api_version": [1] }),
            "Invalid type. Expected: integer, given: array",
        ),
        (
            json!({ "include_sensitive_fields": "true" }),
            "Invalid type. Expected: boolean, given: string",
        ),
        (
            json!({ "include_sensitive_fields": 1 }),
            "Invalid type. Expected: boolean, given: integer",
        ),
        (json!({ "traffic_source": "live" }), SOURCES),
        (json!({ "traffic_source": "Platform" }), SOURCES),
        (json!({ "traffic_source": "" }), SOURCES),
        (
            json!({ "traffic_source": true }),
            "Invalid type. Expected: string, given: boolean",
        ),
        (json!({ "type": "sms" }), TYPES),
        (json!({ "type": "URL" }), TYPES),
        (json!({ "type": 1 }), "Invalid type. Expected: string, given: integer"),
        (
            json!({ "description": 1 }),
            "Invalid type. Expected: string, given: integer",
        ),
        (
            json!({ "destination": {} }),
            "Invalid type. Expected: string, given: object",
        ),
        (
            json!({ "subscribed_events": "client_token.created" }),
            "Invalid type. Expected: array, given: string",
        ),
        (
            json!({ "subscribed_events": {} }),
            "Invalid type. Expected: array, given: object",
        ),
        (json!({ "subscribed_events": [] }), "Array must have at least 1 items"),
    ] {
        let name = wrong
            .as_object()
            .and_then(|object| object.keys().next())
            .expect("a name");
        refused(&app, &setting, &wrong, &[(name, message)]).await;
    }
    let answer = app.patch(&path_of(&setting), &json!({ "active": "false" })).await;
    answer.is_bad_request(&[("active", "Invalid type. Expected: boolean, given: string")]);
}

pub(crate) async fn an_event_that_the_contract_lacks_is_named_by_its_place(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for unknown in [
        "client_token.deleted",
        "client_token",
        "Client_token.created",
        "*",
        "",
        "notification_setting.created", // ours, and told to nobody
    ] {
        let events = json!(["client_token.created", unknown, "x"]);
        let answer = app
            .post(
                "/notification-settings",
                &new_setting(&json!({ "subscribed_events": events })),
            )
            .await;
        let told = answer.json()["error"]["errors"].clone();
        assert_eq!((answer.status, at(&told[0], "field")), (400, "subscribed_events.1"));
        let message = at(&told[0], "message");
        assert!(
            message.starts_with(r#"must be one of the following: "address.created", "#),
            "{message}"
        );
        assert!(!message.contains("notification_setting."), "{message}");
        let answer = app
            .patch(&path_of(&setting), &json!({ "subscribed_events": events }))
            .await;
        assert_eq!((answer.status, &answer.json()["error"]["errors"]), (400, &told));
    }
    // As they come out they don't go in: objects are no names.
    let objects = json!({ "subscribed_events": setting["subscribed_events"] });
    let problem = ("subscribed_events.0", "Invalid type. Expected: string, given: object");
    refused(&app, &setting, &objects, &[problem]).await;
    let wrong = json!({ "subscribed_events": ["client_token.created", null] });
    let problem = ("subscribed_events.1", "Invalid type. Expected: string, given: null");
    refused(&app, &setting, &wrong, &[problem]).await;
}

pub(crate) async fn everything_that_is_missing_or_wrong_is_told_in_one_answer(store: Store) {
    let app = TestApp::start(store).await;
    let required = [
        ("(root)", "description is required"),
        ("(root)", "type is required"),
        ("(root)", "destination is required"),
        ("(root)", "subscribed_events is required"),
    ];
    for request in [
        post("/notification-settings"),
        post("/notification-settings").text("{}"),
    ] {
        app.send(request.by(&app.key)).await.is_bad_request(&required);
    }
    let body = json!({
        "description": "", "type": "sms", "subscribed_events": [], "api_version": "1", "traffic_source": "x",
        "include_sensitive_fields": 0, "name": "Kiosk", "Type": "url",
    });
    app.post("/notification-settings", &body).await.is_bad_request(&[
        ("description", TOO_SHORT),
        ("type", TYPES),
        ("(root)", "destination is required"),
        ("subscribed_events", "Array must have at least 1 items"),
        ("api_version", "Invalid type. Expected: integer, given: string"),
        (
            "include_sensitive_fields",
            "Invalid type. Expected: boolean, given: integer",
        ),
        ("traffic_source", SOURCES),
        ("(root)", "Additional property Type is not allowed"),
        ("(root)", "Additional property name is not allowed"),
    ]);
    // What the body says comes before where it points.
    let body = new_setting(&json!({ "destination": "http://127.0.0.1/", "description": 7 }));
    let answer = app.post("/notification-settings", &body).await;
    answer.is_bad_request(&[("description", "Invalid type. Expected: string, given: integer")]);
    assert_eq!(app.get("/notification-settings").await.total(), 0);
}

pub(crate) async fn what_is_required_is_never_null(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for (name, expected) in [
        ("description", "string"),
        ("type", "string"),
        ("destination", "string"),
        ("subscribed_events", "array"),
    ] {
        let message = format!("Invalid type. Expected: {expected}, given: null");
        refused(&app, &setting, &json!({ name: null }), &[(name, &message)]).await;
    }
    for (name, expected) in [
        ("active", "boolean"),
        ("api_version", "integer"),
        ("include_sensitive_fields", "boolean"),
        ("traffic_source", "string"),
    ] {
        let message = format!("Invalid type. Expected: {expected}, given: null");
        let answer = app.patch(&path_of(&setting), &json!({ name: null })).await;
        answer.is_bad_request(&[(name, &message)]);
    }
}

pub(crate) async fn what_the_server_chooses_cannot_be_chosen(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for (name, value) in [
        ("id", json!("ntfset_01kjpx8smt1jx21jct317jay33")),
        ("endpoint_secret_key", json!("pdl_ntfset_01kjpx8smt1jx21jct317jay33_0")),
        ("created_at", json!("2026-03-02T09:15:04.218733Z")),
    ] {
        let message = format!("Additional property {name} is not allowed");
        refused(&app, &setting, &json!({ name: value }), &[("(root)", &message)]).await;
    }
    for active in [true, false] {
        let body = new_setting(&json!({ "active": active }));
        let answer = app.post("/notification-settings", &body).await;
        answer.is_bad_request(&[("(root)", "Additional property active is not allowed")]);
    }
}

/// What the server's description says of a body, and what the server does with it, are the same.
pub(crate) async fn the_description_of_a_body_agrees_with_the_server(store: Store) {
    let app = TestApp::start(store).await;
    let document = document(app.address).await;
    let schema = |name: &str| validator(document, &document["components"]["schemas"][name]);
    let (create, update) = (schema("NotificationSettingCreate"), schema("NotificationSettingUpdate"));
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(2),
        json!(1.5),
        json!(""),
        json!("url"),
        json!("all"),
        json!("x".repeat(501)),
        json!([]),
        json!(["client_token.created"]),
        json!(["client_token.created", "client_token.created"]),
        json!(["client_token.created", "x"]),
        json!({}),
    ];
    let names = [
        "description",
        "type",
        "active",
        "api_version",
        "include_sensitive_fields",
        "subscribed_events",
        "traffic_source",
        "id",
    ];
    let setting = app.setting(&json!({})).await;
    for name in names {
        for value in &values {
            let body = new_setting(&json!({ name: value }));
            let answer = app.post("/notification-settings", &body).await;
            assert_eq!(create.is_valid(&body), answer.status == 201, "create {body}");
            if answer.status == 201 {
                app.delete(&path_of(answer.data(201))).await;
            }
            let body = json!({ name: value });
            let answer = app.patch(&path_of(&setting), &body).await;
            assert_eq!(update.is_valid(&body), answer.status == 200, "update {body}");
        }
    }
}
