//! How a change moves the counters that spare counting rows, the same in both stores.

use std::collections::BTreeMap;

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::usage::Hour;
use tollgate_storage::{AttemptRecord, Change, DeliveryCount, DeliveryTotal, TOTAL_CAP, Write};

/// The counter of a workspace's client tokens with this status.
pub(crate) fn client_tokens(status: ClientTokenStatus) -> String {
    format!("client_tokens.{}", status.name())
}

/// The counter of a workspace's API keys.
pub(crate) const API_KEYS: &str = "api_keys";

/// The counter of a workspace's events of this type.
pub(crate) fn events(event_type: EventType) -> String {
    format!("events.{}", event_type.name())
}

/// The counter of a setting's notifications with this status.
pub(crate) fn notifications(setting: NotificationSettingId, status: NotificationStatus) -> String {
    format!("notifications.{setting}.{}", status.name())
}

/// What the counters of attempts to deliver begin with.
pub(crate) const DELIVERIES: &str = "deliveries.";
/// Behind all of them: the dot's successor.
pub(crate) const DELIVERIES_END: &str = "deliveries/";

/// What the counters of attempts in this hour begin with, and those of later hours sort behind.
pub(crate) fn deliveries_from(hour: Hour) -> String {
    format!("{DELIVERIES}{:010}.", hour.0)
}

fn deliveries(setting: NotificationSettingId, hour: Hour, delivered: bool) -> String {
    let how = if delivered { "delivered" } else { "failed" };
    format!("{}{setting}.{how}", deliveries_from(hour))
}

/// What the name of a counter of attempts says: the hour, the setting, and whether they delivered.
fn read_deliveries(name: &str) -> Option<(Hour, &str, bool)> {
    let mut parts = name.split('.').skip(1);
    let (hour, setting, how) = (parts.next()?, parts.next()?, parts.next()?);
    Some((Hour(hour.parse().ok()?), setting, how == "delivered"))
}

/// What counters of attempts tell, of one setting or of all; they come in the order of their names, so of the hours.
pub(crate) fn delivery_counts<'a>(
    counters: impl Iterator<Item = (&'a str, i64)>,
    wanted: Option<NotificationSettingId>,
) -> Vec<DeliveryCount> {
    let wanted = wanted.map(|setting| setting.to_string());
    let mut counts: Vec<DeliveryCount> = Vec::new();
    for (name, value) in counters {
        let Some((hour, setting, delivered)) = read_deliveries(name) else {
            continue;
        };
        if wanted.as_deref().is_some_and(|wanted| wanted != setting) {
            continue;
        }
        if counts.last().is_none_or(|last| last.hour != hour) {
            counts.push(DeliveryCount {
                hour,
                delivered: 0,
                failed: 0,
            });
        }
        let Some(count) = counts.last_mut() else { continue };
        let value = u64::try_from(value).unwrap_or(0);
        if delivered {
            count.delivered += value;
        } else {
            count.failed += value;
        }
    }
    counts
}

/// What the same counters tell of each setting.
pub(crate) fn delivery_totals<'a>(counters: impl Iterator<Item = (&'a str, i64)>) -> Vec<DeliveryTotal> {
    let mut totals: BTreeMap<NotificationSettingId, DeliveryTotal> = BTreeMap::new();
    for (name, value) in counters {
        let read = read_deliveries(name);
        let read = read.and_then(|(_, setting, how)| Some((NotificationSettingId::parse(setting).ok()?, how)));
        let Some((setting, delivered)) = read else { continue };
        let total = totals.entry(setting).or_insert(DeliveryTotal {
            setting,
            delivered: 0,
            failed: 0,
        });
        let value = u64::try_from(value).unwrap_or(0);
        if delivered {
            total.delivered += value;
        } else {
            total.failed += value;
        }
    }
    totals.into_values().collect()
}

/// A sum of counters as a page's total.
pub(crate) fn total(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or(0).min(TOTAL_CAP + 1)
}

