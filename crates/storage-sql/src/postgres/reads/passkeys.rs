//! Passkeys, their ceremonies, and identities.

use tokio_postgres::Row;
use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::id::{Id, UserId};
use tollgate_domain::identity::Identity;
use tollgate_domain::passkey::{Ceremony, Passkey};
use tollgate_storage::StorageError;

use super::Reads;
use crate::postgres::cells::Columns;
use crate::postgres::rows;

const PASSKEY: &str = "id, user_id, credential, public_key, state, name, created_at, last_used_at";

impl Reads {
    pub(in crate::postgres) async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, StorageError> {
        let sql = format!("SELECT {PASSKEY} FROM passkeys WHERE user_id = $1 ORDER BY id");
        rows::all(&self.many(&sql, &[&user.to_string()]).await?, passkey)
    }

    pub(in crate::postgres) async fn passkey_by_credential(
        &self,
        credential: &[u8],
    ) -> Result<Option<Passkey>, StorageError> {
        let sql = format!("SELECT {PASSKEY} FROM passkeys WHERE credential = $1");
        self.one(&sql, &[&credential], passkey).await
    }

    pub(in crate::postgres) async fn ceremony(&self, digest: SecretDigest) -> Result<Option<Ceremony>, StorageError> {
        let sql = "SELECT digest, user_id, state, expires_at FROM ceremonies WHERE digest = $1";
        self.one(sql, &[&&digest.0[..]], ceremony).await
    }

    pub(in crate::postgres) async fn identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Identity>, StorageError> {
        let sql = "SELECT issuer, subject, user_id, created_at FROM identities WHERE issuer = $1 AND subject = $2";
        self.one(sql, &[&issuer, &subject], identity).await
    }
}

fn passkey(row: &Row) -> Result<Passkey, StorageError> {
    let row = Columns::of("passkeys", row);
    Ok(Passkey {
        id: row.id("id")?,
        user: row.id("user_id")?,
        credential: row.get("credential")?,
        key: row.get("public_key")?,
        state: row.get("state")?,
        name: row.get("name")?,
        created_at: row.time("created_at")?,
        last_used_at: row.optional_time("last_used_at")?,
    })
}

fn ceremony(row: &Row) -> Result<Ceremony, StorageError> {
    let row = Columns {
        table: "ceremonies",
        key: "user_id",
        row,
    };
    let user: Option<&str> = row.get("user_id")?;
    Ok(Ceremony {
        digest: SecretDigest(row.sha256("digest")?),
        user: user
            .map(Id::parse)
            .transpose()
            .map_err(|error| row.corrupt("user_id", error))?,
        state: row.get("state")?,
        expires_at: row.time("expires_at")?,
    })
}

fn identity(row: &Row) -> Result<Identity, StorageError> {
    let row = Columns {
        table: "identities",
        key: "user_id",
        row,
    };
    Ok(Identity {
        issuer: row.get("issuer")?,
        subject: row.get("subject")?,
        user: row.id("user_id")?,
        created_at: row.time("created_at")?,
    })
}
