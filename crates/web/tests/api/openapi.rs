//! `GET /openapi.json`. That it is true is tried by every other test: each answer is held against it.

use std::collections::BTreeSet;

use serde_json::Value;
use tollgate_web::{Access, Surface, endpoints};

use crate::support::{Store, TestApp, at, document, get, validator};

pub(crate) async fn the_server_gives_the_document_of_the_program(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.send(get("/openapi.json")).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json(), &tollgate_web::openapi());
    assert!(at(answer.json(), "openapi").starts_with("3.1."));
    for name in ["title", "version"] {
        assert!(!at(&answer.json()["info"], name).is_empty());
    }
}

pub(crate) async fn every_endpoint_is_described_and_nothing_else(_: Store) {
    let document = tollgate_web::openapi();
    let mut described = BTreeSet::new();
    let mut operation_ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            described.insert((method.to_uppercase(), path.clone()));
            let id = at(operation, "operationId");
            assert!(operation_ids.insert(id), "{id} stands for two operations");
            for name in ["summary", "operationId"] {
                assert!(!at(operation, name).is_empty());
            }
        }
    }
    let served: BTreeSet<_> = endpoints()
        .iter()
        .map(|endpoint| (endpoint.method.to_string(), endpoint.path.to_owned()))
        .collect();
    assert_eq!(described, served);
}

pub(crate) async fn every_schema_is_one_and_every_reference_leads_somewhere(_: Store) {
    let document = tollgate_web::openapi();
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        assert!(schema.is_object(), "{name}");
        validator(&document, schema);
    }
    let mut schemas = 0;
    visit(&document["paths"], &mut |name, value| {
        if name == "schema" {
            validator(&document, value);
            schemas += 1;
        }
        if name == "$ref" {
            let target = value
                .as_str()
                .and_then(|target| target.strip_prefix('#'))
                .expect("a local reference");
            assert!(document.pointer(target).is_some(), "{target} leads nowhere");
        }
    });
    assert!(schemas > 50, "{schemas}");
}

/// Every property of every object.
fn visit(value: &Value, look: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(properties) => {
            for (name, value) in properties {
                look(name, value);
                visit(value, look);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
        _ => {}
    }
}

pub(crate) async fn parameters_and_security_are_those_of_the_endpoint(_: Store) {
    let document = tollgate_web::openapi();
    for endpoint in endpoints() {
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let operation = &document["paths"][endpoint.path][&method];
        let parameters = operation["parameters"].as_array().expect("parameters");
        let mut names = BTreeSet::new();
        for parameter in parameters {
            let (place, name) = (at(parameter, "in"), at(parameter, "name"));
            assert!(names.insert((place, name)), "{name} twice at {}", endpoint.path);
            assert!(parameter["schema"].is_object());
            let in_path = place == "path";
            assert_eq!(in_path, endpoint.path.contains(&format!("{{{name}}}")), "{name}");
            assert_eq!(parameter["required"] == Value::Bool(true), in_path, "{name}");
        }
        let in_path = names.iter().filter(|(place, _)| *place == "path").count();
        assert_eq!(in_path, endpoint.path.matches('{').count(), "{}", endpoint.path);

        let is_open = matches!(endpoint.access, Access::Open | Access::ClientToken);
        assert_eq!(
            operation["security"] == serde_json::json!([]),
            is_open,
            "{}",
            endpoint.path
        );
        let responses = operation["responses"].as_object().expect("responses");
        let refusals = if endpoint.surface == Surface::Native {
            ["401", "403"]
        } else {
            ["403", "403"]
        };
        // A verdict has all of them.
        if endpoint.access == Access::ClientToken {
            continue;
        }
        for status in refusals {
            assert_eq!(
                responses.contains_key(status),
                !is_open,
                "{status} of {}",
                endpoint.path
            );
        }
        assert_eq!(responses.contains_key("401"), endpoint.surface == Surface::Native);
        let bodiless = ["/replay", "/runs"].iter().any(|end| endpoint.path.ends_with(end));
        assert_eq!(
            operation.get("requestBody").is_some(),
            ["post", "patch"].contains(&&*method) && !bodiless,
            "{method} {}",
            endpoint.path
        );
    }
}

/// Guards the guard: what the schemas are for is that they refuse.
pub(crate) async fn the_schemas_refuse_what_is_no_answer_of_ours(store: Store) {
    let app = TestApp::start(store).await;
    let created = app.token("Kiosk").await;
    let document = document(app.address).await;
    let token = validator(document, &document["components"]["schemas"]["ClientToken"]);
    assert!(token.is_valid(&created));
    for (name, wrong) in [
        ("id", "evt_01kjpx8smt1jx21jct317jay33"),
        ("token", "prod_da3059212d9a85cee360c0488e1"),
        ("status", "archived"),
        ("created_at", "2026-03-02T09:15:04Z"),
        ("updated_at", "2026-13-02T09:15:04.218733Z"),
    ] {
        let mut changed = created.clone();
        changed[name] = Value::from(wrong);
        assert!(!token.is_valid(&changed), "{name}");
        changed.as_object_mut().expect("an object").remove(name);
        assert!(!token.is_valid(&changed), "{name} may not be left out");
    }
    let mut more = created.clone();
    more["seller_id"] = Value::from("1");
    assert!(!token.is_valid(&more), "no field but the contract's");
}
