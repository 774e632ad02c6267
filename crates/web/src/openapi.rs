//! The OpenAPI 3.1 document, made from the table of endpoints, the shapes of bodies, the listings, and the views: what
//! runs is what is described.

mod shapes;

use std::collections::BTreeMap;

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::catalogue::{self, Entry};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope::{self, Pagination};
use crate::extract::form::FORM;
use crate::extract::idempotency;
use crate::extract::list::{Filter, Listing};
use crate::router;
use shapes::shape_schema;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(
        (Method::GET, "/openapi.json"),
        (Surface::Plain, Access::Open),
        get,
        ("openapi", "This document"),
        Answer::Raw("An OpenAPI 3.1 document"),
    )]
}

async fn get() -> Response {
    axum::Json(document()).into_response()
}

/// The whole document.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let mut paths: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    let mut schemas = serde_json::Map::new();
    for endpoint in router::endpoints() {
        if let Some(shape) = endpoint.docs.body {
            schemas.insert(shape.name.to_owned(), shape_schema(shape));
        }
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let described = operation(&endpoint, &mut generator);
        paths.entry(endpoint.path).or_default().insert(method, described);
    }
    schemas.insert(
        "Pagination".to_owned(),
        generator.subschema_for::<Pagination>().to_value(),
    );
    schemas.insert("Meta".to_owned(), meta_schema());
    schemas.insert("Error".to_owned(), error_schema());
    schemas.extend(generator.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tollgate",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Issues, lists, updates, revokes and verifies client-side tokens.",
            "description": "Compatible with version 1 of the Paddle Billing API for client-side tokens, API keys and \
                events, at the root; what is Tollgate's own is under `/tollgate`. Not affiliated with Paddle.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "apiKey": { "type": "http", "scheme": "bearer", "description": "An API key." } },
        },
    })
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let docs = &endpoint.docs;
    let mut operation = json!({
        "operationId": docs.operation_id,
        "summary": docs.summary,
        "tags": [match endpoint.surface {
            Surface::Compatible => "compatible",
            Surface::Native => "native",
            Surface::Plain => "beside both",
        }],
        "security": match endpoint.access {
            Access::Open | Access::ClientToken => json!([]),
            Access::Optional => json!([{}, { "apiKey": [] }]),
            Access::AnyKey | Access::Itself(_) | Access::Needs(_) => json!([{ "apiKey": [] }]),
        },
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, generator),
    });
    match endpoint.access {
        Access::Needs(permission) => operation["description"] = format!("Needs `{permission}`.").into(),
        Access::Itself(permission) => {
            operation["description"] = format!("Needs `{permission}`; a key may always get itself.").into();
        }
        Access::Open | Access::ClientToken | Access::Optional | Access::AnyKey => {}
    }
    if let Some(shape) = docs.body {
        operation["requestBody"] = json!({
            "required": shape.fields.iter().any(|field| field.required) || shape.at_least > 0,
            "content": { docs.media_type: { "schema": reference(shape.name) } },
        });
    }
    operation
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let mut parameters = Vec::new();
    for part in endpoint.path.split('/') {
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
        }
    }
    if endpoint.access.knows_keys() {
        parameters.push(header(
            "Paddle-Version",
            "The version of the contract; only 1.",
            &json!({ "type": "string", "const": "1" }),
        ));
    }
    if let Some(listing) = endpoint.docs.listing {
        parameters.extend(listing_parameters(listing));
    }
    parameters.extend(endpoint.docs.filters.iter().map(filter_parameter));
    for number in endpoint.docs.numbers {
        parameters.push(json!({
            "name": number.name,
            "in": "query",
            "description": number.description,
            "schema": { "type": "integer", "minimum": number.min, "maximum": number.max },
        }));
    }
    for parameter in endpoint.docs.parameters {
        let schema = match parameter.values {
            [] => json!({ "type": "string" }),
            values => json!({ "type": "string", "enum": values }),
        };
        parameters.push(json!({
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.description,
            "schema": schema,
        }));
    }
    if endpoint.docs.idempotent {
        parameters.push(header(
            "Idempotency-Key",
            "Names the request: the same key and body get the first answer again for 24 hours.",
            &json!({ "type": "string", "minLength": 1, "maxLength": idempotency::LONGEST, "pattern": "^[!-~]+$" }),
        ));
    }
    parameters
}

fn header(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "header", "description": description, "schema": schema })
}

fn listing_parameters(listing: &Listing) -> Vec<Value> {
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let field = listing.order_field;
    let mut parameters = vec![
        query(
            "after",
            "Only what comes after this id, in the order asked for.",
            json!({ "type": "string" }),
        ),
        query(
            "per_page",
            &format!("How many at most; {} at the most.", listing.max_limit),
            json!({ "type": "integer", "minimum": 1, "default": listing.default_limit }),
        ),
        query(
            "order_by",
            "The direction in any case.",
            json!({ "type": "string", "pattern": format!(r"^{field}\[([aA][sS][cC]|[dD][eE][sS][cC])\]$") }),
        ),
        header(
            "Skip-Count",
            "`true`: `estimated_total` is -1.",
            &json!({ "type": "string" }),
        ),
    ];
    parameters.extend(listing.filters.iter().map(filter_parameter));
    parameters
}

