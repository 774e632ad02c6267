//! The queue in front of each store's writer: while one commit is under way, the changes that arrive wait here, and
//! the next commit takes all of them. Alone, a change waits for nobody; under load, all share the cost of one sync.

use tokio::sync::{mpsc, oneshot};
use tollgate_storage::{Change, Outcome, StorageError};

/// A change and who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) change: Change,
    pub(crate) reply: oneshot::Sender<Result<Outcome, StorageError>>,
}

/// How many changes wait at most before callers wait for room.
const CAPACITY: usize = 4_096;

/// The callers' end.
#[derive(Clone, Debug)]
pub(crate) struct Queue(mpsc::Sender<Job>);

impl Queue {
    /// The queue, and the writer's end of it.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        (Self(sender), receiver)
    }

    /// Hands `change` to the writer and waits until it is durable, or known not to be. The sender is gone by then, so
    /// that whoever waits for an answer doesn't keep a closing store open.
    pub(crate) async fn commit(self, change: Change) -> Result<Outcome, StorageError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Job { change, reply }).await.map_err(|_| writer_gone())?;
        drop(self);
        answer.await.map_err(|_| writer_gone())?
    }
}

/// The writer ended: the store is closing, or its thread failed.
fn writer_gone() -> StorageError {
    StorageError::Unavailable("the writer has stopped".into())
}
