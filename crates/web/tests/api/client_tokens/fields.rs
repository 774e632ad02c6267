//! The fields of what is sent to `/client-tokens`: each limit, and the exact words about it.

use serde_json::{Value, json};
use tollgate_domain::text::TextRule;

use crate::support::{SURFACES, Store, TestApp, at, document, patch, post, request, validator};

const NAME: TextRule = tollgate_domain::text::NAME;
const TWICE: &str = "Property occurs more than once";
const TOO_SHORT: &str = "String length must be greater than or equal to 1";
const NAME_TOO_LONG: &str = "String length must be less than or equal to 150";
const DESCRIPTION_TOO_LONG: &str = "String length must be less than or equal to 500";

pub(crate) async fn a_name_has_1_to_150_code_points(store: Store) {
    assert_eq!((NAME.min, NAME.max), (1, 150));
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens");
        for character in ["n", "é", "価", "🔑"] {
            for (count, problem) in [
                (1, None),
                (149, None),
                (150, None),
                (151, Some(NAME_TOO_LONG)),
                (5_000, Some(NAME_TOO_LONG)),
            ] {
                let name = character.repeat(count);
                let answer = app.post(&target, &json!({ "name": name })).await;
                match problem {
                    None => assert_eq!(at(answer.data(201), "name"), name),
                    Some(problem) => answer.is_bad_request(&[("name", problem)]),
                }
            }
        }
        let answer = app.post(&target, &json!({ "name": "" })).await;
        answer.is_bad_request(&[("name", TOO_SHORT)]);
    }
}

pub(crate) async fn a_description_has_1_to_500_code_points_or_is_null(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens");
        for character in ["d", "🔑"] {
            for (count, problem) in [
                (0, Some(TOO_SHORT)),
                (1, None),
                (500, None),
                (501, Some(DESCRIPTION_TOO_LONG)),
            ] {
                let description = character.repeat(count);
                let body = json!({ "name": "Kiosk", "description": description });
                let answer = app.post(&target, &body).await;
                match problem {
                    None => assert_eq!(at(answer.data(201), "description"), description),
                    Some(problem) => answer.is_bad_request(&[("description", problem)]),
                }
            }
        }
    }
}

pub(crate) async fn a_value_of_another_type_is_named(store: Store) {
    let app = TestApp::start(store).await;
    for (value, name) in [
        (json!(true), "boolean"),
        (json!(0), "integer"),
        (json!(-7), "integer"),
        (json!(1.5), "number"),
        (json!(["Kiosk"]), "array"),
        (json!({ "en": "Kiosk" }), "object"),
    ] {
        let message = format!("Invalid type. Expected: string, given: {name}");
        let body = json!({ "description": value, "name": value });
        let answer = app.post("/client-tokens", &body).await;
        answer.is_bad_request(&[("name", &message), ("description", &message)]);
        let status = app.patch(&unknown(""), &json!({ "status": value })).await;
        status.is_bad_request(&[("status", &message)]);
    }
    let answer = app.post("/client-tokens", &json!({ "name": null })).await;
    answer.is_bad_request(&[("name", "Invalid type. Expected: string, given: null")]);
    let answer = app.patch(&unknown(""), &json!({ "status": null })).await;
    answer.is_bad_request(&[("status", "Invalid type. Expected: string, given: null")]);
}

pub(crate) async fn a_body_that_is_no_object_is_named(store: Store) {
    let app = TestApp::start(store).await;
    for (body, name) in [
        ("null", "null"),
        ("true", "boolean"),
        ("7", "integer"),
        ("-0.5", "number"),
        ("\"name\"", "string"),
        ("[]", "array"),
        (r#"[{"name":"Kiosk"}]"#, "array"),
    ] {
        let message = format!("Invalid type. Expected: object, given: {name}");
        for surface in SURFACES {
            for (method, target) in [
                ("POST", format!("{surface}/client-tokens")),
                ("PATCH", unknown(surface)),
            ] {
                let answer = app.send(request(method, target).by(&app.key).text(body)).await;
                answer.is_bad_request(&[("(root)", &message)]);
            }
        }
    }
}

pub(crate) async fn a_name_is_required_also_when_there_is_no_body(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens");
        let bodies = [
            post(&target).text("{}"),
            post(&target).text(""),
            post(&target),
            post(&target).header("Content-Type", "application/json"),
            post(&target).text("").chunked(),
        ];
        for request in bodies {
            let answer = app.send(request.by(&app.key)).await;
            answer.is_bad_request(&[("(root)", "name is required")]);
        }
    }
}

