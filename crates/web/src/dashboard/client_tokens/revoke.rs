//! Before a token is revoked: whether somebody still has it, and the ways to end it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::time::Timestamp;

use super::parsed;
use super::usage::UsageView;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::session::Visit;
use crate::error::{ApiError, Problem};

/// Seconds after which the page looks for new uses: one may wait here until there are none.
const BEAT: u32 = 3;

#[derive(Template)]
#[template(path = "dashboard/client_tokens/revoke.html")]
struct RevokePage {
    frame: Frame,
    id: ClientTokenId,
    name: String,
    token: String,
    usage: UsageView,
    revoke_at: Option<Moment>,
    now: Timestamp,
    /// The time that was typed, and what is wrong with it.
    typed: String,
    problems: Vec<Problem>,
}

pub(super) async fn show(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let token = app.service.client_token(&visit.caller, parsed(&id)?).await;
    let token = token.map_err(|error| ApiError::of_client_token(error, &id))?;
    if token.status == ClientTokenStatus::Revoked {
        return Ok(see_other(&format!("/dashboard/client-tokens/{}", token.id)));
    }
    let page = shown(&app, &visit, &token, (String::new(), Vec::new())).await?;
    Ok(page::ok(&page))
}

/// The page again, with a time that can't be.
pub(super) async fn refused(
    app: &App,
    visit: &Visit,
    token: &ClientToken,
    typed: (String, Vec<Problem>),
) -> Result<Response, Failure> {
    Ok(page::refused(&shown(app, visit, token, typed).await?))
}

async fn shown(
    app: &App,
    visit: &Visit,
    token: &ClientToken,
    (typed, problems): (String, Vec<Problem>),
) -> Result<RevokePage, Failure> {
    let usage = UsageView::read(app, visit, token).await;
    let usage = usage.map_err(|error| ApiError::of_client_token(error, &token.id.to_string()))?;
    Ok(RevokePage {
        frame: visit
            .frame(Section::ClientTokens, format!("Revoke {}", token.name))
            .live(BEAT),
        id: token.id,
        name: token.name.clone(),
        token: token.token.as_str().to_owned(),
        now: usage.evidence.now,
        usage,
        revoke_at: token.revoke_at.map(Moment),
        typed,
        problems,
    })
}
