//! The model's notification settings, notifications and delivery attempts.

use std::collections::{BTreeMap, HashSet};

use tollgate_domain::event::Event;
use tollgate_domain::id::{NotificationId, NotificationLogId, NotificationSettingId, WorkspaceId, time_prefix};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationOrigin, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::Hour;

use super::super::outbox::{self, lets_through};
use super::{insert, taken};
use crate::{AttemptRecord, DeliveryCount, DeliveryTotal, NotificationPage, SettingsSeen, Slice, StorageError};

/// All that is stored of them.
#[derive(Clone, Default)]
pub(super) struct Webhooks {
    settings: BTreeMap<NotificationSettingId, Setting>,
    notifications: BTreeMap<(WorkspaceId, NotificationId), Queued>,
    attempts: BTreeMap<(NotificationId, NotificationLogId), DeliveryAttempt>,
    /// Delivered and failed ones.
    counts: BTreeMap<(Hour, WorkspaceId, NotificationSettingId), [u64; 2]>,
}

#[derive(Clone)]
struct Setting {
    row: NotificationSetting,
    gone: bool,
}

#[derive(Clone)]
struct Queued {
    row: Notification,
    /// When somebody may take it; `None` when no attempt follows.
    due_at: Option<Timestamp>,
}

impl Webhooks {
    /// A workspace's settings, oldest first.
    pub(super) fn settings(&self, workspace: WorkspaceId) -> impl Iterator<Item = &NotificationSetting> {
        let shown = self.settings.values().filter(|setting| !setting.gone);
        shown
            .map(|setting| &setting.row)
            .filter(move |row| row.workspace == workspace)
    }

    pub(super) fn setting(&self, workspace: WorkspaceId, id: NotificationSettingId) -> Option<&NotificationSetting> {
        self.settings(workspace).find(|row| row.id == id)
    }

    fn still(&self, workspace: WorkspaceId, seen: &SettingsSeen) -> bool {
        let all: Vec<NotificationSetting> = self.settings(workspace).cloned().collect();
        SettingsSeen::of(&all) == *seen
    }

    /// `false` when the settings are others by now.
    pub(super) fn create(&mut self, row: NotificationSetting, seen: &SettingsSeen) -> Result<bool, StorageError> {
        if !self.still(row.workspace, seen) {
            return Ok(false);
        }
        if self.settings.contains_key(&row.id) {
            return Err(taken());
        }
        let row = NotificationSetting {
            failing_since: None,
            ..row
        };
        self.settings.insert(row.id, Setting { row, gone: false });
        Ok(true)
    }

    /// `false` when the settings are others by now.
    pub(super) fn update(&mut self, to: NotificationSetting, seen: &SettingsSeen) -> bool {
        let before = self.setting(to.workspace, to.id).cloned();
        let Some(before) = before.filter(|_| self.still(to.workspace, seen)) else {
            return false;
        };
        let revived = to.active && !before.active;
        let row = NotificationSetting {
            destination_type: before.destination_type,
            created_at: before.created_at,
            failing_since: before.failing_since.filter(|_| !revived),
            ..to
        };
        self.settings.insert(row.id, Setting { row, gone: false });
        true
    }

    /// `false` when it is gone already.
    pub(super) fn delete(&mut self, workspace: WorkspaceId, id: NotificationSettingId) -> bool {
        match self.settings.get_mut(&id) {
            Some(setting) if setting.row.workspace == workspace && !setting.gone => {
                setting.gone = true;
                true
            }
            _ => false,
        }
    }

    /// The settings that want this event.
    pub(super) fn wanting(&self, event: &Event) -> Vec<NotificationSettingId> {
        let wanting = self.settings(event.workspace).filter(|row| row.wants(event.event_type));
        let wanting = wanting.filter(|_| event.event_type.is_public());
        wanting.map(|row| row.id).collect()
    }

