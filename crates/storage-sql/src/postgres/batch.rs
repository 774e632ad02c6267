//! One batch of changes as one transaction.
//!
//! New client tokens alone take one round trip, and so do leases alone. Anything else takes two: look at what the
//! changes expect; then write what those that hold have to write, and commit. No two changes of a batch touch the same
//! row ([`conflicts`](super::conflicts)), so each can be judged by what was there before.
//!
//! Whatever touches the sequence, or expects something of rows that others change, takes the head first and so comes
//! after all that other nodes have committed. Leasing and recording don't: they lock only their own notifications. Nor
//! does usage, which has a lock of its own.

use futures_util::TryStreamExt;
use tokio_postgres::{Client, Error, Row, Statement};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, Outcome, StorageError, Write};

use super::columns::{self, Columns};
use super::connect::Connector;
use super::failure::Failure;
use super::plan::{self, Found, Leased, Verdict, Wanted, Writes};
use super::simulations::is_simulation;
use super::statements::Statements;
use super::usage::is_usage;

/// The writer's connection.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) statements: Statements,
}

/// What became of a batch.
pub(super) struct Applied {
    /// In the order of the changes.
    pub(super) outcomes: Vec<Result<Outcome, StorageError>>,
    /// The last place of the sequence after the batch. `None` when it took no head: nobody is to be woken by that.
    pub(super) head: Option<u64>,
}

