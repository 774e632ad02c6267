//! `/dashboard/events/{id}`: an event, and where it went.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::event::Event;
use tollgate_domain::id::EventId;
use tollgate_domain::time::Timestamp;

use crate::App;
use crate::compatible::events::EventView;
use crate::dashboard::audit::page_of;
use crate::dashboard::download;
use crate::dashboard::excerpt::{Excerpt, excerpt, pretty};
use crate::dashboard::failure::Failure;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::ids::id;
use crate::dashboard::moment::Moment;
use crate::dashboard::notification_settings::choices;
use crate::dashboard::notifications::{Listed, failed};
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::error::ApiError;
use crate::extract::path::PathId;

/// Bytes of a page that the payload may take.
const PAYLOAD: usize = 40 * 1024;
/// How many of its notifications are shown.
const MOST: usize = 50;
/// Seconds.
const BEAT: u32 = 3;

#[derive(Template)]
#[template(path = "dashboard/events/detail.html")]
struct DetailPage {
    frame: Frame,
    id: EventId,
    event_type: &'static str,
    /// The id of what it happened to, and the page that shows it.
    subject: String,
    subject_page: Option<String>,
    occurred: Moment,
    payload: Excerpt,
    deliveries: Vec<Listed>,
    now: Timestamp,
}

/// 200 with the event.
pub(super) async fn show(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let event = found(&visit, &app, &path).await?;
    let deliveries = app
        .service
        .notifications_of_event(&visit.caller, event.id, MOST)
        .await
        .map_err(failed)?;
    let destinations = choices(&app.service, &visit, "", |_| true).await?;
    let told = told(&event)?;
    let told = pretty(&told).unwrap_or(told);
    Ok(page::ok(&DetailPage {
        frame: visit.frame(Section::Events, event.event_type.name()).live(BEAT),
        id: event.id,
        event_type: event.event_type.name(),
        subject_page: page_of(&event.subject),
        subject: event.subject,
        occurred: Moment(event.occurred_at),
        payload: excerpt(&told, PAYLOAD),
        deliveries: deliveries.iter().map(|one| Listed::of(one, &destinations)).collect(),
        now: app.service.now(),
    }))
}

/// 200 with the event as the API has it, as a file.
pub(super) async fn payload(visit: Visit, State(app): State<App>, path: PathId) -> Result<Response, Failure> {
    let event = found(&visit, &app, &path).await?;
    Ok(download::json(&event.id.to_string(), told(&event)?))
}

async fn found(visit: &Visit, app: &App, path: &PathId) -> Result<Event, Failure> {
    let found = app.service.public_event(&visit.caller, id(path, "Event")?).await?;
    found.ok_or_else(|| Failure::not_found("Event"))
}

/// As the API tells it, with the stored entity byte for byte.
fn told(event: &Event) -> Result<String, Failure> {
    let view = EventView::try_from(event)?;
    Ok(serde_json::to_string(&view).map_err(|error| {
        tracing::error!(%error, "an event could not be written");
        ApiError::new(&crate::catalogue::INTERNAL_ERROR)
    })?)
}
