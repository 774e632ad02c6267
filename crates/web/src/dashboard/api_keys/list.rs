//! The list of API keys.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::permission::Permission;
use tollgate_domain::role::Action;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{ApiKeyPage, Order, Page};

use super::{permissions, status, used};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;
use crate::error::ApiError;

const PER_PAGE: usize = 50;

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::API_KEY_READ);
    vec![Row::get("/dashboard/api-keys", read, list)]
}

#[derive(Template)]
#[template(path = "dashboard/api_keys/list.html")]
struct ListPage {
    frame: Frame,
    keys: Vec<Listed>,
    /// Each that can be asked for, and whether it is.
    statuses: [(&'static str, bool); 3],
    /// The one that is asked for; empty for all.
    status: &'static str,
    is_first: bool,
    after: Option<ApiKeyId>,
    may_manage: bool,
}

struct Listed {
    id: ApiKeyId,
    name: String,
    permissions: String,
    status: &'static str,
    created: Moment,
    expires: Option<Moment>,
    used: String,
}

impl Listed {
    fn of(key: ApiKey, now: Timestamp) -> Self {
        Self {
            id: key.id,
            permissions: permissions::in_short(key.permissions),
            status: status(&key, now).name(),
            created: Moment(key.created_at),
            expires: key.expires_at.map(Moment),
            used: used::last_use(key.last_used_at, now),
            name: key.name,
        }
    }
}

async fn list(visit: Visit, State(app): State<App>, query: Query) -> Result<Response, Failure> {
    let wanted = ApiKeyStatus::from_name(query.0.text("status"));
    let after = ApiKeyId::parse(query.0.text("after")).ok();
    let asked = ApiKeyPage {
        page: Page {
            after,
            order: Order::Descending,
            limit: PER_PAGE,
            count: false,
        },
        status: wanted,
    };
    let found = app.service.api_keys(&visit.caller, &asked).await;
    let found = found.map_err(|error| ApiError::of_api_key(error, ""))?;
    let now = app.service.now();
    Ok(page::ok(&ListPage {
        frame: visit.frame(Section::ApiKeys, "API keys").live(0),
        after: found.items.last().filter(|_| found.has_more).map(|key| key.id),
        keys: found.items.into_iter().map(|key| Listed::of(key, now)).collect(),
        statuses: ApiKeyStatus::ALL.map(|one| (one.name(), wanted == Some(one))),
        status: wanted.map_or("", ApiKeyStatus::name),
        is_first: after.is_none(),
        may_manage: visit.may_act(Action::ManageApiKeys),
    }))
}
