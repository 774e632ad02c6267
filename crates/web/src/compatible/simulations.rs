//! `/simulations`: what is to be simulated, and where.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use tollgate_domain::event::EventType;
use tollgate_domain::id::{NotificationSettingId, SimulationId};
use tollgate_domain::permission::Permission;
use tollgate_domain::simulation::{Simulation, SimulationStatus, TYPES};
use tollgate_domain::text;
use tollgate_domain::time::Timestamp;
use tollgate_service::{NewSimulation, SimulationPatch};
use tollgate_storage::{Order, SimulationPage, StorageError};

use crate::App;
use crate::catalogue::{CONCURRENT_MODIFICATION, INVALID_FIELD};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Checked, Field, FieldKind, RawBody, Shape};
use crate::extract::list::{Filter, ListQuery, Listing};
use crate::extract::path::PathId;
use crate::extract::payload::{self, PAYLOAD};
use crate::gate::Known;

/// The path's parameter, as errors name it.
pub(crate) const ID: &str = "simulation_id";

const LISTING: Listing = Listing {
    default_order: Order::Descending,
    default_limit: 50,
    max_limit: 200,
    order_field: "id",
    filters: &[SETTINGS, IDS, STATUS],
};

const SETTINGS: Filter = Filter {
    name: "notification_setting_id",
    description: "Only to these notification settings.",
    values: None,
};
/// Also of runs and their events.
pub(crate) const IDS: Filter = Filter {
    name: "id",
    description: "Only with one of these ids.",
    values: None,
};
const STATUS: Filter = Filter {
    name: "status",
    description: "Only with one of these; active ones by default.",
    values: Some(|| STATUSES.map(str::to_owned).to_vec()),
};

const STATUSES: [&str; 2] = [SimulationStatus::Active.name(), SimulationStatus::Archived.name()];
const TYPE_NAMES: [&str; TYPES.len()] = type_names();

const fn type_names() -> [&'static str; TYPES.len()] {
    let mut names = [""; TYPES.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = TYPES[index].name();
        index += 1;
    }
    names
}

/// Also of the native surface's trigger, where it isn't required.
pub(crate) const SETTING: Field = Field {
    name: "notification_setting_id",
    description: "Where it is sent: a notification setting with the traffic source `simulation` or `all`.",
    kind: FieldKind::Pattern {
        pattern: r"^ntfset_[a-z\d]{26}$",
        matches: |text| NotificationSettingId::parse(text).is_ok(),
    },
    required: true,
    nullable: false,
};
/// Also of the native surface's trigger.
pub(crate) const TYPE: Field = Field {
    name: "type",
    description: "What is simulated: a single event.",
    kind: FieldKind::Choice(&TYPE_NAMES),
    required: true,
    nullable: false,
};
const NAME: Field = Field {
    name: "name",
    description: "What people call it.",
    kind: FieldKind::Text(text::NAME),
    required: true,
    nullable: false,
};

const fn optional(field: Field) -> Field {
    Field {
        required: false,
        ..field
    }
}

const CREATE: Shape = Shape {
    name: "SimulationCreate",
    fields: &[SETTING, TYPE, NAME, PAYLOAD],
    at_least: 0,
};

const UPDATE: Shape = Shape {
    name: "SimulationUpdate",
    fields: &[
        optional(SETTING),
        optional(TYPE),
        optional(NAME),
        Field {
            name: "status",
            description: "`archived` puts it away.",
            kind: FieldKind::Choice(&STATUSES),
            required: false,
            nullable: false,
        },
        PAYLOAD,
    ],
    at_least: 0,
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Needs(Permission::NOTIFICATION_SIMULATION_READ);
    let write = Access::Needs(Permission::NOTIFICATION_SIMULATION_WRITE);
    let one = || Answer::one::<SimulationView<'_>>();
    let path = "/simulations/{simulation_id}";
    vec![
        Endpoint::new(
            (Method::GET, "/simulations"),
            (Surface::Compatible, read),
            list,
            ("listSimulations", "List simulations"),
            Answer::many::<SimulationView<'_>>(),
        )
        .listing(&LISTING),
        Endpoint::new(
            (Method::POST, "/simulations"),
            (Surface::Compatible, write),
            create,
            ("createSimulation", "Create a simulation"),
            one(),
        )
        .body(&CREATE)
        .success(201)
        .errors(&[&INVALID_FIELD]),
        Endpoint::new(
            (Method::GET, path),
            (Surface::Compatible, read),
            get,
            ("getSimulation", "Get a simulation"),
            one(),
        ),
        Endpoint::new(
            (Method::PATCH, path),
            (Surface::Compatible, write),
            update,
            ("updateSimulation", "Update a simulation"),
            one(),
        )
        .body(&UPDATE)
        .errors(&[&INVALID_FIELD, &CONCURRENT_MODIFICATION]),
    ]
}