impl Session {
    pub(super) async fn open(connector: &Connector) -> Result<Self, Failure> {
        let (client, _driver) = connector.connect().await?;
        let statements = Statements::prepare(&client).await?;
        Ok(Self { client, statements })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Applies all changes whose expectations hold, in one transaction. After an error none is applied, unless the
    /// connection was lost: then nobody knows.
    pub(super) async fn apply(&self, changes: &[&Change]) -> Result<Applied, Failure> {
        let applied = if changes.iter().all(|change| plan::is_plain_creation(change)) {
            self.create(changes).await
        } else if changes.iter().all(|change| plan::is_plain_lease(change)) {
            self.only_lease(changes).await
        } else {
            self.look_and_write(changes).await
        };
        if applied.is_err() {
            // Does nothing where the commit was sent behind the statement that failed, which made it a rollback.
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        Ok(applied?)
    }

    /// The frequent case: nothing to look at. The head is a statement of its own, so that the one after it sees what was
    /// committed before.
    async fn create(&self, changes: &[&Change]) -> Result<Applied, Error> {
        let mut writes = Writes::default();
        for change in changes {
            writes.add(change, &Verdict::Applies);
        }
        let ((), _, head, ()) = tokio::try_join!(
            biased; // sent in this order, all at once; when one fails, the commit at the end is a rollback
            self.client.batch_execute("BEGIN"),
            self.client.query_one(&self.statements.lock_head, &[]),
            self.append(&writes),
            self.client.batch_execute("COMMIT"),
        )?;
        let before = head.saturating_sub(writes.events.len() as u64);
        let verdicts = changes.iter().map(|_| Ok(Verdict::Applies));
        Ok(Applied {
            outcomes: plan::outcomes(changes, verdicts, before, Vec::new()),
            head: Some(head),
        })
    }

    /// One statement, committed by itself.
    async fn only_lease(&self, changes: &[&Change]) -> Result<Applied, Error> {
        let mut writes = Writes::default();
        for change in changes {
            writes.add(change, &Verdict::Applies);
        }
        let leased = self.lease(&writes).await?;
        let verdicts = changes.iter().map(|_| Ok(Verdict::Applies));
        Ok(Applied {
            outcomes: plan::outcomes(changes, verdicts, 0, leased),
            head: None,
        })
    }

    async fn look_and_write(&self, changes: &[&Change]) -> Result<Applied, Error> {
        let takes_head = changes.iter().any(|change| plan::takes_head(change));
        let (before, mut found) = Box::pin(self.look(changes, takes_head)).await?;
        let mut verdicts: Vec<_> = changes.iter().map(|change| found.judge(change)).collect();
        for (change, verdict) in changes.iter().zip(&mut verdicts) {
            // One after the other, each judged by what those before it have left.
            if is_simulation(&change.write)
                && matches!(verdict, Ok(Verdict::Applies))
                && !Box::pin(self.simulate(&change.write)).await?
            {
                *verdict = Ok(Verdict::Stale);
            }
            if let Write::People(write) = &change.write
                && matches!(verdict, Ok(Verdict::Applies))
                && !Box::pin(self.write_people(write)).await?
            {
                *verdict = Ok(Verdict::Stale);
            }
            if is_usage(&change.write) && matches!(verdict, Ok(Verdict::Applies)) {
                Box::pin(self.use_tokens(&change.write)).await?;
            }
        }
        let mut writes = Writes::default();
        for (change, verdict) in changes.iter().zip(&verdicts) {
            if let Ok(verdict) = verdict {
                writes.add(change, verdict);
            }
        }
        if let Some((before, limit)) = writes.prune {
            self.prune(before, limit, &mut writes.counters).await?;
        }
        let leased = Box::pin(self.write(&writes, takes_head)).await?;
        Ok(Applied {
            outcomes: plan::outcomes(changes, verdicts, before, leased),
            head: takes_head.then_some(before + writes.events.len() as u64),
        })
    }

    /// Begins a transaction, takes the head or just looks at it, and looks at what the changes expect.
    async fn look(&self, changes: &[&Change], takes_head: bool) -> Result<(u64, Found), Error> {
        let wanted = Wanted::by(changes);
        let statements = &self.statements;
        let head = if takes_head {
            &statements.lock_head
        } else {
            &statements.head
        };
        let ((), head, tokens, keys, settings, answers, notifications) = tokio::try_join!(
            biased; // sent in this order, all at once
            self.client.batch_execute("BEGIN"),
            self.client.query_one(head, &[]),
            self.rows(
                &statements.client_token_versions,
                wanted.client_tokens.len(),
                columns::client_token_ids(&wanted.client_tokens)
            ),
            self.rows(&statements.api_key_versions, wanted.api_keys.len(), columns::api_key_ids(&wanted.api_keys)),
            self.rows(&statements.settings_seen, wanted.settings.len(), columns::wanted_settings(&wanted.settings)),
            self.rows(&statements.idempotent_answers, wanted.answers.len(), columns::idempotency_keys(&wanted.answers)),
            self.rows(
                &statements.lock_notifications,
                wanted.notifications.len(),
                columns::notification_ids(&wanted.notifications)
            ),
        )?;
        let found = Found {
            client_tokens: tokens.into_iter(),
            api_keys: keys.into_iter(),
            settings: settings.into_iter(),
            notifications: placed(notifications, wanted.notifications.len())?.into_iter(),
            answers: answers.into_iter(),
        };
        Ok((place(&head)?, found))
    }

    /// Writes everything and commits; answers what was leased.
    async fn write(&self, writes: &Writes<'_>, takes_head: bool) -> Result<Leased, Error> {
        let statements = &self.statements;
        let mut new_api_keys = columns::api_keys(&writes.new_api_keys);
        new_api_keys.extend(columns::last_uses(&writes.new_api_keys));
        let ((), _, _, _, _, _, _, (), leased, (), (), ()) = tokio::try_join!(
            biased; // sent in this order, all at once; when one fails, the commit at the end is a rollback
            self.forget(writes.forget),
            self.rows(&statements.create_workspaces, writes.workspaces.len(), columns::workspaces(&writes.workspaces)),
            self.rows(&statements.create_api_keys, writes.new_api_keys.len(), new_api_keys),
            self.rows(&statements.update_api_keys, writes.api_keys.len(), columns::api_keys(&writes.api_keys)),
            self.rows(&statements.touch_api_keys, writes.touches.len(), columns::touches(&writes.touches)),
            self.rows(
                &statements.update_client_tokens,
                writes.client_tokens.len(),
                columns::client_tokens(&writes.client_tokens)
            ),
            self.rows(
                &statements.remember_answers,
                writes.answers.len(),
                columns::idempotent_answers(&writes.answers)
            ),
            self.record(writes),
            // Behind what was recorded: that isn't due any more.
            self.lease(writes),
            async {
                if takes_head && writes.appends() {
                    self.append(writes).await?;
                } else if writes.moves_counters() {
                    self.rows(&statements.move_counters, 1, columns::counters(&writes.counters)).await?;
                }
                Ok(())
            },
            // Behind the events: these go to the settings that there were before.
            self.change_settings(writes),
            self.client.batch_execute("COMMIT"),
        )?;
        Ok(leased)
    }

    /// New client tokens, events with their notifications, and counters; answers the head after them.
    async fn append(&self, writes: &Writes<'_>) -> Result<u64, Error> {
        let mut parameters: Columns = vec![Box::new(bigint(writes.events.len()))];
        parameters.extend(columns::client_tokens(&writes.new_client_tokens));
        parameters.extend(columns::events(&writes.events));
        parameters.extend(columns::counters(&writes.counters));
        let rows = self.rows(&self.statements.append, 1, parameters).await?;
        rows.first().map_or(Ok(0), place) // there is a head, or the transaction would have ended before
    }

    async fn forget(&self, forget: Option<(Timestamp, usize)>) -> Result<(), Error> {
        if let Some((now, limit)) = forget {
            let parameters: Columns = vec![Box::new(now.as_micros()), Box::new(bigint(limit))];
            self.rows(&self.statements.forget_answers, 1, parameters).await?;
        }
        Ok(())
    }

    /// Runs a statement for `count` of something; nothing is sent for none.
    pub(super) async fn rows(
        &self,
        statement: &Statement,
        count: usize,
        parameters: Columns<'_>,
    ) -> Result<Vec<Row>, Error> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let rows = self.client.query_raw(statement, parameters).await?;
        rows.try_collect().await
    }
}

fn place(head: &Row) -> Result<u64, Error> {
    Ok(u64::try_from(head.try_get::<_, i64>("sequence")?).unwrap_or(0))
}

/// Rows that say which of the wanted they are, each in its place.
fn placed(rows: Vec<Row>, wanted: usize) -> Result<Vec<Option<Row>>, Error> {
    let mut placed: Vec<Option<Row>> = Vec::new();
    placed.resize_with(wanted, || None);
    for row in rows {
        let number: i64 = row.try_get("place")?; // from 1 on
        let slot = usize::try_from(number - 1).ok().and_then(|index| placed.get_mut(index));
        if let Some(slot) = slot {
            *slot = Some(row);
        }
    }
    Ok(placed)
}

pub(super) fn bigint(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
