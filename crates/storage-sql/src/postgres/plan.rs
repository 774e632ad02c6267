//! What a batch has to look at, how each of its changes is judged by that, and what is then to be written.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::Event;
use tollgate_domain::id::{ApiKeyId, ClientTokenId, NotificationId, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{
    AttemptRecord, Change, IdempotencyKey, IdempotentAnswer, Outcome, SettingsSeen, StorageError, Write,
};

use super::failure::unavailable;
use super::rows;
use crate::counters::Deltas;
use crate::failing::Failing;

/// What is stored of the rows that the changes expect something of.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    pub(super) client_tokens: Vec<(WorkspaceId, ClientTokenId)>,
    pub(super) api_keys: Vec<ApiKeyId>,
    pub(super) settings: Vec<(WorkspaceId, Option<NotificationSettingId>)>,
    pub(super) notifications: Vec<(WorkspaceId, NotificationId)>,
    pub(super) answers: Vec<&'a IdempotencyKey>,
}

impl<'a> Wanted<'a> {
    pub(super) fn by(changes: &[&'a Change]) -> Self {
        let mut wanted = Self::default();
        for change in changes {
            match &change.write {
                Write::UpdateClientToken { from, .. } | Write::ReplaceClientToken { from, .. } => {
                    wanted.client_tokens.push((from.workspace, from.id));
                }
                Write::UpdateApiKey { from, .. } => wanted.api_keys.push(from.id),
                Write::CreateNotificationSetting { setting, .. } => wanted.settings.push((setting.workspace, None)),
                Write::UpdateNotificationSetting { to, .. } => wanted.settings.push((to.workspace, Some(to.id))),
                Write::DeleteNotificationSetting { workspace, id } => wanted.settings.push((*workspace, Some(*id))),
                Write::ReplayNotification {
                    workspace, original, ..
                } => wanted.notifications.push((*workspace, *original)),
                Write::RecordAttempt(record) => {
                    let last = record.attempts.last();
                    wanted
                        .notifications
                        .extend(last.map(|last| (record.workspace, last.notification)));
                }
                _ => {}
            }
            wanted.answers.extend(change.idempotency.iter().map(|(key, _)| key));
        }
        wanted
    }
}

/// The rows that were wanted, each kind in the order of the changes that want them.
pub(super) struct Found {
    pub(super) client_tokens: std::vec::IntoIter<Row>,
    pub(super) api_keys: std::vec::IntoIter<Row>,
    pub(super) settings: std::vec::IntoIter<Row>,
    /// `None` where there is no such notification.
    pub(super) notifications: std::vec::IntoIter<Option<Row>>,
    pub(super) answers: std::vec::IntoIter<Row>,
}

impl Found {
    /// Judges the next change by the rows that it wanted to see. All of them are taken in any case, so that the one after
    /// it finds its own.
    pub(super) fn judge(&mut self, change: &Change) -> Result<Verdict, StorageError> {
        let answer = change.idempotency.as_ref().and_then(|_| self.answers.next());
        let verdict = self.judge_write(&change.write);
        if let Some(row) = answer
            && row.try_get("answered").unwrap_or(false)
        {
            let answer = rows::idempotent_answer(&row)?;
            if change.happens_at().is_none_or(|now| answer.expires_at > now) {
                return Ok(Verdict::Answered(answer));
            }
        }
        verdict
    }

