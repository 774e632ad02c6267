//! People at the dashboard: signed in, with the cookie and the proof that their browser would send.

use tollgate_domain::id::UserId;
use tollgate_domain::one_time_link::LinkSecret;
use tollgate_domain::role::Role;
use tollgate_domain::session::SessionSecret;
use tollgate_domain::user::EmailAddress;
use tollgate_domain::workspace::Workspace;
use tollgate_service::NewPerson;

use super::{Answer, Request, Tenant, TestApp, get, post};

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) session: SessionSecret,
    /// Where they are looking.
    pub(crate) workspace: Workspace,
}

impl Person {
    /// A new member of a workspace, signed in.
    pub(crate) async fn new(app: &TestApp, tenant: &Tenant, email: &str, role: Role) -> Self {
        let email = EmailAddress::parse(email).expect("an address");
        let invitation = app.service.invite(&tenant.operator, email, role).await;
        let person = NewPerson {
            name: "Ada".to_owned(),
            password: None,
        };
        let secret = invitation.expect("an invitation").secret;
        let member = app.service.accept_invitation(&secret, Some(person), None).await;
        let id = member.expect("a member").user;
        Self {
            id,
            session: sign_in(app, tenant, id).await,
            workspace: tenant.workspace.clone(),
        }
    }

    /// The header with the session's cookie.
    pub(crate) fn cookie(&self) -> String {
        format!("tollgate-session={}", self.session.reveal())
    }

    /// What a form of theirs carries beside its own fields.
    pub(crate) fn proof(&self) -> String {
        format!("proof={}&workspace={}", self.session.form_proof(), self.workspace.id)
    }

    /// A page, as their browser asks for it.
    pub(crate) fn page(&self, target: impl Into<String>) -> Request {
        get(target).header("Cookie", self.cookie())
    }

    /// A form of a page of theirs, with these fields.
    pub(crate) fn form(&self, target: impl Into<String>, fields: &str) -> Request {
        let body = format!("{}&{fields}", self.proof());
        post(target).header("Cookie", self.cookie()).form(body)
    }
}

async fn sign_in(app: &TestApp, tenant: &Tenant, user: UserId) -> SessionSecret {
    let link = app.service.issue_sign_in(&tenant.operator, user).await.expect("a link");
    let secret: &LinkSecret = &link.secret;
    app.service.sign_in_by_link(secret, None).await.expect("a session")
}

impl TestApp {
    /// A member of the first workspace, signed in.
    pub(crate) async fn person(&self, role: Role) -> Person {
        Person::new(self, &self.home, &format!("{role}@example.com"), role).await
    }

    /// The same member in another browser.
    pub(crate) async fn person_again(&self, role: Role) -> Person {
        let members = self.service.members(&self.home.operator).await.expect("members");
        match members.iter().find(|member| member.role == role) {
            Some(member) => Person {
                id: member.user,
                session: sign_in(self, &self.home, member.user).await,
                workspace: self.home.workspace.clone(),
            },
            None => self.person(role).await,
        }
    }

    /// The same person in another browser.
    pub(crate) async fn signed_in_again(&self, tenant: &Tenant, person: &Person) -> Person {
        Person {
            session: sign_in(self, tenant, person.id).await,
            ..person.clone()
        }
    }

    /// Sends what isn't in the OpenAPI document: pages are for people.
    pub(crate) async fn visit(&self, request: Request) -> Answer {
        request.send_to(self.address).await
    }
}
