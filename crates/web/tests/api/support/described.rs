//! Holds each answer against the server's own OpenAPI document.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, Validator};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{Answer, get};

/// The document that a server of this program gives; the same for all of them.
static DOCUMENT: OnceCell<Value> = OnceCell::const_new();
/// The schemas that were needed so far.
static VALIDATORS: OnceLock<Mutex<HashMap<String, Arc<Validator>>>> = OnceLock::new();

/// The document, asked of this server unless another one gave it before. Its schemas are made strict: a client may find
/// a new field one day, a test may not.
pub(crate) async fn document(address: SocketAddr) -> &'static Value {
    DOCUMENT
        .get_or_init(|| async {
            let answer = get("/openapi.json").send_to(address).await;
            assert_eq!(answer.status, 200);
            let mut document = answer.json().clone();
            close(&mut document);
            document
        })
        .await
}

/// Lets no object hold more than the properties that are described.
fn close(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.contains_key("properties") && object.get("type") == Some(&json!("object")) {
                object.entry("additionalProperties").or_insert(json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// A validator of a schema that stands somewhere in the document. Formats count.
pub(crate) fn validator(document: &Value, schema: &Value) -> Validator {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .unwrap_or_else(|error| panic!("not a schema: {error}\n{schema}"))
}

/// The text at this name.
#[track_caller]
pub(crate) fn at<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no text {name} in {value}"))
}

/// Fails unless the answer is one that the document describes, in an envelope that is right.
pub(crate) async fn check(address: SocketAddr, answer: &Answer) {
    // A check is answered before a request gets its id.
    let is_check = answer.target.starts_with("/tollgate/authorize") && answer.header("tollgate-sequence").is_some();
    let request_id = if is_check { "" } else { answer.request_id() };
    assert!(is_check || is_version_4(request_id), "{request_id}");
    if answer.method == "HEAD" {
        return;
    }
    let document = document(address).await;
    match schema_for(document, answer) {
        Described::Json(name, schema) => {
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.json()["meta"]["request_id"], request_id);
            let validators = VALIDATORS.get_or_init(Mutex::default);
            let validator = {
                let mut validators = validators.lock();
                Arc::clone(
                    validators
                        .entry(name.clone())
                        .or_insert_with(|| Arc::new(validator(document, &schema))),
                )
            };
            let problems: Vec<String> = validator
                .iter_errors(answer.json())
                .map(|error| format!("{error} at {}", error.instance_path()))
                .collect();
            assert!(problems.is_empty(), "{name}: {problems:?} in {}", answer.body_text());
        }
        Described::Document => assert!(answer.header("content-type").is_some()),
        Described::Nothing => {
            assert_eq!((answer.header("content-type"), answer.body_text()), (None, ""));
        }
    }
}

enum Described {
    /// By this schema, which is called so.
    Json(String, Value),
    /// Of its own kind, without an envelope.
    Document,
    /// By its status alone.
    Nothing,
}

/// How an answer of this method, path and status is described; panics when it isn't.
fn schema_for(document: &Value, answer: &Answer) -> Described {
    let error = || Described::Json("Error".to_owned(), json!({ "$ref": "#/components/schemas/Error" }));
    if answer.status == 501 {
        return error();
    }
    let Some((template, operations)) = operations(document, &answer.target) else {
        assert_eq!(answer.status, 404, "{} isn't described", answer.target);
        return error();
    };
    let method = answer.method.to_ascii_lowercase();
    let Some(operation) = operations.get(&method) else {
        assert_eq!(answer.status, 405, "{method} {template} isn't described");
        return error();
    };
    let name = format!("{method} {template} {}", answer.status);
    let Some(response) = operation["responses"].get(answer.status.to_string()) else {
        panic!("{name} isn't described, but was answered: {}", answer.body_text());
    };
    match response.pointer("/content/application~1json/schema") {
        Some(schema) => Described::Json(name, schema.clone()),
        None if [204, 304].contains(&answer.status) => Described::Nothing,
        None => Described::Document,
    }
}

/// The path of the document that a request's target falls under, and what can be done there.
pub(crate) fn operations<'a>(
    document: &'a Value,
    target: &str,
) -> Option<(&'a str, &'a serde_json::Map<String, Value>)> {
    let path = target.split('?').next().unwrap_or_default();
    let path = format!("/{}", path.trim_start_matches('/'));
    let parts: Vec<&str> = path.split('/').collect();
    let paths = document["paths"].as_object().expect("paths");
    let (template, operations) = paths.iter().find(|(template, _)| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == parts.len()
            && template.iter().zip(&parts).all(|(expected, given)| {
                if expected.starts_with('{') {
                    !given.is_empty()
                } else {
                    expected == given
                }
            })
    })?;
    Some((template, operations.as_object().expect("operations")))
}

/// Lower case, hyphenated, version 4 of the standard's variant.
fn is_version_4(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => b"89ab".contains(byte),
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        })
}
