//! Many rows as a few arrays, one for each column: what a batch writes to a table is one statement with `UNNEST`,
//! whatever its size. The arrays stand in the order of the statements' parameters.

use std::net::IpAddr;

use tokio_postgres::types::ToSql;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::Event;
use tollgate_domain::id::{ApiKeyId, ClientTokenId, NotificationId, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{DeliveryAttempt, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::restriction::RestrictionKind;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::UsageDelta;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{IdempotencyKey, IdempotentAnswer};

use super::plan::{Lease, Recorded, Replay};
use crate::counters::Deltas;
use crate::failing::Failing;

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
        column(rows, |token| {
            let restrictions = token.restrictions.as_ref();
            restrictions.map(|restrictions| restrictions.to_json())
        }),
        column(rows, |token| token.revoke_at.map(Timestamp::as_micros)),
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
        column(rows, |event| event.address.as_ref().map(IpAddr::to_string)),
        column(rows, |event| event.event_type.is_public()),
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

pub(super) fn settings<'a>(rows: &'a [&'a NotificationSetting]) -> Columns<'a> {
    vec![
        column(rows, |setting| setting.id.to_string()),
        column(rows, |setting| setting.workspace.to_string()),
        column(rows, |setting| setting.description.as_str()),
        column(rows, |setting| setting.destination_type.name()),
        column(rows, |setting| setting.destination.as_str()),
        column(rows, |setting| i64::from(setting.active)),
        column(rows, |setting| i64::from(setting.api_version)),
        column(rows, |setting| i64::from(setting.include_sensitive_fields)),
        column(rows, |setting| setting.traffic_source.name()),
        // With a blank before, between and behind the names, so that each can be found whole.
        column(rows, |setting| format!(" {} ", setting.subscribed_events.join(" "))),
        column(rows, |setting| setting.secret.reveal()),
        column(rows, |setting| {
            setting.previous_secret.as_ref().map(|(secret, _)| secret.reveal())
        }),
        column(rows, |setting| {
            setting.previous_secret.as_ref().map(|(_, until)| until.as_micros())
        }),
        column(rows, |setting| setting.created_at.as_micros()),
        column(rows, |setting| setting.updated_at.as_micros()),
        column(rows, |setting| setting.version),
    ]
}

pub(super) fn wanted_settings(rows: &[(WorkspaceId, Option<NotificationSettingId>)]) -> Columns<'_> {
    vec![
        column(rows, |(workspace, _)| workspace.to_string()),
        column(rows, |(_, id)| id.map(|id| id.to_string())),
    ]
}

pub(super) fn setting_ids(rows: &[NotificationSettingId]) -> Columns<'_> {
    vec![column(rows, ToString::to_string)]
}

pub(super) fn notification_ids(rows: &[(WorkspaceId, NotificationId)]) -> Columns<'_> {
    vec![
        column(rows, |(workspace, _)| workspace.to_string()),
        column(rows, |(_, id)| id.to_string()),
    ]
}

pub(super) fn recorded<'a>(rows: &'a [Recorded<'a>]) -> Columns<'a> {
    vec![
        column(rows, |new| new.at.as_str()),
        column(rows, |new| new.after.name()),
        column(rows, |new| new.last.attempted_at.as_micros()),
        column(rows, |new| {
            (new.record.status == NotificationStatus::Delivered).then_some(new.record.at.as_micros())
        }),
        column(rows, |new| {
            let retry_at = new.record.retry_at.filter(|_| !new.after.is_final());
            retry_at.map(Timestamp::as_micros)
        }),
    ]
}

/// PostgreSQL's text can't hold the character 0, and a receiver may answer with any.
pub(super) fn attempts<'a>(rows: &'a [&'a DeliveryAttempt]) -> Columns<'a> {
    let text = |text: &str| text.replace('\0', "\u{fffd}");
    vec![
        column(rows, |attempt| attempt.notification.to_string()),
        column(rows, |attempt| attempt.id.to_string()),
        column(rows, |attempt| i64::from(attempt.response_code)),
        column(rows, move |attempt| attempt.response_content_type.as_deref().map(text)),
        column(rows, move |attempt| text(&attempt.response_body)),
        column(rows, move |attempt| attempt.problem.as_deref().map(text)),
        column(rows, |attempt| attempt.attempted_at.as_micros()),
        column(rows, |attempt| i64::from(attempt.duration_ms)),
    ]
}

pub(super) fn failing(rows: &[(NotificationSettingId, Failing)]) -> Columns<'_> {
    vec![
        column(rows, |(id, _)| id.to_string()),
        column(rows, |(_, failing)| failing.anew),
        column(rows, |(_, failing)| failing.since.map(Timestamp::as_micros)),
    ]
}

pub(super) fn replays(rows: &[Replay]) -> Columns<'_> {
    vec![
        column(rows, |replay| replay.at.as_str()),
        column(rows, |replay| replay.id.to_string()),
        column(rows, |replay| replay.time.as_micros()),
    ]
}

pub(super) fn leases(rows: &[Lease]) -> Columns<'_> {
    vec![
        column(rows, |lease| lease.setting.to_string()),
        column(rows, |lease| lease.now.as_micros()),
        column(rows, |lease| lease.until.as_micros()),
        column(rows, |lease| i64::try_from(lease.limit).unwrap_or(i64::MAX)),
    ]
}

/// Each delta's counts.
pub(super) fn usage(rows: &[UsageDelta]) -> Columns<'_> {
    let mut columns = vec![
        column(rows, |delta| delta.workspace.to_string()),
        column(rows, |delta| delta.id.to_string()),
        column(rows, |delta| i64::from(delta.hour.0)),
        column(rows, |delta| count(delta.counts.allowed)),
        column(rows, |delta| count(delta.counts.refused)),
    ];
    columns.extend(
        (0..RestrictionKind::ALL.len()).map(|kind| column(rows, move |delta| count(delta.counts.reported[kind]))),
    );
    columns
}

pub(super) fn token_uses(rows: &[UsageDelta]) -> Columns<'_> {
    vec![
        column(rows, |delta| delta.workspace.to_string()),
        column(rows, |delta| delta.id.to_string()),
        column(rows, |delta| delta.last_used_at.map(Timestamp::as_micros)),
    ]
}

/// Each delta's origins.
pub(super) fn origins<'a>(rows: &'a [(&'a UsageDelta, &'a (String, u64))]) -> Columns<'a> {
    let mut columns = origin_days(rows);
    columns.push(column(rows, |(_, (origin, _))| origin.as_str()));
    columns.push(column(rows, |(_, (_, uses))| count(*uses)));
    columns
}

/// The tokens and days that these origins are of.
pub(super) fn origin_days<'a>(rows: &'a [(&'a UsageDelta, &'a (String, u64))]) -> Columns<'a> {
    vec![
        column(rows, |(delta, _)| delta.workspace.to_string()),
        column(rows, |(delta, _)| delta.id.to_string()),
        column(rows, |(delta, _)| i64::from(delta.hour.day())),
    ]
}

/// As SQL's integer.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
