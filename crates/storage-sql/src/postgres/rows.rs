//! From rows to values, cell by cell.

use tokio_postgres::Row;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus, SecretDigest};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{ClientTokenId, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationOrigin, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::permission::PermissionSet;
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::simulation::{
    Simulation, SimulationEvent, SimulationEventStatus, SimulationResponse, SimulationRun, SimulationRunStatus,
    SimulationStatus,
};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, UsageCounts};
use tollgate_domain::verdict::TokenFacts;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{IdempotentAnswer, StorageError};

use super::cells::Columns;

pub(super) const WORKSPACE: &str = "id, name, environment, created_at";
pub(super) const CLIENT_TOKEN: &str = "workspace_id, id, token, name, description, status, created_at, updated_at, revoked_at, version, \
     restrictions, revoke_at";
pub(super) const API_KEY: &str = "id, workspace_id, environment, name, description, digest, status, permissions, expires_at, \
     expiring_announced_at, last_used_at, created_at, updated_at, version";
pub(super) const EVENT: &str =
    "sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data, address";
pub(super) const NOTIFICATION_SETTING: &str = "id, workspace_id, description, type, destination, active, api_version, include_sensitive_fields, \
     traffic_source, subscribed_events, secret, previous_secret, previous_secret_until, failing_since, created_at, \
     updated_at, version";
/// Of the notification `n` and its event `e`.
pub(super) const NOTIFICATION: &str = "n.id AS notification_id, n.setting_id, n.origin, n.status, n.times_attempted, n.last_attempt_at, n.delivered_at, \
     n.replayed_at, n.retry_at, e.sequence, e.workspace_id, e.id, e.type, e.occurred_at, e.subject_id, e.actor_kind, \
     e.actor_id, e.data, e.address";
pub(super) const DELIVERY_ATTEMPT: &str =
    "notification_id, id, response_code, response_content_type, response_body, problem, attempted_at, duration_ms";
pub(super) const SIMULATION: &str =
    "workspace_id, id, setting_id, name, type, status, payload, last_run_at, created_at, updated_at, version";
pub(super) const SIMULATION_RUN: &str = "workspace_id, simulation_id, id, status, type, created_at, updated_at";
pub(super) const SIMULATION_EVENT: &str = "workspace_id, simulation_id, run_id, id, setting_id, status, type, payload, request_body, response_status, \
     response_body, problem, claimed_at, created_at, updated_at";
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
        restrictions: row.restrictions()?,
        revoke_at: row.optional_time("revoke_at")?,
        version: row.get("version")?,
    })
}

/// What [`token_facts`] reads.
pub(super) const TOKEN_FACTS: &str = "workspace_id, id, token, status, version, restrictions, revoke_at";

