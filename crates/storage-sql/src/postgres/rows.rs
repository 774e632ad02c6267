//! From rows to values. Whatever none of ours would have written is [`StorageError::Corrupt`], naming table, column and
//! reason; never a panic.

use std::fmt::Display;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus, SecretDigest};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{Id, Kind};
use tollgate_domain::permission::PermissionSet;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{IdempotentAnswer, StorageError};

pub(super) const WORKSPACE: &str = "id, name, environment, created_at";
pub(super) const CLIENT_TOKEN: &str =
    "workspace_id, id, token, name, description, status, created_at, updated_at, revoked_at, version";
pub(super) const API_KEY: &str = "id, workspace_id, environment, name, description, digest, status, permissions, expires_at, \
     expiring_announced_at, last_used_at, created_at, updated_at, version";
pub(super) const EVENT: &str = "sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data";
pub(super) const IDEMPOTENT_ANSWER: &str = "request_digest, answer, expires_at";

pub(super) fn workspace(row: &Row) -> Result<Workspace, StorageError> {
    let row = Columns::of("workspaces", row);
    Ok(Workspace {
        id: row.id("id")?,
        name: row.get("name")?,
        environment: row.named("environment", Environment::from_name)?,
        created_at: row.time("created_at")?,
    })
}

pub(super) fn client_token(row: &Row) -> Result<ClientToken, StorageError> {
    let row = Columns::of("client_tokens", row);
    Ok(ClientToken {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        token: row.read("token", TokenText::parse)?,
        name: row.get("name")?,
        description: row.get("description")?,
        status: row.named("status", ClientTokenStatus::from_name)?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        revoked_at: row.optional_time("revoked_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn api_key(row: &Row) -> Result<ApiKey, StorageError> {
    let row = Columns::of("api_keys", row);
    Ok(ApiKey {
        workspace: row.id("workspace_id")?,
        environment: row.named("environment", Environment::from_name)?,
        id: row.id("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        digest: SecretDigest(row.sha256("digest")?),
        status: row.named("status", ApiKeyStatus::from_name)?,
        permissions: row.read("permissions", |names| {
            names
                .split_ascii_whitespace()
                .map(str::parse)
                .collect::<Result<PermissionSet, _>>()
        })?,
        expires_at: row.optional_time("expires_at")?,
        expiring_announced_at: row.optional_time("expiring_announced_at")?,
        last_used_at: row.optional_time("last_used_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.get("version")?,
    })
}

/// An event and its place in the sequence.
pub(super) fn event(row: &Row) -> Result<(u64, Event), StorageError> {
    let row = Columns::of("events", row);
    let actor_id: Option<&str> = row.get("actor_id")?;
    let event = Event {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        event_type: row.named("type", EventType::from_name)?,
        occurred_at: row.time("occurred_at")?,
        subject: row.get("subject_id")?,
        data: row.get("data")?,
        actor: row.named("actor_kind", |kind| Actor::from_parts(kind, actor_id))?,
    };
    Ok((row.place("sequence")?, event))
}

pub(super) fn idempotent_answer(row: &Row) -> Result<IdempotentAnswer, StorageError> {
    let row = Columns::of("idempotent_answers", row);
    Ok(IdempotentAnswer {
        request_digest: row.sha256("request_digest")?,
        answer: row.get("answer")?,
        expires_at: row.time("expires_at")?,
    })
}

/// The last place of the sequence, from a row of `sequence_head`.
pub(super) fn head(row: &Row) -> Result<u64, StorageError> {
    Columns::of("sequence_head", row).place("sequence")
}

/// All rows, or the first that can't be read.
pub(super) fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StorageError>) -> Result<Vec<T>, StorageError> {
    rows.iter().map(read).collect()
}

/// A row and the table it is from.
struct Columns<'a> {
    table: &'static str,
    row: &'a Row,
}

impl<'a> Columns<'a> {
    const fn of(table: &'static str, row: &'a Row) -> Self {
        Self { table, row }
    }

    fn corrupt(&self, column: &str, reason: impl Display) -> StorageError {
        let id = self.row.try_get::<_, &str>("id").map(|id| format!(" of {id}"));
        StorageError::Corrupt(format!("{}.{column}{}: {reason}", self.table, id.unwrap_or_default()))
    }

    fn get<T: FromSql<'a>>(&self, column: &str) -> Result<T, StorageError> {
        self.row.try_get(column).map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            self.corrupt(column, format_args!("{error}{}", source.unwrap_or_default()))
        })
    }

    fn read<T, E: Display>(&self, column: &str, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, StorageError> {
        read(self.get(column)?).map_err(|error| self.corrupt(column, error))
    }

    fn named<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StorageError> {
        self.read(column, |text| read(text).ok_or_else(|| format!("{text:?} is unknown")))
    }

    fn id<K: Kind>(&self, column: &str) -> Result<Id<K>, StorageError> {
        self.read(column, Id::parse)
    }

    fn time(&self, column: &str) -> Result<Timestamp, StorageError> {
        self.timestamp(column, self.get(column)?)
    }

    fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, StorageError> {
        let micros: Option<i64> = self.get(column)?;
        micros.map(|micros| self.timestamp(column, micros)).transpose()
    }

    fn timestamp(&self, column: &str, micros: i64) -> Result<Timestamp, StorageError> {
        Timestamp::from_micros(micros)
            .ok_or_else(|| self.corrupt(column, format_args!("{micros} µs is outside the years 1970 to 9998")))
    }

    fn place(&self, column: &str) -> Result<u64, StorageError> {
        u64::try_from(self.get::<i64>(column)?).map_err(|error| self.corrupt(column, error))
    }

    /// The value itself stays out of the error.
    fn sha256(&self, column: &str) -> Result<[u8; 32], StorageError> {
        let bytes: &[u8] = self.get(column)?;
        bytes
            .try_into()
            .map_err(|_| self.corrupt(column, format_args!("{} bytes instead of 32", bytes.len())))
    }
}
