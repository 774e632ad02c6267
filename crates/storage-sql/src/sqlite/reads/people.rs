//! People, what they are members of, their sessions and links.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::event::Actor;
use tollgate_domain::id::{UserId, WorkspaceId};
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::role::Role;
use tollgate_domain::session::Session;
use tollgate_domain::throttle::{AttemptKey, Attempts};
use tollgate_domain::user::{EmailAddress, Membership, PasswordHash, User};

use crate::sqlite::rows;

pub(in crate::sqlite) fn user(connection: &Connection, id: UserId) -> rusqlite::Result<Option<User>> {
    connection
        .prepare_cached("SELECT * FROM users WHERE id = ?1")?
        .query_row([id.to_string()], user_of)
        .optional()
}

pub(in crate::sqlite) fn users(connection: &Connection, ids: &[UserId]) -> rusqlite::Result<Vec<User>> {
    let ids: BTreeSet<UserId> = ids.iter().copied().collect();
    ids.into_iter()
        .filter_map(|id| user(connection, id).transpose())
        .collect()
}

pub(in crate::sqlite) fn user_by_email(connection: &Connection, folded: &str) -> rusqlite::Result<Option<User>> {
    connection
        .prepare_cached("SELECT * FROM users WHERE email_folded = ?1")?
        .query_row([folded], user_of)
        .optional()
}

pub(in crate::sqlite) fn members(
    connection: &Connection,
    workspace: WorkspaceId,
) -> rusqlite::Result<Vec<(User, Membership)>> {
    connection
        .prepare_cached(
            "SELECT users.*, memberships.workspace_id, memberships.user_id, memberships.role, \
             memberships.created_at AS member_since FROM memberships JOIN users ON users.id = memberships.user_id \
             WHERE memberships.workspace_id = ?1 ORDER BY memberships.user_id",
        )?
        .query_map([workspace.to_string()], |row| Ok((user_of(row)?, membership(row)?)))?
        .collect()
}

pub(in crate::sqlite) fn memberships(connection: &Connection, user: UserId) -> rusqlite::Result<Vec<Membership>> {
    connection
        .prepare_cached(
            "SELECT workspace_id, user_id, role, created_at AS member_since FROM memberships WHERE user_id = ?1 \
             ORDER BY workspace_id",
        )?
        .query_map([user.to_string()], membership)?
        .collect()
}

pub(in crate::sqlite) fn session(connection: &Connection, digest: SecretDigest) -> rusqlite::Result<Option<Session>> {
    connection
        .prepare_cached("SELECT * FROM sessions WHERE digest = ?1")?
        .query_row([digest.0], session_of)
        .optional()
}

pub(in crate::sqlite) fn sessions(connection: &Connection, user: UserId) -> rusqlite::Result<Vec<Session>> {
    connection
        .prepare_cached("SELECT * FROM sessions WHERE user_id = ?1 ORDER BY created_at DESC, digest")?
        .query_map([user.to_string()], session_of)?
        .collect()
}

fn session_of(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        digest: SecretDigest(rows::digest(row, "digest")?),
        user: rows::id(row, "user_id")?,
        created_at: rows::time(row, "created_at")?,
        last_seen_at: rows::time(row, "last_seen_at")?,
        expires_at: rows::time(row, "expires_at")?,
    })
}

pub(in crate::sqlite) fn one_time_link(
    connection: &Connection,
    digest: SecretDigest,
) -> rusqlite::Result<Option<OneTimeLink>> {
    connection
        .prepare_cached("SELECT * FROM one_time_links WHERE digest = ?1")?
        .query_row([digest.0], link)
        .optional()
}

/// The invitations to a workspace, by their email addresses; each has a slot that begins with the workspace.
pub(in crate::sqlite) fn invitations(
    connection: &Connection,
    workspace: WorkspaceId,
) -> rusqlite::Result<Vec<OneTimeLink>> {
    connection
        .prepare_cached(
            "SELECT * FROM one_time_links WHERE slot > 'invitation ' || ?1 || ' ' AND slot < 'invitation ' || ?1 || '!' \
             ORDER BY slot",
        )?
        .query_map([workspace.to_string()], link)?
        .collect()
}

pub(in crate::sqlite) fn invitations_to(connection: &Connection, folded: &str) -> rusqlite::Result<Vec<OneTimeLink>> {
    connection
        .prepare_cached("SELECT * FROM one_time_links WHERE email_folded = ?1 ORDER BY workspace_id")?
        .query_map([folded], link)?
        .collect()
}

pub(in crate::sqlite) fn sign_in_attempts(
    connection: &Connection,
    keys: &[AttemptKey],
) -> rusqlite::Result<Vec<Option<Attempts>>> {
    keys.iter().map(|key| attempts(connection, key)).collect()
}

/// What is counted under one name.
pub(in crate::sqlite) fn attempts(connection: &Connection, key: &AttemptKey) -> rusqlite::Result<Option<Attempts>> {
    connection
        .prepare_cached("SELECT failures, last_at FROM sign_in_attempts WHERE name = ?1")?
        .query_row([key.as_str()], |row| {
            Ok(Attempts {
                failures: row.get("failures")?,
                last_at: rows::time(row, "last_at")?,
            })
        })
        .optional()
}

fn user_of(row: &Row<'_>) -> rusqlite::Result<User> {
    let password: Option<String> = row.get("password_hash")?;
    Ok(User {
        id: rows::id(row, "id")?,
        email: email(row)?,
        name: row.get("name")?,
        password: password.as_deref().map(PasswordHash::from_text),
        created_at: rows::time(row, "created_at")?,
        version: row.get("version")?,
    })
}

fn email(row: &Row<'_>) -> rusqlite::Result<EmailAddress> {
    rows::parsed(row, "email", |text| EmailAddress::parse(text).ok())
}

fn role(row: &Row<'_>) -> rusqlite::Result<Role> {
    rows::parsed(row, "role", Role::from_name)
}

fn membership(row: &Row<'_>) -> rusqlite::Result<Membership> {
    Ok(Membership {
        workspace: rows::id(row, "workspace_id")?,
        user: rows::id(row, "user_id")?,
        role: role(row)?,
        created_at: rows::time(row, "member_since")?,
    })
}

fn link(row: &Row<'_>) -> rusqlite::Result<OneTimeLink> {
    let made_by: Option<String> = row.get("made_by_kind")?;
    let made_by_id: Option<String> = row.get("made_by_id")?;
    let made_by = made_by
        .map(|kind| Actor::from_parts(&kind, made_by_id.as_deref()).ok_or_else(|| rows::unreadable("made_by_kind")));
    Ok(OneTimeLink {
        digest: SecretDigest(rows::digest(row, "digest")?),
        purpose: purpose(row)?,
        made_by: made_by.transpose()?,
        created_at: rows::time(row, "created_at")?,
        expires_at: rows::time(row, "expires_at")?,
    })
}

fn purpose(row: &Row<'_>) -> rusqlite::Result<LinkPurpose> {
    let kind: String = row.get("kind")?;
    match kind.as_str() {
        "invitation" => Ok(LinkPurpose::Invitation {
            workspace: rows::id(row, "workspace_id")?,
            email: email(row)?,
            role: role(row)?,
        }),
        "reset" => rows::id(row, "user_id").map(LinkPurpose::Reset),
        "sign_in" => rows::id(row, "user_id").map(LinkPurpose::SignIn),
        _ => Err(rows::unreadable("kind")),
    }
}