    pub(super) fn notify(&mut self, event: &Event, setting: NotificationSettingId) -> Result<(), StorageError> {
        let row = outbox::fresh(event, &self.settings[&setting].row);
        let due_at = Some(event.occurred_at);
        insert(&mut self.notifications, (row.workspace, row.id), Queued { row, due_at })
    }

    fn is_shown(&self, row: &Notification) -> bool {
        self.setting(row.workspace, row.setting).is_some()
    }

    /// A workspace's notifications, oldest first.
    pub(super) fn notifications(&self, workspace: WorkspaceId) -> impl Iterator<Item = &Notification> {
        let rows = self.notifications.values().map(|queued| &queued.row);
        rows.filter(move |row| row.workspace == workspace && self.is_shown(row))
    }

    /// Whether anything of an active setting's is due.
    pub(super) fn is_due(&self, setting: &NotificationSetting, now: Timestamp) -> bool {
        let mut queue = self.notifications.values();
        setting.active && queue.any(|queued| queued.row.setting == setting.id && is_due(queued, now))
    }

    /// All active settings, in any workspace, with something due.
    pub(super) fn due(&self, now: Timestamp) -> Vec<NotificationSetting> {
        let shown = self.settings.values().filter(|setting| !setting.gone);
        let due = shown.filter(|setting| self.is_due(&setting.row, now));
        due.map(|setting| setting.row.clone()).collect()
    }

