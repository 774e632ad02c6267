//! `GET /tollgate/authorize`, for forward-auth: a proxy asks by a request of its own whether the request before it may
//! pass, and reads the answer off the status.
//!
//! A verdict comes from memory. Only a check that asks for a later place in the sequence than this node has reached has
//! to wait.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use tollgate_domain::verdict::Denial;

use crate::App;
use crate::catalogue::BAD_REQUEST;
use crate::endpoint::{Access, Answer as Documented, Endpoint, Surface};
use crate::error::ApiError;
use crate::front_door::Peer;

use super::answers::{self, Answer};
use super::parameters::{Asker, OF_PROXIES, Parameters};
use super::presented;

pub(super) const PATH: &str = "/tollgate/authorize";
/// How long a check waits for the place in the sequence that it asks for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, PATH),
            (Surface::Plain, Access::ClientToken),
            late,
            (
                "authorize",
                "May this client token pass? For proxies: the status is the answer",
            ),
            Documented::Nothing,
        )
        .success(204)
        .otherwise(401, "The token is missing, malformed, unknown, revoked or expired.")
        .otherwise(403, "A restriction of the token, or the wrong environment.")
        .otherwise(
            429,
            "Presented too often from this address; `Retry-After` says how long to wait.",
        )
        .otherwise(503, "This node can't judge, or doesn't reach `min_seq`.")
        .errors(&[&BAD_REQUEST])
        .parameters(OF_PROXIES),
    ]
}

/// The answer to a check that needn't wait; `None` for any other request.
pub(crate) fn at_once<B>(app: &App, peer: SocketAddr, request: &axum::http::Request<B>) -> Option<Answer> {
    let is_check =
        request.uri().path() == PATH && (request.method() == Method::GET || request.method() == Method::HEAD);
    if !is_check {
        return None;
    }
    // What is wrong with the query is told where errors get their envelope.
    let parameters = Parameters::parse(request.uri().query(), Asker::Proxy).ok()?;
    if parameters.min_seq > app.verification.sequence() {
        return None;
    }
    let answer = check(app, peer, request.headers(), &parameters);
    // As the front door tells of every other request.
    tracing::debug!(
        target: "tollgate::http",
        method = %request.method(), path = PATH, status = answer.status().as_u16(),
        denial = answer.headers().get(answers::DENIAL).and_then(|code| code.to_str().ok()),
    );
    Some(answer)
}

/// A check that has to wait, or that is wrong.
async fn late(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let Peer(peer) = Peer::of(&request);
    let parameters = Parameters::parse(request.uri().query(), Asker::Proxy)?;
    let answer = if app.verification.reaches(parameters.min_seq, PATIENCE).await {
        check(&app, peer, request.headers(), &parameters)
    } else {
        answers::refused(app.verification.sequence(), Denial::IndexBehind)
    };
    Ok(answer.map(Body::new))
}

fn check(app: &App, peer: SocketAddr, headers: &HeaderMap, parameters: &Parameters<'_>) -> Answer {
    let token = match presented::token(headers) {
        Ok(token) => token,
        Err(denial) => return answers::refused(app.verification.sequence(), denial),
    };
    let verdict = app
        .verification
        .verify(&token, &presented::asked(app, peer, headers, parameters));
    match verdict.decision {
        Ok(admitted) => answers::allowed(verdict.sequence, &admitted),
        Err(refused) if parameters.limit_is_forbidden => answers::without_429(verdict.sequence, refused.denial),
        Err(refused) => answers::refused(verdict.sequence, refused.denial),
    }
}
