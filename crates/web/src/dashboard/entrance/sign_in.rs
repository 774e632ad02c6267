//! The entrance: the ways to sign in that are open here. With a password it is done here, too.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_service::SignInError;

use super::{Ways, let_in, next_page, openid};
use crate::App;
use crate::dashboard::failure::{Failure, sentence};
use crate::dashboard::fields::{Form, Query};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visitor;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/dashboard/sign-in", Right::Anyone, show),
        Row::post("/dashboard/sign-in", Right::Anyone, sign_in),
    ]
}

#[derive(Template)]
#[template(path = "dashboard/sign_in.html")]
pub(super) struct SignInPage {
    proof: String,
    next: String,
    email: String,
    notice: Option<&'static str>,
    problem: Option<String>,
    /// Over plain HTTP from another machine, browsers don't keep the session's cookie.
    is_unsafe: bool,
    ways: Ways,
    /// Where signing in through the provider begins.
    openid_link: String,
}

impl SignInPage {
    pub(super) fn new(app: &App, visitor: Visitor, next: &str) -> Self {
        let next = next_page(next);
        Self {
            is_unsafe: visitor.reached.secure && visitor.reached.base.starts_with("http:"),
            ways: Ways::at(app, &visitor.reached),
            proof: visitor.proof,
            openid_link: openid::link(next),
            next: next.to_owned(),
            email: String::new(),
            notice: None,
            problem: None,
        }
    }

    /// The page again, as nobody was signed in.
    pub(super) fn because(self, problem: String) -> Self {
        Self {
            problem: Some(problem),
            ..self
        }
    }
}

async fn show(visitor: Visitor, State(app): State<App>, Query(query): Query) -> Response {
    let next = query.text("next");
    if visitor.signed_in {
        return see_other(next_page(next));
    }
    let notice = match query.text("done") {
        "signed-out" => Some("You are signed out."),
        "signed-out-everywhere" => Some("You are signed out, here and everywhere else."),
        "joined" => Some("Welcome. Sign in to begin."),
        "password" => Some("Your password is changed. Sign in with the new one."),
        _ => None,
    };
    page::ok(&SignInPage {
        notice,
        ..SignInPage::new(&app, visitor, next)
    })
}

async fn sign_in(visitor: Visitor, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    let (email, next) = (form.text("email"), next_page(form.text("next")));
    let signed_in = app
        .service
        .sign_in(email, form.text("password"), visitor.reached.address)
        .await;
    let problem = match signed_in {
        Ok(secret) => return Ok(let_in(&secret, &visitor.reached, next)),
        Err(SignInError::Storage(error)) => return Err(error.into()),
        Err(told @ (SignInError::Wrong | SignInError::Off | SignInError::Wait(_))) => sentence(&told.to_string()),
    };
    let page = SignInPage::new(&app, visitor, next).because(problem);
    Ok(page::refused(&SignInPage {
        email: email.to_owned(),
        ..page
    }))
}
