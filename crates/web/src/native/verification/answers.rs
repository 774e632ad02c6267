//! Verdicts as answers of HTTP. What is always the same is made once, since a check is answered more often than anything
//! else.

use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::Full;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{Id, Kind};
use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds};
use tollgate_domain::verdict::Denial;
use tollgate_verifier::Admitted;

pub(super) const TOKEN_ID: HeaderName = HeaderName::from_static("tollgate-token-id");
pub(super) const WORKSPACE_ID: HeaderName = HeaderName::from_static("tollgate-workspace-id");
pub(super) const ENVIRONMENT: HeaderName = HeaderName::from_static("tollgate-environment");
/// The place in the sequence that the verdict was decided at.
pub(super) const SEQUENCE: HeaderName = HeaderName::from_static("tollgate-sequence");
/// The code of a refusal, where a proxy can log it.
pub(super) const DENIAL: HeaderName = HeaderName::from_static("tollgate-denial");
/// The restrictions that would have refused, were they not only reported.
pub(super) const WOULD_REFUSE: HeaderName = HeaderName::from_static("tollgate-would-refuse");

/// The answer to a check.
pub(crate) type Answer = Response<Full<Bytes>>;

/// What a proxy is told.
pub(super) struct Told {
    pub(super) sequence: u64,
    pub(super) decision: Result<Admitted, Denial>,
    /// Whether 429 is told as 403.
    pub(super) limit_is_forbidden: bool,
}

impl Told {
    pub(super) fn status(&self) -> StatusCode {
        match self.decision {
            Ok(_) => StatusCode::NO_CONTENT,
            Err(Denial::RateLimited { .. }) if self.limit_is_forbidden => StatusCode::FORBIDDEN,
            Err(denial) => Refusal::of(denial).status,
        }
    }
}

/// As a response.
pub(super) fn told(told: &Told) -> Answer {
    let mut answer = match told.decision {
        Ok(admitted) => allowed(told.sequence, &admitted),
        Err(denial) => refused(told.sequence, denial),
    };
    *answer.status_mut() = told.status();
    answer
}

/// 204 with what is known of the token.
fn allowed(sequence: u64, admitted: &Admitted) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.reserve(6);
    headers.insert(TOKEN_ID, id(admitted.id));
    headers.insert(WORKSPACE_ID, id(admitted.workspace));
    headers.insert(ENVIRONMENT, environment(admitted.environment));
    headers.insert(SEQUENCE, number(sequence));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !admitted.reported.is_empty() {
        headers.insert(WOULD_REFUSE, reported(admitted.reported));
    }
    answer
}

