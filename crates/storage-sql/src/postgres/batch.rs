//! One batch of changes as one transaction.
//!
//! New client tokens alone are a single statement. Anything else takes two round trips: take the head and look at what
//! the changes expect; then write what those that hold have to write, and commit. No two changes of a batch touch the
//! same row ([`plan::Rows`]), so each can be judged by what was there before.

use tokio_postgres::{Client, Error, Row, Statement};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Change, Outcome, StorageError, Write};

use futures_util::TryStreamExt;

use super::columns::{self, Columns};
use super::connect::Connector;
use super::failure::Failure;
use super::plan::{self, Verdict, Wanted, Writes};
use super::statements::Statements;

/// The writer's connection.
pub(super) struct Session {
    client: Client,
    statements: Statements,
}

/// What became of a batch.
pub(super) struct Applied {
    /// In the order of the changes.
    pub(super) outcomes: Vec<Result<Outcome, StorageError>>,
    /// The last place of the sequence after the batch.
    pub(super) head: u64,
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
        if changes.iter().all(|change| plan::is_plain_creation(change)) {
            return Ok(self.create(changes).await?);
        }
        let applied = self.look_and_write(changes).await;
        if applied.is_err() {
            // Does nothing where the commit was sent behind the statement that failed, which made it a rollback.
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        Ok(applied?)
    }

    /// The frequent case: one statement, committed by itself.
    async fn create(&self, changes: &[&Change]) -> Result<Applied, Error> {
        let mut writes = Writes::default();
        for change in changes {
            writes.add(change);
        }
        let head = self.append(&writes).await?;
        let before = head.saturating_sub(writes.events.len() as u64);
        let verdicts = changes.iter().map(|_| Ok(Verdict::Applies));
        Ok(Applied {
            outcomes: plan::outcomes(changes, verdicts, before),
            head,
        })
    }

    async fn look_and_write(&self, changes: &[&Change]) -> Result<Applied, Error> {
        let (before, verdicts) = self.look(changes).await?;
        let mut writes = Writes::default();
        for (change, verdict) in changes.iter().zip(&verdicts) {
            if matches!(verdict, Ok(Verdict::Applies)) {
                writes.add(change);
            }
        }
        self.write(&writes).await?;
        Ok(Applied {
            outcomes: plan::outcomes(changes, verdicts, before),
            head: before + writes.events.len() as u64,
        })
    }

    /// Begins a transaction, takes the head, and judges each change by what is stored.
    async fn look(&self, changes: &[&Change]) -> Result<(u64, Vec<Result<Verdict, StorageError>>), Error> {
        let wanted = Wanted::by(changes);
        let statements = &self.statements;
        let ((), head, tokens, keys, answers) = tokio::try_join!(
            biased; // sent in this order, all at once
            self.client.batch_execute("BEGIN"),
            self.client.query_one(&statements.lock_head, &[]),
            self.rows(
                &statements.client_token_versions,
                wanted.client_tokens.len(),
                columns::client_token_ids(&wanted.client_tokens)
            ),
            self.rows(&statements.api_key_versions, wanted.api_keys.len(), columns::api_key_ids(&wanted.api_keys)),
            self.rows(&statements.idempotent_answers, wanted.answers.len(), columns::idempotency_keys(&wanted.answers)),
        )?;
        // Each kind's rows come in the order of the changes that want them.
        let (mut tokens, mut keys, mut answers) = (tokens.iter(), keys.iter(), answers.iter());
        let mut verdicts = Vec::with_capacity(changes.len());
        for change in changes {
            let answer = change.idempotency.as_ref().and_then(|_| answers.next());
            let version = match &change.write {
                Write::UpdateClientToken { .. } => tokens.next(),
                Write::UpdateApiKey { .. } => keys.next(),
                _ => None,
            };
            verdicts.push(plan::judge(change, answer, version));
        }
        Ok((place(&head)?, verdicts))
    }

    /// Writes everything and commits.
    async fn write(&self, writes: &Writes<'_>) -> Result<(), Error> {
        let statements = &self.statements;
        let mut new_api_keys = columns::api_keys(&writes.new_api_keys);
        new_api_keys.extend(columns::last_uses(&writes.new_api_keys));
        tokio::try_join!(
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
            async {
                if writes.appends() {
                    self.append(writes).await?;
                }
                Ok(())
            },
            self.client.batch_execute("COMMIT"),
        )?;
        Ok(())
    }

    /// New client tokens, events and counters; answers the head after them.
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
    async fn rows(&self, statement: &Statement, count: usize, parameters: Columns<'_>) -> Result<Vec<Row>, Error> {
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

fn bigint(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
