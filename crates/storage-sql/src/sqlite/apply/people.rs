//! People, their sessions and links. Each change's precondition is its first statement that writes.

use rusqlite::{OptionalExtension, Transaction, params};
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::event::Actor;
use tollgate_domain::id::UserId;
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::session::Session;
use tollgate_domain::throttle::{AttemptKey, FORGOTTEN_AFTER};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{Membership, PasswordHash, User};
use tollgate_storage::{AttemptCount, LinkUse, PasswordChange, PeopleWrite, SignInNames};

use super::passkeys;
use crate::sqlite::{reads, rows};

/// `false` when what it expects doesn't hold; then nothing was written.
pub(super) fn write(transaction: &Transaction<'_>, write: &PeopleWrite) -> rusqlite::Result<bool> {
    match write {
        PeopleWrite::CreateLink(link) => create_link(transaction, link).map(|()| true),
        PeopleWrite::UseLink { digest, now, then } => use_link(transaction, digest, *now, then),
        PeopleWrite::TakeLinkBack(digest) => {
            let taken = transaction.execute("DELETE FROM one_time_links WHERE digest = ?1", [digest.0])?;
            Ok(taken == 1)
        }
        PeopleWrite::RenameWorkspace { workspace, from, to } => {
            let renamed = transaction.execute(
                "UPDATE workspaces SET name = ?3 WHERE id = ?1 AND name = ?2",
                params![workspace.to_string(), from, to],
            )?;
            Ok(renamed == 1)
        }
        PeopleWrite::SetRole {
            workspace,
            user,
            from,
            to,
        } => {
            let set = transaction.execute(
                "UPDATE memberships SET role = ?4 WHERE workspace_id = ?1 AND user_id = ?2 AND role = ?3 AND \
                 (?3 <> 'owner' OR ?4 = 'owner' OR EXISTS (SELECT 1 FROM memberships WHERE workspace_id = ?1 AND \
                 user_id <> ?2 AND role = 'owner'))",
                params![workspace.to_string(), user.to_string(), from.name(), to.name()],
            )?;
            Ok(set == 1)
        }
        PeopleWrite::RemoveMember { workspace, user, role } => {
            let removed = transaction.execute(
                "DELETE FROM memberships WHERE workspace_id = ?1 AND user_id = ?2 AND role = ?3 AND (?3 <> 'owner' OR \
                 EXISTS (SELECT 1 FROM memberships WHERE workspace_id = ?1 AND user_id <> ?2 AND role = 'owner'))",
                params![workspace.to_string(), user.to_string(), role.name()],
            )?;
            Ok(removed == 1)
        }
        PeopleWrite::SetPassword { change, keep, counted } => {
            if !set_password(transaction, change, Some(keep))? {
                return Ok(false);
            }
            take_back(transaction, counted).map(|()| true)
        }
        PeopleWrite::BeginSession {
            session,
            version,
            counted,
        } => {
            if !begin_session(transaction, session, Some(*version))? {
                return Ok(false);
            }
            take_back(transaction, counted).map(|()| true)
        }
        PeopleWrite::SeeSession(seen) => {
            let moved = transaction.execute(
                "UPDATE sessions SET last_seen_at = max(last_seen_at, ?2), expires_at = max(expires_at, ?3) \
                 WHERE digest = ?1",
                params![
                    seen.digest.0,
                    seen.last_seen_at.as_micros(),
                    seen.expires_at.as_micros()
                ],
            )?;
            Ok(moved == 1)
        }
        PeopleWrite::EndSession(digest) => {
            let ended = transaction.execute("DELETE FROM sessions WHERE digest = ?1", [digest.0])?;
            Ok(ended == 1)
        }
        PeopleWrite::EndSessions(user) => {
            transaction.execute("DELETE FROM sessions WHERE user_id = ?1", [user.to_string()])?;
            transaction.execute(
                "DELETE FROM one_time_links WHERE user_id = ?1 AND kind = 'sign_in'",
                [user.to_string()],
            )?;
            Ok(true)
        }
        PeopleWrite::BeginCeremony(_)
        | PeopleWrite::AddPasskey { .. }
        | PeopleWrite::RenamePasskey { .. }
        | PeopleWrite::RemovePasskey { .. }
        | PeopleWrite::UsePasskey { .. }
        | PeopleWrite::BeginSessionAs { .. } => passkeys::write(transaction, write),
        PeopleWrite::CountAttempts(counts) => count_attempts(transaction, counts),
        PeopleWrite::PrunePeople { now, limit } => prune(transaction, *now, *limit).map(|()| true),
    }
}

/// A try that was counted as a failure and wasn't one.
fn take_back(transaction: &Transaction<'_>, counted: &SignInNames) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM sign_in_attempts WHERE name = ?1", [counted.email.as_str()])?;
    transaction.execute(
        "UPDATE sign_in_attempts SET failures = max(failures - 1, 0) WHERE name = ?1",
        [counted.network.as_ref().map(AttemptKey::as_str)],
    )?;
    Ok(())
}

fn create_link(transaction: &Transaction<'_>, link: &OneTimeLink) -> rusqlite::Result<()> {
    let slot = link.purpose.slot();
    transaction.execute("DELETE FROM one_time_links WHERE slot = ?1", [&slot])?;
    let invitation = match &link.purpose {
        LinkPurpose::Invitation { workspace, email, role } => Some((workspace.to_string(), email, role.name())),
        LinkPurpose::Reset(_) | LinkPurpose::SignIn(_) => None,
    };
    transaction.execute(
        "INSERT INTO one_time_links (digest, slot, kind, workspace_id, email, role, user_id, created_at, expires_at, \
         email_folded, made_by_kind, made_by_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            link.digest.0,
            slot,
            link.purpose.kind(),
            invitation.as_ref().map(|(workspace, ..)| workspace),
            invitation.as_ref().map(|(_, email, _)| email.as_str()),
            invitation.as_ref().map(|(.., role)| role),
            link.purpose.user().as_ref().map(UserId::to_string),
            link.created_at.as_micros(),
            link.expires_at.as_micros(),
            invitation.as_ref().map(|(_, email, _)| email.folded()),
            link.made_by.map(Actor::kind),
            link.made_by.and_then(Actor::id),
        ],
    )?;
    Ok(())
}

