//! Which changes may share a transaction.
//!
//! Each change of a batch is judged by what was there before the batch. So of two that touch the same row, the second
//! waits for the next batch; new rows needn't be told apart, as nobody can touch them yet.

use std::collections::HashSet;

use tollgate_domain::api_key::ApiKey;
use tollgate_domain::id::{ApiKeyId, ClientTokenId, NotificationId, NotificationSettingId, WorkspaceId};
use tollgate_storage::{Change, IdempotencyKey, Write};

/// What a batch touches already.
#[derive(Default)]
pub(super) struct Touched {
    changes: usize,
    rows: HashSet<Row>,
    /// Workspaces whose settings change.
    settings: HashSet<WorkspaceId>,
    /// By pruning, which touches whatever it finds.
    everything: bool,
}

#[derive(PartialEq, Eq, Hash)]
enum Row {
    ClientToken(WorkspaceId, ClientTokenId),
    ApiKey(ApiKeyId),
    Notification(WorkspaceId, NotificationId),
    /// A setting's notifications that are due.
    Queue(NotificationSettingId),
    Answer(IdempotencyKey),
    Forgotten,
}

impl Touched {
    /// Takes what `change` touches; `false` when some of it was taken before. What is refused is taken as well, so that
    /// what came behind it stays behind it.
    pub(super) fn take(&mut self, change: &Change) -> bool {
        let mut free = !self.everything;
        if let Write::Prune { .. } = change.write {
            free &= self.changes == 0;
            self.everything = true;
        }
        self.changes += 1;
        let answer = change.idempotency.as_ref().map(|(key, _)| Row::Answer(key.clone()));
        for row in row(&change.write).into_iter().chain(answer) {
            free &= self.rows.insert(row);
        }
        // Events go to the settings that were there before the batch: right for those that come before a change of them.
        let mut events = change.events.iter().filter(|event| event.event_type.is_public());
        free &= self.settings.is_empty() || events.all(|event| !self.settings.contains(&event.workspace));
        if let Some(workspace) = settings_of(&change.write) {
            free &= self.settings.insert(workspace);
        }
        free
    }
}

/// The row that exists before this write, or the rows that it chooses from.
fn row(write: &Write) -> Option<Row> {
    match write {
        Write::UpdateClientToken { from, .. } | Write::ReplaceClientToken { from, .. } => Some(Row::ClientToken(from.workspace, from.id)),
        Write::UpdateApiKey {
            from: ApiKey { id, .. },
            ..
        }
        | Write::TouchApiKey { id, .. } => Some(Row::ApiKey(*id)),
        Write::RecordAttempt(record) => {
            let last = record.attempts.last()?;
            Some(Row::Notification(record.workspace, last.notification))
        }
        Write::ReplayNotification {
            workspace, original, ..
        } => Some(Row::Notification(*workspace, *original)),
        Write::LeaseNotifications { setting, .. } => Some(Row::Queue(*setting)),
        Write::ForgetIdempotentAnswers { .. } => Some(Row::Forgotten),
        Write::CreateWorkspace(_)
        | Write::CreateClientToken(_)
        | Write::CreateApiKey(_)
        | Write::CreateNotificationSetting { .. }
        | Write::UpdateNotificationSetting { .. }
        | Write::DeleteNotificationSetting { .. }
        | Write::Prune { .. }
        // These are written one after the other.
        | Write::CreateSimulation(_)
        | Write::UpdateSimulation { .. }
        | Write::RunSimulation { .. }
        | Write::ReplaySimulationEvent(_)
        | Write::ClaimSimulationEvent { .. }
        | Write::RecordSimulationEvent(_)
        | Write::PruneSimulationRuns { .. }
        | Write::People(_)
        | Write::RecordUsage(_)
        | Write::PruneUsage { .. } => None,
    }
}

/// The workspace whose settings change: what a use-case saw of them is all of them.
fn settings_of(write: &Write) -> Option<WorkspaceId> {
    match write {
        Write::CreateNotificationSetting { setting, .. } => Some(setting.workspace),
        Write::UpdateNotificationSetting { to, .. } => Some(to.workspace),
        Write::DeleteNotificationSetting { workspace, .. } => Some(*workspace),
        _ => None,
    }
}
