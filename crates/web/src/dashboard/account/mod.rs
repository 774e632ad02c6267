//! Your account: who you are, your password, your passkeys, your sessions. It is one for all workspaces, and there without any.

mod passkeys;
mod password;
mod sessions;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::entrance::Ways;
use super::failure::Failure;
use super::fields::Query;
use super::frame::{Frame, Section};
use super::moment::Moment;
use super::page;
use super::row::{Right, Row};
use super::session::{MaybeVisit, Session};
use crate::App;

const ACCOUNT: &str = "/dashboard/account";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![Row::get(ACCOUNT, Right::SignedIn, show)];
    rows.extend(password::rows());
    rows.extend(passkeys::rows());
    rows.extend(sessions::rows());
    rows
}

/// In the frame of the workspace that was looked at last.
#[derive(Template)]
#[template(path = "dashboard/account/framed.html")]
struct FramedPage {
    frame: Frame,
    account: Account,
}

/// For those who are a member of none.
#[derive(Template)]
#[template(path = "dashboard/account/bare.html")]
struct BarePage {
    notice: Option<&'static str>,
    account: Account,
}

/// What both of them show.
struct Account {
    proof: String,
    name: String,
    email: String,
    since: Moment,
    has_password: bool,
    /// What is wrong with the password that was typed.
    problem: Option<String>,
    /// The ways to sign in that are open here.
    ways: Ways,
    passkeys: Vec<passkeys::Listed>,
    /// Why no passkey was added.
    passkey_problem: Option<String>,
    sessions: Vec<sessions::Listed>,
}

async fn show(
    session: Session,
    MaybeVisit(visit): MaybeVisit,
    State(app): State<App>,
    query: Query,
) -> Result<Response, Failure> {
    let told = [
        ("password", "Your password is changed. Your other sessions have ended."),
        ("ended", "The session has ended."),
        (
            "joined",
            "Welcome. Add a passkey below before you leave: it is how you sign in next time.",
        ),
        ("passkey-added", "The passkey is added: sign in with it from now on."),
        ("passkey-renamed", "The passkey has its new name."),
        (
            "passkey-removed",
            "The passkey is removed. On your device it stays until you remove it there, and is good for nothing here.",
        ),
    ];
    let account = Account::of(&app, &session).await?;
    let frame = visit.map(|visit| visit.frame(Section::Account, "Your account"));
    Ok(match frame {
        Some(frame) => page::ok(&FramedPage {
            frame: frame.notice(&query, &told),
            account,
        }),
        None => page::ok(&BarePage {
            notice: Frame::told(&query, &told),
            account,
        }),
    })
}

impl Account {
    async fn of(app: &App, session: &Session) -> Result<Self, Failure> {
        let user = &session.signed_in.user;
        Ok(Self {
            proof: session.proof(),
            name: user.name.clone(),
            email: user.email.to_string(),
            since: Moment(user.created_at),
            has_password: user.password.is_some(),
            problem: None,
            ways: Ways::at(app, &session.reached),
            passkeys: passkeys::listed(app, session).await?,
            passkey_problem: None,
            sessions: sessions::listed(app, session).await?,
        })
    }

    /// The page again, with what is wrong.
    fn refused(self, visit: &MaybeVisit) -> Response {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        match &visit.0 {
            Some(visit) => page::render(
                status,
                &FramedPage {
                    frame: visit.frame(Section::Account, "Your account"),
                    account: self,
                },
            ),
            None => page::render(
                status,
                &BarePage {
                    notice: None,
                    account: self,
                },
            ),
        }
    }
}
