//! The list: newest first, by status and by what is searched for, each token with its last use and a week of it.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::Hour;

use super::asked::Asked;
use super::chart::Sparkline;
use super::status::Status;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::{Moment, counted};
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::error::ApiError;

/// Seconds after which the list looks for new uses, which are no events.
const BEAT: u32 = 5;

#[derive(Template)]
#[template(path = "dashboard/client_tokens/list.html")]
struct ListPage {
    frame: Frame,
    tokens: Vec<Listed>,
    /// What was searched for.
    text: String,
    status: &'static str,
    /// Whether not all tokens are asked for.
    is_filtered: bool,
    newer: Option<String>,
    older: Option<String>,
    looked_through: Option<String>,
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

pub(super) async fn show(visit: Visit, State(app): State<App>, query: Query) -> Result<Response, Failure> {
    let told = |error| ApiError::of_client_token(error, "");
    let asked = Asked::of(&query.0);
    let found = asked.find(&app, &visit).await.map_err(told)?;
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
    // Searching is work: it is done again only when something happened.
    let beat = if asked.text.is_empty() { BEAT } else { 0 };
    Ok(page::ok(&ListPage {
        frame: visit
            .frame(Section::ClientTokens, "Client-side tokens")
            .notice(&query, &[])
            .live(beat),
        newer: found.newer,
        older: found.older,
        looked_through: found.looked_through,
        tokens: found.tokens.into_iter().map(|token| seen.row(token)).collect(),
        status: asked.status.map_or("", ClientTokenStatus::name),
        is_filtered: asked.is_filtered(),
        text: asked.text,
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
