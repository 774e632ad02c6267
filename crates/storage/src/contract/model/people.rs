//! The model's people, their sessions and links.

use std::collections::BTreeMap;

use tollgate_domain::id::{UserId, WorkspaceId};
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::role::Role;
use tollgate_domain::session::Session;
use tollgate_domain::throttle::{Attempts, FORGOTTEN_AFTER};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Membership, User};

use super::entry::Entry;
use crate::{LinkUse, PasswordChange, PeopleWrite, SignInNames};

/// All that is stored of them.
#[derive(Clone, Default)]
pub(super) struct People {
    pub(super) users: BTreeMap<UserId, User>,
    memberships: BTreeMap<(WorkspaceId, UserId), Membership>,
    pub(super) sessions: BTreeMap<[u8; 32], Session>,
    pub(super) links: BTreeMap<[u8; 32], OneTimeLink>,
    pub(super) attempts: BTreeMap<String, Attempts>,
    pub(super) entry: Entry,
}

impl People {
    /// `false` when what it expects doesn't hold; the caller throws away what was written before that showed.
    pub(super) fn write(&mut self, write: PeopleWrite) -> bool {
        match write {
            // Workspaces are kept beside the people, and renamed there.
            PeopleWrite::RenameWorkspace { .. } => return false,
            PeopleWrite::CreateLink(link) => {
                let slot = link.purpose.slot();
                self.links.retain(|_, other| other.purpose.slot() != slot);
                self.links.insert(link.digest.0, link);
            }
            PeopleWrite::UseLink { digest, now, then } => {
                let link = self.links.remove(&digest.0);
                return link.is_some_and(|link| now < link.expires_at) && self.then(then);
            }
            PeopleWrite::TakeLinkBack(digest) => return self.links.remove(&digest.0).is_some(),
            PeopleWrite::SetRole {
                workspace,
                user,
                from,
                to,
            } => {
                let Some(membership) = self.membership(workspace, user, from) else {
                    return false;
                };
                membership.role = to;
                return self.has_owner(workspace);
            }
            PeopleWrite::RemoveMember { workspace, user, role } => {
                let there = self.membership(workspace, user, role).is_some();
                self.memberships.remove(&(workspace, user));
                return there && self.has_owner(workspace);
            }
            PeopleWrite::SetPassword { change, keep, counted } => {
                if !self.set_password(change, Some(keep.0)) {
                    return false;
                }
                self.take_back(&counted);
            }
            PeopleWrite::BeginSession {
                session,
                version,
                counted,
            } => {
                let user = self.users.get(&session.user);
                if user.is_none_or(|user| user.version != version) {
                    return false;
                }
                self.sessions.insert(session.digest.0, session);
                self.take_back(&counted);
            }
            PeopleWrite::SeeSession(seen) => return self.see(&seen),
            PeopleWrite::EndSession(digest) => return self.sessions.remove(&digest.0).is_some(),
            PeopleWrite::EndSessions(user) => {
                self.sessions.retain(|_, session| session.user != user);
                self.links
                    .retain(|_, link| link.purpose.user() != Some(user) || link.purpose.kind() != "sign_in");
            }
            PeopleWrite::BeginCeremony(ceremony) => {
                self.entry.ceremonies.insert(ceremony.digest.0, ceremony);
            }
            PeopleWrite::AddPasskey { ceremony, now, passkey } => {
                return self.users.contains_key(&passkey.user)
                    && self.entry.use_up(ceremony, Some(passkey.user), now)
                    && self.entry.add(passkey);
            }
            PeopleWrite::RenamePasskey { user, id, name } => {
                let Some(passkey) = self.entry.of(user, id) else {
                    return false;
                };
                passkey.name = name;
            }
            PeopleWrite::RemovePasskey { user, id } => {
                return self.entry.of(user, id).is_some() && self.entry.passkeys.remove(&id).is_some();
            }
            PeopleWrite::UsePasskey {
                ceremony,
                now,
                passkey,
                state,
                session,
            } => {
                return self.entry.use_up(ceremony, None, now)
                    && self.entry.note_use(&passkey, state, now)
                    && self.begin_session(session);
            }
            PeopleWrite::BeginSessionAs { identity, session } => {
                return self.entry.link(identity) && self.begin_session(session);
            }
            PeopleWrite::CountAttempts(counts) => {
                for count in counts {
                    if self.attempts.insert(count.key.as_str().to_owned(), count.to) != count.from {
                        return false;
                    }
                }
            }
            PeopleWrite::PrunePeople { now, limit } => self.prune(now, limit),
        }
        true
    }

    fn see(&mut self, seen: &Session) -> bool {
        let Some(session) = self.sessions.get_mut(&seen.digest.0) else {
            return false;
        };
        session.last_seen_at = session.last_seen_at.max(seen.last_seen_at);
        session.expires_at = session.expires_at.max(seen.expires_at);
        true
    }

