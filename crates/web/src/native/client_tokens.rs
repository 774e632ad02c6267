//! `/tollgate/client-tokens`: what the compatible surface has, and changes of name and description.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tollgate_domain::client_token::{ClientTokenSnapshot, ClientTokenStatus};
use tollgate_domain::permission::Permission;
use tollgate_domain::text;
use tollgate_service::ClientTokenPatch;

use crate::App;
use crate::catalogue::{CONCURRENT_MODIFICATION, IDEMPOTENCY_KEY_REUSED, INVALID_FIELD};
use crate::compatible::client_tokens::{CREATE, DESCRIPTION, ID, LISTING, STATUS_FIELD, create, get, list};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Field, FieldKind, RawBody, Shape};
use crate::extract::path::PathId;
use crate::gate::Known;

const UPDATE: Shape = Shape {
    name: "NativeClientTokenUpdate",
    fields: &[
        Field {
            name: "name",
            description: "What people call it.",
            kind: FieldKind::Text(text::NAME),
            required: false,
            nullable: false,
        },
        DESCRIPTION,
        Field {
            required: false,
            ..STATUS_FIELD
        },
    ],
    at_least: 1,
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = (Surface::Native, Access::Needs(Permission::CLIENT_TOKEN_READ));
    let write = (Surface::Native, Access::Needs(Permission::CLIENT_TOKEN_WRITE));
    let one = Answer::one::<ClientTokenSnapshot<'_>>;
    let many = Answer::many::<ClientTokenSnapshot<'_>>;
    vec![
        Endpoint::new(
            (Method::GET, "/tollgate/client-tokens"),
            read,
            list,
            ("listNativeClientTokens", "List client tokens"),
            many(),
        )
        .listing(&LISTING),
        Endpoint::new(
            (Method::POST, "/tollgate/client-tokens"),
            write,
            create,
            ("createNativeClientToken", "Create a client token"),
            one(),
        )
        .body(&CREATE)
        .creates()
        .errors(&[&IDEMPOTENCY_KEY_REUSED]),
        Endpoint::new(
            (Method::GET, "/tollgate/client-tokens/{client_token_id}"),
            read,
            get,
            ("getNativeClientToken", "Get a client token"),
            one(),
        ),
        Endpoint::new(
            (Method::PATCH, "/tollgate/client-tokens/{client_token_id}"),
            write,
            update,
            (
                "updateNativeClientToken",
                "Change a client token's name or description, or revoke it",
            ),
            one(),
        )
        .body(&UPDATE)
        .errors(&[&INVALID_FIELD, &CONCURRENT_MODIFICATION]),
    ]
}

/// 200 with the token, also when nothing changed.
async fn update(Known(caller): Known, State(app): State<App>, id: PathId, body: RawBody) -> Result<Response, ApiError> {
    let mut body = body.checked(&UPDATE)?;
    let patch = ClientTokenPatch {
        name: body.text("name"),
        description: body.nullable_text("description"),
        status: body.text("status").and_then(|name| ClientTokenStatus::from_name(&name)),
    };
    let token = app.service.update_client_token(&caller, id.parse(ID)?, &patch).await;
    let token = token.map_err(|error| ApiError::of_client_token(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &token.snapshot()))
}
