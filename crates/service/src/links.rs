//! One-time links: made for somebody, and used by whoever has them.

use std::net::IpAddr;

use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::UserId;
use tollgate_domain::one_time_link::{LinkPurpose, LinkSecret, OneTimeLink};
use tollgate_domain::role::Role;
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Membership, Password, User};
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{LinkUse, PasswordChange, PeopleWrite, StorageError};

use crate::caller::Cause;
use crate::people::{Audited, Detail};
use crate::{Caller, Denied, Member, PeopleError, ROUNDS, Service};

/// A link that was just made. Its secret is had here and never again.
#[derive(Clone, Debug)]
pub struct IssuedLink {
    pub link: OneTimeLink,
    pub secret: LinkSecret,
}

impl IssuedLink {
    /// Where it leads: a path on the server.
    pub fn path(&self) -> String {
        self.link.purpose.path(&self.secret)
    }
}

/// What an invitation is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    pub workspace: Workspace,
    pub email: EmailAddress,
    pub role: Role,
    /// Whether there is an account for the address, which is then used as it is.
    pub has_account: bool,
}

/// What a new account is to be; the name keeps to [`tollgate_domain::text::NAME`].
#[derive(Clone, Debug)]
pub struct NewPerson {
    pub name: String,
    /// Without one, they sign in by other means.
    pub password: Option<Password>,
}

impl Service {
    /// Makes a link that makes whoever uses it a member, in place of an earlier one for the same address.
    pub async fn invite(&self, caller: &Caller, email: EmailAddress, role: Role) -> Result<IssuedLink, PeopleError> {
        caller.require_to_manage(role)?;
        let members = self.all_members(caller.workspace_id()).await?;
        if members.iter().any(|member| member.email == email) {
            return Err(PeopleError::AlreadyMember(email));
        }
        let audited = Audited::invited(&email, role);
        let now = self.clock.now();
        let event = self.event(caller.origin(), EventType::MemberInvited, now, &email, &audited);
        let purpose = LinkPurpose::Invitation {
            workspace: caller.workspace_id(),
            email: email.clone(),
            role,
        };
        self.issue_link(purpose, event).await
    }

    /// Makes a link that lets a member choose a new password. As an account is one for all workspaces, a person does so
    /// only for those who are members of theirs alone.
    pub async fn issue_reset(&self, caller: &Caller, user: UserId) -> Result<IssuedLink, PeopleError> {
        let (member, _) = self.member(caller, user).await?;
        caller.require_to_manage(member.role)?;
        if !caller.is_operator() && self.storage.memberships(user).await?.len() > 1 {
            return Err(Denied(None).into());
        }
        self.issue_link_for(
            caller,
            &member,
            LinkPurpose::Reset(user),
            EventType::PasswordResetIssued,
        )
        .await
    }

    /// Makes a link that signs a member in. For the machine's operator only: whoever has it is that person.
    pub async fn issue_sign_in(&self, caller: &Caller, user: UserId) -> Result<IssuedLink, PeopleError> {
        if !caller.is_operator() {
            return Err(Denied(None).into());
        }
        let (member, _) = self.member(caller, user).await?;
        self.issue_link_for(caller, &member, LinkPurpose::SignIn(user), EventType::SignInLinkIssued)
            .await
    }

    async fn issue_link_for(
        &self,
        caller: &Caller,
        member: &Member,
        purpose: LinkPurpose,
        event_type: EventType,
    ) -> Result<IssuedLink, PeopleError> {
        let now = self.clock.now();
        let audited = Audited::of(member);
        let event = self.event(caller.origin(), event_type, now, &member.user, &audited);
        self.issue_link(purpose, event).await
    }

    async fn issue_link(&self, purpose: LinkPurpose, event: Event) -> Result<IssuedLink, PeopleError> {
        let secret = LinkSecret::generate(self.entropy.as_ref());
        let link = OneTimeLink::new(&secret, purpose, event.actor, event.occurred_at);
        self.commit_people(PeopleWrite::CreateLink(link.clone()), vec![event])
            .await?;
        Ok(IssuedLink { link, secret })
    }