    /// A try that was counted as a failure and wasn't one.
    fn take_back(&mut self, counted: &SignInNames) {
        self.attempts.remove(counted.email.as_str());
        let network = counted.network.as_ref();
        if let Some(network) = network.and_then(|key| self.attempts.get_mut(key.as_str())) {
            network.failures = network.failures.saturating_sub(1);
        }
    }

    fn then(&mut self, then: LinkUse) -> bool {
        match then {
            LinkUse::Join { user, membership } => self.join(user, membership),
            LinkUse::JoinSignedIn {
                user,
                membership,
                session,
            } => self.join(user, membership) && self.begin_session(session),
            LinkUse::Add(membership) => self.users.contains_key(&membership.user) && self.add(membership),
            LinkUse::SetPassword(change) => {
                self.entry.passkeys.retain(|_, passkey| passkey.user != change.user);
                self.set_password(change, None)
            }
            LinkUse::BeginSession(session) => self.begin_session(session),
        }
    }

    fn join(&mut self, user: User, membership: Membership) -> bool {
        let taken = self.users.contains_key(&user.id) || self.by_email(&user.email).is_some();
        self.users.insert(user.id, user);
        !taken && self.add(membership)
    }

    fn begin_session(&mut self, session: Session) -> bool {
        let there = self.users.contains_key(&session.user);
        self.sessions.insert(session.digest.0, session);
        there
    }

    fn add(&mut self, membership: Membership) -> bool {
        let key = (membership.workspace, membership.user);
        self.memberships.insert(key, membership).is_none()
    }

    fn membership(&mut self, workspace: WorkspaceId, user: UserId, role: Role) -> Option<&mut Membership> {
        let found = self.memberships.get_mut(&(workspace, user))?;
        (found.role == role).then_some(found)
    }

    fn has_owner(&self, workspace: WorkspaceId) -> bool {
        let mut members = self.memberships.values();
        members.any(|member| member.workspace == workspace && member.role == Role::Owner)
    }

    fn set_password(&mut self, change: PasswordChange, keep: Option<[u8; 32]>) -> bool {
        let user = self.users.get_mut(&change.user);
        let Some(user) = user.filter(|user| user.version == change.version) else {
            return false;
        };
        user.password = Some(change.password);
        user.version += 1;
        self.sessions
            .retain(|digest, session| session.user != change.user || Some(*digest) == keep);
        self.links.retain(|_, link| link.purpose.user() != Some(change.user));
        true
    }

    fn prune(&mut self, now: Timestamp, limit: usize) {
        remove_oldest(&mut self.sessions, (now, limit), |session| session.expires_at);
        remove_oldest(&mut self.links, (now, limit), |link| link.expires_at);
        remove_oldest(&mut self.entry.ceremonies, (now, limit), |ceremony| ceremony.expires_at);
        let forgotten = now.minus(FORGOTTEN_AFTER);
        remove_oldest(&mut self.attempts, (forgotten, limit), |attempts| attempts.last_at);
    }

    pub(super) fn invitations(&self, wanted: impl Fn(WorkspaceId, &EmailAddress) -> bool) -> Vec<OneTimeLink> {
        let found = self.links.values().filter(|link| match &link.purpose {
            LinkPurpose::Invitation { workspace, email, .. } => wanted(*workspace, email),
            LinkPurpose::Reset(_) | LinkPurpose::SignIn(_) => false,
        });
        let mut found: Vec<OneTimeLink> = found.cloned().collect();
        found.sort_by_key(|link| link.purpose.slot());
        found
    }

    pub(super) fn by_email(&self, email: &EmailAddress) -> Option<&User> {
        self.users.values().find(|user| user.email == *email)
    }

    pub(super) fn members(&self, workspace: WorkspaceId) -> Vec<(User, Membership)> {
        let members = self.memberships.values();
        let members = members.filter(|member| member.workspace == workspace);
        members
            .filter_map(|member| Some((self.users.get(&member.user)?.clone(), *member)))
            .collect()
    }

    pub(super) fn memberships(&self, user: UserId) -> Vec<Membership> {
        let all = self.memberships.values();
        all.filter(|member| member.user == user).copied().collect()
    }
}

/// Removes the rows that were over at a time, oldest first, at most so many.
fn remove_oldest<K: Ord + Clone, V>(
    rows: &mut BTreeMap<K, V>,
    (over_at, limit): (Timestamp, usize),
    time: impl Fn(&V) -> Timestamp,
) {
    let over = rows.iter().map(|(key, row)| (time(row), key.clone()));
    let mut over: Vec<_> = over.filter(|(time, _)| *time <= over_at).collect();
    over.sort();
    for (_, key) in over.into_iter().take(limit) {
        rows.remove(&key);
    }
}
