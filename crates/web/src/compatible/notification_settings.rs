//! `/notification-settings`: which event types go to which destination.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_delivery::{Mailer, Refusal};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{EventTypeDescription, catalogue};
use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::notification_setting::{self, DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::permission::Permission;
use tollgate_service::{Caller, NewNotificationSetting, NotificationSettingPatch};
use tollgate_storage::{NotificationSettingPage, Order};

use super::event_types::EventTypeView;
use crate::App;
use crate::catalogue::{
    CONCURRENT_MODIFICATION, CONFLICT, EMAIL_NOTIFICATION_SETTING_INCORRECT, INVALID_FIELD, MAXIMUM_ACTIVE_SETTINGS,
    SETTING_CANNOT_BE_DUPLICATE, URL_NOTIFICATION_SETTING_INCORRECT,
};
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::body::{Checked, Field, FieldKind, RawBody, Shape};
use crate::extract::list::{Filter, ListQuery, Listing};
use crate::extract::path::PathId;
use crate::gate::Known;

/// The path's parameter, as errors name it.
pub(crate) const ID: &str = "notification_setting_id";

const LISTING: Listing = Listing {
    default_order: Order::Descending,
    default_limit: 200,
    max_limit: 200,
    order_field: "id",
    filters: &[ACTIVE, SOURCE],
};

const ACTIVE: Filter = Filter {
    name: "active",
    description: "Only active ones, or only others; both by default.",
    values: Some(|| vec!["true".to_owned(), "false".to_owned()]),
};

const SOURCE: Filter = Filter {
    name: "traffic_source",
    description: "Only those with this one; all by default.",
    values: Some(|| SOURCES.map(str::to_owned).to_vec()),
};

const SOURCES: [&str; 3] = [
    TrafficSource::Platform.name(),
    TrafficSource::Simulation.name(),
    TrafficSource::All.name(),
];
const TYPES: [&str; 2] = [DestinationType::Email.name(), DestinationType::Url.name()];

const fn field(name: &'static str, description: &'static str, kind: FieldKind) -> Field {
    Field {
        name,
        description,
        kind,
        required: false,
        nullable: false,
    }
}

const fn required(field: Field) -> Field {
    Field {
        required: true,
        ..field
    }
}

const fn nullable(field: Field) -> Field {
    Field {
        nullable: true,
        ..field
    }
}

const DESCRIPTION: Field = field(
    "description",
    "What it is for.",
    FieldKind::Text(notification_setting::DESCRIPTION),
);
const DESTINATION: Field = field(
    "destination",
    "A URL or an email address.",
    FieldKind::Text(notification_setting::DESTINATION),
);
const EVENTS: Field = field(
    "subscribed_events",
    "The event types to be told of.",
    FieldKind::Names(event_names),
);
const VERSION: Field = field(
    "api_version",
    "The version of the contract.",
    FieldKind::Whole { min: 1, max: 1 },
);
const SENSITIVE: Field = field(
    "include_sensitive_fields",
    "Kept and shown; no payload has such fields.",
    FieldKind::Flag,
);
const TRAFFIC: Field = field(
    "traffic_source",
    "Real events, simulated ones, or both.",
    FieldKind::Choice(&SOURCES),
);

/// Also of the dashboard's form, as all below that forms need.
pub(crate) const CREATE: Shape = Shape {
    name: "NotificationSettingCreate",
    fields: &[
        required(DESCRIPTION),
        required(field(
            "type",
            "What kind of destination; never changes.",
            FieldKind::Choice(&TYPES),
        )),
        required(DESTINATION),
        required(EVENTS),
        nullable(VERSION),
        nullable(SENSITIVE),
        nullable(TRAFFIC),
    ],
    at_least: 0,
};

pub(crate) const UPDATE: Shape = Shape {
    name: "NotificationSettingUpdate",
    fields: &[
        DESCRIPTION,
        DESTINATION,
        field("active", "Whether anything is sent there.", FieldKind::Flag),
        EVENTS,
        VERSION,
        SENSITIVE,
        TRAFFIC,
    ],
    at_least: 0,
};

fn event_names() -> Vec<String> {
    catalogue().into_iter().map(|described| described.name).collect()
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = (
        Surface::Compatible,
        Access::Needs(Permission::NOTIFICATION_SETTING_READ),
    );
    let write = (
        Surface::Compatible,
        Access::Needs(Permission::NOTIFICATION_SETTING_WRITE),
    );
    let one = || Answer::one::<NotificationSettingView<'_>>();
    let refusals = [
        &INVALID_FIELD,
        &URL_NOTIFICATION_SETTING_INCORRECT,
        &EMAIL_NOTIFICATION_SETTING_INCORRECT,
        &MAXIMUM_ACTIVE_SETTINGS,
        &SETTING_CANNOT_BE_DUPLICATE,
    ];
    let path = "/notification-settings/{notification_setting_id}";
    vec![
        Endpoint::new(
            (Method::GET, "/notification-settings"),
            read,
            list,
            ("listNotificationSettings", "List notification settings"),
            Answer::many::<NotificationSettingView<'_>>(),
        )
        .listing(&LISTING),
        Endpoint::new(
            (Method::POST, "/notification-settings"),
            write,
            create,
            ("createNotificationSetting", "Create a notification setting"),
            one(),
        )
        .body(&CREATE)
        .success(201)
        .errors(&refusals)
        .errors(&[&CONFLICT]),
        Endpoint::new(
            (Method::GET, path),
            read,
            get,
            ("getNotificationSetting", "Get a notification setting"),
            one(),
        ),
        Endpoint::new(
            (Method::PATCH, path),
            write,
            update,
            ("updateNotificationSetting", "Update a notification setting"),
            one(),
        )
        .body(&UPDATE)
        .errors(&refusals)
        .errors(&[&CONCURRENT_MODIFICATION]),
        Endpoint::new(
            (Method::DELETE, path),
            write,
            delete,
            (
                "deleteNotificationSetting",
                "Delete a notification setting with its notifications and their logs",
            ),
            Answer::Nothing,
        )
        .success(204),
    ]
}

/// A notification setting as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotificationSetting")]
pub(crate) struct NotificationSettingView<'a> {
    id: NotificationSettingId,
    description: &'a str,
    #[serde(rename = "type")]
    destination_type: &'static str,
    destination: &'a str,
    active: bool,
    api_version: u32,
    include_sensitive_fields: bool,
    traffic_source: &'static str,
    subscribed_events: Vec<EventTypeView>,
    endpoint_secret_key: &'a str,
}

