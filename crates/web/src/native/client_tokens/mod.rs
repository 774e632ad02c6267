//! `/tollgate/client-tokens`: what the compatible surface has, and what is ours: changes of name and description,
//! restrictions, scheduled revocation, the last use.

mod rotation;
mod usage;
mod view;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::permission::Permission;
use tollgate_domain::text;
use tollgate_domain::time::Timestamp;
use tollgate_service::{Caller, ClientTokenPatch, NewClientToken, Placed};

use crate::App;
use crate::catalogue::{CONCURRENT_MODIFICATION, IDEMPOTENCY_KEY_REUSED, INVALID_FIELD};
use crate::compatible::client_tokens::{DESCRIPTION, ID, LISTING, NAME_REQUIRED, STATUS_FIELD, asked};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Checked, Field, FieldKind, RawBody, Shape};
use crate::extract::idempotency;
use crate::extract::list::ListQuery;
use crate::extract::path::PathId;
use crate::extract::restrictions::{self, RESTRICTIONS};
use crate::gate::Known;
use view::ClientTokenView;

/// Also of the dashboard's form.
pub(crate) const CREATE: Shape = Shape {
    name: "NativeClientTokenCreate",
    fields: &[NAME_REQUIRED, DESCRIPTION, RESTRICTIONS, REVOKE_AT],
    at_least: 0,
};

/// Also of the dashboard's form.
pub(crate) const UPDATE: Shape = Shape {
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
        RESTRICTIONS,
        REVOKE_AT,
    ],
    at_least: 1,
};

const REVOKE_AT: Field = Field {
    name: "revoke_at",
    description: "When the token is revoked, from now on; null withdraws that.",
    kind: FieldKind::Time,
    required: false,
    nullable: true,
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = (Surface::Native, Access::Needs(Permission::CLIENT_TOKEN_READ));
    let write = (Surface::Native, Access::Needs(Permission::CLIENT_TOKEN_WRITE));
    let one = Answer::one::<ClientTokenView<'_>>;
    let many = Answer::many::<ClientTokenView<'_>>;
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
        .placed()
        .errors(&[&INVALID_FIELD, &IDEMPOTENCY_KEY_REUSED]),
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
                "Change a client token's name, description or restrictions, or revoke it, now or later",
            ),
            one(),
        )
        .body(&UPDATE)
        .placed()
        .errors(&[&INVALID_FIELD, &CONCURRENT_MODIFICATION]),
        usage::endpoint(read),
        rotation::endpoint(write),
    ]
}

/// 200 with a page.
async fn list(Known(caller): Known, State(app): State<App>, query: ListQuery) -> Result<Response, ApiError> {
    let (query, asked) = asked(query)?;
    let slice = app.service.client_tokens(&caller, &asked).await;
    let slice = slice.map_err(|error| ApiError::of_client_token(error, ""))?;
    let last = slice.items.last().map(|token| token.id.to_string());
    let ids: Vec<_> = slice.items.iter().map(|token| token.id).collect();
    let uses = app.service.client_token_last_uses(&caller, &ids).await;
    let uses = uses.map_err(|error| ApiError::of_client_token(error, ""))?;
    let view = |token| ClientTokenView::new(token, uses.get(&token.id).copied());
    let data: Vec<_> = slice.items.iter().map(view).collect();
    Ok(envelope::page(&data, query.pagination(asked.page.limit, &slice, last)))
}

/// What a body that kept to [`CREATE`] asks for.
pub(crate) fn new_token(body: &mut Checked) -> NewClientToken {
    NewClientToken {
        name: body.text(NAME_REQUIRED.name).unwrap_or_default(),
        description: body.text(DESCRIPTION.name),
        restrictions: restrictions::patch(body.nullable_object(RESTRICTIONS.name)),
        revoke_at: body.nullable_time(REVOKE_AT.name).flatten(),
    }
}

/// What a body that kept to [`UPDATE`] asks for.
pub(crate) fn patch(body: &mut Checked) -> ClientTokenPatch {
    ClientTokenPatch {
        name: body.text("name"),
        description: body.nullable_text("description"),
        status: body.text("status").and_then(|name| ClientTokenStatus::from_name(&name)),
        restrictions: restrictions::patch(body.nullable_object(RESTRICTIONS.name)),
        revoke_at: body.nullable_time(REVOKE_AT.name),
    }
}

/// 201 with the token.
async fn create(
    Known(caller): Known,
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Response, ApiError> {
    let mut checked = body.checked(&CREATE)?;
    let idempotent = idempotency::request(&headers, (&method, uri.path()), &body.0)?;
    let new = new_token(&mut checked);
    let created = app.service.create_client_token(&caller, new, idempotent.as_ref());
    let created = created.await.map_err(|error| ApiError::of_client_token(error, ""))?;
    told(&app, &caller, StatusCode::CREATED, &created).await
}

/// 200 with the token.
async fn get(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let token = app.service.client_token(&caller, id.parse(ID)?).await;
    let token = token.map_err(|error| ApiError::of_client_token(error, id.as_str()))?;
    let last_used_at = last_use(&app, &caller, &token).await?;
    Ok(envelope::data(
        StatusCode::OK,
        &ClientTokenView::new(&token, last_used_at),
    ))
}

/// 200 with the token, also when nothing changed.
async fn update(Known(caller): Known, State(app): State<App>, id: PathId, body: RawBody) -> Result<Response, ApiError> {
    let patch = patch(&mut body.checked(&UPDATE)?);
    let updated = app.service.update_client_token(&caller, id.parse(ID)?, &patch).await;
    let updated = updated.map_err(|error| ApiError::of_client_token(error, id.as_str()))?;
    told(&app, &caller, StatusCode::OK, &updated).await
}

/// The token as it is now, and the place in the sequence by which it is so.
async fn told(
    app: &App,
    caller: &Caller,
    status: StatusCode,
    changed: &Placed<ClientToken>,
) -> Result<Response, ApiError> {
    let last_used_at = last_use(app, caller, &changed.value).await?;
    let response = envelope::data(status, &ClientTokenView::new(&changed.value, last_used_at));
    placed(app, response, changed.sequence).await
}

/// Says where a change stands; when nothing was left to change, where everything stands.
async fn placed(app: &App, response: Response, sequence: Option<u64>) -> Result<Response, ApiError> {
    let sequence = match sequence {
        Some(sequence) => sequence,
        None => app.service.ready().await?,
    };
    Ok(envelope::placed(response, sequence))
}

async fn last_use(app: &App, caller: &Caller, token: &ClientToken) -> Result<Option<Timestamp>, ApiError> {
    let uses = app.service.client_token_last_uses(caller, &[token.id]).await;
    let uses = uses.map_err(|error| ApiError::of_client_token(error, ""))?;
    Ok(uses.get(&token.id).copied())
}
