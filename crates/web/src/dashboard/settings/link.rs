//! A one-time link that was just made, this once: on the page that answers the form, and nowhere else.

use askama::Template;
use axum::response::Response;
use tollgate_domain::one_time_link::LinkPurpose;
use tollgate_service::IssuedLink;

use super::letter::Mailed;
use crate::dashboard::frame::{Frame, Section};
use crate::dashboard::moment::Moment;
use crate::dashboard::page;
use crate::dashboard::session::Visit;

#[derive(Template)]
#[template(path = "dashboard/settings/link.html")]
struct LinkPage {
    frame: Frame,
    is_invitation: bool,
    email: String,
    link: String,
    expires: Moment,
    mailed: Mailed,
}

/// The link as its receiver opens it.
pub(super) fn full(visit: &Visit, issued: &IssuedLink) -> String {
    format!("{}{}", visit.session.reached.base, issued.path())
}

/// Shows it to whoever made it for `email`.
pub(super) fn shown(visit: &Visit, email: &str, issued: &IssuedLink, mailed: Mailed) -> Response {
    let is_invitation = matches!(issued.link.purpose, LinkPurpose::Invitation { .. });
    let title = if is_invitation {
        "Invitation"
    } else {
        "Link to a new password"
    };
    page::ok(&LinkPage {
        frame: visit.frame(Section::Settings, title),
        is_invitation,
        email: email.to_owned(),
        link: full(visit, issued),
        expires: Moment(issued.link.expires_at),
        mailed,
    })
}
