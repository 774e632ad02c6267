//! Signing in through the OpenID Connect provider: there, and back. Both are links and no forms, as the policy of our pages
//! sends forms nowhere else. The address of the way back holds a code in its query, which the log leaves out.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tollgate_service::{OpenIdAnswer, OpenIdError};

use super::{let_in, next_page};
use crate::App;
use crate::dashboard::cookies::OPENID;
use crate::dashboard::failure::{Failure, sentence};
use crate::dashboard::fields::Query;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::{Reached, Visitor};

/// Where it begins.
const START: &str = "/dashboard/sign-in/openid";
/// Where the provider sends people back to, as it is registered there.
const RETURN: &str = "/dashboard/sign-in/openid/return";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get(START, Right::Anyone, start),
        Row::get(RETURN, Right::Anyone, finish),
    ]
}

/// The link that begins it, and leads to `next` in the end.
pub(super) fn link(next: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", next)
        .finish();
    format!("{START}?{query}")
}

/// Why nobody was signed in.
#[derive(Template)]
#[template(path = "dashboard/openid_failed.html")]
struct FailedPage {
    text: String,
    provider: String,
}

async fn start(visitor: Visitor, State(app): State<App>, Query(query): Query) -> Result<Response, Failure> {
    let next = next_page(query.text("next"));
    if visitor.signed_in {
        return Ok(see_other(next));
    }
    let redirect = format!("{}{RETURN}", visitor.reached.base);
    match app.service.openid_start(next, &redirect).await {
        Ok(begun) => {
            let cookie = OPENID.set(&begun.state, visitor.reached.secure);
            Ok(([(header::SET_COOKIE, cookie)], see_other(&begun.url)).into_response())
        }
        Err(error) => failed(&app, error),
    }
}

async fn finish(
    visitor: Visitor,
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Failure> {
    let reached = &visitor.reached;
    let state = OPENID.of(&headers, reached.secure).unwrap_or_default();
    let answer = OpenIdAnswer {
        code: query.optional("code"),
        state: query.optional("state"),
        error: query.optional("error"),
    };
    let response = match app.service.openid_finish(state, answer, reached.address).await {
        Ok(signed_in) => let_in(&signed_in.secret, reached, &signed_in.return_to),
        Err(error) => failed(&app, error)?,
    };
    Ok(forgetting(response, reached))
}

fn forgetting(mut response: Response, reached: &Reached) -> Response {
    let forget = OPENID.clear(reached.secure);
    response.headers_mut().append(header::SET_COOKIE, forget);
    response
}

fn failed(app: &App, error: OpenIdError) -> Result<Response, Failure> {
    let provider = app.service.sign_in_methods().openid.clone();
    let provider = provider.unwrap_or_else(|| "The provider".to_owned());
    let (status, text) = told(error, &provider)?;
    Ok(page::render(status, &FailedPage { text, provider }))
}

/// What happened and what to do next. What the provider answered is for the log.
fn told(error: OpenIdError, provider: &str) -> Result<(StatusCode, String), Failure> {
    let (status, text) = match error {
        OpenIdError::Storage(error) => return Err(error.into()),
        OpenIdError::Off => return Err(Failure::not_found("Sign-in through a provider")),
        // Not 502, in whose place some proxies show a page of their own.
        OpenIdError::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "{provider} gave no answer. Try again in a moment. If it stays so, tell whoever runs this server: the \
                 log says why."
            ),
        ),
        OpenIdError::Refused(code) if code == "access_denied" => (
            StatusCode::FORBIDDEN,
            format!(
                "{provider} didn’t let you in, or you stopped there. Try again; if you should have been let in, ask \
                 whoever runs {provider}."
            ),
        ),
        OpenIdError::Refused(code) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "{provider} refused: {code}. Tell whoever runs this server: it may not be registered there as it \
                 should."
            ),
        ),
        OpenIdError::State => (
            StatusCode::BAD_REQUEST,
            "This took longer than ten minutes, or was begun in another browser. Begin again, and stay in this one."
                .to_owned(),
        ),
        OpenIdError::Invalid(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "What {provider} answered doesn’t hold. Begin again. If it stays so, tell whoever runs this server: the \
                 log says what is wrong."
            ),
        ),
        OpenIdError::EmailUnverified => (
            StatusCode::FORBIDDEN,
            format!("{provider} doesn’t vouch for your email address. Have it verified there, then begin again."),
        ),
        OpenIdError::NoAccount(email) => (
            StatusCode::FORBIDDEN,
            format!(
                "There is no account for {email} here. Ask an admin or an owner of your workspace to invite this \
                 address, then sign in again."
            ),
        ),
        told @ OpenIdError::Contended => (
            StatusCode::CONFLICT,
            format!("{} Begin again.", sentence(&told.to_string())),
        ),
    };
    Ok((status, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_answered_is_not_shown() {
        for error in [
            OpenIdError::Unreachable("10.0.0.7 refused".to_owned()),
            OpenIdError::Invalid("token eyJ0".to_owned()),
        ] {
            let (_, text) = told(error, "Example ID").unwrap();
            assert!(text.contains("Example ID") && text.contains("the log says"), "{text}");
            assert!(!text.contains("10.0.0.7") && !text.contains("eyJ0"), "{text}");
        }
    }

    #[test]
    fn the_link_leads_on_to_where_one_was_going() {
        assert_eq!(
            link("/dashboard/events?id=1&x=2"),
            "/dashboard/sign-in/openid?next=%2Fdashboard%2Fevents%3Fid%3D1%26x%3D2"
        );
    }
}