/// A simulation as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Simulation")]
struct SimulationView<'a> {
    id: SimulationId,
    status: &'static str,
    notification_setting_id: NotificationSettingId,
    name: &'a str,
    #[serde(rename = "type")]
    event_type: &'static str,
    /// As it was given.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    payload: Option<&'a RawValue>,
    /// Null: only scenarios have one, and there are none.
    config: Option<()>,
    last_run_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> TryFrom<&'a Simulation> for SimulationView<'a> {
    type Error = StorageError;

    fn try_from(simulation: &'a Simulation) -> Result<Self, StorageError> {
        let payload = simulation.payload.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            id: simulation.id,
            status: simulation.status.name(),
            notification_setting_id: simulation.setting,
            name: &simulation.name,
            event_type: simulation.event_type.name(),
            payload: payload
                .map_err(|error| StorageError::Corrupt(format!("simulations.payload of {}: {error}", simulation.id)))?,
            config: None,
            last_run_at: simulation.last_run_at,
            created_at: simulation.created_at,
            updated_at: simulation.updated_at,
        })
    }
}

/// 200 with a page.
async fn list(Known(caller): Known, State(app): State<App>, mut query: ListQuery) -> Result<Response, ApiError> {
    let page = query.page(&LISTING);
    let settings = query.ids(&SETTINGS);
    let ids = query.ids(&IDS);
    let mut statuses: Vec<SimulationStatus> = query
        .filter(&STATUS)
        .iter()
        .filter_map(|name| SimulationStatus::from_name(name))
        .collect();
    query.finish()?;
    if statuses.is_empty() {
        statuses.push(SimulationStatus::Active);
    }
    let asked = SimulationPage {
        page,
        settings,
        ids,
        statuses,
    };
    let slice = app.service.simulations(&caller, &asked).await?;
    let last = slice.items.last().map(|simulation| simulation.id.to_string());
    let data = slice
        .items
        .iter()
        .map(SimulationView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(envelope::page(&data, query.pagination(page.limit, &slice, last)))
}

/// 201 with the simulation.
async fn create(Known(caller): Known, State(app): State<App>, body: RawBody) -> Result<Response, ApiError> {
    let mut body = body.checked(&CREATE)?;
    let (Some(setting), Some(event_type)) = (setting(&mut body), event_type(&mut body)) else {
        return Err(ApiError::new(&INVALID_FIELD)); // both were checked
    };
    let new = NewSimulation {
        setting,
        event_type,
        name: body.text(NAME.name).unwrap_or_default(),
        payload: body.nullable_object(PAYLOAD.name).flatten(),
    };
    if let Some(payload) = &new.payload {
        payload::check(event_type, payload)?;
    }
    let simulation = app.service.create_simulation(&caller, new).await?;
    Ok(envelope::data(
        StatusCode::CREATED,
        &SimulationView::try_from(&simulation)?,
    ))
}

/// 200 with the simulation.
async fn get(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let simulation = app.service.simulation(&caller, id.parse(ID)?).await;
    let simulation = simulation.map_err(|error| ApiError::of_simulation(error, [id.as_str(), "", ""]))?;
    Ok(envelope::data(StatusCode::OK, &SimulationView::try_from(&simulation)?))
}

/// 200 with the simulation, also when nothing changed.
async fn update(Known(caller): Known, State(app): State<App>, id: PathId, body: RawBody) -> Result<Response, ApiError> {
    let refused = |error| ApiError::of_simulation(error, [id.as_str(), "", ""]);
    let mut body = body.checked(&UPDATE)?;
    let simulation_id = id.parse(ID)?;
    let patch = SimulationPatch {
        setting: setting(&mut body),
        event_type: event_type(&mut body),
        name: body.text(NAME.name),
        status: body.text("status").and_then(|name| SimulationStatus::from_name(&name)),
        payload: body.nullable_object(PAYLOAD.name),
    };
    if patch.payload.is_some() || patch.event_type.is_some() {
        let stored = app.service.simulation(&caller, simulation_id).await.map_err(refused)?;
        check_payload_after(&stored, &patch)?;
    }
    let simulation = app.service.update_simulation(&caller, simulation_id, patch).await;
    let simulation = simulation.map_err(refused)?;
    Ok(envelope::data(StatusCode::OK, &SimulationView::try_from(&simulation)?))
}

/// Whether the payload that the simulation will have fits the type that it will have.
fn check_payload_after(stored: &Simulation, patch: &SimulationPatch) -> Result<(), ApiError> {
    let event_type = patch.event_type.unwrap_or(stored.event_type);
    match (&patch.payload, &stored.payload) {
        (Some(Some(payload)), _) => payload::check(event_type, payload),
        (None, Some(payload)) => {
            let payload = serde_json::from_str(payload)
                .map_err(|error| StorageError::Corrupt(format!("simulations.payload of {}: {error}", stored.id)))?;
            payload::check(event_type, &payload)
        }
        (Some(None), _) | (None, None) => Ok(()),
    }
}

/// Also of the native surface's trigger.
pub(crate) fn setting(body: &mut Checked) -> Option<NotificationSettingId> {
    body.text(SETTING.name)
        .and_then(|id| NotificationSettingId::parse(&id).ok())
}

/// Also of the native surface's trigger.
pub(crate) fn event_type(body: &mut Checked) -> Option<EventType> {
    body.text(TYPE.name).and_then(|name| EventType::from_name(&name))
}
