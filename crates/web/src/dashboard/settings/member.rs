//! One member: another role, all sessions ended, a link to a new password, removal.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use tollgate_delivery::Letter;
use tollgate_domain::id::UserId;
use tollgate_domain::role::{Action, Role};
use tollgate_service::{Member, PeopleError};

use super::invite::{RoleChoice, roles};
use super::letter::Mailed;
use super::link;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;

pub(super) fn rows() -> Vec<Row> {
    let manage = Right::Action(Action::ManageMembers);
    vec![
        Row::get("/dashboard/settings/members/{id}", manage, show),
        Row::post("/dashboard/settings/members/{id}/role", manage, change_role),
        Row::post("/dashboard/settings/members/{id}/sign-out", manage, sign_out),
        Row::post("/dashboard/settings/members/{id}/reset", manage, reset),
        Row::get("/dashboard/settings/members/{id}/remove", manage, confirm),
        Row::post("/dashboard/settings/members/{id}/remove", manage, remove),
    ]
}

#[derive(Template)]
#[template(path = "dashboard/settings/member.html")]
struct MemberPage {
    frame: Frame,
    member: Shown,
    roles: Vec<RoleChoice>,
    is_self: bool,
    sends_mail: bool,
    /// Whether anybody signs in with a password.
    has_passwords: bool,
}

#[derive(Template)]
#[template(path = "dashboard/settings/remove.html")]
struct RemovePage {
    frame: Frame,
    member: Shown,
}

struct Shown {
    id: UserId,
    name: String,
    email: String,
    role: &'static str,
    since: Moment,
}

impl From<Member> for Shown {
    fn from(member: Member) -> Self {
        Self {
            id: member.user,
            name: member.name,
            email: member.email.to_string(),
            role: member.role.name(),
            since: Moment(member.since),
        }
    }
}

fn parsed(id: &str) -> Result<UserId, Failure> {
    UserId::parse(id).map_err(|_| Failure::not_found("Member"))
}

/// The member that an address names, if whoever asks manages them.
async fn named(app: &App, visit: &Visit, id: &str) -> Result<Member, Failure> {
    let id = parsed(id)?;
    let mut members = app.service.members(&visit.caller).await?.into_iter();
    let member = members.find(|member| member.user == id);
    let member = member.ok_or_else(|| Failure::not_found("Member"))?;
    if visit.role().manages(member.role) {
        Ok(member)
    } else {
        Err(Failure::forbidden())
    }
}

async fn show(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let member = named(&app, &visit, &id).await?;
    Ok(page::ok(&MemberPage {
        frame: visit.frame(Section::Settings, member.name.as_str()),
        roles: roles(visit.role(), member.role.name()),
        is_self: visit.caller.user_id() == Some(member.user),
        sends_mail: app.settings.mailer.is_some(),
        has_passwords: app.service.sign_in_methods().passwords,
        member: member.into(),
    }))
}

async fn change_role(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    Form(form): Form,
) -> Result<Response, Failure> {
    let role = Role::from_name(form.text("role")).ok_or_else(|| Failure::not_found("Role"))?;
    app.service.change_role(&visit.caller, parsed(&id)?, role).await?;
    Ok(see_other("/dashboard/settings?done=role"))
}

async fn sign_out(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    app.service.sign_member_out(&visit.caller, parsed(&id)?).await?;
    Ok(see_other("/dashboard/settings?done=signed-out"))
}

async fn reset(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let member = named(&app, &visit, &id).await?;
    let issued = match app.service.issue_reset(&visit.caller, member.user).await {
        Err(PeopleError::Denied(_)) => return Err(is_elsewhere_too()),
        issued => issued?,
    };
    let letter = Letter::reset(&link::full(&visit, &issued), issued.link.expires_at);
    let mailed = Mailed::by(&app, member.email.as_str(), &letter).await;
    Ok(link::shown(&visit, member.email.as_str(), &issued, mailed))
}

/// They are managed, so it isn't the role: an account is one for all workspaces.
fn is_elsewhere_too() -> Failure {
    Failure::Told {
        status: StatusCode::CONFLICT,
        title: "Their password isn't yours to reset",
        text:
            "They are a member of another workspace, too, and the password is the same there. Whoever runs the server \
               can make the link: tollgate user reset."
                .to_owned(),
    }
}

async fn confirm(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    let member = named(&app, &visit, &id).await?;
    if visit.caller.user_id() == Some(member.user) {
        return Ok(see_other("/dashboard/account/leave"));
    }
    Ok(page::ok(&RemovePage {
        frame: visit.frame(Section::Settings, "Remove a member"),
        member: member.into(),
    }))
}

async fn remove(visit: Visit, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Failure> {
    app.service.remove_member(&visit.caller, parsed(&id)?).await?;
    Ok(see_other("/dashboard/settings?done=removed"))
}
