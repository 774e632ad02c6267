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
use tollgate_verifier::Now;

use crate::App;
use crate::catalogue::BAD_REQUEST;
use crate::connections::{Express, Head};
use crate::endpoint::{Access, Answer as Documented, Endpoint, Surface};
use crate::error::ApiError;
use crate::front_door::Peer;

use super::answers::{self, Answer, Told};
use super::parameters::{Asker, OF_PROXIES, Parameters};
use super::presented::Carried;
use super::raw;

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

/// Checks that needn't wait, answered before hyper looks at them.
#[derive(Clone)]
pub(crate) struct Checks(pub(crate) App);

impl Express for Checks {
    fn may_be(&self, begins: &[u8]) -> bool {
        let is = |request: &[u8]| {
            let length = begins.len().min(request.len());
            begins[..length] == request[..length]
        };
        is(b"GET /tollgate/authorize") || is(b"HEAD /tollgate/authorize")
    }

    fn answer(&self, peer: SocketAddr, head: &Head<'_>, out: &mut Vec<u8>) -> bool {
        let Self(app) = self;
        let query = match head.target.strip_prefix(PATH) {
            Some("") => None,
            Some(rest) if rest.starts_with('?') => Some(&rest[1..]),
            _ => return false,
        };
        // What is wrong with the query, or has to wait, is for the handler.
        let Ok(parameters) = Parameters::parse(query, Asker::Proxy) else {
            return false;
        };
        if parameters.min_seq > app.verification.sequence() {
            return false;
        }
        let mut carried = Carried::default();
        for header in head.headers {
            carried.add(header.name, header.value);
        }
        let now = app.verification.now();
        let told = decide(app, peer, &carried, &parameters, now);
        raw::write(&told, head, now.time, out);
        // As the front door tells of every other request.
        tracing::debug!(
            target: "tollgate::http",
            method = %head.method, path = PATH, status = told.status().as_u16(),
            denial = told.decision.err().map(Denial::code),
        );
        true
    }
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
    let now = app.verification.now();
    answers::told(&decide(app, peer, &Carried::of(headers), parameters, now))
}

fn decide(app: &App, peer: SocketAddr, carried: &Carried<'_>, parameters: &Parameters<'_>, now: Now) -> Told {
    let (sequence, decision) = match carried.token() {
        Ok(token) => {
            let verdict = app
                .verification
                .verify(&token, &carried.asked(app, peer, parameters), now);
            (verdict.sequence, verdict.decision.map_err(|refused| refused.denial))
        }
        Err(denial) => (app.verification.sequence(), Err(denial)),
    };
    Told {
        sequence,
        decision,
        limit_is_forbidden: parameters.limit_is_forbidden,
    }
}