fn use_link(
    transaction: &Transaction<'_>,
    digest: &SecretDigest,
    now: Timestamp,
    then: &LinkUse,
) -> rusqlite::Result<bool> {
    let good = transaction
        .query_row(
            "SELECT 1 FROM one_time_links WHERE digest = ?1 AND expires_at > ?2",
            params![digest.0, now.as_micros()],
            |_| Ok(()),
        )
        .optional()?;
    if good.is_none() {
        return Ok(false);
    }
    let done = match then {
        LinkUse::Join { user, membership } => {
            insert_user(transaction, user)? && insert_membership(transaction, membership)?
        }
        LinkUse::JoinSignedIn {
            user,
            membership,
            session,
        } => {
            insert_user(transaction, user)?
                && insert_membership(transaction, membership)?
                && begin_session(transaction, session, None)?
        }
        LinkUse::Add(membership) => insert_membership(transaction, membership)?,
        LinkUse::SetPassword(change) => {
            let set = set_password(transaction, change, None)?;
            if set {
                passkeys::remove_all(transaction, change.user)?;
            }
            set
        }
        LinkUse::BeginSession(session) => begin_session(transaction, session, None)?,
    };
    if done {
        transaction.execute("DELETE FROM one_time_links WHERE digest = ?1", [digest.0])?;
    }
    Ok(done)
}

/// `false` when the id or the email address is taken.
fn insert_user(transaction: &Transaction<'_>, user: &User) -> rusqlite::Result<bool> {
    let inserted = transaction.execute(
        "INSERT INTO users (id, email, email_folded, name, password_hash, created_at, version) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        params![
            user.id.to_string(),
            user.email.as_str(),
            user.email.folded(),
            user.name,
            user.password.as_ref().map(PasswordHash::reveal),
            user.created_at.as_micros(),
            user.version,
        ],
    )?;
    Ok(inserted == 1)
}

/// `false` when there is no such person, or when they are a member already.
fn insert_membership(transaction: &Transaction<'_>, membership: &Membership) -> rusqlite::Result<bool> {
    let inserted = transaction.execute(
        "INSERT INTO memberships (workspace_id, user_id, role, created_at) \
         SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?2) ON CONFLICT DO NOTHING",
        params![
            membership.workspace.to_string(),
            membership.user.to_string(),
            membership.role.name(),
            membership.created_at.as_micros(),
        ],
    )?;
    Ok(inserted == 1)
}

/// `false` when the person changed.
fn set_password(
    transaction: &Transaction<'_>,
    change: &PasswordChange,
    keep: Option<&SecretDigest>,
) -> rusqlite::Result<bool> {
    let user = change.user.to_string();
    let set = transaction.execute(
        "UPDATE users SET password_hash = ?3, version = version + 1 WHERE id = ?1 AND version = ?2",
        params![user, change.version, change.password.reveal()],
    )?;
    if set == 0 {
        return Ok(false);
    }
    transaction.execute(
        "DELETE FROM sessions WHERE user_id = ?1 AND (?2 IS NULL OR digest <> ?2)",
        params![user, keep.map(|digest| digest.0)],
    )?;
    transaction.execute("DELETE FROM one_time_links WHERE user_id = ?1", [user])?;
    Ok(true)
}

/// `false` when there is no such person, or when they changed.
pub(super) fn begin_session(
    transaction: &Transaction<'_>,
    session: &Session,
    version: Option<i64>,
) -> rusqlite::Result<bool> {
    let inserted = transaction.execute(
        "INSERT INTO sessions (digest, user_id, created_at, last_seen_at, expires_at) \
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?2 AND (?6 IS NULL OR version = ?6))",
        params![
            session.digest.0,
            session.user.to_string(),
            session.created_at.as_micros(),
            session.last_seen_at.as_micros(),
            session.expires_at.as_micros(),
            version,
        ],
    )?;
    Ok(inserted == 1)
}

fn count_attempts(transaction: &Transaction<'_>, counts: &[AttemptCount]) -> rusqlite::Result<bool> {
    for count in counts {
        if reads::people::attempts(transaction, &count.key)? != count.from {
            return Ok(false);
        }
    }
    for count in counts {
        transaction.execute(
            "INSERT INTO sign_in_attempts (name, failures, last_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at",
            params![count.key.as_str(), count.to.failures, count.to.last_at.as_micros()],
        )?;
    }
    Ok(true)
}

fn prune(transaction: &Transaction<'_>, now: Timestamp, limit: usize) -> rusqlite::Result<()> {
    for (table, key, time, over) in [
        ("sessions", "digest", "expires_at", now),
        ("one_time_links", "digest", "expires_at", now),
        ("ceremonies", "digest", "expires_at", now),
        ("sign_in_attempts", "name", "last_at", now.minus(FORGOTTEN_AFTER)),
    ] {
        transaction.execute(
            &format!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {time} <= ?1 ORDER BY {time} LIMIT ?2)"
            ),
            params![over.as_micros(), rows::limit(limit)],
        )?;
    }
    Ok(())
}