    fn judge_write(&mut self, write: &Write) -> Result<Verdict, StorageError> {
        let applies = match write {
            Write::UpdateClientToken { from, .. } | Write::ReplaceClientToken { from, .. } => {
                version(self.client_tokens.next()) == Some(from.version)
            }
            Write::UpdateApiKey { from, .. } => version(self.api_keys.next()) == Some(from.version),
            Write::CreateNotificationSetting { seen, .. } => settings(self.settings.next()).0.as_ref() == Some(seen),
            Write::UpdateNotificationSetting { seen, .. } => {
                let (found, present) = settings(self.settings.next());
                present && found.as_ref() == Some(seen)
            }
            Write::DeleteNotificationSetting { .. } => settings(self.settings.next()).1,
            Write::ReplayNotification { .. } => {
                return match self.notifications.next().flatten() {
                    Some(row) if row.try_get("shown").unwrap_or(false) => {
                        Ok(Verdict::Replays(stands_at(&row)?, rows::notification_setting_of(&row)?))
                    }
                    _ => Ok(Verdict::Stale),
                };
            }
            Write::RecordAttempt(record) if !record.attempts.is_empty() => {
                return match self.notifications.next().flatten() {
                    Some(row) if row.try_get("shown").unwrap_or(false) => {
                        Ok(Verdict::Records(stands_at(&row)?, rows::notification_status(&row)?))
                    }
                    _ => Ok(Verdict::PassesOver),
                };
            }
            Write::RecordAttempt(_) => return Ok(Verdict::PassesOver),
            _ => true,
        };
        Ok(if applies { Verdict::Applies } else { Verdict::Stale })
    }
}

fn stands_at(row: &Row) -> Result<String, StorageError> {
    row.try_get("at").map_err(unavailable)
}

/// `None` where there is no such row.
fn version(row: Option<Row>) -> Option<i64> {
    row?.try_get("version").ok()
}

/// What there is of a workspace's settings, and whether the one that was meant is among them.
fn settings(row: Option<Row>) -> (Option<SettingsSeen>, bool) {
    let Some(row) = row else { return (None, false) };
    (
        row.try_get("seen").ok().map(SettingsSeen::from_text),
        row.try_get("present").unwrap_or(false),
    )
}

/// Whether a change may happen.
pub(super) enum Verdict {
    Applies,
    /// An attempt of the notification that is there, and stood so before.
    Records(String, NotificationStatus),
    /// Another one of the notification that is there, for this setting.
    Replays(String, NotificationSettingId),
    /// Applies, but what it would write to isn't there any more.
    PassesOver,
    Stale,
    Answered(IdempotentAnswer),
}

/// What each lease gave, in the order of the changes.
pub(super) type Leased = Vec<Result<Vec<Notification>, StorageError>>;

/// The outcomes of changes that were judged so, when the sequence stood at `place` before them.
pub(super) fn outcomes(
    changes: &[&Change],
    verdicts: impl IntoIterator<Item = Result<Verdict, StorageError>>,
    mut place: u64,
    leased: Leased,
) -> Vec<Result<Outcome, StorageError>> {
    let mut leased = leased.into_iter();
    let outcome = |(change, verdict): (&&Change, Result<Verdict, StorageError>)| {
        Ok(match verdict? {
            Verdict::Stale => Outcome::Stale,
            Verdict::Answered(answer) => Outcome::AlreadyAnswered(answer),
            _ if is_lease(change) => Outcome::Leased(leased.next().unwrap_or_else(|| Ok(Vec::new()))?),
            _ => {
                place += change.events.len() as u64;
                Outcome::Applied { sequence: place }
            }
        })
    };
    changes.iter().zip(verdicts).map(outcome).collect()
}

/// Whether there is nothing to look at and only [`Writes::appends`] to do: the frequent case.
pub(super) fn is_plain_creation(change: &Change) -> bool {
    matches!(change.write, Write::CreateClientToken(_)) && change.idempotency.is_none()
}

/// Whether it takes notifications from a queue or records what became of them, and nothing else: it needs no place in
/// the sequence, and so no node has to wait for another.
pub(super) fn is_delivery(change: &Change) -> bool {
    matches!(change.write, Write::LeaseNotifications { .. } | Write::RecordAttempt(_))
        && change.events.is_empty()
        && change.idempotency.is_none()
}

/// Whether it only concerns usage: no node's changes have to wait for that either.
pub(super) fn is_usage(change: &Change) -> bool {
    super::usage::is_usage(&change.write) && change.events.is_empty() && change.idempotency.is_none()
}

/// Whether it takes a place in the sequence, or expects something of rows that others change.
pub(super) fn takes_head(change: &Change) -> bool {
    !is_delivery(change) && !is_usage(change)
}

/// Whether it is a lease, with nothing to look at.
pub(super) fn is_plain_lease(change: &Change) -> bool {
    is_lease(change) && is_delivery(change)
}

fn is_lease(change: &Change) -> bool {
    matches!(change.write, Write::LeaseNotifications { .. })
}

/// What a batch writes, by table.
#[derive(Default)]
pub(super) struct Writes<'a> {
    pub(super) workspaces: Vec<&'a Workspace>,
    pub(super) new_client_tokens: Vec<&'a ClientToken>,
    pub(super) client_tokens: Vec<&'a ClientToken>,
    pub(super) new_api_keys: Vec<&'a ApiKey>,
    pub(super) api_keys: Vec<&'a ApiKey>,
    pub(super) touches: Vec<(ApiKeyId, Timestamp)>,
    pub(super) new_settings: Vec<&'a NotificationSetting>,
    pub(super) settings: Vec<&'a NotificationSetting>,
    pub(super) deleted_settings: Vec<NotificationSettingId>,
    pub(super) leases: Vec<Lease>,
    pub(super) recorded: Vec<Recorded<'a>>,
    pub(super) attempts: Vec<&'a DeliveryAttempt>,
    pub(super) replays: Vec<Replay>,
    /// At most one in a batch, and then nothing else.
    pub(super) prune: Option<(Timestamp, usize)>,
    pub(super) answers: Vec<(&'a IdempotencyKey, &'a IdempotentAnswer)>,
    /// At most one in a batch.
    pub(super) forget: Option<(Timestamp, usize)>,
    pub(super) events: Vec<&'a Event>,
    pub(super) counters: Deltas,
    failing: BTreeMap<NotificationSettingId, Failing>,
}

