//! Inviting somebody, and taking an invitation back.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_delivery::Letter;
use tollgate_domain::role::{Action, Role};
use tollgate_domain::user::EmailAddress;
use tollgate_service::PeopleError;

use super::letter::Mailed;
use super::link;
use crate::App;
use crate::dashboard::failure::{Failure, sentence};
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;
use crate::error::Problem;

const PATH: &str = "/dashboard/settings/invite";

pub(super) fn rows() -> Vec<Row> {
    let manage = Right::Action(Action::ManageMembers);
    vec![
        Row::get(PATH, manage, show),
        Row::post(PATH, manage, invite),
        Row::post("/dashboard/settings/invitations/withdraw", manage, withdraw),
    ]
}

/// A role to choose, and what it means.
pub(super) struct RoleChoice {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) is_chosen: bool,
}

/// The roles that somebody with `own` may give, the least first.
pub(super) fn roles(own: Role, chosen: &str) -> Vec<RoleChoice> {
    let given = Role::ALL.into_iter().rev().filter(|role| own.manages(*role));
    let choices = given.map(|role| RoleChoice {
        name: role.name(),
        text: explained(role),
        is_chosen: role.name() == chosen,
    });
    choices.collect()
}

const fn explained(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Looks at everything but the audit trail, and changes nothing.",
        Role::Developer => "Works with client-side tokens, destinations and simulations, and reads the audit trail.",
        Role::Admin => "Also manages API keys, the workspace’s name and people, but no owners.",
        Role::Owner => "May do everything. A workspace always keeps an owner.",
    }
}

#[derive(Template)]
#[template(path = "dashboard/settings/invite.html")]
struct InvitePage {
    frame: Frame,
    email: String,
    roles: Vec<RoleChoice>,
    problems: Vec<Problem>,
    sends_mail: bool,
}

impl InvitePage {
    fn new(app: &App, visit: &Visit, (email, role): (&str, &str), problems: Vec<Problem>) -> Self {
        Self {
            frame: visit.frame(Section::Settings, "Invite somebody"),
            email: email.to_owned(),
            roles: roles(visit.role(), role),
            problems,
            sends_mail: app.settings.mailer.is_some(),
        }
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Response {
    page::ok(&InvitePage::new(&app, &visit, ("", ""), Vec::new()))
}

async fn invite(visit: Visit, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    let (typed, chosen) = (form.text("email"), form.text("role"));
    let email = EmailAddress::parse(typed).map_err(|error| Problem::new("email", sentence(&error.to_string())));
    let role = Role::from_name(chosen).ok_or_else(|| Problem::new("role", "Please choose a role."));
    let (email, role) = match (email, role) {
        (Ok(email), Ok(role)) => (email, role),
        (email, role) => {
            let problems = email.err().into_iter().chain(role.err()).collect();
            return Ok(page::refused(&InvitePage::new(&app, &visit, (typed, chosen), problems)));
        }
    };
    let issued = match app.service.invite(&visit.caller, email.clone(), role).await {
        Err(told @ PeopleError::AlreadyMember(_)) => {
            let problems = vec![Problem::new("email", sentence(&told.to_string()))];
            return Ok(page::refused(&InvitePage::new(&app, &visit, (typed, chosen), problems)));
        }
        issued => issued?,
    };
    let by = &visit.session.signed_in.user;
    let letter = Letter::invitation(
        &visit.caller.workspace().name,
        role.name(),
        Some(&format!("{} <{}>", by.name, by.email)),
        &link::full(&visit, &issued),
        issued.link.expires_at,
    );
    let mailed = Mailed::by(&app, email.as_str(), &letter).await;
    Ok(link::shown(&visit, email.as_str(), &issued, mailed))
}

async fn withdraw(visit: Visit, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    let email = EmailAddress::parse(form.text("email")).map_err(|_| Failure::not_found("Invitation"))?;
    app.service.withdraw_invitation(&visit.caller, &email).await?;
    Ok(see_other("/dashboard/settings?done=withdrawn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_offered_a_role_that_they_may_not_give() {
        let names = |own| roles(own, "").into_iter().map(|role| role.name).collect::<Vec<_>>();
        assert_eq!(names(Role::Owner), ["viewer", "developer", "admin", "owner"]);
        assert_eq!(names(Role::Admin), ["viewer", "developer", "admin"]);
        assert!(names(Role::Developer).is_empty());
        assert!(roles(Role::Owner, "").iter().all(|role| !role.is_chosen));
        assert!(roles(Role::Owner, "admin")[2].is_chosen);
    }
}
