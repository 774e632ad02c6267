//! `/tollgate/client-tokens/{client_token_id}/rotate`: a successor, and the old token revoked later.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_service::ClientTokenError;

use super::view::ClientTokenView;
use super::{REVOKE_AT, last_use, placed};
use crate::App;
use crate::catalogue::{CONCURRENT_MODIFICATION, IDEMPOTENCY_KEY_REUSED, INVALID_FIELD};
use crate::compatible::client_tokens::ID;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Field, RawBody, Shape};
use crate::extract::idempotency;
use crate::extract::path::PathId;
use crate::gate::Known;

const ROTATE: Shape = Shape {
    name: "ClientTokenRotate",
    fields: &[Field {
        description: "When the old token is revoked, from now on. In seven days by default, or earlier if that is \
                      scheduled already.",
        nullable: false,
        ..REVOKE_AT
    }],
    at_least: 0,
};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClientTokenRotation")]
struct RotationView<'a> {
    /// The new token.
    successor: ClientTokenView<'a>,
    /// The one that was rotated, with its `revoke_at`.
    old: ClientTokenView<'a>,
}

pub(super) fn endpoint(write: (Surface, Access)) -> Endpoint {
    Endpoint::new(
        (Method::POST, "/tollgate/client-tokens/{client_token_id}/rotate"),
        write,
        rotate,
        (
            "rotateClientToken",
            "Give a client token a successor with the same restrictions, and revoke it later",
        ),
        Answer::one::<RotationView<'_>>(),
    )
    .body(&ROTATE)
    .creates()
    .placed()
    .errors(&[&INVALID_FIELD, &CONCURRENT_MODIFICATION, &IDEMPOTENCY_KEY_REUSED])
}

/// 201 with both tokens.
async fn rotate(
    Known(caller): Known,
    State(app): State<App>,
    id: PathId,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Response, ApiError> {
    let revoke_at = body.checked(&ROTATE)?.nullable_time(REVOKE_AT.name).flatten();
    let idempotent = idempotency::request(&headers, (&method, uri.path()), &body.0)?;
    let rotated = app
        .service
        .rotate_client_token(&caller, id.parse(ID)?, revoke_at, idempotent.as_ref())
        .await
        .map_err(|error| match error {
            ClientTokenError::AlreadyRevoked => {
                ApiError::invalid_field("status", "A revoked client token can't be rotated")
            }
            error => ApiError::of_client_token(error, id.as_str()),
        })?;
    let rotation = &rotated.value;
    let view = RotationView {
        successor: ClientTokenView::new(&rotation.successor, last_use(&app, &caller, &rotation.successor).await?),
        old: ClientTokenView::new(&rotation.old, last_use(&app, &caller, &rotation.old).await?),
    };
    placed(&app, envelope::data(StatusCode::CREATED, &view), rotated.sequence).await
}
