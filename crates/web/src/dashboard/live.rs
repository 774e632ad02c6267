//! Tells open pages when something happened, by server-sent events: `changed`, and nothing else. What a page then shows it
//! asks for like at first, so that there is one way to make it and one set of rights.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::Instant;

use super::failure::Failure;
use super::fields::Query;
use super::row::{Right, Row};
use super::session::Visit;
use crate::App;

/// At most this many changes a second reach a page: it asks for all of them at once.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a stream lasts; the browser opens the next one by itself, and is looked at anew.
const LONGEST: Duration = Duration::from_mins(5);
/// How long to wait for an event before looking whether the server ends.
const TURN: Duration = Duration::from_secs(5);

pub(super) fn rows() -> Vec<Row> {
    vec![Row::get("/dashboard/live", Right::Member, follow)]
}

struct Following {
    app: App,
    visit: Visit,
    place: Option<u64>,
    /// The page wants to look again this often, whatever happens.
    beat: Option<Duration>,
    last: Instant,
    until: Instant,
}

async fn follow(visit: Visit, State(app): State<App>, Query(query): Query) -> Result<Response, Failure> {
    let beat = query.text("beat").parse().ok().filter(|beat| (1..=60).contains(beat));
    let place = app.service.ready().await?;
    let now = Instant::now();
    let following = Following {
        app,
        visit,
        place: Some(place),
        beat: beat.map(Duration::from_secs),
        last: now,
        until: now + LONGEST,
    };
    let changes = stream::unfold(following, |mut following| async move {
        following.next().await.then(|| {
            // Browsers pass over an event without data.
            let changed = Event::default().event("changed").data("something");
            (Ok::<_, Infallible>(changed), following)
        })
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response = Sse::new(changes).keep_alive(keep_alive).into_response();
    // nginx would gather the answer, and hand it on when it is complete.
    response
        .headers_mut()
        .insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    Ok(response)
}

impl Following {
    /// Waits for news. `false` when the stream is over: the time, the session, the right, the server, or the store.
    async fn next(&mut self) -> bool {
        let stopping = self.app.stopping.clone();
        stopping.run_until_cancelled(self.wait()).await.unwrap_or(false)
    }

    async fn wait(&mut self) -> bool {
        tokio::time::sleep_until(self.last + PAUSE).await;
        loop {
            let now = Instant::now();
            if now >= self.until {
                return false;
            }
            let beat = self.beat.map(|beat| self.last + beat);
            if beat.is_some_and(|beat| now >= beat) {
                self.last = now;
                return true;
            }
            let turn = beat.map_or(TURN, |beat| (beat - now).min(TURN));
            let caller = &self.visit.caller;
            let Ok(followed) = self.app.service.follow_events(caller, self.place, 100, turn).await else {
                return false;
            };
            self.place = Some(followed.sequence);
            if !followed.events.is_empty() {
                self.last = Instant::now();
                return true;
            }
        }
    }
}