/// What is due in a queue, taken until a moment.
pub(super) struct Lease {
    pub(super) setting: NotificationSettingId,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
    pub(super) limit: usize,
}

/// Where an attempt leaves its notification.
pub(super) struct Recorded<'a> {
    /// Where the row is.
    pub(super) at: String,
    pub(super) record: &'a AttemptRecord,
    pub(super) last: &'a DeliveryAttempt,
    pub(super) after: NotificationStatus,
}

/// Another delivery of a notification.
pub(super) struct Replay {
    /// Where the original's row is.
    pub(super) at: String,
    pub(super) id: NotificationId,
    pub(super) time: Timestamp,
}

impl<'a> Writes<'a> {
    /// Adds a change that was judged so.
    pub(super) fn add(&mut self, change: &'a Change, verdict: &Verdict) {
        match (&change.write, verdict) {
            (_, Verdict::Stale | Verdict::Answered(_)) => return,
            (Write::CreateWorkspace(workspace), _) => self.workspaces.push(workspace),
            (Write::CreateClientToken(token), _) => self.new_client_tokens.push(token),
            (Write::UpdateClientToken { to, .. }, _) => self.client_tokens.push(to),
            (Write::ReplaceClientToken { to, successor, .. }, _) => {
                self.client_tokens.push(to);
                self.new_client_tokens.push(successor);
            }
            (Write::CreateApiKey(key), _) => self.new_api_keys.push(key),
            (Write::UpdateApiKey { to, .. }, _) => self.api_keys.push(to),
            (Write::TouchApiKey { id, used_at }, _) => self.touches.push((*id, *used_at)),
            (Write::CreateNotificationSetting { setting, .. }, _) => self.new_settings.push(setting),
            (Write::UpdateNotificationSetting { to, .. }, _) => self.settings.push(to),
            (Write::DeleteNotificationSetting { id, .. }, _) => self.deleted_settings.push(*id),
            (
                &Write::LeaseNotifications {
                    setting,
                    now,
                    until,
                    limit,
                },
                _,
            ) => {
                self.leases.push(Lease {
                    setting,
                    now,
                    until,
                    limit,
                });
                return; // nothing else comes with it
            }
            (Write::RecordAttempt(record), Verdict::Records(at, before)) => self.record(record, at, *before),
            (
                &Write::ReplayNotification {
                    workspace,
                    id,
                    at: time,
                    ..
                },
                Verdict::Replays(at, setting),
            ) => {
                self.counters.notification_made(workspace, *setting);
                let at = at.clone();
                self.replays.push(Replay { at, id, time });
            }
            // Nothing to write to, or written already.
            (
                Write::RecordAttempt(_)
                | Write::ReplayNotification { .. }
                | Write::CreateSimulation(_)
                | Write::UpdateSimulation { .. }
                | Write::RunSimulation { .. }
                | Write::ReplaySimulationEvent(_)
                | Write::ClaimSimulationEvent { .. }
                | Write::RecordSimulationEvent(_)
                | Write::PruneSimulationRuns { .. }
                | Write::People(_)
                | Write::RecordUsage(_)
                | Write::PruneUsage { .. },
                _,
            ) => {}
            (Write::Prune { before, limit }, _) => self.prune = Some((*before, *limit)),
            (Write::ForgetIdempotentAnswers { now, limit }, _) => self.forget = Some((*now, *limit)),
        }
        self.answers
            .extend(change.idempotency.iter().map(|(key, answer)| (key, answer)));
        self.events.extend(&change.events);
        self.counters.add(change);
    }

    fn record(&mut self, record: &'a AttemptRecord, at: &str, before: NotificationStatus) {
        let Some(last) = record.attempts.last() else { return };
        // Two nodes may have tried at once when a lease ran out: whoever delivered it has the last word.
        let after = if before == NotificationStatus::Delivered {
            before
        } else {
            record.status
        };
        let at = at.to_owned();
        self.recorded.push(Recorded {
            at,
            record,
            last,
            after,
        });
        self.attempts.extend(&record.attempts);
        self.counters
            .notification_moved(record.workspace, record.setting, (before, after));
        self.counters.attempted(record);
        self.failing.entry(record.setting).or_default().add(record);
    }

    /// What is to be noted of the settings that were attempted.
    pub(super) fn failing(&self) -> Vec<(NotificationSettingId, Failing)> {
        self.failing.iter().map(|(id, failing)| (*id, *failing)).collect()
    }

    /// Whether there are new client tokens, events, or counters that move.
    pub(super) fn appends(&self) -> bool {
        !self.new_client_tokens.is_empty() || !self.events.is_empty() || self.moves_counters()
    }

    pub(super) fn moves_counters(&self) -> bool {
        self.counters.iter().next().is_some()
    }
}
