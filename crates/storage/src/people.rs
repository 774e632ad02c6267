//! What is written of people, their sessions and the links that are made for them, and of the workspace that they share.

use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::id::{PasskeyId, UserId, WorkspaceId};
use tollgate_domain::identity::Identity;
use tollgate_domain::one_time_link::OneTimeLink;
use tollgate_domain::passkey::{Ceremony, Passkey};
use tollgate_domain::role::Role;
use tollgate_domain::session::Session;
use tollgate_domain::throttle::{AttemptKey, Attempts};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{Membership, PasswordHash, User};

/// One change; [`Outcome::Stale`](crate::Outcome::Stale) when what it expects doesn't hold.
#[derive(Clone, Debug)]
pub enum PeopleWrite {
    /// A new link, in place of the one that has its [slot](tollgate_domain::one_time_link::LinkPurpose::slot), if any.
    CreateLink(OneTimeLink),
    /// Uses a link up and does what it is for. Stale when there is no such link, when it isn't good at `now`, or when
    /// what it is for can't be done: then the link stays.
    UseLink {
        /// Which.
        digest: SecretDigest,
        /// The current time.
        now: Timestamp,
        /// What for.
        then: LinkUse,
    },
    /// A link that nobody is to use any more. Stale when it is gone.
    TakeLinkBack(SecretDigest),
    /// Another name for a workspace that has the name `from`. Stale when it hasn't.
    RenameWorkspace {
        /// Which.
        workspace: WorkspaceId,
        /// As it is.
        from: String,
        /// As it shall be; within [`tollgate_domain::text::NAME`].
        to: String,
    },
    /// Another role for a member who has `from`. Stale when they haven't, or when the workspace would be left without
    /// an owner.
    SetRole {
        /// Where.
        workspace: WorkspaceId,
        /// Whose.
        user: UserId,
        /// As it is.
        from: Role,
        /// As it shall be.
        to: Role,
    },
    /// A member who has this role is none any more; the account stays. Stale when they haven't, or when the workspace
    /// would be left without an owner.
    RemoveMember {
        /// From where.
        workspace: WorkspaceId,
        /// Whom.
        user: UserId,
        /// As what they are a member.
        role: Role,
    },
    /// A person's new password. Ends their other sessions and takes their links back. Stale when the person changed.
    SetPassword {
        /// What they were and what they choose.
        change: PasswordChange,
        /// The session in which they do so.
        keep: SecretDigest,
        /// Giving the current password was counted as a failure and wasn't one.
        counted: SignInNames,
    },
    /// A session of a person who proved with a password who they are. Stale when the person changed since that was read.
    BeginSession {
        /// The new one.
        session: Session,
        /// Of the person whose password was right.
        version: i64,
        /// This try was counted as a failure and wasn't one.
        counted: SignInNames,
    },
    /// A session was seen: moves its times, and never back. Stale when it is gone.
    SeeSession(Session),
    /// Ends a session. Stale when it is gone.
    EndSession(SecretDigest),
    /// Ends all sessions of a person, and takes back the links that sign in.
    EndSessions(UserId),
    /// Counts a try to sign in, under each of its names. Stale when others were counted since `from` was read.
    CountAttempts(Vec<AttemptCount>),
    /// A new ceremony.
    BeginCeremony(Ceremony),
    /// Uses a ceremony up and adds a passkey. Stale when there is no such ceremony of the passkey's person, when it isn't
    /// good at `now`, when there is no such person, when the credential is taken, or when the person has
    /// [`MOST_PASSKEYS`](tollgate_domain::passkey::MOST_PASSKEYS): then the ceremony stays.
    AddPasskey {
        /// Which.
        ceremony: SecretDigest,
        /// The current time.
        now: Timestamp,
        /// The new one.
        passkey: Passkey,
    },
    /// Another name for a person's passkey. Stale when they have no such passkey.
    RenamePasskey {
        /// Whose.
        user: UserId,
        /// Which.
        id: PasskeyId,
        /// As it shall be called.
        name: String,
    },
    /// A person's passkey is gone; sessions that it began stay. Stale when they have no such passkey.
    RemovePasskey {
        /// Whose.
        user: UserId,
        /// Which.
        id: PasskeyId,
    },
    /// Uses a ceremony up that is nobody's, and begins a session of the person whose passkey answered it. Stale when
    /// there is no such ceremony, when it isn't good at `now`, or when the person's passkey is gone or was used since it
    /// was read: then the ceremony stays.
    UsePasskey {
        /// Which.
        ceremony: SecretDigest,
        /// The current time: the passkey was last used then.
        now: Timestamp,
        /// The one that answered, as it was read.
        passkey: Passkey,
        /// Its state as the answer leaves it.
        state: Vec<u8>,
        /// The new one, of the passkey's person.
        session: Session,
    },
    /// A session of the person whom an identity signs in, which is theirs from now on if it was nobody's. Stale when it
    /// is somebody else's, or when there is no such person.
    BeginSessionAs {
        /// Which, and whose.
        identity: Identity,
        /// The new one, of the identity's person.
        session: Session,
    },
    /// Removes sessions, links and ceremonies that are over at `now`, and failures that are forgotten, at most `limit` of each.
    PrunePeople {
        /// The current time.
        now: Timestamp,
        /// How many at a time.
        limit: usize,
    },
}

/// What a one-time link is used for.
#[derive(Clone, Debug)]
pub enum LinkUse {
    /// A new person becomes a member. Stale when the id or the email address is taken.
    Join {
        /// Who.
        user: User,
        /// Where and as what.
        membership: Membership,
    },
    /// The same, and a session of theirs: for somebody who chose no password.
    JoinSignedIn {
        /// Who.
        user: User,
        /// Where and as what.
        membership: Membership,
        /// Theirs.
        session: Session,
    },
    /// A person who is there becomes a member. Stale when there is no such person, or when they are a member already.
    Add(Membership),
    /// A person's new password. Ends all of their sessions, takes their other links back and removes their passkeys.
    /// Stale when the person changed.
    SetPassword(PasswordChange),
    /// A session. Stale when there is no such person.
    BeginSession(Session),
}

/// A person's new password.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// Of the person as they were read; the next one is theirs then.
    pub version: i64,
    /// The new one.
    pub password: PasswordHash,
}

/// The names that a try to sign in is counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInNames {
    /// All of its failures are forgotten when the password was right.
    pub email: AttemptKey,
    /// Has one failure less then: others may be guessing there.
    pub network: Option<AttemptKey>,
}

/// How a try changes what is counted under a name.
#[derive(Clone, Debug)]
pub struct AttemptCount {
    /// Which.
    pub key: AttemptKey,
    /// As it was read.
    pub from: Option<Attempts>,
    /// As it shall be.
    pub to: Attempts,
}