    pub(super) fn lease(
        &mut self,
        setting: NotificationSettingId,
        (now, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Vec<Notification> {
        let active = self.settings.get(&setting);
        if !active.is_some_and(|setting| setting.row.active && !setting.gone) {
            return Vec::new();
        }
        let queue = self.notifications.values_mut();
        let mut due: Vec<&mut Queued> = queue
            .filter(|queued| queued.row.setting == setting && is_due(queued, now))
            .collect();
        due.sort_by_key(|queued| queued.due_at);
        due.into_iter()
            .take(limit)
            .map(|queued| {
                queued.due_at = Some(until);
                queued.row.clone()
            })
            .collect()
    }

    pub(super) fn record(&mut self, record: AttemptRecord) {
        let Some(last) = record.attempts.last() else { return };
        let shown = self.setting(record.workspace, record.setting).is_some();
        let key = (record.workspace, last.notification);
        let Some(queued) = self.notifications.get_mut(&key).filter(|_| shown) else {
            return;
        };
        let row = &mut queued.row;
        let delivered = record.status == NotificationStatus::Delivered;
        if row.status != NotificationStatus::Delivered {
            row.status = record.status;
        }
        row.times_attempted += 1;
        row.last_attempt_at = row.last_attempt_at.max(Some(last.attempted_at));
        row.delivered_at = row.delivered_at.or_else(|| delivered.then_some(record.at));
        row.retry_at = record.retry_at.filter(|_| !row.status.is_final());
        queued.due_at = row.retry_at;
        let setting = self.settings.get_mut(&record.setting).expect("shown");
        let failing_since = setting.row.failing_since.or(Some(record.at));
        setting.row.failing_since = failing_since.filter(|_| !delivered);
        let hour = (Hour::of(record.at), record.workspace, record.setting);
        self.counts.entry(hour).or_default()[usize::from(!delivered)] += 1;
        for attempt in record.attempts {
            self.attempts.insert((attempt.notification, attempt.id), attempt);
        }
    }

    /// `Ok(false)` when the original is gone.
    pub(super) fn replay(
        &mut self,
        workspace: WorkspaceId,
        (original, id): (NotificationId, NotificationId),
        at: Timestamp,
    ) -> Result<bool, StorageError> {
        let Some(row) = self.notifications(workspace).find(|row| row.id == original) else {
            return Ok(false);
        };
        let (event, setting) = (row.event.clone(), row.setting);
        let replay = Notification {
            id,
            origin: NotificationOrigin::Replay,
            ..outbox::fresh(&event, self.setting(workspace, setting).expect("shown"))
        };
        let queued = self.notifications.get_mut(&(workspace, original)).expect("found");
        queued.row.replayed_at = Some(at);
        let due_at = Some(at);
        insert(&mut self.notifications, (workspace, id), Queued { row: replay, due_at })?;
        Ok(true)
    }

    pub(super) fn attempts(&self, notification: NotificationId) -> impl Iterator<Item = &DeliveryAttempt> {
        let attempts = self.attempts.values();
        attempts.filter(move |attempt| attempt.notification == notification)
    }

    /// Removes notifications, attempts and settings; events are the caller's.
    pub(super) fn prune(&mut self, before: Timestamp, limit: usize) {
        self.counts.retain(|(hour, ..), _| *hour >= Hour::of(before));
        let before = time_prefix(before);
        let rows = self.notifications.values().map(|queued| &queued.row);
        let (gone, shown): (Vec<_>, Vec<_>) = rows.partition(|row| !self.is_shown(row));
        let old = shown.into_iter().filter(|row| row.id.tail()[..10] < *before);
        let doomed = gone.into_iter().chain(old).take(limit);
        let doomed: Vec<_> = doomed.map(|row| (row.workspace, row.id)).collect();
        for key in doomed {
            self.notifications.remove(&key);
            self.attempts.retain(|(notification, _), _| *notification != key.1);
        }
        let left: HashSet<_> = self.notifications.values().map(|queued| queued.row.setting).collect();
        self.settings.retain(|id, setting| !setting.gone || left.contains(id));
    }

    /// Whether a notification of this event is left, shown or not.
    pub(super) fn is_left_of(&self, event: &Event) -> bool {
        let mut rows = self.notifications.values().map(|queued| &queued.row.event);
        rows.any(|left| (left.workspace, left.id) == (event.workspace, event.id))
    }

    pub(super) fn delivery_counts(
        &self,
        workspace: WorkspaceId,
        setting: Option<NotificationSettingId>,
        since: Hour,
    ) -> Vec<DeliveryCount> {
        let mut hours: BTreeMap<Hour, [u64; 2]> = BTreeMap::new();
        for ((hour, whose, which), [delivered, failed]) in &self.counts {
            if *whose == workspace && *hour >= since && setting.is_none_or(|setting| setting == *which) {
                let sums = hours.entry(*hour).or_default();
                *sums = [sums[0] + delivered, sums[1] + failed];
            }
        }
        let told = hours.into_iter().map(|(hour, [delivered, failed])| DeliveryCount {
            hour,
            delivered,
            failed,
        });
        told.collect()
    }

    pub(super) fn delivery_totals(&self, workspace: WorkspaceId, since: Hour) -> Vec<DeliveryTotal> {
        let mut settings: BTreeMap<NotificationSettingId, [u64; 2]> = BTreeMap::new();
        for ((hour, whose, setting), [delivered, failed]) in &self.counts {
            if *whose == workspace && *hour >= since {
                let sums = settings.entry(*setting).or_default();
                *sums = [sums[0] + delivered, sums[1] + failed];
            }
        }
        let told = settings
            .into_iter()
            .map(|(setting, [delivered, failed])| DeliveryTotal {
                setting,
                delivered,
                failed,
            });
        told.collect()
    }

    /// A page, by plain filtering.
    pub(super) fn page(&self, workspace: WorkspaceId, asked: &NotificationPage) -> Slice<Notification> {
        let rows = self.notifications(workspace).filter(|row| lets_through(asked, row));
        let mut slice = super::slice(rows.map(|row| (row.id, row)).collect(), &asked.page);
        if asked.search.is_some() || asked.subject.is_some() || asked.from.is_some() || asked.to.is_some() {
            slice.total = None;
        }
        slice
    }
}

fn is_due(queued: &Queued, now: Timestamp) -> bool {
    queued.due_at.is_some_and(|due_at| due_at <= now)
}