    /// What an invitation is to, for whoever has it.
    pub async fn invitation(&self, secret: &LinkSecret) -> Result<Invited, PeopleError> {
        let link = self.good_link(secret).await?;
        let LinkPurpose::Invitation { workspace, email, role } = link.purpose else {
            return Err(PeopleError::Link);
        };
        let has_account = self.storage.user_by_email(&email).await?.is_some();
        let workspace = self.storage.workspace(workspace).await?.ok_or(PeopleError::Link)?;
        Ok(Invited {
            workspace,
            email,
            role,
            has_account,
        })
    }

    /// Takes an invitation: makes the account if there is none for the address, else leaves it as it is, its password
    /// above all; then makes it a member.
    pub async fn accept_invitation(
        &self,
        secret: &LinkSecret,
        person: Option<NewPerson>,
        address: Option<IpAddr>,
    ) -> Result<Member, PeopleError> {
        let mut password = None;
        for _ in 0..ROUNDS {
            let Invited {
                workspace, email, role, ..
            } = self.invitation(secret).await?;
            let now = self.clock.now();
            let known = self.storage.user_by_email(&email).await?;
            let is_new = known.is_none();
            let user = match (known, &person) {
                (Some(known), _) => known,
                (None, None) => return Err(PeopleError::PersonNeeded),
                (None, Some(person)) => {
                    if let (None, Some(chosen)) = (&password, &person.password) {
                        password = Some(self.passwords.hash(chosen, self.entropy.as_ref()).await);
                    }
                    User {
                        id: self.next_id(now),
                        email,
                        name: person.name.clone(),
                        password: password.clone(),
                        created_at: now,
                        version: 1,
                    }
                }
            };
            let membership = Membership {
                workspace: workspace.id,
                user: user.id,
                role,
                created_at: now,
            };
            let member = Member::of((user.clone(), membership));
            let then = if is_new {
                LinkUse::Join { user, membership }
            } else {
                if self
                    .all_members(workspace.id)
                    .await?
                    .iter()
                    .any(|other| other.user == user.id)
                {
                    return Err(PeopleError::AlreadyMember(user.email));
                }
                LinkUse::Add(membership)
            };
            let audited = Audited::of(&member);
            let origin = (workspace.id, Cause::person(member.user, address));
            let event = self.event(origin, EventType::MemberJoined, now, &member.user, &audited);
            if self.use_link(secret, now, then, vec![event]).await? {
                return Ok(member);
            }
        }
        Err(PeopleError::Contended)
    }

    /// Chooses a new password with the link that [`issue_reset`](Self::issue_reset) made. Ends all sessions and removes
    /// all passkeys: it may have been asked for because somebody else got in.
    pub async fn reset_password(
        &self,
        secret: &LinkSecret,
        password: &Password,
        address: Option<IpAddr>,
    ) -> Result<(), PeopleError> {
        let LinkPurpose::Reset(id) = self.good_link(secret).await?.purpose else {
            return Err(PeopleError::Link);
        };
        let password = self.passwords.hash(password, self.entropy.as_ref()).await;
        for _ in 0..ROUNDS {
            self.good_link(secret).await?;
            let user = self.storage.user(id).await?.ok_or(PeopleError::Link)?;
            let now = self.clock.now();
            let cause = Cause::person(id, address);
            let mut events = self
                .events_everywhere(&user, cause, EventType::PasswordChanged, now)
                .await?;
            for passkey in self.storage.passkeys(id).await? {
                let detail = Detail::passkey(&passkey);
                let about = (&user, cause, EventType::PasskeyRemoved);
                events.extend(self.events_with(about, now, detail).await?);
            }
            let change = PasswordChange {
                user: id,
                version: user.version,
                password: password.clone(),
            };
            if self.use_link(secret, now, LinkUse::SetPassword(change), events).await? {
                return Ok(());
            }
        }
        Err(PeopleError::Contended)
    }

    /// The link of this secret, if it can be used now.
    pub(crate) async fn good_link(&self, secret: &LinkSecret) -> Result<OneTimeLink, PeopleError> {
        let link = self.storage.one_time_link(secret.digest()).await?;
        let now = self.clock.now();
        link.filter(|link| now < link.expires_at).ok_or(PeopleError::Link)
    }

    /// `false` when the link or what it is used on has changed by now: look again.
    pub(crate) async fn use_link(
        &self,
        secret: &LinkSecret,
        now: Timestamp,
        then: LinkUse,
        events: Vec<Event>,
    ) -> Result<bool, StorageError> {
        let digest = secret.digest();
        self.commit_people(PeopleWrite::UseLink { digest, now, then }, events)
            .await
    }
}
