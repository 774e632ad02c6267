//! Requests that a caller may send twice: the first answer is kept for a day, in the same commit as what it made.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{IdempotencyKey, IdempotentAnswer, StorageError};

use crate::{Caller, Service};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);

/// A request that names itself.
#[derive(Clone, Debug)]
pub struct IdempotentRequest {
    /// As the caller chose it.
    pub key: String,
    /// SHA-256 of everything that was asked.
    pub digest: [u8; 32],
}

/// The key stands for another request in the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the idempotency key was used for another request in the last 24 hours")]
pub struct KeyReused;

impl Service {
    /// The key under which the caller's request is kept. Callers without an API key don't repeat requests.
    pub(crate) fn idempotency_key(caller: &Caller, request: &IdempotentRequest) -> Option<IdempotencyKey> {
        caller.api_key_id().map(|api_key| IdempotencyKey {
            api_key,
            key: request.key.clone(),
        })
    }

    /// What was answered to this request before.
    pub(crate) async fn earlier_answer<T: DeserializeOwned>(
        &self,
        key: &IdempotencyKey,
        request: &IdempotentRequest,
        now: Timestamp,
    ) -> Result<Option<Result<T, KeyReused>>, StorageError> {
        let answer = self.storage.idempotent_answer(key, now).await?;
        answer.map(|answer| read(&answer, request)).transpose()
    }
}

/// What is kept of a request's answer.
pub(crate) fn record(request: &IdempotentRequest, answer: &impl Serialize, now: Timestamp) -> IdempotentAnswer {
    IdempotentAnswer {
        request_digest: request.digest,
        answer: serde_json::to_string(answer).expect("an answer has text keys and finite numbers"),
        expires_at: now.plus(KEPT),
    }
}

/// The kept answer, if `request` is the one it answered.
pub(crate) fn read<T: DeserializeOwned>(
    answer: &IdempotentAnswer,
    request: &IdempotentRequest,
) -> Result<Result<T, KeyReused>, StorageError> {
    if answer.request_digest != request.digest {
        return Ok(Err(KeyReused));
    }
    let answer = serde_json::from_str(&answer.answer);
    answer
        .map(Ok)
        .map_err(|error| StorageError::Corrupt(format!("idempotent_answers.answer: {error}")))
}