/// By how much the counters of one commit move, in the order of their keys, so that two nodes lock them alike.
#[derive(Debug, Default)]
pub(crate) struct Deltas(BTreeMap<(WorkspaceId, String), i64>);

impl Deltas {
    /// Adds what an applied change moves.
    pub(crate) fn add(&mut self, change: &Change) {
        match &change.write {
            Write::CreateClientToken(token) => self.move_by(token.workspace, client_tokens(token.status), 1),
            Write::UpdateClientToken { from, to } => self.client_token_changed(from, to),
            Write::ReplaceClientToken { from, to, successor } => {
                self.client_token_changed(from, to);
                self.move_by(successor.workspace, client_tokens(successor.status), 1);
            }
            Write::CreateApiKey(key) => self.move_by(key.workspace, API_KEYS.to_owned(), 1),
            // A notification's counters move where its row is found; settings and simulations are counted as they are,
            // they are few.
            Write::CreateWorkspace(_)
            | Write::CreateNotificationSetting { .. }
            | Write::UpdateNotificationSetting { .. }
            | Write::DeleteNotificationSetting { .. }
            | Write::LeaseNotifications { .. }
            | Write::RecordAttempt(_)
            | Write::ReplayNotification { .. }
            | Write::Prune { .. }
            | Write::CreateSimulation(_)
            | Write::UpdateSimulation { .. }
            | Write::RunSimulation { .. }
            | Write::ReplaySimulationEvent(_)
            | Write::ClaimSimulationEvent { .. }
            | Write::RecordSimulationEvent(_)
            | Write::PruneSimulationRuns { .. }
            | Write::RecordUsage(_)
            | Write::PruneUsage { .. }
            | Write::UpdateApiKey { .. }
            | Write::TouchApiKey { .. }
            | Write::People(_)
            | Write::ForgetIdempotentAnswers { .. } => {}
        }
        for event in &change.events {
            self.move_by(event.workspace, events(event.event_type), 1);
        }
    }

    fn client_token_changed(&mut self, from: &ClientToken, to: &ClientToken) {
        if from.status != to.status {
            self.move_by(from.workspace, client_tokens(from.status), -1);
            self.move_by(to.workspace, client_tokens(to.status), 1);
        }
    }

    /// A new notification, not attempted yet.
    pub(crate) fn notification_made(&mut self, workspace: WorkspaceId, setting: NotificationSettingId) {
        self.move_by(workspace, notifications(setting, NotificationStatus::NotAttempted), 1);
    }

    /// A notification changed its status.
    pub(crate) fn notification_moved(
        &mut self,
        workspace: WorkspaceId,
        setting: NotificationSettingId,
        (before, after): (NotificationStatus, NotificationStatus),
    ) {
        if before != after {
            self.move_by(workspace, notifications(setting, before), -1);
            self.move_by(workspace, notifications(setting, after), 1);
        }
    }

    /// An attempt to deliver was recorded.
    pub(crate) fn attempted(&mut self, record: &AttemptRecord) {
        let delivered = record.status == NotificationStatus::Delivered;
        let name = deliveries(record.setting, Hour::of(record.at), delivered);
        self.move_by(record.workspace, name, 1);
    }

    /// A notification is gone.
    pub(crate) fn notification_removed(
        &mut self,
        workspace: WorkspaceId,
        setting: NotificationSettingId,
        status: NotificationStatus,
    ) {
        self.move_by(workspace, notifications(setting, status), -1);
    }

    /// An event is gone.
    pub(crate) fn event_removed(&mut self, workspace: WorkspaceId, event_type: EventType) {
        self.move_by(workspace, events(event_type), -1);
    }

    fn move_by(&mut self, workspace: WorkspaceId, name: String, by: i64) {
        *self.0.entry((workspace, name)).or_default() += by;
    }

    /// What moved, by how much.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (WorkspaceId, &str, i64)> {
        self.0
            .iter()
            .map(|((workspace, name), by)| (*workspace, name.as_str(), *by))
    }
}
