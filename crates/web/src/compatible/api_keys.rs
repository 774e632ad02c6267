//! `/api-keys`: list and get. Keys are made, changed and revoked by whoever runs the machine.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tollgate_domain::api_key::{ApiKey, ApiKeySnapshot};
use tollgate_domain::permission::Permission;
use tollgate_storage::{ApiKeyPage, Order};

use crate::App;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::list::{ListQuery, Listing};
use crate::extract::path::PathId;
use crate::gate::Known;

/// Unlike other lists, oldest first.
const LISTING: Listing = Listing {
    default_order: Order::Ascending,
    default_limit: 50,
    max_limit: 200,
    order_field: "id",
    filters: &[],
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, "/api-keys"),
            (Surface::Compatible, Access::Needs(Permission::API_KEY_READ)),
            list,
            ("listApiKeys", "List API keys"),
            Answer::many::<ApiKeySnapshot<'_>>(),
        )
        .listing(&LISTING),
        Endpoint::new(
            (Method::GET, "/api-keys/{api_key_id}"),
            (Surface::Compatible, Access::Itself(Permission::API_KEY_READ)),
            get,
            ("getApiKey", "Get an API key"),
            Answer::one::<ApiKeySnapshot<'_>>(),
        ),
    ]
}

/// 200 with a page.
async fn list(Known(caller): Known, State(app): State<App>, mut query: ListQuery) -> Result<Response, ApiError> {
    let page = query.page(&LISTING);
    query.finish()?;
    let slice = app
        .service
        .api_keys(&caller, &ApiKeyPage { page, status: None })
        .await
        .map_err(|error| ApiError::of_api_key(error, ""))?;
    let last = slice.items.last().map(|key| key.id.to_string());
    let data: Vec<_> = slice.items.iter().map(ApiKey::snapshot).collect();
    Ok(envelope::page(&data, query.pagination(page.limit, &slice, last)))
}

/// 200 with the key, its text redacted.
async fn get(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    // A key may always get itself; anything else needs the permission, before the id is looked at.
    if caller.api_key_id().is_none_or(|own| own.to_string() != id.as_str()) {
        caller.require(Permission::API_KEY_READ)?;
    }
    let key = app.service.api_key(&caller, id.parse("api_key_id")?).await;
    let key = key.map_err(|error| ApiError::of_api_key(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &key.snapshot()))
}
