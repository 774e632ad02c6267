//! Members of a workspace: who they are, how they come in by a one-time link, and what becomes of them.
//!
//! Everything is told to the audit trail: who did it, to whom, and from where, as far as that is known.

use std::net::IpAddr;

use serde::Serialize;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{UserId, WorkspaceId};
use tollgate_domain::one_time_link::{LinkPurpose, LinkSecret, OneTimeLink};
use tollgate_domain::role::{Action, Role};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Membership, Password, User};
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{Change, LinkUse, Outcome, PasswordChange, PeopleWrite, StorageError, Write};

use crate::{Caller, Denied, ROUNDS, Service};

/// Why a use-case about people refused. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The role doesn't give the right, or the caller is an API key.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Also for a person who is a member elsewhere only: it isn't revealed that they exist.
    #[error("no such member of the workspace")]
    NotFound,
    /// There is nothing to invite them to.
    #[error("{0} is a member of the workspace already")]
    AlreadyMember(EmailAddress),
    /// A workspace that has members always has an owner.
    #[error("this is the last owner of the workspace; make somebody else an owner first")]
    LastOwner,
    /// It was used, it is too old, another one took its place, or it never was one: the caller isn't told which.
    #[error("the link isn't valid, or not any more; ask for a new one")]
    Link,
    /// There is no account for the invited address yet: it takes a name and a password to make one.
    #[error("a name and a password are needed")]
    PersonNeeded,
    /// Others changed the same each time we tried.
    #[error("the members are being changed by others")]
    Contended,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Somebody with a role in the caller's workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub email: EmailAddress,
    pub name: String,
    pub role: Role,
    pub since: Timestamp,
}

impl Member {
    fn of((user, membership): (User, Membership)) -> Self {
        Self {
            user: user.id,
            email: user.email,
            name: user.name,
            role: membership.role,
            since: membership.created_at,
        }
    }
}

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

/// What the audit trail holds.
#[derive(Serialize)]
pub(crate) struct Audited<'a> {
    pub(crate) user_id: Option<UserId>,
    pub(crate) email: &'a str,
    pub(crate) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_role: Option<&'static str>,
    pub(crate) client_address: Option<IpAddr>,
}

impl<'a> Audited<'a> {
    fn of(member: &'a Member, address: Option<IpAddr>) -> Self {
        Self {
            user_id: Some(member.user),
            email: member.email.as_str(),
            role: Some(member.role.name()),
            previous_role: None,
            client_address: address,
        }
    }
}

impl Service {
    /// All members of the caller's workspace, those with the oldest accounts first.
    pub async fn members(&self, caller: &Caller) -> Result<Vec<Member>, PeopleError> {
        caller.require_action(Action::ReadMembers)?;
        self.all_members(caller.workspace_id()).await
    }

    async fn all_members(&self, workspace: WorkspaceId) -> Result<Vec<Member>, PeopleError> {
        let members = self.storage.members(workspace).await?;
        Ok(members.into_iter().map(Member::of).collect())
    }

    async fn member(&self, caller: &Caller, user: UserId) -> Result<(Member, Vec<Member>), PeopleError> {
        let all = self.all_members(caller.workspace_id()).await?;
        let member = all.iter().find(|member| member.user == user).cloned();
        Ok((member.ok_or(PeopleError::NotFound)?, all))
    }

    /// Makes a link that makes whoever uses it a member, in place of an earlier one for the same address.
    pub async fn invite(&self, caller: &Caller, email: EmailAddress, role: Role) -> Result<IssuedLink, PeopleError> {
        caller.require_to_manage(role)?;
        let members = self.all_members(caller.workspace_id()).await?;
        if members.iter().any(|member| member.email == email) {
            return Err(PeopleError::AlreadyMember(email));
        }
        let audited = Audited {
            user_id: None,
            email: email.as_str(),
            role: Some(role.name()),
            previous_role: None,
            client_address: caller.address(),
        };
        let now = self.clock.now();
        let event = self.event(caller.origin(), EventType::MemberInvited, now, &email, &audited);
        let purpose = LinkPurpose::Invitation {
            workspace: caller.workspace_id(),
            email: email.clone(),
            role,
        };
        self.issue_link(purpose, now, event).await
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
        let audited = Audited::of(member, caller.address());
        let event = self.event(caller.origin(), event_type, now, &member.user, &audited);
        self.issue_link(purpose, now, event).await
    }

