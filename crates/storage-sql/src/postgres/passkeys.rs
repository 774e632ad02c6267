//! What a batch does to passkeys, their ceremonies and identities; see [`people`](super::people). What a change expects
//! is looked at before its first statement that writes, or by it.

use tokio_postgres::Error;
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::id::UserId;
use tollgate_domain::identity::Identity;
use tollgate_domain::passkey::{Ceremony, MOST_PASSKEYS, Passkey};
use tollgate_domain::session::Session;
use tollgate_domain::time::Timestamp;
use tollgate_storage::PeopleWrite;

use super::batch::{Session as Connection, bigint};
use super::reads::Parameters;

impl Connection {
    /// Writes one change; `false` when what it expects doesn't hold, and then nothing was written.
    pub(super) async fn write_passkeys(&self, write: &PeopleWrite) -> Result<bool, Error> {
        match write {
            PeopleWrite::BeginCeremony(ceremony) => self.begin_ceremony(ceremony).await,
            PeopleWrite::AddPasskey { ceremony, now, passkey } => {
                let done = self.is_good(ceremony, Some(passkey.user), *now).await? && self.add_passkey(passkey).await?;
                if done {
                    self.did(USE_UP_CEREMONY, &[&&ceremony.0[..]]).await?;
                }
                Ok(done)
            }
            PeopleWrite::RenamePasskey { user, id, name } => {
                self.did(RENAME_PASSKEY, &[&user.to_string(), &id.to_string(), name])
                    .await
            }
            PeopleWrite::RemovePasskey { user, id } => {
                self.did(REMOVE_PASSKEY, &[&user.to_string(), &id.to_string()]).await
            }
            PeopleWrite::UsePasskey {
                ceremony,
                now,
                passkey,
                state,
                session,
            } => {
                let done = self.is_good(ceremony, None, *now).await?
                    && self.note_use(passkey, state, *now).await?
                    && self.begin_session(session, None).await?;
                if done {
                    self.did(USE_UP_CEREMONY, &[&&ceremony.0[..]]).await?;
                }
                Ok(done)
            }
            PeopleWrite::BeginSessionAs { identity, session } => self.begin_session_as(identity, session).await,
            _ => Ok(false), // the others aren't handed on to here
        }
    }

    /// The person has another password, which others may have asked for.
    pub(super) async fn remove_passkeys(&self, user: UserId) -> Result<bool, Error> {
        self.did(REMOVE_PASSKEYS, &[&user.to_string()]).await
    }

    /// Whether the query finds a row.
    async fn found(&self, sql: &str, parameters: Parameters<'_>) -> Result<bool, Error> {
        Ok(self.client.query_opt(sql, parameters).await?.is_some())
    }

    async fn begin_ceremony(&self, ceremony: &Ceremony) -> Result<bool, Error> {
        self.did(
            BEGIN_CEREMONY,
            &[
                &&ceremony.digest.0[..],
                &ceremony.user.as_ref().map(UserId::to_string),
                &ceremony.state,
                &ceremony.expires_at.as_micros(),
            ],
        )
        .await
    }

    /// Whether there is such a ceremony of this person, or of nobody yet.
    async fn is_good(&self, digest: &SecretDigest, user: Option<UserId>, now: Timestamp) -> Result<bool, Error> {
        let user = user.as_ref().map(UserId::to_string);
        self.found(FIND_CEREMONY, &[&&digest.0[..], &user, &now.as_micros()])
            .await
    }

    /// `false` when there is no such person, when the credential is taken, or when they have enough of them.
    async fn add_passkey(&self, passkey: &Passkey) -> Result<bool, Error> {
        self.did(
            ADD_PASSKEY,
            &[
                &passkey.id.to_string(),
                &passkey.user.to_string(),
                &passkey.credential,
                &passkey.key,
                &passkey.state,
                &passkey.name,
                &passkey.created_at.as_micros(),
                &passkey.last_used_at.map(Timestamp::as_micros),
                &bigint(MOST_PASSKEYS),
            ],
        )
        .await
    }

    /// `false` when the passkey is gone, or was used since it was read.
    async fn note_use(&self, read: &Passkey, state: &Vec<u8>, now: Timestamp) -> Result<bool, Error> {
        self.did(
            USE_PASSKEY,
            &[
                &read.id.to_string(),
                &read.user.to_string(),
                &read.state,
                state,
                &now.as_micros(),
            ],
        )
        .await
    }

    async fn begin_session_as(&self, identity: &Identity, session: &Session) -> Result<bool, Error> {
        let user = identity.user.to_string();
        self.did(
            LINK_IDENTITY,
            &[
                &identity.issuer,
                &identity.subject,
                &user,
                &identity.created_at.as_micros(),
            ],
        )
        .await?;
        let theirs = self
            .found(FIND_IDENTITY, &[&identity.issuer, &identity.subject, &user])
            .await?;
        Ok(theirs && self.begin_session(session, None).await?)
    }
}

const BEGIN_CEREMONY: &str = "INSERT INTO ceremonies (digest, user_id, state, expires_at) VALUES ($1, $2, $3, $4)";

const FIND_CEREMONY: &str = "
    SELECT 1 FROM ceremonies WHERE digest = $1 AND user_id IS NOT DISTINCT FROM $2 AND expires_at > $3";

const USE_UP_CEREMONY: &str = "DELETE FROM ceremonies WHERE digest = $1";

const ADD_PASSKEY: &str = "
    INSERT INTO passkeys (id, user_id, credential, public_key, state, name, created_at, last_used_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8
    WHERE EXISTS (SELECT 1 FROM users WHERE id = $2)
        AND (SELECT count(*) FROM passkeys WHERE user_id = $2) < $9
    ON CONFLICT DO NOTHING";

const RENAME_PASSKEY: &str = "UPDATE passkeys SET name = $3 WHERE user_id = $1 AND id = $2";

const REMOVE_PASSKEY: &str = "DELETE FROM passkeys WHERE user_id = $1 AND id = $2";

const REMOVE_PASSKEYS: &str = "DELETE FROM passkeys WHERE user_id = $1";

const USE_PASSKEY: &str = "
    UPDATE passkeys SET state = $4, last_used_at = greatest(coalesce(last_used_at, 0), $5)
    WHERE id = $1 AND user_id = $2 AND state = $3 AND EXISTS (SELECT 1 FROM users WHERE id = $2)";

const LINK_IDENTITY: &str = "
    INSERT INTO identities (issuer, subject, user_id, created_at)
    SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM users WHERE id = $3) ON CONFLICT DO NOTHING";

const FIND_IDENTITY: &str = "SELECT 1 FROM identities WHERE issuer = $1 AND subject = $2 AND user_id = $3";
