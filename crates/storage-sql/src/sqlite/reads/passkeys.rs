//! Passkeys, their ceremonies, and identities.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::id::{Id, UserId};
use tollgate_domain::identity::Identity;
use tollgate_domain::passkey::{Ceremony, Passkey};

use crate::sqlite::rows;

pub(in crate::sqlite) fn passkeys(connection: &Connection, user: UserId) -> rusqlite::Result<Vec<Passkey>> {
    connection
        .prepare_cached("SELECT * FROM passkeys WHERE user_id = ?1 ORDER BY id")?
        .query_map([user.to_string()], passkey)?
        .collect()
}

pub(in crate::sqlite) fn by_credential(
    connection: &Connection,
    credential: &[u8],
) -> rusqlite::Result<Option<Passkey>> {
    connection
        .prepare_cached("SELECT * FROM passkeys WHERE credential = ?1")?
        .query_row([credential], passkey)
        .optional()
}

pub(in crate::sqlite) fn ceremony(connection: &Connection, digest: SecretDigest) -> rusqlite::Result<Option<Ceremony>> {
    connection
        .prepare_cached("SELECT * FROM ceremonies WHERE digest = ?1")?
        .query_row([digest.0], |row| {
            let user: Option<String> = row.get("user_id")?;
            let user = user.map(|user| Id::parse(&user).map_err(|_| rows::unreadable("user_id")));
            Ok(Ceremony {
                digest: SecretDigest(rows::digest(row, "digest")?),
                user: user.transpose()?,
                state: row.get("state")?,
                expires_at: rows::time(row, "expires_at")?,
            })
        })
        .optional()
}

pub(in crate::sqlite) fn identity(
    connection: &Connection,
    issuer: &str,
    subject: &str,
) -> rusqlite::Result<Option<Identity>> {
    connection
        .prepare_cached("SELECT * FROM identities WHERE issuer = ?1 AND subject = ?2")?
        .query_row(params![issuer, subject], |row| {
            Ok(Identity {
                issuer: row.get("issuer")?,
                subject: row.get("subject")?,
                user: rows::id(row, "user_id")?,
                created_at: rows::time(row, "created_at")?,
            })
        })
        .optional()
}

fn passkey(row: &Row<'_>) -> rusqlite::Result<Passkey> {
    Ok(Passkey {
        id: rows::id(row, "id")?,
        user: rows::id(row, "user_id")?,
        credential: row.get("credential")?,
        key: row.get("public_key")?,
        state: row.get("state")?,
        name: row.get("name")?,
        created_at: rows::time(row, "created_at")?,
        last_used_at: rows::optional_time(row, "last_used_at")?,
    })
}
