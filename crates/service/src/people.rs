//! Members of a workspace: who they are, and what becomes of them. How they come in: [`links`](crate::links).
//!
//! Everything is told to the audit trail: who did it, to whom, and from where, as far as that is known.

use serde::Serialize;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{PasskeyId, UserId, WorkspaceId};
use tollgate_domain::passkey::Passkey;
use tollgate_domain::role::{Action, Role};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Membership, User};
use tollgate_storage::{Change, Outcome, PeopleWrite, StorageError, Write};

use crate::caller::Cause;
use crate::sign_in::SignInMethod;
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
    /// Made meanwhile: an account's person signs in by their own means.
    #[error("there is an account for {0} already; open the link anew")]
    HasAccount(EmailAddress),
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
    pub(crate) fn of((user, membership): (User, Membership)) -> Self {
        Self {
            user: user.id,
            email: user.email,
            name: user.name,
            role: membership.role,
            since: membership.created_at,
        }
    }
}

/// What the audit trail holds.
#[derive(Serialize)]
pub(crate) struct Audited<'a> {
    pub(crate) user_id: Option<UserId>,
    pub(crate) email: &'a str,
    pub(crate) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_role: Option<&'static str>,
    #[serde(flatten)]
    pub(crate) detail: Detail<'a>,
}

/// What only some events about an account have.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Detail<'a> {
    /// How somebody signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<SignInMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passkey_id: Option<PasskeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passkey_name: Option<&'a str>,
}

impl<'a> Detail<'a> {
    pub(crate) fn passkey(passkey: &'a Passkey) -> Self {
        Self {
            passkey_id: Some(passkey.id),
            passkey_name: Some(&passkey.name),
            ..Self::default()
        }
    }
}

impl<'a> Audited<'a> {
    /// Of whom an invitation is for.
    pub(crate) fn invited(email: &'a EmailAddress, role: Role) -> Self {
        Self {
            user_id: None,
            email: email.as_str(),
            role: Some(role.name()),
            previous_role: None,
            detail: Detail::default(),
        }
    }

    pub(crate) fn of(member: &'a Member) -> Self {
        Self {
            user_id: Some(member.user),
            email: member.email.as_str(),
            role: Some(member.role.name()),
            previous_role: None,
            detail: Detail::default(),
        }
    }
}

impl Service {
    /// All members of the caller's workspace, those with the oldest accounts first.
    pub async fn members(&self, caller: &Caller) -> Result<Vec<Member>, PeopleError> {
        caller.require_action(Action::ReadMembers)?;
        self.all_members(caller.workspace_id()).await
    }

    pub(crate) async fn all_members(&self, workspace: WorkspaceId) -> Result<Vec<Member>, PeopleError> {
        let members = self.storage.members(workspace).await?;
        Ok(members.into_iter().map(Member::of).collect())
    }

    pub(crate) async fn member(&self, caller: &Caller, user: UserId) -> Result<(Member, Vec<Member>), PeopleError> {
        let all = self.all_members(caller.workspace_id()).await?;
        let member = all.iter().find(|member| member.user == user).cloned();
        Ok((member.ok_or(PeopleError::NotFound)?, all))
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
                ..Audited::of(&changed)
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
            let audited = Audited::of(&member);
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
            .events_everywhere(&account, caller.cause(), EventType::SignedOutEverywhere, now)
            .await?;
        self.commit_people(PeopleWrite::EndSessions(user), events).await?;
        Ok(member)
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
        cause: Cause,
        event_type: EventType,
        now: Timestamp,
    ) -> Result<Vec<Event>, StorageError> {
        self.events_with((user, cause, event_type), now, Detail::default())
            .await
    }

    /// The same, with what only some events have.
    pub(crate) async fn events_with(
        &self,
        (user, cause, event_type): (&User, Cause, EventType),
        now: Timestamp,
        detail: Detail<'_>,
    ) -> Result<Vec<Event>, StorageError> {
        let memberships = self.storage.memberships(user.id).await?;
        let told = memberships.into_iter().map(|membership| {
            let member = Member::of((user.clone(), membership));
            let origin = (membership.workspace, cause);
            let audited = Audited {
                detail,
                ..Audited::of(&member)
            };
            self.event(origin, event_type, now, &user.id, &audited)
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
