//! `/dashboard/events`: the newest first, new ones as they happen.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::EventId;
use tollgate_domain::time::Timestamp;

use crate::App;
use crate::compatible::events::asked;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::extract::list::ListQuery;

const PER_PAGE: usize = 50;

#[derive(Template)]
#[template(path = "dashboard/events/list.html")]
struct ListPage {
    frame: Frame,
    events: Vec<Listed>,
    types: Vec<&'static str>,
    event_type: String,
    is_first_page: bool,
    older: Option<EventId>,
    now: Timestamp,
}

/// A row of the list.
struct Listed {
    id: EventId,
    event_type: &'static str,
    subject: String,
    /// What the entity is called.
    name: String,
    occurred: Moment,
}

/// All that the list takes of an event's data.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

impl From<Event> for Listed {
    fn from(event: Event) -> Self {
        let named: Option<Named> = serde_json::from_str(&event.data).ok();
        Self {
            id: event.id,
            event_type: event.event_type.name(),
            subject: event.subject,
            name: named.map(|named| named.name).unwrap_or_default(),
            occurred: Moment(event.occurred_at),
        }
    }
}

/// 200 with a page of them.
pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    mut list: ListQuery,
) -> Result<Response, Failure> {
    let mut asked = asked(&mut list)?;
    asked.page.limit = asked.page.limit.min(PER_PAGE);
    // Several can be asked for by an address, as on the API; the choice has them one by one.
    let asked_type = query.0.text("event_type").to_owned();
    let found = app.service.events(&visit.caller, &asked).await?;
    Ok(page::ok(&ListPage {
        frame: visit.frame(Section::Events, "Events").live(0),
        types: EventType::ALL.map(EventType::name).to_vec(),
        event_type: asked_type,
        is_first_page: asked.page.after.is_none(),
        older: found.items.last().filter(|_| found.has_more).map(|last| last.id),
        events: found.items.into_iter().map(Listed::from).collect(),
        now: app.service.now(),
    }))
}
