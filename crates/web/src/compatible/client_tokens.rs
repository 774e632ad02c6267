//! `/client-tokens`: list, create, get, and revoke by a change of status.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use tollgate_domain::client_token::{ClientToken, ClientTokenSnapshot, ClientTokenStatus};
use tollgate_domain::permission::Permission;
use tollgate_domain::text;
use tollgate_service::{ClientTokenPatch, NewClientToken};
use tollgate_storage::{ClientTokenPage, Order};

use crate::App;
use crate::catalogue::{CONCURRENT_MODIFICATION, IDEMPOTENCY_KEY_REUSED, INVALID_FIELD};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Field, FieldKind, RawBody, Shape};
use crate::extract::idempotency;
use crate::extract::list::{Filter, ListQuery, Listing};
use crate::extract::path::PathId;
use crate::gate::Known;

/// The path's parameter, as errors name it.
pub(crate) const ID: &str = "client_token_id";

pub(crate) const LISTING: Listing = Listing {
    default_order: Order::Descending,
    default_limit: 50,
    max_limit: 200,
    order_field: "id",
    filters: &[STATUS],
};

const STATUS: Filter = Filter {
    name: "status",
    description: "Only tokens with one of these; active ones by default.",
    values: Some(|| STATUSES.iter().map(|name| (*name).to_owned()).collect()),
};

const STATUSES: [&str; 2] = [ClientTokenStatus::Active.name(), ClientTokenStatus::Revoked.name()];

const CREATE: Shape = Shape {
    name: "ClientTokenCreate",
    fields: &[NAME_REQUIRED, DESCRIPTION],
    at_least: 0,
};

/// Also of the native surface's.
pub(crate) const NAME_REQUIRED: Field = Field {
    name: "name",
    description: "What people call it.",
    kind: FieldKind::Text(text::NAME),
    required: true,
    nullable: false,
};

/// Also of the native surface's bodies.
pub(crate) const DESCRIPTION: Field = Field {
    name: "description",
    description: "What it is for.",
    kind: FieldKind::Text(text::CLIENT_TOKEN_DESCRIPTION),
    required: false,
    nullable: true,
};

/// Also of the native surface's update, where it isn't required.
pub(crate) const STATUS_FIELD: Field = Field {
    name: "status",
    description: "`revoked` ends the token for good.",
    kind: FieldKind::Choice(&STATUSES),
    required: true,
    nullable: false,
};

const UPDATE: Shape = Shape {
    name: "ClientTokenUpdate",
    fields: &[STATUS_FIELD],
    at_least: 0,
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = (Surface::Compatible, Access::Needs(Permission::CLIENT_TOKEN_READ));
    let write = (Surface::Compatible, Access::Needs(Permission::CLIENT_TOKEN_WRITE));
    let one = Answer::one::<ClientTokenSnapshot<'_>>;
    let many = Answer::many::<ClientTokenSnapshot<'_>>;
    vec![
        Endpoint::new(
            (Method::GET, "/client-tokens"),
            read,
            list,
            ("listClientTokens", "List client tokens"),
            many(),
        )
        .listing(&LISTING),
        Endpoint::new(
            (Method::POST, "/client-tokens"),
            write,
            create,
            ("createClientToken", "Create a client token"),
            one(),
        )
        .body(&CREATE)
        .creates()
        .errors(&[&IDEMPOTENCY_KEY_REUSED]),
        Endpoint::new(
            (Method::GET, "/client-tokens/{client_token_id}"),
            read,
            get,
            ("getClientToken", "Get a client token"),
            one(),
        ),
        Endpoint::new(
            (Method::PATCH, "/client-tokens/{client_token_id}"),
            write,
            update,
            ("updateClientToken", "Revoke a client token"),
            one(),
        )
        .body(&UPDATE)
        .errors(&[&INVALID_FIELD, &CONCURRENT_MODIFICATION]),
    ]
}

/// 200 with a page.
async fn list(Known(caller): Known, State(app): State<App>, query: ListQuery) -> Result<Response, ApiError> {
    let (query, asked) = asked(query)?;
    let slice = app.service.client_tokens(&caller, &asked).await;
    let slice = slice.map_err(|error| ApiError::of_client_token(error, ""))?;
    let last = slice.items.last().map(|token| token.id.to_string());
    let data: Vec<_> = slice.items.iter().map(ClientToken::snapshot).collect();
    Ok(envelope::page(&data, query.pagination(asked.page.limit, &slice, last)))
}

/// The page that a query asks for. Of both surfaces.
pub(crate) fn asked(mut query: ListQuery) -> Result<(ListQuery, ClientTokenPage), ApiError> {
    let page = query.page(&LISTING);
    let mut statuses: Vec<ClientTokenStatus> = query
        .filter(&STATUS)
        .iter()
        .filter_map(|name| ClientTokenStatus::from_name(name))
        .collect();
    query.finish()?;
    if statuses.is_empty() {
        statuses.push(ClientTokenStatus::Active);
    }
    Ok((query, ClientTokenPage { page, statuses }))
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
    let new = NewClientToken {
        name: checked.text(NAME_REQUIRED.name).unwrap_or_default(),
        description: checked.text(DESCRIPTION.name),
        ..NewClientToken::default()
    };
    let created = app.service.create_client_token(&caller, new, idempotent.as_ref());
    let created = created.await.map_err(|error| ApiError::of_client_token(error, ""))?;
    Ok(envelope::data(StatusCode::CREATED, &created.value.snapshot()))
}

/// 200 with the token.
async fn get(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let token = app.service.client_token(&caller, id.parse(ID)?).await;
    let token = token.map_err(|error| ApiError::of_client_token(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &token.snapshot()))
}

/// 200 with the token, also when nothing changed.
async fn update(Known(caller): Known, State(app): State<App>, id: PathId, body: RawBody) -> Result<Response, ApiError> {
    let mut body = body.checked(&UPDATE)?;
    let status = body
        .text(STATUS_FIELD.name)
        .and_then(|name| ClientTokenStatus::from_name(&name));
    let patch = ClientTokenPatch {
        status,
        ..ClientTokenPatch::default()
    };
    let updated = app.service.update_client_token(&caller, id.parse(ID)?, &patch).await;
    let updated = updated.map_err(|error| ApiError::of_client_token(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &updated.value.snapshot()))
}
