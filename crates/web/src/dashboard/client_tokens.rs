//! Client-side tokens.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_storage::{ClientTokenPage, Order, Page};

use super::failure::Failure;
use super::fields::Query;
use super::frame::{Frame, Section};
use super::moment::Moment;
use super::page;
use super::row::{Right, Row};
use super::session::Visit;
use crate::App;
use crate::error::ApiError;

const PER_PAGE: usize = 50;

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::CLIENT_TOKEN_READ);
    vec![Row::get("/dashboard/client-tokens", read, list)]
}

#[derive(Template)]
#[template(path = "dashboard/client_tokens/list.html")]
struct ListPage {
    frame: Frame,
    tokens: Vec<Listed>,
    status: &'static str,
    after: Option<ClientTokenId>,
    may_write: bool,
}

/// A row of the list.
struct Listed {
    id: ClientTokenId,
    name: String,
    token: String,
    created: Moment,
    status: &'static str,
}

impl From<ClientToken> for Listed {
    fn from(token: ClientToken) -> Self {
        Self {
            id: token.id,
            token: token.token.as_str().to_owned(),
            created: Moment(token.created_at),
            status: token.status.name(),
            name: token.name,
        }
    }
}

async fn list(visit: Visit, State(app): State<App>, query: Query) -> Result<Response, Failure> {
    let status = ClientTokenStatus::from_name(query.0.text("status"));
    let asked = ClientTokenPage {
        page: Page {
            after: ClientTokenId::parse(query.0.text("after")).ok(),
            order: Order::Descending,
            limit: PER_PAGE,
            count: false,
        },
        statuses: status.into_iter().collect(),
    };
    let found = app.service.client_tokens(&visit.caller, &asked).await;
    let found = found.map_err(|error| ApiError::of_client_token(error, ""))?;
    let after = found.items.last().filter(|_| found.has_more).map(|token| token.id);
    Ok(page::ok(&ListPage {
        frame: visit
            .frame(Section::ClientTokens, "Client-side tokens")
            .notice(&query, &[])
            .live(0),
        tokens: found.items.into_iter().map(Listed::from).collect(),
        status: status.map_or("", ClientTokenStatus::name),
        after,
        may_write: visit.may(Permission::CLIENT_TOKEN_WRITE),
    }))
}
