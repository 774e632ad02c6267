//! Rows to values. What we didn't write is told as corrupt, with its column, and never trusted.

use std::cell::Cell;
use std::net::IpAddr;

use rusqlite::types::{FromSql, Type, ValueRef};
use rusqlite::{Error, Row, Statement};
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus, SecretDigest};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{Id, Kind, WorkspaceId, WorkspaceKind};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationOrigin, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::permission::PermissionSet;
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::simulation::{
    Simulation, SimulationEvent, SimulationEventStatus, SimulationResponse, SimulationRun, SimulationRunStatus,
    SimulationStatus,
};
use tollgate_domain::time::Timestamp;
use tollgate_domain::verdict::TokenFacts;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{IdempotentAnswer, StorageError};

/// What SQLite's error means to callers.
pub(super) fn failed(error: Error) -> StorageError {
    match error {
        Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..) => {
            StorageError::Corrupt(error.to_string())
        }
        error => StorageError::Unavailable(error.into()),
    }
}

/// Why a value was not readable; the column is named beside it.
#[derive(Debug, thiserror::Error)]
#[error("{column} holds a value that is none of ours")]
struct Unreadable {
    column: &'static str,
}

pub(super) fn unreadable(column: &'static str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(Unreadable { column }))
}

/// A row whose columns are asked for by name. Those that are asked for in the order they stand in are found at once; by
/// name alone, SQLite would be asked for the name of each column before.
struct Columns<'a> {
    row: &'a Row<'a>,
    next: Cell<usize>,
}

impl<'a> Columns<'a> {
    const fn of(row: &'a Row<'a>) -> Self {
        Self {
            row,
            next: Cell::new(0),
        }
    }