/// Without the token's checksum: there are millions of them.
pub(super) fn token_facts(row: &Row) -> Result<TokenFacts, StorageError> {
    let row = Columns::of("client_tokens", row);
    Ok(TokenFacts {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        token: row.read("token", |text| {
            TokenText::of_shape(text.as_bytes()).ok_or("not of a token's shape")
        })?,
        revoked: row.named("status", ClientTokenStatus::from_name)? == ClientTokenStatus::Revoked,
        revoke_at: row.optional_time("revoke_at")?,
        restrictions: row.restrictions()?,
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
        address: row.address("address")?,
    };
    Ok((row.place("sequence")?, event))
}

pub(super) fn notification_setting(row: &Row) -> Result<NotificationSetting, StorageError> {
    let row = Columns::of("notification_settings", row);
    let secret = |text| EndpointSecret::from_text(text);
    let previous: Option<&str> = row.get("previous_secret")?;
    let names: &str = row.get("subscribed_events")?;
    Ok(NotificationSetting {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        description: row.get("description")?,
        destination_type: row.named("type", DestinationType::from_name)?,
        destination: row.get("destination")?,
        active: row.flag("active")?,
        api_version: row.number("api_version")?,
        include_sensitive_fields: row.flag("include_sensitive_fields")?,
        traffic_source: row.named("traffic_source", TrafficSource::from_name)?,
        subscribed_events: names.split_ascii_whitespace().map(str::to_owned).collect(),
        secret: secret(row.get("secret")?),
        previous_secret: previous.map(secret).zip(row.optional_time("previous_secret_until")?),
        failing_since: row.optional_time("failing_since")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.get("version")?,
    })
}

/// A row of [`NOTIFICATION`].
pub(super) fn notification(row: &Row) -> Result<Notification, StorageError> {
    let (_, event) = event(row)?;
    let row = Columns {
        table: "notifications",
        key: "notification_id",
        row,
    };
    Ok(Notification {
        workspace: event.workspace,
        id: row.id("notification_id")?,
        setting: row.id("setting_id")?,
        event,
        origin: row.named("origin", NotificationOrigin::from_name)?,
        status: row.named("status", NotificationStatus::from_name)?,
        times_attempted: row.number("times_attempted")?,
        last_attempt_at: row.optional_time("last_attempt_at")?,
        delivered_at: row.optional_time("delivered_at")?,
        replayed_at: row.optional_time("replayed_at")?,
        retry_at: row.optional_time("retry_at")?,
    })
}

pub(super) fn delivery_attempt(row: &Row) -> Result<DeliveryAttempt, StorageError> {
    let row = Columns::of("delivery_attempts", row);
    Ok(DeliveryAttempt {
        id: row.id("id")?,
        notification: row.id("notification_id")?,
        response_code: row.number("response_code")?,
        response_content_type: row.get("response_content_type")?,
        response_body: row.get("response_body")?,
        problem: row.get("problem")?,
        attempted_at: row.time("attempted_at")?,
        duration_ms: row.number("duration_ms")?,
    })
}

pub(super) fn simulation(row: &Row) -> Result<Simulation, StorageError> {
    let row = Columns::of("simulations", row);
    Ok(Simulation {
        workspace: row.id("workspace_id")?,
        id: row.id("id")?,
        setting: row.id("setting_id")?,
        name: row.get("name")?,
        event_type: row.named("type", EventType::from_name)?,
        status: row.named("status", SimulationStatus::from_name)?,
        payload: row.get("payload")?,
        last_run_at: row.optional_time("last_run_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.get("version")?,
    })
}

pub(super) fn simulation_run(row: &Row) -> Result<SimulationRun, StorageError> {
    let row = Columns::of("simulation_runs", row);
    Ok(SimulationRun {
        workspace: row.id("workspace_id")?,
        simulation: row.id("simulation_id")?,
        id: row.id("id")?,
        status: row.named("status", SimulationRunStatus::from_name)?,
        event_type: row.named("type", EventType::from_name)?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

pub(super) fn simulation_event(row: &Row) -> Result<SimulationEvent, StorageError> {
    let row = Columns::of("simulation_events", row);
    let body: Option<String> = row.get("response_body")?;
    Ok(SimulationEvent {
        workspace: row.id("workspace_id")?,
        simulation: row.id("simulation_id")?,
        run: row.id("run_id")?,
        id: row.id("id")?,
        setting: row.id("setting_id")?,
        status: row.named("status", SimulationEventStatus::from_name)?,
        event_type: row.named("type", EventType::from_name)?,
        payload: row.get("payload")?,
        request: row.get("request_body")?,
        response: row
            .optional_number("response_status")?
            .zip(body)
            .map(|(status_code, body)| SimulationResponse { status_code, body }),
        problem: row.get("problem")?,
        claimed_at: row.optional_time("claimed_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// What the writer looks at of a notification.
pub(super) fn notification_status(row: &Row) -> Result<NotificationStatus, StorageError> {
    Columns::of("notifications", row).named("status", NotificationStatus::from_name)
}

/// The same.
pub(super) fn notification_setting_of(row: &Row) -> Result<NotificationSettingId, StorageError> {
    Columns::of("notifications", row).id("setting_id")
}

pub(super) fn usage_hour(row: &Row) -> Result<(Hour, UsageCounts), StorageError> {
    let row = Columns {
        table: "client_token_usage",
        key: "client_token_id",
        row,
    };
    let counts = UsageCounts {
        allowed: row.number("allowed")?,
        refused: row.number("refused")?,
        reported: [
            row.number("reported_allowed_origins")?,
            row.number("reported_allowed_networks")?,
            row.number("reported_scopes")?,
            row.number("reported_expires_at")?,
            row.number("reported_rate_limit")?,
        ],
    };
    Ok((Hour(row.number("hour")?), counts))
}

/// Whose, when, and how often it was let in.
pub(super) fn allowed_in_hour(row: &Row) -> Result<(ClientTokenId, Hour, u64), StorageError> {
    let row = Columns {
        table: "client_token_usage",
        key: "client_token_id",
        row,
    };
    Ok((
        row.id("client_token_id")?,
        Hour(row.number("hour")?),
        row.number("allowed")?,
    ))
}

pub(super) fn usage_origin(row: &Row) -> Result<(String, u64), StorageError> {
    let row = Columns::of("client_token_origins", row);
    Ok((row.get("origin")?, row.number("uses")?))
}

pub(super) fn last_use(row: &Row) -> Result<(ClientTokenId, Timestamp), StorageError> {
    let row = Columns {
        table: "client_token_last_uses",
        key: "client_token_id",
        row,
    };
    Ok((row.id("client_token_id")?, row.time("last_used_at")?))
}

pub(super) fn workspace_of(row: &Row) -> Result<WorkspaceId, StorageError> {
    Columns::of("rows", row).id("workspace_id")
}

pub(super) fn event_type(row: &Row) -> Result<EventType, StorageError> {
    Columns::of("events", row).named("type", EventType::from_name)
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
