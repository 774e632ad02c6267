//! What a batch does to people, their sessions and links: one change after the other, by statements that aren't kept
//! prepared. They are few. Each change's precondition is its first statement that writes, and as the head is locked, no
//! other node does any of this at the same time.

use tokio_postgres::Error;
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::event::Actor;
use tollgate_domain::id::UserId;
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::session::Session;
use tollgate_domain::throttle::FORGOTTEN_AFTER;
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Membership, PasswordHash, User};
use tollgate_storage::{AttemptCount, LinkUse, PasswordChange, PeopleWrite, SignInNames};

use super::batch::{Session as Connection, bigint};
use super::reads::Parameters;

impl Connection {
    /// Writes one change; `false` when what it expects doesn't hold, and then nothing was written.
    pub(super) async fn write_people(&self, write: &PeopleWrite) -> Result<bool, Error> {
        match write {
            PeopleWrite::CreateLink(link) => self.create_link(link).await,
            PeopleWrite::UseLink { digest, now, then } => self.use_link(digest, *now, then).await,
            PeopleWrite::TakeLinkBack(digest) => self.did(USE_UP_LINK, &[&&digest.0[..]]).await,
            PeopleWrite::RenameWorkspace { workspace, from, to } => {
                self.did(RENAME_WORKSPACE, &[&workspace.to_string(), from, to]).await
            }
            PeopleWrite::SetRole {
                workspace,
                user,
                from,
                to,
            } => {
                let (workspace, user) = (workspace.to_string(), user.to_string());
                self.did(SET_ROLE, &[&workspace, &user, &from.name(), &to.name()]).await
            }
            PeopleWrite::RemoveMember { workspace, user, role } => {
                let (workspace, user) = (workspace.to_string(), user.to_string());
                self.did(REMOVE_MEMBER, &[&workspace, &user, &role.name()]).await
            }
            PeopleWrite::SetPassword { change, keep, counted } => {
                if !self.set_password(change, Some(keep)).await? {
                    return Ok(false);
                }
                self.take_back(counted).await
            }
            PeopleWrite::BeginSession {
                session,
                version,
                counted,
            } => {
                if !self.begin_session(session, Some(*version)).await? {
                    return Ok(false);
                }
                self.take_back(counted).await
            }
            PeopleWrite::SeeSession(seen) => {
                let (last_seen_at, expires_at) = (seen.last_seen_at.as_micros(), seen.expires_at.as_micros());
                self.did(SEE_SESSION, &[&&seen.digest.0[..], &last_seen_at, &expires_at])
                    .await
            }
            PeopleWrite::EndSession(digest) => self.did(END_SESSION, &[&&digest.0[..]]).await,
            PeopleWrite::EndSessions(user) => {
                let user = user.to_string();
                self.did(END_SESSIONS, &[&user]).await?;
                self.did(TAKE_SIGN_IN_LINKS_BACK, &[&user]).await?;
                Ok(true)
            }
            PeopleWrite::BeginCeremony(_)
            | PeopleWrite::AddPasskey { .. }
            | PeopleWrite::RenamePasskey { .. }
            | PeopleWrite::RemovePasskey { .. }
            | PeopleWrite::UsePasskey { .. }
            | PeopleWrite::BeginSessionAs { .. } => self.write_passkeys(write).await,
            PeopleWrite::CountAttempts(counts) => self.count_attempts(counts).await,
            PeopleWrite::PrunePeople { now, limit } => self.prune_people(*now, *limit).await,
        }
    }

    /// Whether the statement touched a row.
    pub(super) async fn did(&self, sql: &str, parameters: Parameters<'_>) -> Result<bool, Error> {
        Ok(self.client.execute(sql, parameters).await? > 0)
    }

    /// A try that was counted as a failure and wasn't one.
    async fn take_back(&self, counted: &SignInNames) -> Result<bool, Error> {
        self.did(FORGET_ATTEMPTS, &[&counted.email.as_str()]).await?;
        if let Some(network) = &counted.network {
            self.did(ONE_ATTEMPT_LESS, &[&network.as_str()]).await?;
        }
        Ok(true)
    }

