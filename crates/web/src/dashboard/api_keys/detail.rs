//! One API key: what it is, what it may do, and what happened to it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::permission::Permission;
use tollgate_domain::role::Action;
use tollgate_service::HistoryOf;

use super::permissions::{self, Group};
use super::{named, status, used};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::history::History;
use crate::dashboard::moment::Moment;
use crate::dashboard::page;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::API_KEY_READ);
    vec![Row::get("/dashboard/api-keys/{id}", read, show)]
}

#[derive(Template)]
#[template(path = "dashboard/api_keys/detail.html")]
struct DetailPage {
    frame: Frame,
    redacted: String,
    status: &'static str,
    created: Moment,
    expires: Option<Moment>,
    expires_in: String,
    used: String,
    groups: Vec<Group>,
    history: History,
    may_manage: bool,
    key: ApiKey,
}

async fn show(visit: Visit, State(app): State<App>, Path(id): Path<String>, query: Query) -> Result<Response, Failure> {
    let key = named(&app, &visit, &id).await?;
    let now = app.service.now();
    let history = History::of(&app, &visit, HistoryOf::ApiKey(key.id), query.0.text("before")).await?;
    let frame = visit.frame(Section::ApiKeys, key.name.as_str()).live(0).notice(
        &query,
        &[
            ("changed", "The key is changed."),
            ("revoked", "The key is revoked: it opens nothing any more."),
        ],
    );
    let is_usable = key.is_usable(now);
    Ok(page::ok(&DetailPage {
        frame,
        redacted: key.redacted(),
        status: status(&key, now).name(),
        created: Moment(key.created_at),
        expires: key.expires_at.map(Moment),
        expires_in: key
            .expires_at
            .filter(|_| is_usable)
            .map_or(String::new(), |at| Moment(at).ahead(now)),
        used: used::last_use(key.last_used_at, now),
        groups: permissions::held(key.permissions),
        history,
        may_manage: visit.may_act(Action::ManageApiKeys) && is_usable,
        key,
    }))
}