    async fn issue_link(&self, purpose: LinkPurpose, now: Timestamp, event: Event) -> Result<IssuedLink, PeopleError> {
        let secret = LinkSecret::generate(self.entropy.as_ref());
        let link = OneTimeLink::new(&secret, purpose, now);
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
            let audited = Audited::of(&member, address);
            let origin = (workspace.id, Actor::Person(member.user));
            let event = self.event(origin, EventType::MemberJoined, now, &member.user, &audited);
            if self.use_link(secret, now, then, vec![event]).await? {
                return Ok(member);
            }
        }
        Err(PeopleError::Contended)
    }

    /// Chooses a new password with the link that [`issue_reset`](Self::issue_reset) made. Ends all sessions.
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
            let events = self
                .events_everywhere(&user, Actor::Person(id), EventType::PasswordChanged, now, address)
                .await?;
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

    /// Gives a member another role. The caller manages both, the one that they have and the one that they get.
    pub async fn change_role(&self, caller: &Caller, user: UserId, role: Role) -> Result<Member, PeopleError> {
        for _ in 0..ROUNDS {
            let (member, all) = self.member(caller, user).await?;
            caller.require_to_manage(member.role)?;
            caller.require_to_manage(role)?;
            if member.role == role {
                return Ok(member);
            }
            refuse_last_owner(&member, &all)?;
            let changed = Member { role, ..member.clone() };
            let audited = Audited {
                previous_role: Some(member.role.name()),
                ..Audited::of(&changed, caller.address())
            };
            let event = self.event(
                caller.origin(),
                EventType::MemberRoleChanged,
                self.clock.now(),
                &user,
                &audited,
            );
            let write = PeopleWrite::SetRole {
                workspace: caller.workspace_id(),
                user,
                from: member.role,
                to: role,
            };
            if self.commit_people(write, vec![event]).await? {
                return Ok(changed);
            }
        }
        Err(PeopleError::Contended)
    }

    /// Somebody is no member any more: from the next request on they see nothing of the workspace. Everybody may remove
    /// themselves. The account stays, as it may be a member elsewhere.
    pub async fn remove_member(&self, caller: &Caller, user: UserId) -> Result<Member, PeopleError> {
        for _ in 0..ROUNDS {
            let (member, all) = self.member(caller, user).await?;
            if caller.user_id() != Some(user) {
                caller.require_to_manage(member.role)?;
            }
            refuse_last_owner(&member, &all)?;
            let audited = Audited::of(&member, caller.address());
            let event = self.event(
                caller.origin(),
                EventType::MemberRemoved,
                self.clock.now(),
                &user,
                &audited,
            );
            let write = PeopleWrite::RemoveMember {
                workspace: caller.workspace_id(),
                user,
                role: member.role,
            };
            if self.commit_people(write, vec![event]).await? {
                return Ok(member);
            }
        }
        Err(PeopleError::Contended)
    }

    /// Ends all sessions of a member, in all workspaces.
    pub async fn sign_member_out(&self, caller: &Caller, user: UserId) -> Result<Member, PeopleError> {
        let (member, _) = self.member(caller, user).await?;
        caller.require_to_manage(member.role)?;
        let now = self.clock.now();
        let account = self.storage.user(user).await?.ok_or(PeopleError::NotFound)?;
        let events = self
            .events_everywhere(
                &account,
                caller.actor(),
                EventType::SignedOutEverywhere,
                now,
                caller.address(),
            )
            .await?;
        self.commit_people(PeopleWrite::EndSessions(user), events).await?;
        Ok(member)
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

    /// `false` when what the write expects didn't hold.
    pub(crate) async fn commit_people(&self, write: PeopleWrite, events: Vec<Event>) -> Result<bool, StorageError> {
        let outcome = self
            .storage
            .commit(Change {
                write: Write::People(write),
                events,
                idempotency: None,
            })
            .await?;
        Ok(matches!(outcome, Outcome::Applied { .. }))
    }

    /// What concerns an account, told in each workspace that it is a member of.
    pub(crate) async fn events_everywhere(
        &self,
        user: &User,
        actor: Actor,
        event_type: EventType,
        now: Timestamp,
        address: Option<IpAddr>,
    ) -> Result<Vec<Event>, StorageError> {
        let memberships = self.storage.memberships(user.id).await?;
        let told = memberships.into_iter().map(|membership| {
            let member = Member::of((user.clone(), membership));
            let origin = (membership.workspace, actor);
            self.event(origin, event_type, now, &user.id, &Audited::of(&member, address))
        });
        Ok(told.collect())
    }
}

fn refuse_last_owner(member: &Member, all: &[Member]) -> Result<(), PeopleError> {
    let owners = all.iter().filter(|other| other.role == Role::Owner).count();
    if member.role == Role::Owner && owners == 1 {
        return Err(PeopleError::LastOwner);
    }
    Ok(())
}
