//! What a batch has to look at, how each of its changes is judged by that, and what is then to be written.

use std::collections::HashSet;

use tokio_postgres::Row;
use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::Event;
use tollgate_domain::id::{ApiKeyId, ClientTokenId, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{Change, IdempotencyKey, IdempotentAnswer, Outcome, StorageError, Write};

use super::rows;
use crate::counters::Deltas;

/// What is stored of the rows that the changes expect something of.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    pub(super) client_tokens: Vec<(WorkspaceId, ClientTokenId)>,
    pub(super) api_keys: Vec<ApiKeyId>,
    pub(super) answers: Vec<&'a IdempotencyKey>,
}

impl<'a> Wanted<'a> {
    pub(super) fn by(changes: &[&'a Change]) -> Self {
        let mut wanted = Self::default();
        for change in changes {
            match &change.write {
                Write::UpdateClientToken { from, .. } => wanted.client_tokens.push((from.workspace, from.id)),
                Write::UpdateApiKey { from, .. } => wanted.api_keys.push(from.id),
                _ => {}
            }
            wanted.answers.extend(change.idempotency.iter().map(|(key, _)| key));
        }
        wanted
    }
}

/// Whether a change may happen.
pub(super) enum Verdict {
    Applies,
    Stale,
    Answered(IdempotentAnswer),
}

/// Judges a change by the rows that it wanted to see: the answer under its idempotency key, and the version of the
/// row that it changes.
pub(super) fn judge(change: &Change, answer: Option<&Row>, version: Option<&Row>) -> Result<Verdict, StorageError> {
    if let Some(row) = answer
        && row.try_get("answered").unwrap_or(false)
    {
        let answer = rows::idempotent_answer(row)?;
        if happens_at(change).is_none_or(|now| answer.expires_at > now) {
            return Ok(Verdict::Answered(answer));
        }
    }
    let expected = match &change.write {
        Write::UpdateClientToken { from, .. } => from.version,
        Write::UpdateApiKey { from, .. } => from.version,
        _ => return Ok(Verdict::Applies),
    };
    let stored = version.and_then(|row| row.try_get::<_, i64>("version").ok()); // NULL where there is no such row
    Ok(if stored == Some(expected) {
        Verdict::Applies
    } else {
        Verdict::Stale
    })
}

/// The time of a change: what is forgotten by then doesn't count. `None` when it doesn't say.
fn happens_at(change: &Change) -> Option<Timestamp> {
    match &change.write {
        Write::CreateClientToken(token) => Some(token.created_at),
        _ => change.events.first().map(|event| event.occurred_at),
    }
}

/// The outcomes of changes that were judged so, when the sequence stood at `place` before them.
pub(super) fn outcomes(
    changes: &[&Change],
    verdicts: impl IntoIterator<Item = Result<Verdict, StorageError>>,
    mut place: u64,
) -> Vec<Result<Outcome, StorageError>> {
    let outcome = |(change, verdict): (&&Change, Result<Verdict, StorageError>)| {
        Ok(match verdict? {
            Verdict::Applies => {
                place += change.events.len() as u64;
                Outcome::Applied { sequence: place }
            }
            Verdict::Stale => Outcome::Stale,
            Verdict::Answered(answer) => Outcome::AlreadyAnswered(answer),
        })
    };
    changes.iter().zip(verdicts).map(outcome).collect()
}

/// Whether there is nothing to look at and only [`Writes::appends`] to do: the frequent case.
pub(super) fn is_plain_creation(change: &Change) -> bool {
    matches!(change.write, Write::CreateClientToken(_)) && change.idempotency.is_none()
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
    pub(super) answers: Vec<(&'a IdempotencyKey, &'a IdempotentAnswer)>,
    /// At most one in a batch, see [`Rows`].
    pub(super) forget: Option<(Timestamp, usize)>,
    pub(super) events: Vec<&'a Event>,
    pub(super) counters: Deltas,
}

impl<'a> Writes<'a> {
    /// Adds a change that applies.
    pub(super) fn add(&mut self, change: &'a Change) {
        match &change.write {
            Write::CreateWorkspace(workspace) => self.workspaces.push(workspace),
            Write::CreateClientToken(token) => self.new_client_tokens.push(token),
            Write::UpdateClientToken { to, .. } => self.client_tokens.push(to),
            Write::CreateApiKey(key) => self.new_api_keys.push(key),
            Write::UpdateApiKey { to, .. } => self.api_keys.push(to),
            Write::TouchApiKey { id, used_at } => self.touches.push((*id, *used_at)),
            Write::ForgetIdempotentAnswers { now, limit } => self.forget = Some((*now, *limit)),
        }
        self.answers
            .extend(change.idempotency.iter().map(|(key, answer)| (key, answer)));
        self.events.extend(&change.events);
        self.counters.add(change);
    }

    /// Whether there are new client tokens, events, or counters that move.
    pub(super) fn appends(&self) -> bool {
        !self.new_client_tokens.is_empty() || !self.events.is_empty() || self.counters.iter().next().is_some()
    }
}

/// The rows that a batch touches already: of two changes that touch the same one, the second waits for the next batch,
/// so that it is judged by what the first has done. New rows needn't be told apart: nobody can touch them yet.
#[derive(Default)]
pub(super) struct Rows(HashSet<RowKey>);

#[derive(PartialEq, Eq, Hash)]
enum RowKey {
    ClientToken(WorkspaceId, ClientTokenId),
    ApiKey(ApiKeyId),
    Answer(IdempotencyKey),
    Forgotten,
}

impl Rows {
    /// Takes the rows of `change`; `false` when one of them was taken before.
    pub(super) fn take(&mut self, change: &Change) -> bool {
        let row = match &change.write {
            Write::UpdateClientToken { from, .. } => Some(RowKey::ClientToken(from.workspace, from.id)),
            Write::UpdateApiKey {
                from: ApiKey { id, .. },
                ..
            }
            | Write::TouchApiKey { id, .. } => Some(RowKey::ApiKey(*id)),
            Write::ForgetIdempotentAnswers { .. } => Some(RowKey::Forgotten),
            Write::CreateWorkspace(_) | Write::CreateClientToken(_) | Write::CreateApiKey(_) => None,
        };
        let answer = change.idempotency.as_ref().map(|(key, _)| RowKey::Answer(key.clone()));
        let mut free = true;
        for row in row.into_iter().chain(answer) {
            free &= self.0.insert(row);
        }
        free
    }
}
