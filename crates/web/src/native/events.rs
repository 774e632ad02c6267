//! `/tollgate/events`: a workspace's events by their place in the sequence, for whoever follows them.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::permission::Permission;
use tollgate_service::{Caller, Followed};

use crate::App;
use crate::catalogue::AUTHENTICATION_MISSING;
use crate::compatible::events::EventView;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::error::ApiError;
use crate::extract::list::{ListQuery, Number};
use crate::gate::{Known, bearer};

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
/// A key that is revoked while its bearer waits is noticed within this time.
const TURN: Duration = Duration::from_millis(500);

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

/// 200 with what happened, as soon as anything did or the time is over.
async fn follow(
    Known(caller): Known,
    State(app): State<App>,
    headers: HeaderMap,
    mut query: ListQuery,
) -> Result<Response, ApiError> {
    let after = query.number(&AFTER).and_then(|place| u64::try_from(place).ok());
    let limit = query.number(&LIMIT).unwrap_or(DEFAULT_LIMIT);
    let wait = Duration::from_secs(query.number(&WAIT).unwrap_or(0).unsigned_abs());
    query.finish()?;
    let limit = usize::try_from(limit).unwrap_or(1);
    let followed = follow_until(&app, caller, &headers, (after, limit), Instant::now() + wait).await?;
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
    let sequence = followed.sequence;
    Ok(envelope::data(StatusCode::OK, &FollowedView { events, sequence }))
}

/// Waits in short turns: after each, the key must still be good, and the server still running.
async fn follow_until(
    app: &App,
    mut caller: Caller,
    headers: &HeaderMap,
    (after, limit): (Option<u64>, usize),
    deadline: Instant,
) -> Result<Followed, ApiError> {
    loop {
        let turn = deadline.saturating_duration_since(Instant::now()).min(TURN);
        let waiting = app.service.follow_events(&caller, after, limit, turn);
        let followed = match app.stopping.run_until_cancelled(waiting).await {
            Some(followed) => followed?,
            None => app.service.follow_events(&caller, after, limit, Duration::ZERO).await?,
        };
        if !turn.is_zero() {
            let key = bearer(headers)?.ok_or_else(|| ApiError::new(&AUTHENTICATION_MISSING))?;
            caller = app.service.authenticate(key, caller.address()).await?;
        }
        let over = Instant::now() >= deadline || app.stopping.is_cancelled();
        if !followed.events.is_empty() || after.is_none() || over {
            return Ok(followed);
        }
    }
}
