//! `/tollgate/events`: a workspace's events by their place in the sequence, for whoever follows them.

use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::permission::Permission;

use crate::App;
use crate::compatible::events::EventView;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::list::{ListQuery, Number};
use crate::gate::Known;

const AFTER: Number = Number {
    name: "after_sequence",
    description: "Only what comes after this place; without it, nothing, and `sequence` is the present place.",
    min: 0,
    max: i64::MAX,
};
const LIMIT: Number = Number {
    name: "per_page",
    description: "How many at most.",
    min: 1,
    max: 1_000,
};
const WAIT: Number = Number {
    name: "wait_seconds",
    description: "How long to wait for the first event.",
    min: 0,
    max: 30,
};
const DEFAULT_LIMIT: i64 = 200;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, "/tollgate/events"),
            (Surface::Native, Access::Needs(Permission::NOTIFICATION_READ)),
            follow,
            ("followEvents", "Follow events by their place in the sequence"),
            Answer::one::<FollowedView<'_>>(),
        )
        .numbers(&[AFTER, LIMIT, WAIT]),
    ]
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FollowedEvents")]
struct FollowedView<'a> {
    /// In the order of their places.
    events: Vec<PlacedEvent<'a>>,
    /// What to ask after next time: everything up to here has been given.
    sequence: u64,
}

#[derive(Serialize, JsonSchema)]
struct PlacedEvent<'a> {
    sequence: u64,
    #[serde(flatten)]
    event: EventView<'a>,
}

/// 200 with what happened, as soon as anything did, the time is over, or the server stops.
async fn follow(Known(caller): Known, State(app): State<App>, mut query: ListQuery) -> Result<Response, ApiError> {
    let after = query.number(&AFTER).and_then(|place| u64::try_from(place).ok());
    let limit = query.number(&LIMIT).unwrap_or(DEFAULT_LIMIT);
    let wait = Duration::from_secs(query.number(&WAIT).unwrap_or(0).unsigned_abs());
    query.finish()?;
    let limit = usize::try_from(limit).unwrap_or(1);
    let waiting = app.service.follow_events(&caller, after, limit, wait);
    let followed = match app.stop.run_until_cancelled(waiting).await {
        Some(followed) => followed?,
        // The server stops: whoever follows gets what there is, and asks another one.
        None => app.service.follow_events(&caller, after, limit, Duration::ZERO).await?,
    };
    let events = followed
        .events
        .iter()
        .map(|(sequence, event)| {
            Ok(PlacedEvent {
                sequence: *sequence,
                event: EventView::try_from(event)?,
            })
        })
        .collect::<Result<Vec<_>, ApiError>>()?;
    Ok(envelope::data(
        StatusCode::OK,
        &FollowedView {
            events,
            sequence: followed.sequence,
        },
    ))
}
