//! The trail as a page: the newest first, filtered.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::id::EventId;
use tollgate_service::AuditEntry;
use tollgate_storage::{ApiKeyPage, Order, Page};

use super::filter::{Filter, who};
use super::words::{self, Doer};
use crate::App;
use crate::dashboard::excerpt::{Excerpt, excerpt, pretty, visible};
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::{Moment, grouped};
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::error::ApiError;

const PER_PAGE: usize = 30;
/// Bytes of the page that an entry's data may take.
const DATA: usize = 1_500;
/// How many keys can be chosen from; others by the link on what they did.
const MOST_KEYS: usize = 100;

#[derive(Template)]
#[template(path = "dashboard/audit/list.html")]
struct TrailPage {
    frame: Frame,
    filter: Filter,
    doers: Vec<Choice>,
    types: Vec<Choice>,
    entries: Vec<Listed>,
    /// What stands behind the question mark to go on.
    next: Option<String>,
    cut_short: bool,
    is_first: bool,
    most_exported: String,
}

/// What a filter can be set to.
struct Choice {
    value: String,
    text: String,
    is_chosen: bool,
}

struct Listed {
    id: EventId,
    at: Moment,
    doer: Doer,
    /// What the filter calls them.
    who: String,
    event_type: &'static str,
    happened: String,
    subject: String,
    /// The page that shows it.
    page: Option<String>,
    address: String,
    data: Excerpt,
}

impl Listed {
    fn of(AuditEntry { event, actor_name }: AuditEntry) -> Self {
        Self {
            id: event.id,
            at: Moment(event.occurred_at),
            doer: Doer::of(event.actor, actor_name),
            who: who(event.actor),
            event_type: event.event_type.name(),
            happened: words::happened(event.event_type),
            page: page_of(&event.subject),
            address: event.address.map_or(String::new(), |address| address.to_string()),
            data: excerpt(&pretty(&event.data).unwrap_or(event.data), DATA),
            subject: event.subject,
        }
    }
}

/// Where an entity is shown, by the kind of its id.
fn page_of(subject: &str) -> Option<String> {
    let (kind, _) = subject.split_once('_')?;
    let place = match kind {
        "ctkn" => "client-tokens",
        "apikey" => "api-keys",
        "ntfset" => "notifications/destinations",
        "wsp" => return Some("/dashboard/settings".to_owned()),
        _ => return None,
    };
    Some(format!("/dashboard/{place}/{subject}"))
}

pub(super) async fn show(visit: Visit, State(app): State<App>, Query(query): Query) -> Result<Response, Failure> {
    let filter = Filter::of(&query, PER_PAGE);
    let trail = app.service.audit_trail(&visit.caller, &filter.page).await?;
    let next = trail.next.map(|after| {
        let filter = filter.query();
        let and = if filter.is_empty() { "" } else { "&" };
        format!("{filter}{and}after={after}")
    });
    Ok(page::ok(&TrailPage {
        frame: visit.frame(Section::Audit, "Audit trail"),
        doers: doers(&app, &visit, filter.page.actor).await?,
        types: types(&filter),
        entries: trail.entries.into_iter().map(Listed::of).collect(),
        next,
        cut_short: trail.cut_short,
        is_first: filter.page.after.is_none(),
        most_exported: grouped(tollgate_service::MOST_EXPORTED as u64),
        filter,
    }))
}

fn types(filter: &Filter) -> Vec<Choice> {
    let all = EventType::ALL.into_iter().chain(EventType::AUDIT_ONLY);
    let choices = all.map(|one| Choice {
        value: one.name().to_owned(),
        text: words::happened(one),
        is_chosen: filter.page.types == [one],
    });
    choices.collect()
}

/// Members, keys, and whoever is chosen: they may be gone.
async fn doers(app: &App, visit: &Visit, chosen: Option<Actor>) -> Result<Vec<Choice>, Failure> {
    let members = app.service.members(&visit.caller).await?;
    let newest = ApiKeyPage {
        page: Page {
            after: None,
            order: Order::Descending,
            limit: MOST_KEYS,
            count: false,
        },
        status: None,
    };
    let keys = app.service.api_keys(&visit.caller, &newest).await;
    let keys = keys.map_err(|error| ApiError::of_api_key(error, ""))?.items;
    let members = members.into_iter().map(|member| {
        (
            Actor::Person(member.user),
            format!("{} <{}>", member.name, member.email),
        )
    });
    let keys = keys
        .into_iter()
        .map(|ApiKey { id, name, .. }| (Actor::ApiKey(id), format!("Key: {name}")));
    let others = [Actor::CommandLine, Actor::Clock].map(|actor| (actor, words::doer(actor)));
    let mut all: Vec<(Actor, String)> = members.chain(keys).chain(others).collect();
    if let Some(chosen) = chosen
        && all.iter().all(|(actor, _)| *actor != chosen)
    {
        all.push((chosen, words::doer(chosen)));
    }
    let choices = all.into_iter().map(|(actor, text)| Choice {
        value: who(actor),
        // Nothing can be put around a name in a list of choices, so that it keeps to itself.
        text: visible(&text),
        is_chosen: chosen == Some(actor),
    });
    Ok(choices.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_leads_to_the_page_that_shows_it() {
        for (subject, expected) in [
            ("apikey_01", Some("/dashboard/api-keys/apikey_01")),
            ("ctkn_01", Some("/dashboard/client-tokens/ctkn_01")),
            ("ntfset_01", Some("/dashboard/notifications/destinations/ntfset_01")),
            ("usr_01", None),
            ("ada@example.com", None),
            ("ctkn@example.com", None),
        ] {
            assert_eq!(page_of(subject).as_deref(), expected, "{subject}");
        }
    }
}
