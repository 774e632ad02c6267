//! A token's own page: what it is, who uses it, what it is narrowed to, how to use it, and what happened to it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_domain::role::Action;
use tollgate_domain::time::Timestamp;

use super::history::History;
use super::restrictions::{Shown, shown};
use super::status::Status;
use super::usage::UsageView;
use super::{DONE, parsed, snippets};
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::error::ApiError;

/// Seconds after which the page looks for new uses, which are no events.
const BEAT: u32 = 3;

#[derive(Template)]
#[template(path = "dashboard/client_tokens/detail.html")]
struct DetailPage {
    frame: Frame,
    token: Facts,
    /// The token that this one takes the place of, when the page is shown for that.
    predecessor: Option<Facts>,
    usage: UsageView,
    restrictions: Vec<Shown>,
    history: History,
    /// Whether the audit trail may be looked at.
    may_audit: bool,
    library: String,
    paddle: String,
    now: Timestamp,
    may_write: bool,
}

/// A token in words.
struct Facts {
    id: ClientTokenId,
    name: String,
    token: String,
    description: Option<String>,
    status: Status,
    created: Moment,
    updated: Moment,
    revoke_at: Option<Moment>,
    revoked: Option<Moment>,
}

impl Facts {
    fn of(token: &ClientToken, now: Timestamp) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            token: token.token.as_str().to_owned(),
            description: token.description.clone(),
            status: Status::of(token, now),
            created: Moment(token.created_at),
            updated: Moment(token.updated_at),
            revoke_at: token.revoke_at.map(Moment),
            revoked: token.revoked_at.map(Moment),
        }
    }
}

pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Failure> {
    let told = |error| ApiError::of_client_token(error, &id);
    let token = app.service.client_token(&visit.caller, parsed(&id)?).await;
    let token = token.map_err(told)?;
    let usage = UsageView::read(&app, &visit, &token).await.map_err(told)?;
    let predecessor = match ClientTokenId::parse(query.0.text("old")) {
        Ok(old) => app.service.client_token(&visit.caller, old).await.ok(),
        Err(_) => None,
    };
    let now = app.service.now();
    let base = &visit.session.reached.base;
    Ok(page::ok(&DetailPage {
        frame: visit
            .frame(Section::ClientTokens, token.name.clone())
            .notice(&query, &DONE)
            .live(BEAT),
        restrictions: shown(token.restrictions.as_deref(), &usage.evidence.week),
        library: snippets::library(base, token.token),
        paddle: snippets::paddle(base, token.token),
        predecessor: predecessor.map(|old| Facts::of(&old, now)),
        usage,
        history: History::read(&app, &visit, token.id).await?,
        may_audit: visit.may_act(Action::ReadAuditTrail),
        now,
        may_write: visit.may(Permission::CLIENT_TOKEN_WRITE),
        token: Facts::of(&token, now),
    }))
}

impl DetailPage {
    fn is_revoked(&self) -> bool {
        self.token.status.class == ClientTokenStatus::Revoked.name()
    }
}
