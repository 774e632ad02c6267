//! Signing in through a provider, as far as it needs no browser: what is remembered meanwhile, and what people are told.

use std::sync::Arc;

use axum::http::Response;
use serde_json::json;
use tollgate_service::{Fetch, FetchFailed, OpenIdProvider, SignInMethods};

use super::entrance::kept;
use crate::support::{Answer, Store, TestApp, get};

const START: &str = "/dashboard/sign-in/openid";
const RETURN: &str = "/dashboard/sign-in/openid/return";
const BASE: &str = "http://localhost:8787";

/// One that says what it is, and fails at all else.
pub(super) fn provider() -> OpenIdProvider {
    let issuer = "https://id.example";
    let fetch: Fetch = Arc::new(move |request| {
        let answer = match request.uri().path() {
            "/.well-known/openid-configuration" => json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }),
            "/jwks" => json!({ "keys": [] }),
            _ => return Box::pin(async { Err(FetchFailed("10.0.0.7 refused the connection".to_owned())) }),
        };
        let answer = Response::builder()
            .header("content-type", "application/json")
            .body(answer.to_string().into_bytes())
            .expect("an answer");
        Box::pin(async { Ok(answer) })
    });
    OpenIdProvider::new(issuer, "tollgate", None, fetch).expect("a URL")
}

pub(super) async fn app(store: Store) -> TestApp {
    let methods = SignInMethods {
        openid: Some("Example ID".to_owned()),
        ..SignInMethods::default()
    };
    TestApp::with_sign_in(store, methods, Some(provider()), |settings| {
        settings.public_url = Some(BASE.to_owned());
    })
    .await
}

/// Somebody leaves for the provider; gives what the browser remembers, and the state that the provider gives back.
async fn leave(app: &TestApp) -> (String, String) {
    let answer = app.visit(get(format!("{START}?next=/dashboard/events"))).await;
    assert_eq!(answer.status, 303, "{}", answer.body_text());
    let remembered = kept(&answer, "tollgate-openid").expect("a cookie").to_owned();
    (remembered, part(&answer, "state"))
}

/// A parameter of where an answer leads.
fn part(answer: &Answer, name: &str) -> String {
    let (_, query) = answer
        .header("location")
        .and_then(|to| to.split_once('?'))
        .expect("a query");
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(given, _)| given == name);
    found.map(|(_, value)| value.into_owned()).expect("the parameter")
}

async fn come_back(app: &TestApp, remembered: &str, query: &str) -> Answer {
    let request = get(format!("{RETURN}?{query}"));
    app.visit(request.header("Cookie", format!("tollgate-openid={remembered}")))
        .await
}

fn assert_refused(answer: &Answer, status: u16, words: &str) {
    let text = answer.body_text();
    assert_eq!(answer.status, status, "{text}");
    assert!(text.contains(words), "{words} in {text}");
    assert_eq!(kept(answer, "tollgate-session"), None);
    assert_eq!(kept(answer, "tollgate-openid"), Some(""), "forgotten");
}

pub(crate) async fn the_way_there_is_remembered_and_registered_as_it_is_reached(store: Store) {
    let app = app(store).await;
    let answer = app.visit(get(START)).await;
    let to = answer.header("location").expect("somewhere");
    assert!(to.starts_with("https://id.example/authorize?"), "{to}");
    assert_eq!(part(&answer, "redirect_uri"), format!("{BASE}{RETURN}"));
    let cookies = answer.all("set-cookie");
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("tollgate-openid="));
    let cookie = cookie.expect("a cookie");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"),
        "{cookie}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

pub(crate) async fn what_the_provider_refuses_is_told_by_its_word(store: Store) {
    let app = app(store).await;
    for (query, status, words) in [
        ("error=access_denied", 403, "or you stopped there"),
        ("error=invalid_scope", 503, "refused: invalid_scope"),
        ("error=%3Cimg%3E", 503, "refused: no known reason"),
    ] {
        let (remembered, state) = leave(&app).await;
        let answer = come_back(&app, &remembered, &format!("{query}&state={state}")).await;
        assert_refused(&answer, status, words);
    }
}

pub(crate) async fn without_what_was_remembered_nobody_is_signed_in(store: Store) {
    let app = app(store).await;
    let (remembered, state) = leave(&app).await;
    let (_, other_state) = leave(&app).await;
    for (remembered, query) in [
        ("", format!("code=1&state={state}")),
        ("guess", format!("code=1&state={state}")),
        (&*remembered, format!("code=1&state={other_state}")),
        (&*remembered, "code=1".to_owned()),
        (&*remembered, String::new()),
        (&*remembered, format!("state={state}")),
    ] {
        let answer = come_back(&app, remembered, &query).await;
        assert_refused(&answer, 400, "was begun in another browser");
    }
    let bare = app.visit(get(format!("{RETURN}?code=1&state={state}"))).await;
    assert_refused(&bare, 400, "was begun in another browser");
    app.clock.advance(std::time::Duration::from_mins(10));
    let late = come_back(&app, &remembered, &format!("code=1&state={state}")).await;
    assert_refused(&late, 400, "took longer than ten minutes");
}

pub(crate) async fn what_goes_wrong_at_the_provider_is_for_the_log(store: Store) {
    let app = app(store).await;
    let (remembered, state) = leave(&app).await;
    let answer = come_back(&app, &remembered, &format!("code=hush&state={state}")).await;
    assert_refused(&answer, 503, "Example ID gave no answer.");
    for secret in ["10.0.0.7", "hush", &state] {
        assert!(!answer.body_text().contains(secret), "{secret}");
    }
}