    async fn create_link(&self, link: &OneTimeLink) -> Result<bool, Error> {
        let slot = link.purpose.slot();
        let (workspace, email, role) = match &link.purpose {
            LinkPurpose::Invitation { workspace, email, role } => {
                (Some(workspace.to_string()), Some(email), Some(role.name()))
            }
            LinkPurpose::Reset(_) | LinkPurpose::SignIn(_) => (None, None, None),
        };
        let user = link.purpose.user().as_ref().map(UserId::to_string);
        self.did(FREE_SLOT, &[&slot]).await?;
        self.did(
            CREATE_LINK,
            &[
                &&link.digest.0[..],
                &slot,
                &link.purpose.kind(),
                &workspace,
                &email.map(EmailAddress::as_str),
                &role,
                &user,
                &link.created_at.as_micros(),
                &link.expires_at.as_micros(),
                &email.map(EmailAddress::folded),
                &link.made_by.map(Actor::kind),
                &link.made_by.and_then(Actor::id),
            ],
        )
        .await
    }

    async fn use_link(&self, digest: &SecretDigest, now: Timestamp, then: &LinkUse) -> Result<bool, Error> {
        let digest = &digest.0[..];
        if self
            .client
            .query_opt(FIND_LINK, &[&digest, &now.as_micros()])
            .await?
            .is_none()
        {
            return Ok(false);
        }
        let done = match then {
            LinkUse::Join { user, membership } => {
                self.create_user(user).await? && self.create_membership(membership).await?
            }
            LinkUse::JoinSignedIn {
                user,
                membership,
                session,
            } => {
                self.create_user(user).await?
                    && self.create_membership(membership).await?
                    && self.begin_session(session, None).await?
            }
            LinkUse::Add(membership) => self.create_membership(membership).await?,
            LinkUse::SetPassword(change) => {
                let set = self.set_password(change, None).await?;
                if set {
                    self.remove_passkeys(change.user).await?;
                }
                set
            }
            LinkUse::BeginSession(session) => self.begin_session(session, None).await?,
        };
        if done {
            self.did(USE_UP_LINK, &[&digest]).await?;
        }
        Ok(done)
    }

    /// `false` when the id or the email address is taken.
    async fn create_user(&self, user: &User) -> Result<bool, Error> {
        self.did(
            CREATE_USER,
            &[
                &user.id.to_string(),
                &user.email.as_str(),
                &user.email.folded(),
                &user.name,
                &user.password.as_ref().map(PasswordHash::reveal),
                &user.created_at.as_micros(),
                &user.version,
            ],
        )
        .await
    }

    /// `false` when there is no such person, or when they are a member already.
    async fn create_membership(&self, membership: &Membership) -> Result<bool, Error> {
        self.did(
            CREATE_MEMBERSHIP,
            &[
                &membership.workspace.to_string(),
                &membership.user.to_string(),
                &membership.role.name(),
                &membership.created_at.as_micros(),
            ],
        )
        .await
    }

    /// `false` when the person changed.
    async fn set_password(&self, change: &PasswordChange, keep: Option<&SecretDigest>) -> Result<bool, Error> {
        let user = change.user.to_string();
        if !self
            .did(SET_PASSWORD, &[&user, &change.version, &change.password.reveal()])
            .await?
        {
            return Ok(false);
        }
        let keep = keep.map(|digest| &digest.0[..]);
        self.did(END_OTHER_SESSIONS, &[&user, &keep]).await?;
        self.did(TAKE_LINKS_BACK, &[&user]).await?;
        Ok(true)
    }

    /// `false` when there is no such person, or when they changed.
    pub(super) async fn begin_session(&self, session: &Session, version: Option<i64>) -> Result<bool, Error> {
        self.did(
            BEGIN_SESSION,
            &[
                &&session.digest.0[..],
                &session.user.to_string(),
                &session.created_at.as_micros(),
                &session.last_seen_at.as_micros(),
                &session.expires_at.as_micros(),
                &version,
            ],
        )
        .await
    }

    async fn count_attempts(&self, counts: &[AttemptCount]) -> Result<bool, Error> {
        for count in counts {
            let found = self.client.query_opt(FIND_ATTEMPTS, &[&count.key.as_str()]).await?;
            let found = found
                .map(|row| Ok::<_, Error>((row.try_get(0)?, row.try_get(1)?)))
                .transpose()?;
            let expected = count
                .from
                .map(|from| (i64::from(from.failures), from.last_at.as_micros()));
            if found != expected {
                return Ok(false);
            }
        }
        for count in counts {
            let (failures, last_at) = (i64::from(count.to.failures), count.to.last_at.as_micros());
            self.did(COUNT_ATTEMPTS, &[&count.key.as_str(), &failures, &last_at])
                .await?;
        }
        Ok(true)
    }

