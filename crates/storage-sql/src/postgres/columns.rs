//! Many rows as a few arrays, one for each column: what a batch writes to a table is one statement with `UNNEST`,
//! whatever its size. The arrays stand in the order of the statements' parameters.

use tokio_postgres::types::ToSql;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::Event;
use tollgate_domain::id::{ApiKeyId, ClientTokenId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{IdempotencyKey, IdempotentAnswer};

use crate::counters::Deltas;

/// One statement's parameters.
pub(super) type Columns<'a> = Vec<Box<dyn ToSql + Sync + Send + 'a>>;

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Box<dyn ToSql + Sync + Send + 'a>
where
    T: ToSql + Sync + Send + 'a,
{
    Box::new(rows.iter().map(value).collect::<Vec<T>>())
}

pub(super) fn client_tokens<'a>(rows: &'a [&'a ClientToken]) -> Columns<'a> {
    vec![
        column(rows, |token| token.workspace.to_string()),
        column(rows, |token| token.id.to_string()),
        column(rows, |token| token.token.as_str()),
        column(rows, |token| token.name.as_str()),
        column(rows, |token| token.description.as_deref()),
        column(rows, |token| token.status.name()),
        column(rows, |token| token.created_at.as_micros()),
        column(rows, |token| token.updated_at.as_micros()),
        column(rows, |token| token.revoked_at.map(Timestamp::as_micros)),
        column(rows, |token| token.version),
    ]
}

pub(super) fn events<'a>(rows: &'a [&'a Event]) -> Columns<'a> {
    vec![
        column(rows, |event| event.workspace.to_string()),
        column(rows, |event| event.id.to_string()),
        column(rows, |event| event.event_type.name()),
        column(rows, |event| event.occurred_at.as_micros()),
        column(rows, |event| event.subject.as_str()),
        column(rows, |event| event.actor.kind()),
        column(rows, |event| event.actor.id()),
        column(rows, |event| event.data.as_str()),
    ]
}

pub(super) fn counters(deltas: &Deltas) -> Columns<'_> {
    let (mut workspaces, mut names, mut by) = (Vec::new(), Vec::new(), Vec::new());
    for (workspace, name, delta) in deltas.iter() {
        workspaces.push(workspace.to_string());
        names.push(name);
        by.push(delta);
    }
    vec![Box::new(workspaces), Box::new(names), Box::new(by)]
}

/// Without the last use: a new key has none, and an update leaves it.
pub(super) fn api_keys<'a>(rows: &'a [&'a ApiKey]) -> Columns<'a> {
    vec![
        column(rows, |key| key.id.to_string()),
        column(rows, |key| key.workspace.to_string()),
        column(rows, |key| key.environment.name()),
        column(rows, |key| key.name.as_str()),
        column(rows, |key| key.description.as_deref()),
        column(rows, |key| key.digest.0.as_slice()),
        column(rows, |key| key.status.name()),
        column(rows, |key| key.permissions.names().join(" ")),
        column(rows, |key| key.expires_at.map(Timestamp::as_micros)),
        column(rows, |key| key.expiring_announced_at.map(Timestamp::as_micros)),
        column(rows, |key| key.created_at.as_micros()),
        column(rows, |key| key.updated_at.as_micros()),
        column(rows, |key| key.version),
    ]
}

/// What a new key has beside [`api_keys`].
pub(super) fn last_uses<'a>(rows: &'a [&'a ApiKey]) -> Columns<'a> {
    vec![column(rows, |key| key.last_used_at.map(Timestamp::as_micros))]
}

pub(super) fn touches(rows: &[(ApiKeyId, Timestamp)]) -> Columns<'_> {
    vec![
        column(rows, |(id, _)| id.to_string()),
        column(rows, |(_, used_at)| used_at.as_micros()),
    ]
}

pub(super) fn workspaces<'a>(rows: &'a [&'a Workspace]) -> Columns<'a> {
    vec![
        column(rows, |workspace| workspace.id.to_string()),
        column(rows, |workspace| workspace.name.as_str()),
        column(rows, |workspace| workspace.environment.name()),
        column(rows, |workspace| workspace.created_at.as_micros()),
    ]
}

pub(super) fn idempotent_answers<'a>(rows: &'a [(&'a IdempotencyKey, &'a IdempotentAnswer)]) -> Columns<'a> {
    vec![
        column(rows, |(key, _)| key.api_key.to_string()),
        column(rows, |(key, _)| key.key.as_str()),
        column(rows, |(_, answer)| answer.request_digest.as_slice()),
        column(rows, |(_, answer)| answer.answer.as_str()),
        column(rows, |(_, answer)| answer.expires_at.as_micros()),
    ]
}

pub(super) fn client_token_ids(rows: &[(WorkspaceId, ClientTokenId)]) -> Columns<'_> {
    vec![
        column(rows, |(workspace, _)| workspace.to_string()),
        column(rows, |(_, id)| id.to_string()),
    ]
}

pub(super) fn api_key_ids(rows: &[ApiKeyId]) -> Columns<'_> {
    vec![column(rows, ToString::to_string)]
}

pub(super) fn idempotency_keys<'a>(rows: &'a [&'a IdempotencyKey]) -> Columns<'a> {
    vec![
        column(rows, |key| key.api_key.to_string()),
        column(rows, |key| key.key.as_str()),
    ]
}
