//! One's passkeys: added by the script of the page, named, and removed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tollgate_domain::id::PasskeyId;
use tollgate_domain::passkey::{MOST_PASSKEYS, Passkey};
use tollgate_domain::text::NAME;
use tollgate_service::PasskeyError;

use super::Account;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::passkeys::{self, Unasked};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::{MaybeVisit, Session};

const ALL: &str = "/dashboard/account/passkeys";
const ONE: &str = "/dashboard/account/passkeys/{id}";
const REMOVE: &str = "/dashboard/account/passkeys/{id}/remove";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::post("/dashboard/account/passkeys/challenge", Right::SignedIn, challenge),
        Row::post(ALL, Right::SignedIn, add),
        Row::get(ONE, Right::SignedIn, show),
        Row::post(ONE, Right::SignedIn, rename),
        Row::get(REMOVE, Right::SignedIn, confirm),
        Row::post(REMOVE, Right::SignedIn, remove),
    ]
}

/// A passkey on the pages.
pub(super) struct Listed {
    pub(super) id: PasskeyId,
    pub(super) name: String,
    pub(super) added: Moment,
    /// How long ago; `never` if it hasn't been.
    pub(super) used: String,
}

/// How many a person may have, for the template.
pub(super) const MOST: usize = MOST_PASSKEYS;

pub(super) async fn listed(app: &App, session: &Session) -> Result<Vec<Listed>, Failure> {
    let now = app.service.now();
    let listed = |passkey: Passkey| Listed {
        id: passkey.id,
        name: passkey.name,
        added: Moment(passkey.created_at),
        used: passkey
            .last_used_at
            .map_or_else(|| "never".to_owned(), |at| Moment(at).ago(now)),
    };
    let passkeys = app.service.passkeys(&session.signed_in).await;
    Ok(passkeys.map_err(failure)?.into_iter().map(listed).collect())
}

fn failure(error: PasskeyError) -> Failure {
    match passkeys::told(error) {
        Ok(text) => Failure::Told {
            status: StatusCode::CONFLICT,
            title: "That didn't work",
            text,
        },
        Err(failure) => failure,
    }
}

/// The name that was typed, or what is wrong with it.
fn name(form: &Fields) -> Result<&str, String> {
    let name = form.text("name").trim();
    NAME.check(name).map_err(|error| format!("Name: {error}."))?;
    Ok(name)
}

/// Before the device is asked: what it makes stays there, so that all else has to be right already.
async fn challenge(session: Session, State(app): State<App>, Form(form): Form) -> Result<Response, Unasked> {
    name(&form).map_err(Unasked::Told)?;
    let party = passkeys::party(&session.reached)?;
    let challenge = app.service.passkey_registration(&session.signed_in, &party).await?;
    Ok(passkeys::asked(&challenge, &session.reached))
}

async fn add(
    session: Session,
    visit: MaybeVisit,
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form,
) -> Result<Response, Failure> {
    let problem = match name(&form) {
        Err(problem) => problem,
        Ok(name) => match added(&session, &app, &headers, &form, name).await {
            Ok(()) => {
                let response = see_other("/dashboard/account?done=passkey-added");
                return Ok(passkeys::forgetting(response, &session.reached));
            }
            Err(error) => passkeys::told(error)?,
        },
    };
    let account = Account {
        passkey_problem: Some(problem),
        ..Account::of(&app, &session).await?
    };
    Ok(passkeys::forgetting(account.refused(&visit), &session.reached))
}

async fn added(
    session: &Session,
    app: &App,
    headers: &HeaderMap,
    form: &Fields,
    name: &str,
) -> Result<(), PasskeyError> {
    let reached = &session.reached;
    let party = passkeys::party(reached)?;
    let answered = (passkeys::state(headers, reached)?, form.text("credential"));
    app.service
        .add_passkey(&session.signed_in, &party, answered, name, reached.address)
        .await?;
    Ok(())
}

#[derive(Template)]
#[template(path = "dashboard/account/passkey_framed.html")]
struct FramedPage {
    frame: Frame,
    one: One,
}

/// For those who are a member of no workspace.
#[derive(Template)]
#[template(path = "dashboard/account/passkey_bare.html")]
struct BarePage {
    one: One,
}

/// What both of them show.
struct One {
    proof: String,
    passkey: Listed,
    /// As it is, or as somebody typed it.
    typed: String,
    problem: Option<String>,
    /// Whether this asks if it is to be removed.
    is_removal: bool,
    /// Whether they have no other passkey and no password.
    is_last_way: bool,
}

impl One {
    async fn of(app: &App, session: &Session, id: &str) -> Result<Self, Failure> {
        let not_found = || Failure::not_found("Passkey");
        let id = PasskeyId::parse(id).map_err(|_| not_found())?;
        let passkeys = listed(app, session).await?;
        let methods = app.service.sign_in_methods();
        let has_password = methods.passwords && session.signed_in.user.password.is_some();
        let is_last_way = passkeys.len() == 1 && !has_password && methods.openid.is_none();
        let passkey = passkeys.into_iter().find(|passkey| passkey.id == id);
        let passkey = passkey.ok_or_else(not_found)?;
        Ok(Self {
            proof: session.proof(),
            typed: passkey.name.clone(),
            passkey,
            problem: None,
            is_removal: false,
            is_last_way,
        })
    }

    fn page(self, status: StatusCode, visit: MaybeVisit) -> Response {
        match visit.0 {
            Some(visit) => {
                let title = if self.is_removal { "Remove a passkey" } else { "Passkey" };
                let frame = visit.frame(Section::Account, title);
                page::render(status, &FramedPage { frame, one: self })
            }
            None => page::render(status, &BarePage { one: self }),
        }
    }
}

async fn show(
    session: Session,
    visit: MaybeVisit,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    Ok(One::of(&app, &session, &id).await?.page(StatusCode::OK, visit))
}

async fn rename(
    session: Session,
    visit: MaybeVisit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(form): Form,
) -> Result<Response, Failure> {
    let one = One::of(&app, &session, &id).await?;
    match name(&form) {
        Ok(name) => {
            let renamed = app.service.rename_passkey(&session.signed_in, one.passkey.id, name);
            renamed.await.map_err(failure)?;
            Ok(see_other("/dashboard/account?done=passkey-renamed"))
        }
        Err(problem) => {
            let again = One {
                typed: form.text("name").to_owned(),
                problem: Some(problem),
                ..one
            };
            Ok(again.page(StatusCode::UNPROCESSABLE_ENTITY, visit))
        }
    }
}

async fn confirm(
    session: Session,
    visit: MaybeVisit,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let one = One {
        is_removal: true,
        ..One::of(&app, &session, &id).await?
    };
    Ok(one.page(StatusCode::OK, visit))
}

async fn remove(session: Session, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = PasskeyId::parse(&id).map_err(|_| Failure::not_found("Passkey"))?;
    let removed = app
        .service
        .remove_passkey(&session.signed_in, id, session.reached.address);
    removed.await.map_err(failure)?;
    Ok(see_other("/dashboard/account?done=passkey-removed").into_response())
}