/// 401, 403, 429 or 503, with a code and a sentence.
pub(super) fn refused(sequence: u64, denial: Denial) -> Answer {
    let told = Refusal::of(denial);
    let mut answer = Response::new(Full::new(Bytes::from_static(told.body.as_bytes())));
    *answer.status_mut() = told.status;
    let headers = answer.headers_mut();
    headers.reserve(6);
    headers.insert(DENIAL, HeaderValue::from_static(told.code));
    headers.insert(SEQUENCE, number(sequence));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(challenge) = told.challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = retry_after(denial) {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

/// After how many seconds it makes sense to ask again.
pub(super) const fn retry_after(denial: Denial) -> Option<u32> {
    match denial {
        Denial::RateLimited { retry_after_seconds } => Some(retry_after_seconds),
        Denial::IndexTooOld | Denial::IndexBehind => Some(1),
        _ => None,
    }
}

/// In memory of its own exact length, which the value then keeps.
fn id<K: Kind>(id: Id<K>) -> HeaderValue {
    let mut text = String::with_capacity(K::PREFIX.len() + id.tail().len());
    text.push_str(K::PREFIX);
    text.push_str(id.tail());
    HeaderValue::try_from(text).expect("letters, digits and an underscore")
}

/// The same of a number.
fn number(number: u64) -> HeaderValue {
    HeaderValue::from_str(itoa::Buffer::new().format(number)).expect("digits")
}

const fn environment(environment: Environment) -> HeaderValue {
    HeaderValue::from_static(environment.name())
}

fn reported(kinds: RestrictionKinds) -> HeaderValue {
    HeaderValue::try_from(named(kinds)).expect("names of restrictions")
}

/// Names of restrictions, with commas between.
pub(super) fn named(kinds: RestrictionKinds) -> String {
    let names: Vec<&str> = kinds.iter().map(RestrictionKind::name).collect();
    names.join(", ")
}

/// How a denial is told.
pub(super) struct Refusal {
    status: StatusCode,
    pub(super) code: &'static str,
    pub(super) body: &'static str,
    pub(super) challenge: Option<&'static str>,
}

macro_rules! refusal {
    ($status:ident, $code:literal, $detail:literal, $challenge:expr) => {
        Refusal {
            status: StatusCode::$status,
            code: $code,
            body: concat!(r#"{"error":{"code":""#, $code, r#"","detail":""#, $detail, r#""}}"#),
            challenge: $challenge,
        }
    };
    // A token that is there and no good: RFC 6750, 3.1.
    (invalid $code:literal, $detail:literal) => {
        refusal!(
            UNAUTHORIZED,
            $code,
            $detail,
            Some(concat!(
                r#"Bearer realm="tollgate", error="invalid_token", error_description=""#,
                $detail,
                '"'
            ))
        )
    };
}

impl Refusal {
    pub(super) const fn of(denial: Denial) -> Self {
        match denial {
            Denial::Missing => refusal!(
                UNAUTHORIZED,
                "client_token_missing",
                "No client token was presented. Send it in the header Tollgate-Client-Token.",
                Some(r#"Bearer realm="tollgate""#)
            ),
            Denial::Malformed => refusal!(
                invalid "client_token_malformed",
                "A client token is test_ or live_ and 27 letters and digits; this one isn't."
            ),
            Denial::BadChecksum => refusal!(
                invalid "client_token_bad_checksum",
                "The client token was mistyped or cut: its last characters don't fit the rest."
            ),
            Denial::Unknown => refusal!(
                invalid "client_token_unknown",
                "No such client token was issued here."
            ),
            Denial::Revoked => refusal!(
                invalid "client_token_revoked",
                "The client token was revoked. Use another one."
            ),
            Denial::Expired => refusal!(
                invalid "client_token_expired",
                "The client token has expired. Use another one."
            ),
            Denial::WrongEnvironment => refusal!(
                FORBIDDEN,
                "client_token_wrong_environment",
                "The client token is of the other environment: test_ tokens are for the sandbox, live_ tokens for live.",
                None
            ),
            Denial::OriginNotAllowed => refusal!(
                FORBIDDEN,
                "origin_not_allowed",
                "The client token isn't allowed on this origin. Add the origin to its allowed_origins.",
                None
            ),
            Denial::NetworkNotAllowed => refusal!(
                FORBIDDEN,
                "network_not_allowed",
                "The client token isn't allowed from this address. Add the network to its allowed_networks.",
                None
            ),
            Denial::ScopeNotAllowed => refusal!(
                FORBIDDEN,
                "scope_not_allowed",
                "The client token lacks the scope that this route asks for. Add it to its scopes.",
                None
            ),
            Denial::RateLimited { .. } => refusal!(
                TOO_MANY_REQUESTS,
                "client_token_rate_limited",
                "The client token was presented too often from this address. Wait as long as Retry-After says.",
                None
            ),
            Denial::IndexTooOld => refusal!(
                SERVICE_UNAVAILABLE,
                "index_too_old",
                "This node hasn't heard from its store for too long to judge client tokens. Try again.",
                None
            ),
            Denial::IndexBehind => refusal!(
                SERVICE_UNAVAILABLE,
                "index_behind",
                "This node doesn't know yet what min_seq asks for. Try again.",
                None
            ),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    use super::*;

    pub(in super::super) const ALL: [Denial; 13] = [
        Denial::Missing,
        Denial::Malformed,
        Denial::BadChecksum,
        Denial::Unknown,
        Denial::Revoked,
        Denial::Expired,
        Denial::WrongEnvironment,
        Denial::OriginNotAllowed,
        Denial::NetworkNotAllowed,
        Denial::ScopeNotAllowed,
        Denial::RateLimited { retry_after_seconds: 7 },
        Denial::IndexTooOld,
        Denial::IndexBehind,
    ];

    #[test]
    fn every_refusal_tells_the_code_of_its_denial_in_header_and_body() {
        for denial in ALL {
            let told = Refusal::of(denial);
            assert_eq!(told.code, denial.code());
            let body: Value = serde_json::from_str(told.body).unwrap();
            assert_eq!(body["error"]["code"], denial.code());
            assert!(
                body["error"]["detail"]
                    .as_str()
                    .is_some_and(|detail| detail.ends_with('.'))
            );
        }
    }

    #[test]
    fn every_401_and_nothing_else_has_a_challenge() {
        for denial in ALL {
            let told = Refusal::of(denial);
            assert_eq!(
                told.challenge.is_some(),
                told.status == StatusCode::UNAUTHORIZED,
                "{denial:?}"
            );
        }
    }
}
