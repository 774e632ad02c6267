//! API keys: listed for every member, managed by admins and owners.

mod create;
mod detail;
mod edit;
mod expiry;
mod list;
mod permissions;
mod revoke;
mod rotate;
mod used;

use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::time::Timestamp;
use tollgate_service::ApiKeyError;

use super::failure::Failure;
use super::row::Row;
use super::session::Visit;
use crate::App;
use crate::error::{ApiError, Problem};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = list::rows();
    rows.extend(create::rows());
    rows.extend(detail::rows());
    rows.extend(edit::rows());
    rows.extend(rotate::rows());
    rows.extend(revoke::rows());
    rows
}

/// The key that an address names.
async fn named(app: &App, visit: &Visit, id: &str) -> Result<ApiKey, Failure> {
    let parsed = ApiKeyId::parse(id).map_err(|_| Failure::not_found("API key"))?;
    let key = app.service.api_key(&visit.caller, parsed).await;
    key.map_err(|error| ApiError::of_api_key(error, id).into())
}

/// What can be corrected in the form; anything else is no page.
fn correctable(error: ApiKeyError, id: &str) -> Result<Vec<Problem>, Failure> {
    let error = ApiError::of_api_key(error, id);
    if error.problems.is_empty() {
        return Err(error.into());
    }
    Ok(error.problems)
}

/// As it is now: the clock may not have written an expiry down yet.
fn status(key: &ApiKey, now: Timestamp) -> ApiKeyStatus {
    if key.status == ApiKeyStatus::Active && !key.is_usable(now) {
        ApiKeyStatus::Expired
    } else {
        key.status
    }
}
