//! Passkeys, their ceremonies, and identities. What a change expects is looked at before its first statement that writes,
//! or by it.

use rusqlite::{OptionalExtension, Transaction, params};
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::id::UserId;
use tollgate_domain::identity::Identity;
use tollgate_domain::passkey::{Ceremony, MOST_PASSKEYS, Passkey};
use tollgate_domain::session::Session;
use tollgate_domain::time::Timestamp;
use tollgate_storage::PeopleWrite;

use super::people::begin_session;
use crate::sqlite::rows;

/// `false` when what it expects doesn't hold; then nothing was written.
pub(super) fn write(transaction: &Transaction<'_>, write: &PeopleWrite) -> rusqlite::Result<bool> {
    match write {
        PeopleWrite::BeginCeremony(ceremony) => begin_ceremony(transaction, ceremony),
        PeopleWrite::AddPasskey { ceremony, now, passkey } => {
            let done = is_good(transaction, ceremony, Some(passkey.user), *now)? && insert(transaction, passkey)?;
            if done {
                use_up(transaction, ceremony)?;
            }
            Ok(done)
        }
        PeopleWrite::RenamePasskey { user, id, name } => {
            let renamed = transaction.execute(
                "UPDATE passkeys SET name = ?3 WHERE user_id = ?1 AND id = ?2",
                params![user.to_string(), id.to_string(), name],
            )?;
            Ok(renamed == 1)
        }
        PeopleWrite::RemovePasskey { user, id } => {
            let removed = transaction.execute(
                "DELETE FROM passkeys WHERE user_id = ?1 AND id = ?2",
                params![user.to_string(), id.to_string()],
            )?;
            Ok(removed == 1)
        }
        PeopleWrite::UsePasskey {
            ceremony,
            now,
            passkey,
            state,
            session,
        } => {
            let done = is_good(transaction, ceremony, None, *now)?
                && note_use(transaction, passkey, state, *now)?
                && begin_session(transaction, session, None)?;
            if done {
                use_up(transaction, ceremony)?;
            }
            Ok(done)
        }
        PeopleWrite::BeginSessionAs { identity, session } => begin_session_as(transaction, identity, session),
        _ => Ok(false), // the others aren't handed on to here
    }
}

/// The person has another password, which others may have asked for.
pub(super) fn remove_all(transaction: &Transaction<'_>, user: UserId) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM passkeys WHERE user_id = ?1", [user.to_string()])?;
    Ok(())
}

fn begin_ceremony(transaction: &Transaction<'_>, ceremony: &Ceremony) -> rusqlite::Result<bool> {
    let inserted = transaction.execute(
        "INSERT INTO ceremonies (digest, user_id, state, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![
            ceremony.digest.0,
            ceremony.user.as_ref().map(UserId::to_string),
            ceremony.state,
            ceremony.expires_at.as_micros(),
        ],
    )?;
    Ok(inserted == 1)
}

/// Whether there is such a ceremony of this person, or of nobody yet.
fn is_good(
    transaction: &Transaction<'_>,
    digest: &SecretDigest,
    user: Option<UserId>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let good = transaction
        .query_row(
            "SELECT 1 FROM ceremonies WHERE digest = ?1 AND user_id IS ?2 AND expires_at > ?3",
            params![digest.0, user.as_ref().map(UserId::to_string), now.as_micros()],
            |_| Ok(()),
        )
        .optional()?;
    Ok(good.is_some())
}

fn use_up(transaction: &Transaction<'_>, digest: &SecretDigest) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM ceremonies WHERE digest = ?1", [digest.0])?;
    Ok(())
}

/// `false` when there is no such person, when the credential is taken, or when they have enough of them.
fn insert(transaction: &Transaction<'_>, passkey: &Passkey) -> rusqlite::Result<bool> {
    let inserted = transaction.execute(
        "INSERT INTO passkeys (id, user_id, credential, public_key, state, name, created_at, last_used_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?2) \
         AND (SELECT count(*) FROM passkeys WHERE user_id = ?2) < ?9 ON CONFLICT DO NOTHING",
        params![
            passkey.id.to_string(),
            passkey.user.to_string(),
            passkey.credential,
            passkey.key,
            passkey.state,
            passkey.name,
            passkey.created_at.as_micros(),
            passkey.last_used_at.map(Timestamp::as_micros),
            rows::limit(MOST_PASSKEYS),
        ],
    )?;
    Ok(inserted == 1)
}

/// `false` when the passkey is gone, or was used since it was read.
fn note_use(transaction: &Transaction<'_>, read: &Passkey, state: &[u8], now: Timestamp) -> rusqlite::Result<bool> {
    let noted = transaction.execute(
        "UPDATE passkeys SET state = ?4, last_used_at = max(coalesce(last_used_at, 0), ?5) \
         WHERE id = ?1 AND user_id = ?2 AND state = ?3 AND EXISTS (SELECT 1 FROM users WHERE id = ?2)",
        params![
            read.id.to_string(),
            read.user.to_string(),
            read.state,
            state,
            now.as_micros()
        ],
    )?;
    Ok(noted == 1)
}

fn begin_session_as(transaction: &Transaction<'_>, identity: &Identity, session: &Session) -> rusqlite::Result<bool> {
    let user = identity.user.to_string();
    transaction.execute(
        "INSERT INTO identities (issuer, subject, user_id, created_at) \
         SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?3) ON CONFLICT DO NOTHING",
        params![identity.issuer, identity.subject, user, identity.created_at.as_micros()],
    )?;
    let theirs = transaction
        .query_row(
            "SELECT 1 FROM identities WHERE issuer = ?1 AND subject = ?2 AND user_id = ?3",
            params![identity.issuer, identity.subject, user],
            |_| Ok(()),
        )
        .optional()?;
    Ok(theirs.is_some() && begin_session(transaction, session, None)?)
}
