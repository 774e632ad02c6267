//! The list: newest first, by status, each token with its last use and a week of it.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::Hour;
use tollgate_service::ClientTokenError;
use tollgate_storage::{ClientTokenPage, Order, Page, Slice};

use super::chart::Sparkline;
use super::status::Status;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Query};
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::{Moment, counted};
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::error::ApiError;

/// Short enough that a page of the longest names is under 100 KiB.
const PER_PAGE: usize = 25;
/// Seconds after which the list looks for new uses, which are no events.
const BEAT: u32 = 5;

#[derive(Template)]
#[template(path = "dashboard/client_tokens/list.html")]
struct ListPage {
    frame: Frame,
    tokens: Vec<Listed>,
    status: &'static str,
    /// Whether not all tokens are asked for.
    is_filtered: bool,
    newer: Option<String>,
    older: Option<String>,
    now: Timestamp,
    may_write: bool,
}

/// A row of the list.
struct Listed {
    id: ClientTokenId,
    name: String,
    token: String,
    created: Moment,
    last_used: Option<Moment>,
    spark: Sparkline,
    /// The sparkline in words.
    uses: String,
    status: Status,
}

/// What is asked for: filters, and from which token on, forward or backward.
struct Asked {
    status: Option<ClientTokenStatus>,
    after: Option<ClientTokenId>,
    before: Option<ClientTokenId>,
}

impl Asked {
    fn of(fields: &Fields) -> Self {
        let id = |name| ClientTokenId::parse(fields.text(name)).ok();
        Self {
            status: ClientTokenStatus::from_name(fields.text("status")),
            after: id("after"),
            before: id("before"),
        }
    }

    fn page(&self, after: Option<ClientTokenId>, order: Order) -> ClientTokenPage {
        ClientTokenPage {
            page: Page {
                after,
                order,
                limit: PER_PAGE,
                count: false,
            },
            statuses: self.status.into_iter().collect(),
        }
    }

    /// The address of the page that goes on from a token, with the same filters.
    fn link(&self, way: &str, from: ClientTokenId) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(status) = self.status {
            query.append_pair("status", status.name());
        }
        query.append_pair(way, &from.to_string());
        format!("?{}", query.finish())
    }
}

/// A page, newest first, and whether there are newer and older ones.
struct Found {
    tokens: Vec<ClientToken>,
    has_newer: bool,
    has_older: bool,
}

async fn found(app: &App, visit: &Visit, asked: &Asked) -> Result<Found, ClientTokenError> {
    let read = async |page: ClientTokenPage| app.service.client_tokens(&visit.caller, &page).await;
    if let Some(before) = asked.before {
        let Slice {
            mut items, has_more, ..
        } = read(asked.page(Some(before), Order::Ascending)).await?;
        // With nothing newer it is the first page, which is shown whole.
        if has_more {
            items.reverse();
            return Ok(Found {
                tokens: items,
                has_newer: true,
                has_older: true,
            });
        }
    }
    let after = asked.after.filter(|_| asked.before.is_none());
    let slice = read(asked.page(after, Order::Descending)).await?;
    Ok(Found {
        has_newer: after.is_some(),
        has_older: slice.has_more,
        tokens: slice.items,
    })
}

pub(super) async fn show(visit: Visit, State(app): State<App>, query: Query) -> Result<Response, Failure> {
    let told = |error| ApiError::of_client_token(error, "");
    let asked = Asked::of(&query.0);
    let found = found(&app, &visit, &asked).await.map_err(told)?;
    let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
    let last_uses = app.service.client_token_last_uses(&visit.caller, &ids).await;
    let usages = app.service.client_token_usages(&visit.caller, &ids).await;
    let (usages, hour) = usages.map_err(told)?;
    let seen = Seen {
        last_uses: last_uses.map_err(told)?,
        usages,
        hour,
        now: app.service.now(),
    };
    let edge = |id: Option<&ClientTokenId>, way, is_there: bool| Some(asked.link(way, *id.filter(|_| is_there)?));
    Ok(page::ok(&ListPage {
        frame: visit
            .frame(Section::ClientTokens, "Client-side tokens")
            .notice(&query, &[])
            .live(BEAT),
        newer: edge(ids.first(), "before", found.has_newer),
        older: edge(ids.last(), "after", found.has_older),
        tokens: found.tokens.into_iter().map(|token| seen.row(token)).collect(),
        status: asked.status.map_or("", ClientTokenStatus::name),
        is_filtered: asked.status.is_some() || asked.after.is_some(),
        now: seen.now,
        may_write: visit.may(Permission::CLIENT_TOKEN_WRITE),
    }))
}

/// What is known of the use of a page's tokens.
struct Seen {
    last_uses: HashMap<ClientTokenId, Timestamp>,
    usages: HashMap<ClientTokenId, Vec<(Hour, u64)>>,
    hour: Hour,
    now: Timestamp,
}

impl Seen {
    fn row(&self, token: ClientToken) -> Listed {
        let hours = self.usages.get(&token.id).map_or(&[][..], Vec::as_slice);
        let spark = Sparkline::of(hours, self.hour);
        Listed {
            id: token.id,
            token: token.token.as_str().to_owned(),
            created: Moment(token.created_at),
            last_used: self.last_uses.get(&token.id).copied().map(Moment),
            uses: format!("Used {} in seven days", counted(spark.total, "time")),
            spark,
            status: Status::of(&token, self.now),
            name: token.name,
        }
    }
}
