//! From a session's cookie to a person, and from a person to a caller in one of their workspaces.
//!
//! Every request asks the store: who signed out anywhere, or was removed, is out at once.

use std::net::IpAddr;

use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::event::EventType;
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_domain::user::{Membership, User};
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{PeopleWrite, StorageError};

use crate::caller::Cause;
use crate::{Caller, Service};

/// Somebody whose session is live.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub user: User,
    /// What they are a member of, by the ids of the workspaces.
    pub memberships: Vec<Membership>,
    /// What every form of theirs has to carry: [`SessionSecret::form_proof`].
    pub secret: SessionSecret,
}

impl SignedIn {
    /// The person as a member of this workspace, asking from this address; `None` when they aren't one.
    pub fn caller_in(&self, workspace: &Workspace, address: Option<IpAddr>) -> Option<Caller> {
        let mut memberships = self.memberships.iter();
        let membership = memberships.find(|membership| membership.workspace == workspace.id)?;
        Some(Caller::person(
            workspace.clone(),
            membership.user,
            membership.role,
            address,
        ))
    }
}

impl Service {
    /// Recognises whoever presents `cookie`; `None` for what is no session, or not any more. Notes the sight, once a
    /// minute at most.
    pub async fn signed_in(&self, cookie: &str) -> Result<Option<SignedIn>, StorageError> {
        let Some(secret) = SessionSecret::parse(cookie) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let session = self.storage.session(secret.digest()).await?;
        let Some(session) = session.filter(|session| session.is_live(now)) else {
            return Ok(None);
        };
        let Some(user) = self.storage.user(session.user).await? else {
            return Ok(None);
        };
        let memberships = self.storage.memberships(user.id).await?;
        if let Some(seen) = session.seen(now)
            && !self.commit_people(PeopleWrite::SeeSession(seen), Vec::new()).await?
        {
            return Ok(None); // it ended just now
        }
        Ok(Some(SignedIn {
            user,
            memberships,
            secret,
        }))
    }

    /// The workspaces that they are a member of, oldest first.
    pub async fn workspaces_of(&self, signed_in: &SignedIn) -> Result<Vec<Workspace>, StorageError> {
        let mut workspaces = Vec::with_capacity(signed_in.memberships.len());
        for membership in &signed_in.memberships {
            workspaces.extend(self.storage.workspace(membership.workspace).await?);
        }
        Ok(workspaces)
    }

    /// What proves the forms of somebody who isn't signed in: kept by their browser alone.
    pub fn new_visitor(&self) -> SessionSecret {
        SessionSecret::generate(self.entropy.as_ref())
    }

    /// Ends the session; one that ended before stays so.
    pub async fn sign_out(&self, signed_in: &SignedIn, address: Option<IpAddr>) -> Result<(), StorageError> {
        let write = PeopleWrite::EndSession(signed_in.secret.digest());
        self.end_sessions(signed_in, EventType::SignedOut, write, address).await
    }

    /// The person's live sessions, newest first.
    pub async fn sessions_of(&self, signed_in: &SignedIn) -> Result<Vec<Session>, StorageError> {
        let mut sessions = self.storage.sessions(signed_in.user.id).await?;
        let now = self.clock.now();
        sessions.retain(|session| session.is_live(now));
        Ok(sessions)
    }

    /// Ends another session of the person; one that ended before, or that isn't theirs, stays as it is.
    pub async fn end_session(
        &self,
        signed_in: &SignedIn,
        digest: SecretDigest,
        address: Option<IpAddr>,
    ) -> Result<(), StorageError> {
        let theirs = self.storage.session(digest).await?;
        if theirs.is_none_or(|session| session.user != signed_in.user.id) {
            return Ok(());
        }
        let write = PeopleWrite::EndSession(digest);
        self.end_sessions(signed_in, EventType::SignedOut, write, address).await
    }

    /// Ends all sessions of the person, this one too.
    pub async fn sign_out_everywhere(&self, signed_in: &SignedIn, address: Option<IpAddr>) -> Result<(), StorageError> {
        let write = PeopleWrite::EndSessions(signed_in.user.id);
        self.end_sessions(signed_in, EventType::SignedOutEverywhere, write, address)
            .await
    }

    async fn end_sessions(
        &self,
        signed_in: &SignedIn,
        event_type: EventType,
        write: PeopleWrite,
        address: Option<IpAddr>,
    ) -> Result<(), StorageError> {
        let (user, now) = (&signed_in.user, self.clock.now());
        let events = self
            .events_everywhere(user, Cause::person(user.id, address), event_type, now)
            .await?;
        self.commit_people(write, events).await.map(drop)
    }
}