    async fn prune_people(&self, now: Timestamp, limit: usize) -> Result<bool, Error> {
        let (now, forgotten, limit) = (now.as_micros(), now.minus(FORGOTTEN_AFTER).as_micros(), bigint(limit));
        self.did(PRUNE_SESSIONS, &[&now, &limit]).await?;
        self.did(PRUNE_LINKS, &[&now, &limit]).await?;
        self.did(PRUNE_CEREMONIES, &[&now, &limit]).await?;
        self.did(PRUNE_ATTEMPTS, &[&forgotten, &limit]).await?;
        Ok(true)
    }
}

const RENAME_WORKSPACE: &str = "UPDATE workspaces SET name = $3 WHERE id = $1 AND name = $2";

/// Nothing when the workspace would be left without an owner.
const SET_ROLE: &str = "
    UPDATE memberships SET role = $4
    WHERE workspace_id = $1 AND user_id = $2 AND role = $3 AND ($3 <> 'owner' OR $4 = 'owner' OR EXISTS (
        SELECT 1 FROM memberships WHERE workspace_id = $1 AND user_id <> $2 AND role = 'owner'))";

/// Nothing when the workspace would be left without an owner.
const REMOVE_MEMBER: &str = "
    DELETE FROM memberships
    WHERE workspace_id = $1 AND user_id = $2 AND role = $3 AND ($3 <> 'owner' OR EXISTS (
        SELECT 1 FROM memberships WHERE workspace_id = $1 AND user_id <> $2 AND role = 'owner'))";

const FREE_SLOT: &str = "DELETE FROM one_time_links WHERE slot = $1";

const CREATE_LINK: &str = "
    INSERT INTO one_time_links (digest, slot, kind, workspace_id, email, role, user_id, created_at, expires_at,
        email_folded, made_by_kind, made_by_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

const FIND_LINK: &str = "SELECT 1 FROM one_time_links WHERE digest = $1 AND expires_at > $2";

const USE_UP_LINK: &str = "DELETE FROM one_time_links WHERE digest = $1";

const TAKE_LINKS_BACK: &str = "DELETE FROM one_time_links WHERE user_id = $1";

const TAKE_SIGN_IN_LINKS_BACK: &str = "DELETE FROM one_time_links WHERE user_id = $1 AND kind = 'sign_in'";

const CREATE_USER: &str = "
    INSERT INTO users (id, email, email_folded, name, password_hash, created_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

const CREATE_MEMBERSHIP: &str = "
    INSERT INTO memberships (workspace_id, user_id, role, created_at)
    SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM users WHERE id = $2) ON CONFLICT DO NOTHING";

const SET_PASSWORD: &str = "
    UPDATE users SET password_hash = $3, version = version + 1 WHERE id = $1 AND version = $2";

const BEGIN_SESSION: &str = "
    INSERT INTO sessions (digest, user_id, created_at, last_seen_at, expires_at)
    SELECT $1, $2, $3, $4, $5
    WHERE EXISTS (SELECT 1 FROM users WHERE id = $2 AND ($6::bigint IS NULL OR version = $6))";

const SEE_SESSION: &str = "
    UPDATE sessions SET last_seen_at = greatest(last_seen_at, $2), expires_at = greatest(expires_at, $3)
    WHERE digest = $1";

const END_SESSION: &str = "DELETE FROM sessions WHERE digest = $1";

const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1";

const END_OTHER_SESSIONS: &str = "
    DELETE FROM sessions WHERE user_id = $1 AND ($2::bytea IS NULL OR digest <> $2)";

const FIND_ATTEMPTS: &str = "SELECT failures, last_at FROM sign_in_attempts WHERE name = $1";

const COUNT_ATTEMPTS: &str = "
    INSERT INTO sign_in_attempts (name, failures, last_at) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at";

const FORGET_ATTEMPTS: &str = "DELETE FROM sign_in_attempts WHERE name = $1";

const ONE_ATTEMPT_LESS: &str = "UPDATE sign_in_attempts SET failures = greatest(failures - 1, 0) WHERE name = $1";

const PRUNE_SESSIONS: &str = "
    DELETE FROM sessions WHERE digest = ANY (ARRAY(
        SELECT digest FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))";

const PRUNE_LINKS: &str = "
    DELETE FROM one_time_links WHERE digest = ANY (ARRAY(
        SELECT digest FROM one_time_links WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))";

const PRUNE_CEREMONIES: &str = "
    DELETE FROM ceremonies WHERE digest = ANY (ARRAY(
        SELECT digest FROM ceremonies WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))";

const PRUNE_ATTEMPTS: &str = "
    DELETE FROM sign_in_attempts WHERE name = ANY (ARRAY(
        SELECT name FROM sign_in_attempts WHERE last_at <= $1 ORDER BY last_at LIMIT $2))";
