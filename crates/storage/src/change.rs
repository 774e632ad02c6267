//! A write as a value.

use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::Event;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;

/// Everything durable that one use-case does.
#[derive(Clone, Debug)]
pub struct Change {
    /// The row, with what must still hold for it.
    pub write: Write,
    /// What happened, in this order; each gets the next place in the sequence.
    pub events: Vec<Event>,
    /// The request this answers, when it came with a key of its own: kept with the rest, or found to be answered
    /// before, and then nothing else happens.
    pub idempotency: Option<(IdempotencyKey, IdempotentAnswer)>,
}

impl Change {
    /// A write that nobody is told of.
    pub const fn silent(write: Write) -> Self {
        Self {
            write,
            events: Vec::new(),
            idempotency: None,
        }
    }

    /// When it happens, as far as it says: an earlier answer that is forgotten by then doesn't stand in its way.
    pub fn happens_at(&self) -> Option<Timestamp> {
        match &self.write {
            Write::CreateClientToken(token) => Some(token.created_at),
            _ => self.events.first().map(|event| event.occurred_at),
        }
    }
}

/// One row to write.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new workspace.
    CreateWorkspace(Workspace),
    /// A new client token.
    CreateClientToken(ClientToken),
    /// `to` in place of `from`, if the stored row still has the version of `from`; else [`Outcome::Stale`]. Workspace,
    /// id, token and time of creation stay.
    UpdateClientToken {
        /// As it was read from the store: the counters move by the difference.
        from: ClientToken,
        /// As it shall be; a later version.
        to: ClientToken,
    },
    /// A new API key.
    CreateApiKey(ApiKey),
    /// `to` in place of `from`, if the stored row still has the version of `from`; else [`Outcome::Stale`]. Workspace,
    /// environment, id, digest, last use and time of creation stay.
    UpdateApiKey {
        /// As it was read from the store.
        from: ApiKey,
        /// As it shall be; a later version.
        to: ApiKey,
    },
    /// The key was used: moves `last_used_at` forward, never back, and leaves the version.
    TouchApiKey {
        /// Which one; an unknown one is passed over.
        id: ApiKeyId,
        /// When.
        used_at: Timestamp,
    },
    /// Removes idempotent answers that are forgotten at `now`, at most `limit`.
    ForgetIdempotentAnswers {
        /// The current time.
        now: Timestamp,
        /// How many at a time.
        limit: usize,
    },
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored, and everything up to this place in the sequence is visible.
    Applied {
        /// The place of the last event of the change, or of the last event before it when it has none.
        sequence: u64,
    },
    /// The row has another version by now: nothing was written. Look again.
    Stale,
    /// The request was answered before: nothing was written, this was the answer.
    AlreadyAnswered(IdempotentAnswer),
}

/// How a caller names a request that it may send twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Each API key has names of its own.
    pub api_key: ApiKeyId,
    /// As the caller chose it.
    pub key: String,
}

/// What a request was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentAnswer {
    /// SHA-256 of what was asked, to tell a repetition from another request under the same name.
    pub request_digest: [u8; 32],
    /// What the use-case answered; its own format.
    pub answer: String,
    /// Forgotten from this moment on.
    pub expires_at: Timestamp,
}
