//! `/events`: what happened.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use tollgate_domain::event::{Event, EventType, catalogue};
use tollgate_domain::id::EventId;
use tollgate_domain::permission::Permission;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{EventPage, Order, StorageError};

use crate::App;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::list::{Filter, ListQuery, Listing};
use crate::gate::Known;

const LISTING: Listing = Listing {
    default_order: Order::Descending,
    default_limit: 50,
    max_limit: 200,
    order_field: "id",
    filters: &[EVENT_TYPE],
};

const EVENT_TYPE: Filter = Filter {
    name: "event_type",
    description: "Only events of one of these types.",
    values: Some(|| catalogue().into_iter().map(|described| described.name).collect()),
};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, "/events"),
            (Surface::Compatible, Access::Needs(Permission::NOTIFICATION_READ)),
            list,
            ("listEvents", "List events"),
            Answer::many::<EventView<'_>>(),
        )
        .listing(&LISTING),
    ]
}

/// An event as the contract shows it; fields in its order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub(crate) struct EventView<'a> {
    event_id: EventId,
    event_type: &'static str,
    occurred_at: Timestamp,
    /// The whole entity as it was just after.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    data: &'a RawValue,
}

impl<'a> TryFrom<&'a Event> for EventView<'a> {
    type Error = StorageError;

    fn try_from(event: &'a Event) -> Result<Self, StorageError> {
        Ok(Self {
            event_id: event.id,
            event_type: event.event_type.name(),
            occurred_at: event.occurred_at,
            data: raw_data(event)?,
        })
    }
}

/// The stored entity, byte for byte.
pub(crate) fn raw_data(event: &Event) -> Result<&RawValue, StorageError> {
    serde_json::from_str(&event.data)
        .map_err(|error| StorageError::Corrupt(format!("events.data of {}: {error}", event.id)))
}

/// 200 with a page.
async fn list(Known(caller): Known, State(app): State<App>, mut query: ListQuery) -> Result<Response, ApiError> {
    let asked = asked(&mut query)?;
    let slice = app.service.events(&caller, &asked).await?;
    let last = slice.items.last().map(|event| event.id.to_string());
    let data = slice
        .items
        .iter()
        .map(EventView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(envelope::page(&data, query.pagination(asked.page.limit, &slice, last)))
}

/// The page that is asked for; also on the dashboard.
pub(crate) fn asked(query: &mut ListQuery) -> Result<EventPage, ApiError> {
    let page = query.page(&LISTING);
    let names = query.filter(&EVENT_TYPE);
    query.finish()?;
    // Types that the contract knows and Tollgate never emits match nothing.
    let types = (!names.is_empty()).then(|| names.iter().filter_map(|name| EventType::from_name(name)).collect());
    Ok(EventPage { page, types })
}