fn filter_parameter(filter: &Filter) -> Value {
    let items = match filter.values {
        Some(values) => json!({ "type": "string", "enum": values() }),
        None => json!({ "type": "string" }),
    };
    json!({
        "name": filter.name,
        "in": "query",
        "description": filter.description,
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "items": items },
    })
}

fn responses(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let docs = &endpoint.docs;
    let mut responses = serde_json::Map::new();
    let success = match &docs.answer {
        Answer::One(schema) => enveloped(&schema(generator).to_value(), &reference("Meta")),
        Answer::Many(schema) => {
            let data = json!({ "type": "array", "items": schema(generator).to_value() });
            let meta = if docs.listing.is_some() {
                paged_meta()
            } else {
                reference("Meta")
            };
            enveloped(&data, &meta)
        }
        Answer::Nothing => {
            responses.insert(docs.success.to_string(), json!({ "description": "Done" }));
            Value::Null
        }
        Answer::Raw(what) => {
            responses.insert(docs.success.to_string(), json!({ "description": what }));
            Value::Null
        }
    };
    if !success.is_null() {
        responses.insert(
            docs.success.to_string(),
            json!({ "description": docs.summary, "content": { "application/json": { "schema": success } } }),
        );
    }
    if docs.placed {
        responses[&docs.success.to_string()]["headers"] = json!({ envelope::SEQUENCE.as_str(): {
            "description": "The place in the sequence by which this is so: whoever asks for at least this one sees it.",
            "required": true,
            "schema": { "type": "integer", "minimum": 0 },
        } });
    }
    for (status, what) in &docs.otherwise {
        responses.insert(status.to_string(), json!({ "description": what }));
    }
    let mut by_status: BTreeMap<u16, Vec<&Entry>> = BTreeMap::new();
    for (status, entry) in errors_of(endpoint) {
        by_status.entry(status).or_default().push(entry);
    }
    for (status, entries) in by_status {
        let codes: Vec<String> = entries.iter().map(|entry| format!("`{}`", entry.code)).collect();
        responses.insert(
            status.to_string(),
            json!({
                "description": codes.join(", "),
                "content": { "application/json": { "schema": reference("Error") } },
            }),
        );
    }
    Value::Object(responses)
}

/// Every error that an endpoint can answer, with the status that its surface gives it.
fn errors_of(endpoint: &Endpoint) -> Vec<(u16, &'static Entry)> {
    if !endpoint.access.knows_keys() {
        return endpoint
            .docs
            .errors
            .iter()
            .map(|entry| (entry.status, *entry))
            .collect();
    }
    let mut errors: Vec<&Entry> = vec![
        &catalogue::BAD_REQUEST,
        &catalogue::AUTHENTICATION_MALFORMED,
        &catalogue::INVALID_TOKEN,
        &catalogue::TOO_MANY_REQUESTS,
        &catalogue::INTERNAL_ERROR,
    ];
    if endpoint.access != Access::Optional {
        errors.push(&catalogue::AUTHENTICATION_MISSING);
    }
    if matches!(endpoint.access, Access::Needs(_) | Access::Itself(_)) {
        errors.push(&catalogue::FORBIDDEN);
    }
    if endpoint.docs.body.is_some() {
        errors.extend([&catalogue::PAYLOAD_TOO_LARGE, &catalogue::REQUEST_TIMEOUT]);
        if endpoint.docs.media_type == FORM {
            errors.push(&catalogue::FORM_EXPECTED);
        } else {
            errors.extend([&catalogue::INVALID_JSON, &catalogue::UNSUPPORTED_MEDIA_TYPE]);
        }
    }
    if endpoint.path.contains('{') {
        errors.push(&catalogue::NOT_FOUND);
    }
    errors.extend_from_slice(&endpoint.docs.errors);
    let with_status = |entry: &'static Entry| (entry.status_on(endpoint.surface).as_u16(), entry);
    errors.into_iter().map(with_status).collect()
}

fn enveloped(data: &Value, meta: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "meta"],
        "properties": { "data": data, "meta": meta },
        "additionalProperties": false,
    })
}

fn paged_meta() -> Value {
    json!({
        "type": "object",
        "required": ["request_id", "pagination"],
        "properties": { "request_id": { "type": "string", "format": "uuid" }, "pagination": reference("Pagination") },
        "additionalProperties": false,
    })
}

fn meta_schema() -> Value {
    json!({
        "type": "object",
        "required": ["request_id"],
        "properties": { "request_id": { "type": "string", "format": "uuid" } },
        "additionalProperties": false,
    })
}

fn error_schema() -> Value {
    let codes: Vec<&str> = catalogue::CATALOGUE.iter().map(|entry| entry.code).collect();
    let problem = json!({
        "type": "object",
        "required": ["field", "message"],
        "properties": { "field": { "type": "string" }, "message": { "type": "string" } },
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "required": ["error", "meta"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["type", "code", "detail", "documentation_url"],
                "properties": {
                    "type": { "type": "string", "enum": ["request_error", "api_error"] },
                    "code": { "type": "string", "enum": codes },
                    "detail": { "type": "string" },
                    "documentation_url": { "type": "string", "format": "uri" },
                    "errors": { "type": "array", "minItems": 1, "items": problem },
                },
                "additionalProperties": false,
            },
            "meta": reference("Meta"),
        },
        "additionalProperties": false,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