impl<'a> From<&'a NotificationSetting> for NotificationSettingView<'a> {
    fn from(setting: &'a NotificationSetting) -> Self {
        let known = catalogue();
        let described = |name: &String| -> Option<EventTypeDescription> {
            known.iter().find(|described| described.name == *name).cloned()
        };
        Self {
            id: setting.id,
            description: &setting.description,
            destination_type: setting.destination_type.name(),
            destination: &setting.destination,
            active: setting.active,
            api_version: setting.api_version,
            include_sensitive_fields: setting.include_sensitive_fields,
            traffic_source: setting.traffic_source.name(),
            subscribed_events: setting
                .subscribed_events
                .iter()
                .filter_map(described)
                .map(Into::into)
                .collect(),
            endpoint_secret_key: setting.secret.reveal(),
        }
    }
}

/// 200 with a page.
async fn list(Known(caller): Known, State(app): State<App>, mut query: ListQuery) -> Result<Response, ApiError> {
    let page = query.page(&LISTING);
    let active = match query.filter(&ACTIVE).as_slice() {
        [only] => Some(only == "true"),
        _ => None,
    };
    let traffic_source = query.one_of(&SOURCE).and_then(|name| TrafficSource::from_name(&name));
    query.finish()?;
    let asked = NotificationSettingPage {
        page,
        active,
        traffic_source,
    };
    let slice = app.service.notification_settings(&caller, &asked).await;
    let slice = slice.map_err(|error| ApiError::of_notification_setting(error, ""))?;
    let last = slice.items.last().map(|setting| setting.id.to_string());
    let data: Vec<_> = slice.items.iter().map(NotificationSettingView::from).collect();
    Ok(envelope::page(&data, query.pagination(page.limit, &slice, last)))
}

/// 201 with the setting.
async fn create(Known(caller): Known, State(app): State<App>, body: RawBody) -> Result<Response, ApiError> {
    let new = new_setting(&app, &caller, body.checked(&CREATE)?).await?;
    let setting = app.service.create_notification_setting(&caller, &new).await;
    let setting = setting.map_err(|error| ApiError::of_notification_setting(error, ""))?;
    Ok(envelope::data(
        StatusCode::CREATED,
        &NotificationSettingView::from(&setting),
    ))
}

