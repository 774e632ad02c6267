//! What one-time links lead to: taking an invitation, choosing a new password, signing in. Looking at such a page does
//! nothing, since programs that look through mail open links, too; its form does.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use tollgate_domain::one_time_link::LinkSecret;
use tollgate_domain::text::NAME;
use tollgate_domain::user::{Password, PasswordError};
use tollgate_service::{Invited, NewPerson, PeopleError};

use super::{Ways, let_in, openid};
use crate::App;
use crate::dashboard::failure::{Failure, sentence};
use crate::dashboard::fields::Form;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visitor;

const INVITATION: &str = "/dashboard/invitation/{secret}";
const RESET: &str = "/dashboard/reset/{secret}";
const SIGN_IN: &str = "/dashboard/sign-in-link/{secret}";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get(INVITATION, Right::Anyone, show_invitation),
        Row::post(INVITATION, Right::Anyone, accept),
        Row::get(RESET, Right::Anyone, show_reset),
        Row::post(RESET, Right::Anyone, reset),
        Row::get(SIGN_IN, Right::Anyone, show_sign_in),
        Row::post(SIGN_IN, Right::Anyone, sign_in),
    ]
}

/// A path as it may be logged: without the secret of a link.
pub(crate) fn without_secret(path: &str) -> &str {
    let pages = [INVITATION, RESET, SIGN_IN].into_iter();
    let prefixes = pages.map(|page| page.trim_end_matches("{secret}"));
    for prefix in prefixes {
        if path.starts_with(prefix) {
            return &path[..prefix.len()];
        }
    }
    path
}

/// A new password, or what is wrong with it.
pub(in crate::dashboard) fn chosen(form: &crate::dashboard::fields::Fields) -> Result<Password, String> {
    let text = form.text("password");
    if text != form.text("password_again") {
        return Err("The two passwords aren't the same.".to_owned());
    }
    Password::choose(text).map_err(|error: PasswordError| sentence(&error.to_string()))
}

fn secret(text: &str) -> Result<LinkSecret, Failure> {
    LinkSecret::parse(text).ok_or_else(|| PeopleError::Link.into())
}

#[derive(Template)]
#[template(path = "dashboard/invitation.html")]
struct InvitationPage {
    proof: String,
    invited: Invited,
    name: String,
    problem: Option<String>,
    ways: Ways,
    /// Where signing in through the provider begins, which takes the invitation, too.
    openid_link: String,
}

impl InvitationPage {
    fn new(app: &App, visitor: Visitor, invited: Invited) -> Self {
        Self {
            ways: Ways::at(app, &visitor.reached),
            openid_link: openid::link("/dashboard"),
            proof: visitor.proof,
            invited,
            name: String::new(),
            problem: None,
        }
    }

    /// Whether the form makes an account, or joins the one that there is.
    fn has_form(&self) -> bool {
        self.invited.has_account || self.ways.passwords || self.ways.passkeys
    }
}

async fn show_invitation(
    visitor: Visitor,
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Response, Failure> {
    let invited = app.service.invitation(&secret(&text)?).await?;
    Ok(page::ok(&InvitationPage::new(&app, visitor, invited)))
}

async fn accept(
    visitor: Visitor,
    State(app): State<App>,
    Path(text): Path<String>,
    Form(form): Form,
) -> Result<Response, Failure> {
    let secret = secret(&text)?;
    let invited = app.service.invitation(&secret).await?;
    let reached = visitor.reached.clone();
    if invited.has_account {
        app.service.accept_invitation(&secret, None, reached.address).await?;
        return Ok(see_other("/dashboard/sign-in?done=joined"));
    }
    let page = InvitationPage::new(&app, visitor, invited);
    if !page.has_form() {
        return Ok(page::refused(&page));
    }
    let name = form.text("name");
    let checked = NAME.check(name).map_err(|error| format!("Name: {error}."));
    let chosen = checked.and_then(|()| page.ways.passwords.then(|| chosen(&form)).transpose());
    match chosen {
        Ok(None) => {
            let session = app.service.join_signed_in(&secret, name, reached.address).await?;
            Ok(let_in(&session, &reached, "/dashboard/account?done=joined"))
        }
        Ok(password) => {
            let person = NewPerson {
                name: name.to_owned(),
                password,
            };
            let accepting = app.service.accept_invitation(&secret, Some(person), reached.address);
            accepting.await?;
            Ok(see_other("/dashboard/sign-in?done=joined"))
        }
        Err(problem) => Ok(page::refused(&InvitationPage {
            name: name.to_owned(),
            problem: Some(problem),
            ..page
        })),
    }
}

#[derive(Template)]
#[template(path = "dashboard/reset.html")]
struct ResetPage {
    proof: String,
    problem: Option<String>,
}

/// A password that nobody could sign in with isn't chosen.
fn require_passwords(app: &App) -> Result<(), Failure> {
    if app.service.sign_in_methods().passwords {
        return Ok(());
    }
    Err(Failure::Told {
        status: StatusCode::CONFLICT,
        title: "Passwords are switched off",
        text: "Nobody signs in with a password on this server, so that there is none to choose. If you have no other \
               way in, ask whoever runs it for a link that signs you in: tollgate user sign-in."
            .to_owned(),
    })
}

async fn show_reset(visitor: Visitor, State(app): State<App>, Path(text): Path<String>) -> Result<Response, Failure> {
    secret(&text)?;
    require_passwords(&app)?;
    Ok(page::ok(&ResetPage {
        proof: visitor.proof,
        problem: None,
    }))
}

async fn reset(
    visitor: Visitor,
    State(app): State<App>,
    Path(text): Path<String>,
    Form(form): Form,
) -> Result<Response, Failure> {
    let secret = secret(&text)?;
    require_passwords(&app)?;
    let password = match chosen(&form) {
        Ok(password) => password,
        Err(problem) => {
            return Ok(page::refused(&ResetPage {
                proof: visitor.proof,
                problem: Some(problem),
            }));
        }
    };
    app.service
        .reset_password(&secret, &password, visitor.reached.address)
        .await?;
    Ok(see_other("/dashboard/sign-in?done=password"))
}

#[derive(Template)]
#[template(path = "dashboard/sign_in_link.html")]
struct SignInLinkPage {
    proof: String,
}

async fn show_sign_in(visitor: Visitor, Path(text): Path<String>) -> Result<Response, Failure> {
    secret(&text)?;
    Ok(page::ok(&SignInLinkPage { proof: visitor.proof }))
}

async fn sign_in(visitor: Visitor, State(app): State<App>, Path(text): Path<String>) -> Result<Response, Failure> {
    let session = app
        .service
        .sign_in_by_link(&secret(&text)?, visitor.reached.address)
        .await?;
    Ok(let_in(&session, &visitor.reached, "/dashboard"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_is_not_logged() {
        for (path, logged) in [
            ("/dashboard/invitation/abc", "/dashboard/invitation/"),
            ("/dashboard/reset/abc/def", "/dashboard/reset/"),
            ("/dashboard/sign-in-link/abc", "/dashboard/sign-in-link/"),
            ("/dashboard/sign-in", "/dashboard/sign-in"),
            ("/client-tokens", "/client-tokens"),
        ] {
            assert_eq!(without_secret(path), logged);
        }
    }
}