    fn index(&self, column: &'static str) -> rusqlite::Result<usize> {
        let (statement, next): (&Statement<'_>, _) = (self.row.as_ref(), self.next.get());
        let is_next = next < statement.column_count() && statement.column_name(next)? == column;
        let index = if is_next { next } else { statement.column_index(column)? };
        self.next.set(index + 1);
        Ok(index)
    }

    fn get<T: FromSql>(&self, column: &'static str) -> rusqlite::Result<T> {
        self.row.get(self.index(column)?)
    }

    fn get_ref(&self, column: &'static str) -> rusqlite::Result<ValueRef<'_>> {
        self.row.get_ref(self.index(column)?)
    }

    /// A text through a parser.
    fn parsed<T>(&self, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
        let text = self.get_ref(column)?;
        let text = text.as_str().map_err(|_| unreadable(column))?;
        parse(text).ok_or_else(|| unreadable(column))
    }

    fn id<K: Kind>(&self, column: &'static str) -> rusqlite::Result<Id<K>> {
        self.parsed(column, |text| Id::parse(text).ok())
    }

    fn time(&self, column: &'static str) -> rusqlite::Result<Timestamp> {
        Timestamp::from_micros(self.get(column)?).ok_or_else(|| unreadable(column))
    }

    fn optional_time(&self, column: &'static str) -> rusqlite::Result<Option<Timestamp>> {
        let micros: Option<i64> = self.get(column)?;
        micros
            .map(|micros| Timestamp::from_micros(micros).ok_or_else(|| unreadable(column)))
            .transpose()
    }

    fn address(&self, column: &'static str) -> rusqlite::Result<Option<IpAddr>> {
        let text = self.get_ref(column)?;
        let text = text.as_str_or_null().map_err(|_| unreadable(column))?;
        text.map(|text| text.parse().map_err(|_| unreadable(column)))
            .transpose()
    }

    fn digest(&self, column: &'static str) -> rusqlite::Result<[u8; 32]> {
        let bytes = self.get_ref(column)?;
        let bytes = bytes.as_blob().map_err(|_| unreadable(column))?;
        bytes.try_into().map_err(|_| unreadable(column))
    }
}

pub(super) fn time(row: &Row<'_>, column: &'static str) -> rusqlite::Result<Timestamp> {
    Columns::of(row).time(column)
}

pub(super) fn id<K: Kind>(row: &Row<'_>, column: &'static str) -> rusqlite::Result<Id<K>> {
    Columns::of(row).id(column)
}

pub(super) fn parsed<T>(
    row: &Row<'_>,
    column: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    Columns::of(row).parsed(column, parse)
}

pub(super) fn optional_time(row: &Row<'_>, column: &'static str) -> rusqlite::Result<Option<Timestamp>> {
    Columns::of(row).optional_time(column)
}

pub(super) fn digest(row: &Row<'_>, column: &'static str) -> rusqlite::Result<[u8; 32]> {
    Columns::of(row).digest(column)
}

pub(super) fn workspace(row: &Row<'_>) -> rusqlite::Result<Workspace> {
    let row = Columns::of(row);
    Ok(Workspace {
        id: row.id("id")?,
        name: row.get("name")?,
        environment: row.parsed("environment", Environment::from_name)?,
        created_at: row.time("created_at")?,
    })
}

pub(super) fn client_token(row: &Row<'_>) -> rusqlite::Result<ClientToken> {
    let row = Columns::of(row);
    Ok(ClientToken {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        token: row.parsed("token", |text| TokenText::parse(text).ok())?,
        name: row.get("name")?,
        description: row.get("description")?,
        status: row.parsed("status", ClientTokenStatus::from_name)?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        revoked_at: row.optional_time("revoked_at")?,
        restrictions: restrictions(row.get_ref("restrictions")?)?,
        revoke_at: row.optional_time("revoke_at")?,
        version: row.get("version")?,
    })
}

fn restrictions(stored: ValueRef<'_>) -> rusqlite::Result<Option<Box<Restrictions>>> {
    let text = stored.as_str_or_null().map_err(|_| unreadable("restrictions"))?;
    text.map(|text| {
        Restrictions::from_json(text)
            .map(Box::new)
            .map_err(|_| unreadable("restrictions"))
    })
    .transpose()
}

/// What [`token_facts`] reads, in its order.
pub(super) const TOKEN_FACTS: &str = "workspace_id, id, token, status, version, restrictions, revoke_at";

/// From the columns [`TOKEN_FACTS`], by number and without the checksum: there are millions of them. `workspace` is that
/// of the row before, which is mostly the same.
pub(super) fn token_facts(row: &Row<'_>, workspace: &mut Option<WorkspaceId>) -> rusqlite::Result<TokenFacts> {
    let bytes = |number, column| row.get_ref(number)?.as_bytes().map_err(|_| unreadable(column));
    let text = |number, column| row.get_ref(number)?.as_str().map_err(|_| unreadable(column));
    let whose = text(0, "workspace_id")?;
    let workspace = match workspace {
        Some(before) if whose.strip_prefix(WorkspaceKind::PREFIX) == Some(before.tail()) => *before,
        _ => *workspace.insert(Id::parse(whose).map_err(|_| unreadable("workspace_id"))?),
    };
    let revoke_at: Option<i64> = row.get(6)?;
    Ok(TokenFacts {
        workspace,
        id: Id::parse(text(1, "id")?).map_err(|_| unreadable("id"))?,
        token: TokenText::of_shape(bytes(2, "token")?).ok_or_else(|| unreadable("token"))?,
        revoked: match bytes(3, "status")? {
            b"active" => false,
            b"revoked" => true,
            _ => return Err(unreadable("status")),
        },
        version: row.get(4)?,
        restrictions: restrictions(row.get_ref(5)?)?,
        revoke_at: revoke_at
            .map(|micros| Timestamp::from_micros(micros).ok_or_else(|| unreadable("revoke_at")))
            .transpose()?,
    })
}

pub(super) fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let row = Columns::of(row);
    Ok(ApiKey {
        workspace: row.id("workspace_id")?,
        environment: row.parsed("environment", Environment::from_name)?,
        id: row.id("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        digest: SecretDigest(row.digest("digest")?),
        status: row.parsed("status", ApiKeyStatus::from_name)?,
        permissions: row.parsed("permissions", |names| {
            names
                .split_ascii_whitespace()
                .map(|name| name.parse().ok())
                .collect::<Option<PermissionSet>>()
        })?,
        expires_at: row.optional_time("expires_at")?,
        expiring_announced_at: row.optional_time("expiring_announced_at")?,
        last_used_at: row.optional_time("last_used_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    event_in(&Columns::of(row))
}

fn event_in(row: &Columns<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        event_type: row.parsed("type", EventType::from_name)?,
        occurred_at: row.time("occurred_at")?,
        subject: row.get("subject_id")?,
        actor: {
            let kind: String = row.get("actor_kind")?;
            let id: Option<String> = row.get("actor_id")?;
            Actor::from_parts(&kind, id.as_deref()).ok_or_else(|| unreadable("actor_kind"))?
        },
        data: row.get("data")?,
        address: row.address("address")?,
    })
}

pub(super) fn placed_event(row: &Row<'_>) -> rusqlite::Result<(u64, Event)> {
    let row = Columns::of(row);
    let sequence: i64 = row.get("sequence")?;
    Ok((
        u64::try_from(sequence).map_err(|_| unreadable("sequence"))?,
        event_in(&row)?,
    ))
}

pub(super) fn idempotent_answer(row: &Row<'_>) -> rusqlite::Result<IdempotentAnswer> {
    let row = Columns::of(row);
    Ok(IdempotentAnswer {
        request_digest: row.digest("request_digest")?,
        answer: row.get("answer")?,
        expires_at: row.time("expires_at")?,
    })
}

pub(super) fn event_type(row: &Row<'_>) -> rusqlite::Result<EventType> {
    let row = Columns::of(row);
    row.parsed("type", EventType::from_name)
}

pub(super) fn notification_status(row: &Row<'_>) -> rusqlite::Result<NotificationStatus> {
    let row = Columns::of(row);
    row.parsed("status", NotificationStatus::from_name)
}

/// A row of [`super::reads::notifications::SELECT`].
pub(super) fn notification(row: &Row<'_>) -> rusqlite::Result<Notification> {
    let row = Columns::of(row);
    let event = event_in(&row)?;
    Ok(Notification {
        workspace: event.workspace,
        event,
        id: row.id("notification_id")?,
        setting: row.id("setting_id")?,
        origin: row.parsed("origin", NotificationOrigin::from_name)?,
        status: row.parsed("status", NotificationStatus::from_name)?,
        times_attempted: row.get("times_attempted")?,
        last_attempt_at: row.optional_time("last_attempt_at")?,
        delivered_at: row.optional_time("delivered_at")?,
        replayed_at: row.optional_time("replayed_at")?,
        retry_at: row.optional_time("retry_at")?,
    })
}

pub(super) fn delivery_attempt(row: &Row<'_>) -> rusqlite::Result<DeliveryAttempt> {
    let row = Columns::of(row);
    Ok(DeliveryAttempt {
        id: row.id("id")?,
        notification: row.id("notification_id")?,
        response_code: row.get("response_code")?,
        response_content_type: row.get("response_content_type")?,
        response_body: row.get("response_body")?,
        problem: row.get("problem")?,
        attempted_at: row.time("attempted_at")?,
        duration_ms: row.get("duration_ms")?,
    })
}

pub(super) fn notification_setting(row: &Row<'_>) -> rusqlite::Result<NotificationSetting> {
    let row = Columns::of(row);
    Ok(NotificationSetting {
        id: row.id("id")?,
        workspace: row.id("workspace_id")?,
        description: row.get("description")?,
        destination_type: row.parsed("type", DestinationType::from_name)?,
        destination: row.get("destination")?,
        active: row.get("active")?,
        api_version: row.get("api_version")?,
        include_sensitive_fields: row.get("include_sensitive_fields")?,
        traffic_source: row.parsed("traffic_source", TrafficSource::from_name)?,
        subscribed_events: row.parsed("subscribed_events", |names| {
            Some(names.split_ascii_whitespace().map(str::to_owned).collect())
        })?,
        secret: row.parsed("secret", |text| Some(EndpointSecret::from_text(text)))?,
        previous_secret: {
            let previous: Option<String> = row.get("previous_secret")?;
            let until = row.optional_time("previous_secret_until")?;
            previous.map(|text| EndpointSecret::from_text(&text)).zip(until)
        },
        failing_since: row.optional_time("failing_since")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn simulation(row: &Row<'_>) -> rusqlite::Result<Simulation> {
    let row = Columns::of(row);
    Ok(Simulation {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        setting: row.id("setting_id")?,
        name: row.get("name")?,
        event_type: row.parsed("type", EventType::from_name)?,
        status: row.parsed("status", SimulationStatus::from_name)?,
        payload: row.get("payload")?,
        last_run_at: row.optional_time("last_run_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn simulation_run(row: &Row<'_>) -> rusqlite::Result<SimulationRun> {
    let row = Columns::of(row);
    Ok(SimulationRun {
        workspace: row.id("workspace_id")?,
        simulation: row.id("simulation_id")?,
        id: row.id("id")?,
        status: row.parsed("status", SimulationRunStatus::from_name)?,
        event_type: row.parsed("type", EventType::from_name)?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

pub(super) fn simulation_event(row: &Row<'_>) -> rusqlite::Result<SimulationEvent> {
    let row = Columns::of(row);
    let (status_code, body): (Option<u16>, Option<String>) = (row.get("response_status")?, row.get("response_body")?);
    Ok(SimulationEvent {
        workspace: row.id("workspace_id")?,
        simulation: row.id("simulation_id")?,
        run: row.id("run_id")?,
        id: row.id("id")?,
        setting: row.id("setting_id")?,
        status: row.parsed("status", SimulationEventStatus::from_name)?,
        event_type: row.parsed("type", EventType::from_name)?,
        payload: row.get("payload")?,
        request: row.get("request_body")?,
        response: status_code
            .zip(body)
            .map(|(status_code, body)| SimulationResponse { status_code, body }),
        problem: row.get("problem")?,
        claimed_at: row.optional_time("claimed_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Names with a blank before, between and behind them, so that each can be found whole.
pub(super) fn joined(names: &[String]) -> String {
    format!(" {} ", names.join(" "))
}

/// A limit as SQLite's integer.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A count as SQLite's integer.
pub(super) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
