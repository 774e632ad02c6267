//! What a batch does to notification settings, notifications and their attempts.

use tokio_postgres::Error;
use tollgate_domain::id;
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::Hour;

use super::batch::{Session, bigint};
use super::columns::{self, Columns};
use super::plan::{Leased, Writes};
use super::rows;
use crate::counters::{self, Deltas};

impl Session {
    /// Attempts and replays; their notifications are locked.
    pub(super) async fn record(&self, writes: &Writes<'_>) -> Result<(), Error> {
        let statements = &self.statements;
        tokio::try_join!(
            biased;
            self.rows(&statements.record_attempts, writes.recorded.len(), columns::recorded(&writes.recorded)),
            self.rows(&statements.log_attempts, writes.attempts.len(), columns::attempts(&writes.attempts)),
            self.rows(&statements.replay, writes.replays.len(), columns::replays(&writes.replays)),
        )?;
        Ok(())
    }

    /// What is due, for each lease.
    pub(super) async fn lease(&self, writes: &Writes<'_>) -> Result<Leased, Error> {
        let mut leased: Leased = writes.leases.iter().map(|_| Ok(Vec::new())).collect();
        let parameters = columns::leases(&writes.leases);
        for row in self
            .rows(&self.statements.lease, writes.leases.len(), parameters)
            .await?
        {
            let number: i64 = row.try_get("place")?; // from 1 on
            let Some(lease) = usize::try_from(number - 1).ok().and_then(|index| leased.get_mut(index)) else {
                continue;
            };
            match (rows::notification(&row), &mut *lease) {
                (Ok(notification), Ok(notifications)) => notifications.push(notification),
                (Err(error), Ok(_)) => *lease = Err(error),
                (_, Err(_)) => {}
            }
        }
        Ok(leased)
    }

    /// Settings that are new, changed, gone, or that were attempted.
    pub(super) async fn change_settings(&self, writes: &Writes<'_>) -> Result<(), Error> {
        let statements = &self.statements;
        let failing = writes.failing();
        tokio::try_join!(
            biased;
            self.rows(&statements.lock_failing, failing.len(), columns::failing(&failing)),
            self.rows(&statements.note_failing, failing.len(), columns::failing(&failing)),
            self.rows(&statements.create_settings, writes.new_settings.len(), columns::settings(&writes.new_settings)),
            self.rows(&statements.update_settings, writes.settings.len(), columns::settings(&writes.settings)),
            self.rows(
                &statements.delete_settings,
                writes.deleted_settings.len(),
                columns::setting_ids(&writes.deleted_settings)
            ),
            self.rows(&statements.prune_settings, usize::from(writes.prune.is_some()), Vec::new()),
        )?;
        Ok(())
    }

    /// Removes what is too old, and notifications of settings that are gone; the settings themselves come last, with
    /// [`change_settings`](Self::change_settings).
    pub(super) async fn prune(&self, before: Timestamp, limit: usize, counters: &mut Deltas) -> Result<(), Error> {
        let statements = &self.statements;
        let mut doomed = self
            .rows(&statements.prune_deleted, limit, vec![Box::new(bigint(limit))])
            .await?;
        let room = limit.saturating_sub(doomed.len());
        let oldest_kept = format!("ntf_{}", id::time_prefix(before));
        let old: Columns = vec![Box::new(oldest_kept), Box::new(bigint(room))];
        doomed.extend(self.rows(&statements.prune_old, room, old).await?);
        for row in &doomed {
            if let (Ok(workspace), Ok(setting), Ok(status)) = (
                rows::workspace_of(row),
                rows::notification_setting_of(row),
                rows::notification_status(row),
            ) {
                counters.notification_removed(workspace, setting, status);
            }
        }
        let ids = doomed
            .iter()
            .map(|row| row.try_get("id"))
            .collect::<Result<Vec<String>, _>>()?;
        self.rows(&statements.prune_attempts, ids.len(), vec![Box::new(ids)])
            .await?;
        let counts: Columns = vec![
            Box::new(counters::deliveries_from(Hour::of(before))),
            Box::new(bigint(limit)),
        ];
        self.rows(&statements.prune_delivery_counts, limit, counts).await?;
        let events: Columns = vec![Box::new(before.as_micros()), Box::new(bigint(limit))];
        for row in self.rows(&statements.prune_events, limit, events).await? {
            if let (Ok(workspace), Ok(event_type)) = (rows::workspace_of(&row), rows::event_type(&row)) {
                counters.event_removed(workspace, event_type);
            }
        }
        Ok(())
    }
}
