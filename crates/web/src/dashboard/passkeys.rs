//! What signing in with a passkey and adding one have in common: the script asks for a challenge, its state waits in a
//! cookie, and the form brings the device's answer. The script itself is `assets/dashboard/passkeys.js`.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tollgate_service::{PasskeyChallenge, PasskeyError, RelyingParty};

use super::cookies::PASSKEY;
use super::failure::{Failure, sentence};
use super::session::Reached;

/// Why a script gets nothing to ask of a device.
pub(super) enum Unasked {
    /// Something that it shows beside the button.
    Told(String),
    /// A page; the script says that the page is too old.
    Failure(Failure),
}

impl From<PasskeyError> for Unasked {
    fn from(error: PasskeyError) -> Self {
        match told(error) {
            Ok(problem) => Self::Told(problem),
            Err(failure) => Self::Failure(failure),
        }
    }
}

impl IntoResponse for Unasked {
    fn into_response(self) -> Response {
        match self {
            Self::Told(problem) => {
                let body = json!({ "problem": problem }).to_string();
                json(StatusCode::UNPROCESSABLE_ENTITY, body)
            }
            Self::Failure(failure) => failure.into_response(),
        }
    }
}

/// `{"publicKey": …}`, and the state in a cookie.
pub(super) fn asked(challenge: &PasskeyChallenge, reached: &Reached) -> Response {
    let body = format!(r#"{{"publicKey":{}}}"#, challenge.options);
    let mut response = json(StatusCode::OK, body);
    let cookie = PASSKEY.set(challenge.state.reveal(), reached.secure);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Where passkeys work, going by the address that the browser used.
pub(super) fn party(reached: &Reached) -> Result<RelyingParty, PasskeyError> {
    // Where there are none, no challenge was given out.
    RelyingParty::at(&reached.base).ok_or(PasskeyError::Ceremony)
}

/// The state of the challenge that this browser got last.
pub(super) fn state<'a>(headers: &'a HeaderMap, reached: &Reached) -> Result<&'a str, PasskeyError> {
    PASSKEY.of(headers, reached.secure).ok_or(PasskeyError::Ceremony)
}

/// The answer after which the browser need not keep the state.
pub(super) fn forgetting(mut response: Response, reached: &Reached) -> Response {
    let forget = PASSKEY.clear(reached.secure);
    response.headers_mut().append(header::SET_COOKIE, forget);
    response
}

/// What happened and what to do next, in a sentence or two.
pub(super) fn told(error: PasskeyError) -> Result<String, Failure> {
    Ok(match error {
        PasskeyError::Storage(error) => return Err(error.into()),
        PasskeyError::NotFound => return Err(Failure::not_found("Passkey")),
        PasskeyError::Refused => "The passkey was not accepted. Try again, or use another one.".to_owned(),
        PasskeyError::Unknown => "Nobody here has this passkey. If it was removed here, remove it from your device, \
                                  too, and sign in another way."
            .to_owned(),
        other => sentence(&other.to_string()),
    })
}