pub(crate) async fn everything_that_is_wrong_is_told_in_one_answer(store: Store) {
    let app = TestApp::start(store).await;
    // The contract's own example of a refusal.
    let answer = app
        .post("/client-tokens", &json!({ "description": "d".repeat(501) }))
        .await;
    answer.is_bad_request(&[("(root)", "name is required"), ("description", DESCRIPTION_TOO_LONG)]);

    let body = json!({ "zone": 1, "name": "", "description": 5, "Name": "Kiosk" });
    app.post("/client-tokens", &body).await.is_bad_request(&[
        ("name", TOO_SHORT),
        ("description", "Invalid type. Expected: string, given: integer"),
        ("(root)", "Additional property Name is not allowed"),
        ("(root)", "Additional property zone is not allowed"),
    ]);
}

pub(crate) async fn a_list_of_problems_ends_at_50_and_long_names_are_cut(store: Store) {
    let app = TestApp::start(store).await;
    let body: serde_json::Map<String, Value> = (0..500).map(|n| (format!("{n:03}"), json!(n))).collect();
    let answer = app.post("/client-tokens", &Value::Object(body)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["errors"].as_array().map(Vec::len), Some(50));

    let long = "🔑".repeat(10_000);
    let answer = app.post("/client-tokens", &json!({ "name": "Kiosk", &*long: 1 })).await;
    let message = format!("Additional property {} is not allowed", "🔑".repeat(100));
    answer.is_bad_request(&[("(root)", &message)]);

    let twice = format!(r#"{{{}"name":"Kiosk"}}"#, r#""name":"Kiosk","#.repeat(500));
    let answer = app.send(post("/client-tokens").by(&app.key).text(twice)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["errors"].as_array().map(Vec::len), Some(50));
}

pub(crate) async fn control_characters_are_refused_by_name(store: Store) {
    let app = TestApp::start(store).await;
    for (character, code) in [
        ('\0', "0000"),
        ('\u{1}', "0001"),
        ('\u{1b}', "001B"),
        ('\u{7f}', "007F"),
        ('\u{85}', "0085"),
    ] {
        let message = format!("Control characters are not allowed (found U+{code})");
        let text = format!("Kiosk{character}");
        let answer = app
            .post("/client-tokens", &json!({ "name": text, "description": text }))
            .await;
        answer.is_bad_request(&[("name", &message), ("description", &message)]);
    }
    let answer = app.post("/client-tokens", &json!({ "name": "two\nlines" })).await;
    answer.is_bad_request(&[("name", "Control characters are not allowed (found U+000A)")]);
}

pub(crate) async fn properties_that_occur_twice_are_refused(store: Store) {
    let app = TestApp::start(store).await;
    for (body, field) in [
        (r#"{"name":"a","name":"b"}"#, "name"),
        (r#"{"name":"a","name":"a"}"#, "name"),
        (r#"{"name":"a","n\u0061me":"b"}"#, "name"),
        (r#"{"name":{"a":{"b":1,"b":2}}}"#, "name.a.b"),
        (r#"{"name":[{},{"b":1,"b":2}]}"#, "name.1.b"),
        (r#"{"x":1,"x":2}"#, "x"),
    ] {
        let answer = app.send(post("/client-tokens").by(&app.key).text(body)).await;
        answer.is_bad_request(&[(field, TWICE)]);
    }
    let body = r#"{"status":"active","status":"revoked"}"#;
    let answer = app.send(patch(unknown("")).by(&app.key).text(body)).await;
    answer.is_bad_request(&[("status", TWICE)]);
}

/// What the server's description says of a body, and what the server does with it, are the same.
pub(crate) async fn the_description_of_a_body_agrees_with_the_server(store: Store) {
    let app = TestApp::start(store).await;
    let document = document(app.address).await;
    let schema = |name: &str| validator(document, &document["components"]["schemas"][name]);
    let texts = [
        json!("x"),
        json!(""),
        json!("🔑".repeat(150)),
        json!("🔑".repeat(151)),
        json!("n".repeat(500)),
        json!("n".repeat(501)),
        json!("active"),
        json!("revoked"),
        json!(null),
        json!(1),
        json!([]),
    ];
    let mut bodies = vec![json!({}), json!([]), json!(null), json!("x"), json!({ "x": 1 })];
    for text in &texts {
        for property in ["name", "description", "status"] {
            bodies.push(json!({ property: text }));
            bodies.push(json!({ "name": "Kiosk", property: text }));
        }
    }
    for (surface, create, update) in [
        ("", "ClientTokenCreate", "ClientTokenUpdate"),
        ("/tollgate", "NativeClientTokenCreate", "NativeClientTokenUpdate"),
    ] {
        let (create, update) = (schema(create), schema(update));
        for body in &bodies {
            let answer = app.post(&format!("{surface}/client-tokens"), body).await;
            assert_eq!(create.is_valid(body), answer.status == 201, "{surface} create {body}");
            let token = app.token("Kiosk").await;
            let target = format!("{surface}/client-tokens/{}", at(&token, "id"));
            let answer = app.patch(&target, body).await;
            assert_eq!(update.is_valid(body), answer.status == 200, "{surface} update {body}");
        }
    }
}

/// A well-formed id that nothing has.
fn unknown(surface: &str) -> String {
    format!("{surface}/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33")
}
