//! People, what they are members of, their sessions and links.

use tokio_postgres::Row;
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::event::Actor;
use tollgate_domain::id::{UserId, WorkspaceId};
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::role::Role;
use tollgate_domain::session::Session;
use tollgate_domain::throttle::{AttemptKey, Attempts};
use tollgate_domain::user::{EmailAddress, Membership, PasswordHash, User};
use tollgate_storage::StorageError;

use super::{Reads, distinct};
use crate::postgres::cells::Columns;
use crate::postgres::rows;

const USER: &str = "users.id, users.email, users.name, users.password_hash, users.created_at, users.version";
const MEMBERSHIP: &str =
    "memberships.workspace_id, memberships.user_id, memberships.role, memberships.created_at AS member_since";

const LINK: &str = "digest, kind, workspace_id, email, role, user_id, created_at, expires_at, made_by_kind, made_by_id";

impl Reads {
    pub(in crate::postgres) async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        let sql = format!("SELECT {USER} FROM users WHERE id = $1");
        self.one(&sql, &[&id.to_string()], user).await
    }

    pub(in crate::postgres) async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        rows::all(&self.many(&users_sql(), &[&distinct(ids)]).await?, user)
    }

    pub(in crate::postgres) async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StorageError> {
        let sql = format!("SELECT {USER} FROM users WHERE email_folded = $1");
        self.one(&sql, &[&email.folded()], user).await
    }

    pub(in crate::postgres) async fn members(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Vec<(User, Membership)>, StorageError> {
        let sql = format!(
            "SELECT {USER}, {MEMBERSHIP} FROM memberships JOIN users ON users.id = memberships.user_id \
             WHERE memberships.workspace_id = $1 ORDER BY memberships.user_id"
        );
        let found = self.many(&sql, &[&workspace.to_string()]).await?;
        rows::all(&found, |row| Ok((user(row)?, membership(row)?)))
    }

    pub(in crate::postgres) async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StorageError> {
        let sql = format!("SELECT {MEMBERSHIP} FROM memberships WHERE user_id = $1 ORDER BY workspace_id");
        rows::all(&self.many(&sql, &[&user.to_string()]).await?, membership)
    }

    pub(in crate::postgres) async fn session(&self, digest: SecretDigest) -> Result<Option<Session>, StorageError> {
        let sql = "SELECT digest, user_id, created_at, last_seen_at, expires_at FROM sessions WHERE digest = $1";
        self.one(sql, &[&&digest.0[..]], session).await
    }

    pub(in crate::postgres) async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StorageError> {
        let sql = "SELECT digest, user_id, created_at, last_seen_at, expires_at FROM sessions WHERE user_id = $1 \
                   ORDER BY created_at DESC, digest";
        rows::all(&self.many(sql, &[&user.to_string()]).await?, session)
    }

    pub(in crate::postgres) async fn one_time_link(
        &self,
        digest: SecretDigest,
    ) -> Result<Option<OneTimeLink>, StorageError> {
        let sql = format!("SELECT {LINK} FROM one_time_links WHERE digest = $1");
        self.one(&sql, &[&&digest.0[..]], link).await
    }

    /// Each has a slot that begins with the workspace.
    pub(in crate::postgres) async fn invitations(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Vec<OneTimeLink>, StorageError> {
        let sql = format!("SELECT {LINK} FROM one_time_links WHERE slot > $1 AND slot < $2 ORDER BY slot");
        let (from, to) = (format!("invitation {workspace} "), format!("invitation {workspace}!"));
        rows::all(&self.many(&sql, &[&from, &to]).await?, link)
    }

    pub(in crate::postgres) async fn invitations_to(
        &self,
        email: &EmailAddress,
    ) -> Result<Vec<OneTimeLink>, StorageError> {
        let sql = format!("SELECT {LINK} FROM one_time_links WHERE email_folded = $1 ORDER BY workspace_id");
        rows::all(&self.many(&sql, &[&email.folded()]).await?, link)
    }

    pub(in crate::postgres) async fn sign_in_attempts(
        &self,
        keys: &[AttemptKey],
    ) -> Result<Vec<Option<Attempts>>, StorageError> {
        let names: Vec<&str> = keys.iter().map(AttemptKey::as_str).collect();
        let sql = "SELECT stored.name, stored.failures, stored.last_at \
                   FROM UNNEST($1::text[]) WITH ORDINALITY AS wanted (name, place) \
                   LEFT JOIN sign_in_attempts AS stored ON stored.name = wanted.name ORDER BY wanted.place";
        rows::all(&self.many(sql, &[&names]).await?, attempts)
    }
}

pub(in crate::postgres) fn users_sql() -> String {
    format!(
        "SELECT found.* FROM UNNEST($1::text[]) AS wanted (id) \
         CROSS JOIN LATERAL (SELECT {USER} FROM users WHERE users.id = wanted.id OFFSET 0) AS found"
    )
}

fn user(row: &Row) -> Result<User, StorageError> {
    let row = Columns::of("users", row);
    let password: Option<&str> = row.get("password_hash")?;
    Ok(User {
        id: row.id("id")?,
        email: row.read("email", EmailAddress::parse)?,
        name: row.get("name")?,
        password: password.map(PasswordHash::from_text),
        created_at: row.time("created_at")?,
        version: row.get("version")?,
    })
}

fn membership(row: &Row) -> Result<Membership, StorageError> {
    let row = Columns {
        table: "memberships",
        key: "user_id",
        row,
    };
    Ok(Membership {
        workspace: row.id("workspace_id")?,
        user: row.id("user_id")?,
        role: row.named("role", Role::from_name)?,
        created_at: row.time("member_since")?,
    })
}

fn session(row: &Row) -> Result<Session, StorageError> {
    let row = Columns {
        table: "sessions",
        key: "user_id",
        row,
    };
    Ok(Session {
        digest: SecretDigest(row.sha256("digest")?),
        user: row.id("user_id")?,
        created_at: row.time("created_at")?,
        last_seen_at: row.time("last_seen_at")?,
        expires_at: row.time("expires_at")?,
    })
}

fn link(row: &Row) -> Result<OneTimeLink, StorageError> {
    let row = Columns {
        table: "one_time_links",
        key: "kind",
        row,
    };
    let purpose = match row.get("kind")? {
        "invitation" => LinkPurpose::Invitation {
            workspace: row.id("workspace_id")?,
            email: row.read("email", EmailAddress::parse)?,
            role: row.named("role", Role::from_name)?,
        },
        "reset" => LinkPurpose::Reset(row.id("user_id")?),
        // The table's check lets nothing else through.
        _ => LinkPurpose::SignIn(row.id("user_id")?),
    };
    let made_by_id: Option<&str> = row.get("made_by_id")?;
    let made_by = match row.get::<Option<&str>>("made_by_kind")? {
        None => None,
        Some(_) => Some(row.named("made_by_kind", |kind| Actor::from_parts(kind, made_by_id))?),
    };
    Ok(OneTimeLink {
        digest: SecretDigest(row.sha256("digest")?),
        purpose,
        made_by,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

fn attempts(row: &Row) -> Result<Option<Attempts>, StorageError> {
    let row = Columns {
        table: "sign_in_attempts",
        key: "name",
        row,
    };
    let failures: Option<u32> = row.optional_number("failures")?;
    let last_at = row.optional_time("last_at")?;
    Ok(failures
        .zip(last_at)
        .map(|(failures, last_at)| Attempts { failures, last_at }))
}
