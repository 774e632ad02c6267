//! `GET /tollgate/client`, for the browser library: is the token of this page good, and does it stay so?
//!
//! A page of an origin that the token allows can read the answer. A refusal can be read by any page, since it tells no more
//! than anybody who has the token can find out; so a developer sees why.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::time::Timestamp;
use tollgate_domain::verdict::{Asked, Denial};
use tollgate_verifier::Verdict;

use crate::App;
use crate::catalogue::BAD_REQUEST;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::envelope;
use crate::front_door::Peer;

use super::answers;
use super::authorize::PATIENCE;
use super::parameters::{Asker, OF_BROWSERS, Parameters};
use super::presented::Carried;

const PATH: &str = "/tollgate/client";
/// How soon a page that waits looks again after a change, whoever's token it was: so many changes are one look.
const GATHER: Duration = Duration::from_millis(100);
/// How often it looks again although nothing changed: an end comes without a change.
const TURN: Duration = Duration::from_secs(1);
/// How long a browser may remember the answer to a preflight: two hours, the longest that any of them does.
const PREFLIGHT_SECONDS: &str = "7200";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let open = (Surface::Plain, Access::ClientToken);
    vec![
        Endpoint::new(
            (Method::GET, PATH),
            open,
            get,
            ("client", "Is this page's client token good? For the browser library"),
            Answer::one::<ClientView>(),
        )
        .otherwise(401, "The token is missing, malformed, unknown, revoked or expired.")
        .otherwise(403, "A restriction of the token, or the wrong environment.")
        .otherwise(
            429,
            "Presented too often from this address; `Retry-After` says how long to wait.",
        )
        .otherwise(503, "This node can't judge, or doesn't reach `min_seq`.")
        .errors(&[&BAD_REQUEST])
        .parameters(OF_BROWSERS),
        Endpoint::new(
            (Method::OPTIONS, PATH),
            (Surface::Plain, Access::Open),
            preflight,
            ("clientPreflight", "What a browser asks before"),
            Answer::Nothing,
        )
        .success(204),
    ]
}

/// What a page may know of its token: nothing of the workspace.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Client")]
struct ClientView {
    token_id: ClientTokenId,
    environment: &'static str,
    /// When the token ends by itself: at its expiry, or when it is to be revoked.
    expires_at: Option<Timestamp>,
    /// The place in the sequence that this was decided at.
    sequence: u64,
}

/// 204 for any origin: which one may have an answer is decided when the token is there.
async fn preflight(headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allowed = response.headers_mut();
    allowed.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    allowed.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("tollgate-client-token, paddle-clienttoken"),
    );
    allowed.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static(PREFLIGHT_SECONDS),
    );
    readable(response, &headers)
}

/// 200 while the token is good, at once or at the end of the wait; else the refusal, as soon as it is one.
async fn get(State(app): State<App>, request: Request) -> Response {
    let Peer(peer) = Peer::of(&request);
    let (parts, _) = request.into_parts();
    let answer = match Parameters::parse(parts.uri.query(), Asker::Browser) {
        Ok(parameters) => judged(&app, peer, &parts.headers, &parameters).await,
        Err(error) => error.into_response(),
    };
    readable(answer, &parts.headers)
}

async fn judged(app: &App, peer: SocketAddr, headers: &HeaderMap, parameters: &Parameters<'_>) -> Response {
    if !app.verification.reaches(parameters.min_seq, PATIENCE).await {
        return answers::refused(app.verification.sequence(), Denial::IndexBehind).map(Body::new);
    }
    let carried = Carried::of(headers);
    let asked = carried.asked(app, peer, parameters);
    let token = carried.token_header().and_then(|token| token.ok_or(Denial::Missing));
    let token = match token {
        Ok(token) => token,
        Err(denial) => return answers::refused(app.verification.sequence(), denial).map(Body::new),
    };
    let mut verdict = app.verification.verify(token, &asked, app.verification.now());
    if verdict.decision.is_ok() && parameters.wait_seconds > 0 {
        let until = Instant::now() + Duration::from_secs(parameters.wait_seconds);
        verdict = while_good(app, token, &asked, verdict, until).await;
    }
    match verdict.decision {
        Ok(admitted) => envelope::data(
            StatusCode::OK,
            &ClientView {
                token_id: admitted.id,
                environment: admitted.environment.name(),
                expires_at: admitted.ends_at,
                sequence: verdict.sequence,
            },
        ),
        Err(refused) => answers::refused(verdict.sequence, refused.denial).map(Body::new),
    }
}

/// Looks again after each change until the verdict is another one, or the time is over. Looking again isn't counted.
async fn while_good(app: &App, token: &str, asked: &Asked<'_>, mut verdict: Verdict, until: Instant) -> Verdict {
    let mut changes = app.verification.changes();
    loop {
        let turn = until.saturating_duration_since(Instant::now()).min(TURN);
        if turn.is_zero() || app.stopping.is_cancelled() {
            return verdict;
        }
        let change = tokio::time::timeout(turn, changes.changed());
        if app.stopping.run_until_cancelled(change).await.is_none() {
            return verdict;
        }
        verdict = app.verification.peek(token, asked);
        if verdict.decision.is_err() {
            return verdict;
        }
        let _ = app.stopping.run_until_cancelled(tokio::time::sleep(GATHER)).await;
    }
}

/// Lets the page that asked read the answer.
fn readable(mut response: Response, asked: &HeaderMap) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = asked.get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after, tollgate-denial, tollgate-sequence"),
        );
    }
    response
}
