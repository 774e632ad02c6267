//! Verdicts as answers of HTTP: status, headers and body, told once for whoever writes them ([`told`], and
//! [`super::raw`] for checks that hyper doesn't see).

use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use tollgate_domain::id::{Id, Kind};
use tollgate_domain::restriction::{RestrictionKind, RestrictionKinds};
use tollgate_domain::verdict::Denial;
use tollgate_verifier::Admitted;

/// The answer to a check.
pub(crate) type Answer = Response<Full<Bytes>>;

/// A header's name, alone and as its line begins: in one piece, since each costs whoever writes it.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) plain: &'static str,
    pub(super) line: &'static str,
}

macro_rules! name {
    ($name:literal) => {
        $crate::native::verification::answers::Name {
            plain: $name,
            line: concat!("\r\n", $name, ": "),
        }
    };
}
pub(super) use name;

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

    /// Hands `each` the name of each header, and its value in parts; what any answer has is left out.
    pub(super) fn headers(&self, mut each: impl FnMut(Name, &[&str])) {
        match &self.decision {
            Ok(admitted) => {
                each(name!("tollgate-token-id"), &parts(&admitted.id));
                each(name!("tollgate-workspace-id"), &parts(&admitted.workspace));
                each(name!("tollgate-environment"), &[admitted.environment.name()]);
                // The restrictions that would have refused, were they not only reported.
                if !admitted.reported.is_empty() {
                    each(name!("tollgate-would-refuse"), &[&named(admitted.reported)]);
                }
            }
            Err(denial) => {
                let refusal = Refusal::of(*denial);
                // Where a proxy can log it.
                each(name!("tollgate-denial"), &[refusal.code]);
                if let Some(challenge) = refusal.challenge {
                    each(name!("www-authenticate"), &[challenge]);
                }
                if let Some(seconds) = retry_after(*denial) {
                    each(name!("retry-after"), &[itoa::Buffer::new().format(seconds)]);
                }
                each(name!("content-type"), &["application/json"]);
            }
        }
        each(name!("tollgate-sequence"), &[itoa::Buffer::new().format(self.sequence)]);
        each(name!("cache-control"), &["no-store"]);
    }

    /// Of a refusal.
    pub(super) fn body(&self) -> Option<&'static str> {
        self.decision.err().map(|denial| Refusal::of(denial).body)
    }
}

/// As a response.
pub(super) fn told(told: &Told) -> Answer {
    let body = told.body().unwrap_or_default();
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = told.status();
    let headers = answer.headers_mut();
    told.headers(|name, value| {
        let value = HeaderValue::try_from(value.concat()).expect("ids, numbers and words of ours");
        headers.insert(HeaderName::from_static(name.plain), value);
    });
    answer
}

/// 401, 403, 429 or 503, with a code and a sentence.
pub(super) fn refused(sequence: u64, denial: Denial) -> Answer {
    told(&Told {
        sequence,
        decision: Err(denial),
        limit_is_forbidden: false,
    })
}

/// After how many seconds it makes sense to ask again.
const fn retry_after(denial: Denial) -> Option<u32> {
    match denial {
        Denial::RateLimited { retry_after_seconds } => Some(retry_after_seconds),
        Denial::IndexTooOld | Denial::IndexBehind => Some(1),
        _ => None,
    }
}

fn parts<K: Kind>(id: &Id<K>) -> [&str; 2] {
    [K::PREFIX, id.tail()]
}

/// Names of restrictions, with commas between.
fn named(kinds: RestrictionKinds) -> String {
    let names: Vec<&str> = kinds.iter().map(RestrictionKind::name).collect();
    names.join(", ")
}

/// How a denial is told.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    body: &'static str,
    challenge: Option<&'static str>,
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
    const fn of(denial: Denial) -> Self {
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
