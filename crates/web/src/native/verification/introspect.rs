//! `POST /tollgate/introspect`: what a backend wants to know of a client token that was presented to it. RFC 7662.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::permission::Permission;
use tollgate_domain::restriction::Scope;
use tollgate_domain::text::TextRule;
use tollgate_domain::verdict::Asked;

use crate::App;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::error::ApiError;
use crate::extract::body::{Field, FieldKind, Shape};
use crate::extract::form::FormBody;
use crate::gate::Known;

const ANYTHING: TextRule = TextRule {
    min: 0,
    max: 4_096,
    multi_line: false,
};

const fn field(name: &'static str, description: &'static str, kind: FieldKind, required: bool) -> Field {
    Field {
        name,
        description,
        kind,
        required,
        nullable: false,
    }
}

const INTROSPECT: Shape = Shape {
    name: "Introspect",
    fields: &[
        field("token", "What was presented.", FieldKind::Text(ANYTHING), true),
        field(
            "token_type_hint",
            "Accepted and not needed: there is one kind of token.",
            FieldKind::Text(ANYTHING),
            false,
        ),
        field(
            "origin",
            "The origin it was presented from: the token's `allowed_origins` are then held against it.",
            FieldKind::Text(ANYTHING),
            false,
        ),
        field(
            "client_address",
            "The address it was presented from: the token's `allowed_networks` are then held against it.",
            FieldKind::Pattern {
                pattern: "an IP address",
                matches: |text| text.parse::<IpAddr>().is_ok(),
            },
            false,
        ),
        field(
            "scope",
            "What it is to be good for: the token's `scopes` are then held against it.",
            FieldKind::Pattern {
                pattern: "^[a-z0-9_.:-]{1,64}$",
                matches: |text| Scope::parse(text).is_ok(),
            },
            false,
        ),
    ],
    at_least: 0,
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::POST, "/tollgate/introspect"),
            (Surface::Native, Access::Needs(Permission::CLIENT_TOKEN_READ)),
            introspect,
            ("introspect", "Is this client token good, and whose is it? RFC 7662"),
            Answer::Raw("`{\"active\": false}`, or `{\"active\": true, …}` with what is known of the token"),
        )
        .form(&INTROSPECT),
    ]
}

/// What RFC 7662 has names for, and ours after it.
#[derive(Serialize)]
struct Told {
    active: bool,
    token_type: &'static str,
    sub: ClientTokenId,
    /// Seconds since 1970.
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    /// The token's scopes with blanks between; absent when it isn't limited to some.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    workspace_id: WorkspaceId,
    environment: &'static str,
    sequence: u64,
}

/// 200 with either.
async fn introspect(Known(caller): Known, State(app): State<App>, form: FormBody) -> Result<Response, ApiError> {
    let mut form = form.checked(&INTROSPECT)?;
    let token = form.text("token").unwrap_or_default();
    let origin = form.text("origin");
    let scope = form.text("scope");
    let asked = Asked {
        origin: origin.as_deref(),
        client_address: form.text("client_address").and_then(|text| text.parse().ok()),
        scope: scope.as_deref(),
        ..Asked::default()
    };
    let (sequence, found) = app.verification.introspect(&token, &asked, caller.workspace().id);
    let answer = match found {
        Some(known) => Json(Told {
            active: true,
            token_type: "client_token",
            sub: known.admitted.id,
            iat: known.admitted.id.made_at_millis() / 1_000,
            exp: known.admitted.ends_at.map(|end| end.as_millis() / 1_000),
            scope: known.scopes.map(|scopes| joined(&scopes)),
            workspace_id: known.admitted.workspace,
            environment: known.admitted.environment.name(),
            sequence,
        })
        .into_response(),
        // Unknown, refused, or another workspace's: no word why. RFC 7662, 2.2.
        None => Json(json!({ "active": false })).into_response(),
    };
    Ok(never_stored(answer))
}

fn joined(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    names.join(" ")
}

/// RFC 7662, 4: a cached answer outlives a revocation.
fn never_stored(mut answer: Response) -> Response {
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
