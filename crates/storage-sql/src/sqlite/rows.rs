//! Rows to values. What we didn't write is told as corrupt, with its column, and never trusted.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Error, Row};
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

/// A text column through a parser.
pub(super) fn parsed<T>(
    row: &Row<'_>,
    column: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(|_| unreadable(column))?;
    parse(text).ok_or_else(|| unreadable(column))
}

pub(super) fn id<K: Kind>(row: &Row<'_>, column: &'static str) -> rusqlite::Result<Id<K>> {
    parsed(row, column, |text| Id::parse(text).ok())
}

pub(super) fn time(row: &Row<'_>, column: &'static str) -> rusqlite::Result<Timestamp> {
    Timestamp::from_micros(row.get(column)?).ok_or_else(|| unreadable(column))
}

fn optional_time(row: &Row<'_>, column: &'static str) -> rusqlite::Result<Option<Timestamp>> {
    let micros: Option<i64> = row.get(column)?;
    micros
        .map(|micros| Timestamp::from_micros(micros).ok_or_else(|| unreadable(column)))
        .transpose()
}

pub(super) fn digest(row: &Row<'_>, column: &'static str) -> rusqlite::Result<[u8; 32]> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|_| unreadable(column))?;
    bytes.try_into().map_err(|_| unreadable(column))
}

pub(super) fn workspace(row: &Row<'_>) -> rusqlite::Result<Workspace> {
    Ok(Workspace {
        id: id(row, "id")?,
        name: row.get("name")?,
        environment: parsed(row, "environment", Environment::from_name)?,
        created_at: time(row, "created_at")?,
    })
}

