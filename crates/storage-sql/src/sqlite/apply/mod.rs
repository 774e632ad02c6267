//! One change after another, within the writer's transaction. One file per concept: how its rows are written.
//!
//! The precondition of a change is its first statement: a change that doesn't apply has written nothing.

mod api_keys;
mod client_tokens;
mod events;
mod idempotency;
mod notification_settings;
mod notifications;
mod passkeys;
mod people;
mod prune;
mod simulations;
mod usage;

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Transaction, params};
use tollgate_domain::event::Event;
use tollgate_domain::id::{NotificationSettingId, WorkspaceId};
use tollgate_storage::{Change, Outcome, Write};

use super::reads;
use crate::counters::Deltas;
use crate::failing::Failing;
use notification_settings::Subscription;

/// What becomes one commit.
pub(super) struct Batch<'a> {
    transaction: &'a Transaction<'a>,
    /// The last place given out in the sequence.
    place: u64,
    place_before: u64,
    deltas: Deltas,
    /// What each workspace's settings want, as read in this transaction.
    subscriptions: HashMap<WorkspaceId, Vec<Subscription>>,
    /// What is still to be noted of settings that were attempted.
    failing: BTreeMap<NotificationSettingId, Failing>,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(transaction: &'a Transaction<'a>) -> rusqlite::Result<Self> {
        let place = reads::head(transaction)?;
        Ok(Self {
            transaction,
            place,
            place_before: place,
            deltas: Deltas::default(),
            subscriptions: HashMap::new(),
            failing: BTreeMap::new(),
        })
    }

    /// Writes one change.
    pub(super) fn apply(&mut self, change: &Change) -> rusqlite::Result<Outcome> {
        if let Some((key, _)) = &change.idempotency
            && let Some(answer) = idempotency::live_answer(self.transaction, key, change)?
        {
            return Ok(Outcome::AlreadyAnswered(answer));
        }
        if let Write::LeaseNotifications {
            setting,
            now,
            until,
            limit,
        } = change.write
        {
            return Ok(Outcome::Leased(notifications::lease(
                self.transaction,
                setting,
                (now, until),
                limit,
            )?));
        }
        let notified = self.notify(&change.events)?;
        if !self.write(&change.write)? {
            return Ok(Outcome::Stale);
        }
        if let Some((key, answer)) = &change.idempotency {
            idempotency::keep(self.transaction, key, answer)?;
        }
        for (event, settings) in change.events.iter().zip(notified) {
            self.place += 1;
            events::insert(self.transaction, event, self.place)?;
            for setting in settings {
                notifications::insert(self.transaction, event, setting, self.place)?;
                self.deltas.notification_made(event.workspace, setting);
            }
        }
        self.deltas.add(change);
        Ok(Outcome::Applied { sequence: self.place })
    }

    /// Ends the batch; gives the last place of the sequence.
    pub(super) fn end(mut self) -> rusqlite::Result<u64> {
        self.note_failing()?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO counters (workspace_id, name, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (workspace_id, name) DO UPDATE SET value = value + excluded.value",
        )?;
        for (workspace, name, by) in self.deltas.iter() {
            statement.execute(params![workspace.to_string(), name, by])?;
        }
        if self.place != self.place_before {
            let place = i64::try_from(self.place).expect("fewer than 2^63 events");
            self.transaction
                .prepare_cached("UPDATE sequence_head SET sequence = ?1")?
                .execute([place])?;
        }
        Ok(self.place)
    }

    /// Before a setting changes, too: what comes behind it is judged by what it made of the setting.
    fn note_failing(&mut self) -> rusqlite::Result<()> {
        for (setting, failing) in std::mem::take(&mut self.failing) {
            notification_settings::note_failing(self.transaction, setting, failing)?;
        }
        Ok(())
    }

    /// Writes what isn't an event; `false` when its precondition doesn't hold, and then nothing was written.
    fn write(&mut self, write: &Write) -> rusqlite::Result<bool> {
        let transaction = self.transaction;
        match write {
            Write::CreateWorkspace(workspace) => {
                transaction.execute(
                    "INSERT INTO workspaces (id, name, environment, created_at) VALUES (?1, ?2, ?3, ?4)",
                    params![
                        workspace.id.to_string(),
                        workspace.name,
                        workspace.environment.name(),
                        workspace.created_at.as_micros()
                    ],
                )?;
                Ok(true)
            }
            Write::CreateClientToken(token) => client_tokens::insert(transaction, token).map(|()| true),
            Write::UpdateClientToken { from, to } => client_tokens::update(transaction, from, to),
            Write::ReplaceClientToken { from, to, successor } => {
                client_tokens::replace(transaction, (from, to), successor)
            }
            Write::RecordUsage(deltas) => usage::record(transaction, deltas).map(|()| true),
            Write::PruneUsage { before, limit } => usage::prune(transaction, *before, *limit).map(|()| true),
            Write::CreateApiKey(key) => api_keys::insert(transaction, key).map(|()| true),
            Write::UpdateApiKey { from, to } => api_keys::update(transaction, from, to),
            Write::TouchApiKey { id, used_at } => api_keys::touch(transaction, *id, *used_at).map(|()| true),
            Write::CreateNotificationSetting { setting, seen } => {
                self.subscriptions.remove(&setting.workspace);
                notification_settings::insert(transaction, setting, seen)
            }
            Write::UpdateNotificationSetting { to, seen } => {
                self.note_failing()?;
                self.subscriptions.remove(&to.workspace);
                notification_settings::update(transaction, to, seen)
            }
            Write::DeleteNotificationSetting { workspace, id } => {
                self.subscriptions.remove(workspace);
                notification_settings::delete(transaction, *workspace, *id)
            }
            Write::LeaseNotifications { .. } => unreachable!("a lease is answered before"),
            Write::RecordAttempt(record) => {
                if notifications::record(transaction, record, &mut self.deltas)? {
                    self.failing.entry(record.setting).or_default().add(record);
                }
                Ok(true)
            }
            Write::ReplayNotification {
                workspace,
                original,
                id,
                at,
            } => notifications::replay(transaction, *workspace, (*original, *id), *at, &mut self.deltas),
            Write::Prune { before, limit } => {
                prune::prune(transaction, *before, *limit, &mut self.deltas).map(|()| true)
            }
            Write::CreateSimulation(simulation) => simulations::insert(transaction, simulation).map(|()| true),
            Write::UpdateSimulation { from, to } => simulations::update(transaction, from, to),
            Write::RunSimulation { run, event } => simulations::run(transaction, run, event),
            Write::ReplaySimulationEvent(event) => simulations::replay(transaction, event),
            Write::ClaimSimulationEvent { event, at } => simulations::claim(transaction, event, *at),
            Write::RecordSimulationEvent(record) => simulations::record(transaction, record),
            Write::PruneSimulationRuns { before, limit } => {
                simulations::prune(transaction, *before, *limit).map(|()| true)
            }
            Write::People(write) => people::write(transaction, write),
            Write::ForgetIdempotentAnswers { now, limit } => {
                idempotency::forget(transaction, *now, *limit).map(|()| true)
            }
        }
    }

    /// For each event the settings that want it, as they stand before the change.
    fn notify(&mut self, events: &[Event]) -> rusqlite::Result<Vec<Vec<NotificationSettingId>>> {
        let mut notified = Vec::with_capacity(events.len());
        for event in events {
            if !event.event_type.is_public() {
                notified.push(Vec::new());
                continue;
            }
            if !self.subscriptions.contains_key(&event.workspace) {
                let read = notification_settings::subscriptions(self.transaction, event.workspace)?;
                self.subscriptions.insert(event.workspace, read);
            }
            let wanting = self.subscriptions[&event.workspace].iter();
            notified.push(
                wanting
                    .filter(|subscription| subscription.wants(event.event_type))
                    .map(|found| found.setting)
                    .collect(),
            );
        }
        Ok(notified)
    }
}