/// What a body of the shape [`CREATE`] asks for, if deliveries may go there.
pub(crate) async fn new_setting(
    app: &App,
    caller: &Caller,
    mut body: Checked,
) -> Result<NewNotificationSetting, ApiError> {
    let destination_type = body
        .text("type")
        .and_then(|name| DestinationType::from_name(&name))
        .unwrap_or(DestinationType::Url);
    let destination = body.text("destination").unwrap_or_default();
    check_destination(app, caller, destination_type, &destination).await?;
    Ok(NewNotificationSetting {
        description: body.text("description").unwrap_or_default(),
        destination_type,
        destination,
        api_version: version(&mut body).unwrap_or(1),
        include_sensitive_fields: body.flag("include_sensitive_fields").unwrap_or(false),
        traffic_source: source(&mut body).unwrap_or(TrafficSource::Platform),
        subscribed_events: body.names("subscribed_events").unwrap_or_default(),
    })
}

/// 200 with the setting.
async fn get(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let setting = app.service.notification_setting(&caller, id.parse(ID)?).await;
    let setting = setting.map_err(|error| ApiError::of_notification_setting(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &NotificationSettingView::from(&setting)))
}

/// 200 with the setting, also when nothing changed.
async fn update(Known(caller): Known, State(app): State<App>, id: PathId, body: RawBody) -> Result<Response, ApiError> {
    let body = body.checked(&UPDATE)?;
    let setting_id = id.parse(ID)?;
    let patch = patch(&app, &caller, setting_id, body).await?;
    let setting = app
        .service
        .update_notification_setting(&caller, setting_id, &patch)
        .await;
    let setting = setting.map_err(|error| ApiError::of_notification_setting(error, id.as_str()))?;
    Ok(envelope::data(StatusCode::OK, &NotificationSettingView::from(&setting)))
}

/// What a body of the shape [`UPDATE`] asks for, if deliveries may go there.
pub(crate) async fn patch(
    app: &App,
    caller: &Caller,
    id: NotificationSettingId,
    mut body: Checked,
) -> Result<NotificationSettingPatch, ApiError> {
    let patch = NotificationSettingPatch {
        description: body.text("description"),
        destination: body.text("destination"),
        active: body.flag("active"),
        api_version: version(&mut body),
        include_sensitive_fields: body.flag("include_sensitive_fields"),
        traffic_source: source(&mut body),
        subscribed_events: body.names("subscribed_events"),
    };
    if let Some(destination) = &patch.destination {
        let setting = app.service.notification_setting(caller, id).await;
        let setting = setting.map_err(|error| ApiError::of_notification_setting(error, &id.to_string()))?;
        check_destination(app, caller, setting.destination_type, destination).await?;
    }
    Ok(patch)
}

/// 204.
async fn delete(Known(caller): Known, State(app): State<App>, id: PathId) -> Result<Response, ApiError> {
    let deleted = app.service.delete_notification_setting(&caller, id.parse(ID)?).await;
    deleted.map_err(|error| ApiError::of_notification_setting(error, id.as_str()))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn version(body: &mut Checked) -> Option<u32> {
    body.whole("api_version")
        .and_then(|version| u32::try_from(version).ok())
}

fn source(body: &mut Checked) -> Option<TrafficSource> {
    body.text("traffic_source")
        .and_then(|name| TrafficSource::from_name(&name))
}

/// Whether deliveries may go there at all.
async fn check_destination(
    app: &App,
    caller: &Caller,
    destination_type: DestinationType,
    destination: &str,
) -> Result<(), ApiError> {
    match destination_type {
        DestinationType::Email if app.settings.mailer.is_none() => Err(ApiError::invalid_field(
            "type",
            "Email needs a mail server: set smtp_url and smtp_from in Tollgate's settings",
        )),
        DestinationType::Email if Mailer::is_address(destination) => Ok(()),
        DestinationType::Email => Err(ApiError::new(&EMAIL_NOTIFICATION_SETTING_INCORRECT)),
        DestinationType::Url => {
            let https_only = caller.workspace().environment == Environment::Live;
            match app.settings.guard.check(destination, https_only).await {
                Ok(_) => Ok(()),
                Err(Refusal::NotAUrl) => Err(ApiError::new(&URL_NOTIFICATION_SETTING_INCORRECT)),
                Err(refusal) => Err(ApiError::invalid_field("destination", &refusal.to_string())),
            }
        }
    }
}