pub(super) fn client_token(row: &Row<'_>) -> rusqlite::Result<ClientToken> {
    Ok(ClientToken {
        workspace: id(row, "workspace_id")?,
        id: id(row, "id")?,
        token: parsed(row, "token", |text| TokenText::parse(text).ok())?,
        name: row.get("name")?,
        description: row.get("description")?,
        status: parsed(row, "status", ClientTokenStatus::from_name)?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        revoked_at: optional_time(row, "revoked_at")?,
        restrictions: restrictions(row.get_ref("restrictions")?)?,
        revoke_at: optional_time(row, "revoke_at")?,
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
    Ok(ApiKey {
        workspace: id(row, "workspace_id")?,
        environment: parsed(row, "environment", Environment::from_name)?,
        id: id(row, "id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        digest: SecretDigest(digest(row, "digest")?),
        status: parsed(row, "status", ApiKeyStatus::from_name)?,
        permissions: parsed(row, "permissions", |names| {
            names
                .split_ascii_whitespace()
                .map(|name| name.parse().ok())
                .collect::<Option<PermissionSet>>()
        })?,
        expires_at: optional_time(row, "expires_at")?,
        expiring_announced_at: optional_time(row, "expiring_announced_at")?,
        last_used_at: optional_time(row, "last_used_at")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let actor_id: Option<String> = row.get("actor_id")?;
    Ok(Event {
        workspace: id(row, "workspace_id")?,
        id: id(row, "id")?,
        event_type: event_type(row)?,
        occurred_at: time(row, "occurred_at")?,
        subject: row.get("subject_id")?,
        data: row.get("data")?,
        actor: parsed(row, "actor_kind", |kind| Actor::from_parts(kind, actor_id.as_deref()))?,
    })
}

pub(super) fn placed_event(row: &Row<'_>) -> rusqlite::Result<(u64, Event)> {
    let sequence: i64 = row.get("sequence")?;
    Ok((
        u64::try_from(sequence).map_err(|_| unreadable("sequence"))?,
        event(row)?,
    ))
}

pub(super) fn idempotent_answer(row: &Row<'_>) -> rusqlite::Result<IdempotentAnswer> {
    Ok(IdempotentAnswer {
        request_digest: digest(row, "request_digest")?,
        answer: row.get("answer")?,
        expires_at: time(row, "expires_at")?,
    })
}

pub(super) fn event_type(row: &Row<'_>) -> rusqlite::Result<EventType> {
    parsed(row, "type", EventType::from_name)
}

pub(super) fn notification_status(row: &Row<'_>) -> rusqlite::Result<NotificationStatus> {
    parsed(row, "status", NotificationStatus::from_name)
}

/// A row of [`super::reads::notifications::SELECT`].
pub(super) fn notification(row: &Row<'_>) -> rusqlite::Result<Notification> {
    Ok(Notification {
        workspace: id(row, "workspace_id")?,
        id: id(row, "notification_id")?,
        setting: id(row, "setting_id")?,
        event: event(row)?,
        origin: parsed(row, "origin", NotificationOrigin::from_name)?,
        status: notification_status(row)?,
        times_attempted: row.get("times_attempted")?,
        last_attempt_at: optional_time(row, "last_attempt_at")?,
        delivered_at: optional_time(row, "delivered_at")?,
        replayed_at: optional_time(row, "replayed_at")?,
        retry_at: optional_time(row, "retry_at")?,
    })
}

pub(super) fn delivery_attempt(row: &Row<'_>) -> rusqlite::Result<DeliveryAttempt> {
    Ok(DeliveryAttempt {
        id: id(row, "id")?,
        notification: id(row, "notification_id")?,
        response_code: row.get("response_code")?,
        response_content_type: row.get("response_content_type")?,
        response_body: row.get("response_body")?,
        problem: row.get("problem")?,
        attempted_at: time(row, "attempted_at")?,
        duration_ms: row.get("duration_ms")?,
    })
}

pub(super) fn notification_setting(row: &Row<'_>) -> rusqlite::Result<NotificationSetting> {
    let secret: String = row.get("secret")?;
    let previous: Option<String> = row.get("previous_secret")?;
    let until = optional_time(row, "previous_secret_until")?;
    let names: String = row.get("subscribed_events")?;
    Ok(NotificationSetting {
        workspace: id(row, "workspace_id")?,
        id: id(row, "id")?,
        description: row.get("description")?,
        destination_type: parsed(row, "type", DestinationType::from_name)?,
        destination: row.get("destination")?,
        active: row.get("active")?,
        api_version: row.get("api_version")?,
        include_sensitive_fields: row.get("include_sensitive_fields")?,
        traffic_source: parsed(row, "traffic_source", TrafficSource::from_name)?,
        subscribed_events: names.split_ascii_whitespace().map(str::to_owned).collect(),
        secret: EndpointSecret::from_text(&secret),
        previous_secret: previous.map(|text| EndpointSecret::from_text(&text)).zip(until),
        failing_since: optional_time(row, "failing_since")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn simulation(row: &Row<'_>) -> rusqlite::Result<Simulation> {
    Ok(Simulation {
        workspace: id(row, "workspace_id")?,
        id: id(row, "id")?,
        setting: id(row, "setting_id")?,
        name: row.get("name")?,
        event_type: event_type(row)?,
        status: parsed(row, "status", SimulationStatus::from_name)?,
        payload: row.get("payload")?,
        last_run_at: optional_time(row, "last_run_at")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn simulation_run(row: &Row<'_>) -> rusqlite::Result<SimulationRun> {
    Ok(SimulationRun {
        workspace: id(row, "workspace_id")?,
        simulation: id(row, "simulation_id")?,
        id: id(row, "id")?,
        status: parsed(row, "status", SimulationRunStatus::from_name)?,
        event_type: event_type(row)?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

pub(super) fn simulation_event(row: &Row<'_>) -> rusqlite::Result<SimulationEvent> {
    let (status_code, body): (Option<u16>, Option<String>) = (row.get("response_status")?, row.get("response_body")?);
    Ok(SimulationEvent {
        workspace: id(row, "workspace_id")?,
        simulation: id(row, "simulation_id")?,
        run: id(row, "run_id")?,
        id: id(row, "id")?,
        setting: id(row, "setting_id")?,
        status: parsed(row, "status", SimulationEventStatus::from_name)?,
        event_type: event_type(row)?,
        payload: row.get("payload")?,
        request: row.get("request_body")?,
        response: status_code
            .zip(body)
            .map(|(status_code, body)| SimulationResponse { status_code, body }),
        problem: row.get("problem")?,
        claimed_at: optional_time(row, "claimed_at")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
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
