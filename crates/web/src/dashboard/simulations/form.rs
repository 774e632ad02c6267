//! `/dashboard/simulator`: choosing an event and where it goes, and what was simulated before.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::event::EventType;
use tollgate_domain::id::SimulationId;
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{Simulation, SimulationStatus, TYPES};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Order, Page, SimulationPage};

use super::payload::{self, LABEL};
use super::{Listed, run_page};
use crate::App;
use crate::dashboard::excerpt::{excerpt, pretty};
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Form, Query};
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::notification_settings::{Choice, choices};
use crate::dashboard::page;
use crate::dashboard::session::Visit;
use crate::error::ApiError;
use crate::extract::payload::check;
use crate::native::simulations::{TRIGGER, trigger_of};

const PER_PAGE: usize = 20;
/// Seconds.
const BEAT: u32 = 3;
/// Bytes of a page that what was typed may take.
const TYPED: usize = 60 * 1024;
const LABELS: &[(&str, &str)] = &[
    ("type", "Event type"),
    ("notification_setting_id", "Destination"),
    ("payload", LABEL),
];
const DONE: &[(&str, &str)] = &[("sent", "The events are on their way; each has its line below.")];

#[derive(Template)]
#[template(path = "dashboard/simulations/form.html")]
struct FormPage {
    frame: Frame,
    types: Vec<&'static str>,
    event_type: &'static str,
    /// Those that take simulated events.
    destinations: Vec<Choice>,
    payload: String,
    mistakes: Mistakes,
    simulations: Vec<Simulated>,
    older: Option<SimulationId>,
    is_first_page: bool,
    may_send: bool,
    may_make_destinations: bool,
    now: Timestamp,
}

/// A simulation, and how its last run went.
struct Simulated {
    id: SimulationId,
    name: String,
    event_type: &'static str,
    destination: String,
    last: Option<Listed>,
}

impl Simulated {
    fn of(simulation: Simulation, last: Option<Listed>, destinations: &[Choice]) -> Self {
        let setting = simulation.setting.to_string();
        let destination = destinations.iter().find(|known| known.id == setting);
        Self {
            id: simulation.id,
            event_type: simulation.event_type.name(),
            destination: destination.map_or(setting, |known| known.text.clone()),
            name: simulation.name,
            last,
        }
    }
}

/// The type that is asked for, or the first one.
fn event_type(fields: &Fields) -> EventType {
    let asked = TYPES.into_iter().find(|known| known.name() == fields.text("type"));
    asked.unwrap_or(TYPES[0])
}

async fn shown(
    visit: &Visit,
    app: &App,
    query: &Query,
    sent: Option<(&Fields, Mistakes)>,
) -> Result<FormPage, Failure> {
    let after = SimulationId::parse(query.0.text("after")).ok();
    let asked = SimulationPage {
        page: Page {
            after,
            order: Order::Descending,
            limit: PER_PAGE,
            count: false,
        },
        settings: Vec::new(),
        ids: Vec::new(),
        statuses: vec![SimulationStatus::Active],
    };
    let found = app
        .service
        .simulations(&visit.caller, &asked)
        .await
        .map_err(ApiError::from)?;
    let ids: Vec<SimulationId> = found.items.iter().map(|simulation| simulation.id).collect();
    let runs = app.service.newest_simulation_runs(&visit.caller, &ids).await;
    let runs = runs.map_err(ApiError::from)?;
    let mut last: HashMap<SimulationId, Listed> =
        runs.iter().map(|run| (run.run.simulation, Listed::from(run))).collect();
    let (fields, mistakes) = match sent {
        Some((fields, mistakes)) => (fields, mistakes),
        None => (&query.0, Mistakes::default()),
    };
    let event_type = event_type(fields);
    let payload = if mistakes.all.is_empty() {
        let example = app.service.example_entity(&visit.caller, event_type).await;
        let example = example.map_err(ApiError::from)?.unwrap_or_default();
        pretty(&example).unwrap_or(example)
    } else {
        excerpt(fields.text("payload"), TYPED).text
    };
    let chosen = fields.text("notification_setting_id");
    let all = choices(&app.service, visit, chosen, |_| true).await?;
    let takes = |setting: &tollgate_domain::notification_setting::NotificationSetting| {
        setting.active && setting.traffic_source.takes_simulated()
    };
    Ok(FormPage {
        frame: visit
            .frame(Section::Simulator, "Simulator")
            .notice(query, DONE)
            .live(BEAT),
        types: TYPES.map(EventType::name).to_vec(),
        event_type: event_type.name(),
        destinations: choices(&app.service, visit, chosen, takes).await?,
        payload,
        mistakes,
        older: ids.last().copied().filter(|_| found.has_more),
        simulations: found
            .items
            .into_iter()
            .map(|simulation| {
                let last = last.remove(&simulation.id);
                Simulated::of(simulation, last, &all)
            })
            .collect(),
        is_first_page: after.is_none(),
        may_send: visit.may(Permission::NOTIFICATION_SIMULATION_WRITE),
        may_make_destinations: visit.may(Permission::NOTIFICATION_SETTING_WRITE),
        now: app.service.now(),
    })
}

/// 200 with the form, and with an example of what an event of the type carries.
pub(super) async fn show(visit: Visit, State(app): State<App>, query: Query) -> Result<Response, Failure> {
    Ok(page::ok(&shown(&visit, &app, &query, None).await?))
}

/// 303 to the run; 422 with what is wrong, and where.
pub(super) async fn send(
    visit: Visit,
    State(app): State<App>,
    query: Query,
    Form(form): Form,
) -> Result<Response, Failure> {
    let mistakes = match payload::parse(form.text("payload")) {
        Err(mistakes) => mistakes,
        Ok(payload) => {
            let mut body = form.object(&["type", "notification_setting_id"]);
            let mut given = form.text("payload").to_owned();
            if let Some(payload) = payload {
                body.insert("payload".to_owned(), payload.into());
            } else {
                given.clear();
            }
            let checked = TRIGGER.check(body).and_then(trigger_of).and_then(|trigger| {
                if let Some(payload) = &trigger.payload {
                    check(trigger.event_type, payload)?;
                }
                Ok(trigger)
            });
            let done = match checked {
                Ok(trigger) => {
                    let runs = app.service.trigger_simulations(&visit.caller, trigger).await;
                    runs.map_err(ApiError::from)
                }
                Err(error) => Err(payload::with_places(error, &given)),
            };
            match done {
                Ok(runs) => return Ok(run_page(&runs)),
                Err(error) => Mistakes::of(error, LABELS)?,
            }
        }
    };
    Ok(page::refused(
        &shown(&visit, &app, &query, Some((&form, mistakes))).await?,
    ))
}
