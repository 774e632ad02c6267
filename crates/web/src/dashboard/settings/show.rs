//! The page of the settings.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tollgate_domain::id::UserId;
use tollgate_domain::role::Action;
use tollgate_service::{Member, OpenInvitation, SignInMethods};

use super::SETTINGS;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Query;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;
use crate::error::Problem;

pub(super) fn rows() -> Vec<Row> {
    vec![Row::get(SETTINGS, Right::Action(Action::ReadMembers), show)]
}

#[derive(Template)]
#[template(path = "dashboard/settings/show.html")]
pub(super) struct SettingsPage {
    frame: Frame,
    /// As it is, or as somebody typed it.
    name: String,
    problems: Vec<Problem>,
    created: Moment,
    members: Vec<Listed>,
    invitations: Vec<Invitation>,
    methods: SignInMethods,
    may_rename: bool,
    may_manage: bool,
}

struct Listed {
    id: UserId,
    name: String,
    email: String,
    role: &'static str,
    since: Moment,
    is_self: bool,
    /// Whether the one who looks may change them.
    is_managed: bool,
}

struct Invitation {
    email: String,
    role: &'static str,
    by: String,
    expires: Moment,
    expires_in: String,
    /// Whether the one who looks may withdraw it.
    is_managed: bool,
}

impl SettingsPage {
    /// With another name typed than the workspace has, and what is wrong with it.
    pub(super) async fn new(
        app: &App,
        visit: &Visit,
        typed: Option<String>,
        problems: Vec<Problem>,
    ) -> Result<Self, Failure> {
        let (caller, role) = (&visit.caller, visit.role());
        let members = app.service.members(caller).await?;
        let invitations = app.service.invitations(caller).await?;
        let now = app.service.now();
        let listed = |member: Member| Listed {
            is_self: caller.user_id() == Some(member.user),
            is_managed: role.manages(member.role),
            id: member.user,
            name: member.name,
            email: member.email.to_string(),
            role: member.role.name(),
            since: Moment(member.since),
        };
        let invitation = |open: OpenInvitation| Invitation {
            is_managed: role.manages(open.role),
            email: open.email.to_string(),
            role: open.role.name(),
            by: open.invited_by.unwrap_or_else(|| "the command line".to_owned()),
            expires: Moment(open.expires_at),
            expires_in: Moment(open.expires_at).ahead(now),
        };
        Ok(Self {
            frame: visit.frame(Section::Settings, "Settings"),
            name: typed.unwrap_or_else(|| caller.workspace().name.clone()),
            problems,
            created: Moment(caller.workspace().created_at),
            members: members.into_iter().map(listed).collect(),
            invitations: invitations.into_iter().map(invitation).collect(),
            methods: app.service.sign_in_methods().clone(),
            may_rename: visit.may_act(Action::ManageWorkspace),
            may_manage: visit.may_act(Action::ManageMembers),
        })
    }
}

async fn show(visit: Visit, State(app): State<App>, query: Query) -> Result<Response, Failure> {
    let settings = SettingsPage::new(&app, &visit, None, Vec::new()).await?;
    let told = [
        ("renamed", "The workspace has its new name."),
        (
            "withdrawn",
            "The invitation is withdrawn: its link opens nothing any more.",
        ),
        ("role", "The member has the new role from now on."),
        ("removed", "They aren't a member of this workspace any more."),
        ("signed-out", "All of their sessions have ended."),
    ];
    Ok(page::ok(&SettingsPage {
        frame: settings.frame.notice(&query, &told).live(0),
        ..settings
    }))
}
