//! The queue in front of each store's writer: while one commit is under way, the changes that arrive wait here, and
//! the next commit takes all of them. Alone, a change waits for nobody; under load, all share the cost of one sync.

use tokio::sync::{mpsc, oneshot};
use tollgate_storage::{Change, Outcome, StorageError};

/// A change and who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) change: Change,
    pub(crate) reply: Reply,
}

type Result<T> = std::result::Result<T, StorageError>;

/// Where an outcome goes. Whoever asked may be gone; what was asked is done all the same.
#[derive(Debug)]
pub(crate) struct Reply(oneshot::Sender<Answer>);

#[derive(Debug)]
struct Answer {
    outcome: Result<Outcome>,
    others: Others,
}

/// Outcomes for others, which are told when this is dropped, wherever that happens.
#[derive(Debug, Default)]
struct Others(Vec<(Reply, Result<Outcome>)>);

impl Drop for Others {
    fn drop(&mut self) {
        for (reply, outcome) in self.0.drain(..) {
            reply.send(outcome);
        }
    }
}

impl Reply {
    pub(crate) fn send(self, outcome: Result<Outcome>) {
        self.send_with(outcome, Others::default());
    }

    fn send_with(self, outcome: Result<Outcome>, others: Others) {
        let _ = self.0.send(Answer { outcome, others });
    }
}

/// How many are told by one wake-up.
const TOGETHER: usize = 32;

/// Tells everybody of a batch from outside of their runtime, where each wake-up is a call to the system: so one of several
/// is woken from here, and wakes the others where they are. Not one for all: the next batch begins with whom the first
/// ones ask for while the last ones are being told. Whoever waits for a commit has to poll it when woken, or drop it, as
/// everybody does who just awaits it: others may be behind it.
pub(crate) fn reply_to_all(mut replies: impl Iterator<Item = (Reply, Result<Outcome>)>) {
    loop {
        let mut others = Others(replies.by_ref().take(TOGETHER).collect());
        let Some((first, outcome)) = others.0.pop() else { return };
        first.send_with(outcome, others);
    }
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
    pub(crate) async fn commit(self, change: Change) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        let reply = Reply(reply);
        self.0.send(Job { change, reply }).await.map_err(|_| writer_gone())?;
        drop(self);
        let Answer { outcome, others } = answer.await.map_err(|_| writer_gone())?;
        drop(others);
        outcome
    }
}

/// The writer ended: the store is closing, or its thread failed.
fn writer_gone() -> StorageError {
    StorageError::Unavailable("the writer has stopped".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(count: usize) -> (Vec<Reply>, Vec<oneshot::Receiver<Answer>>) {
        (0..count)
            .map(|_| {
                let (reply, answer) = oneshot::channel();
                (Reply(reply), answer)
            })
            .unzip()
    }

    fn outcomes(replies: Vec<Reply>) -> impl Iterator<Item = (Reply, Result<Outcome>)> {
        (0..)
            .zip(replies)
            .map(|(sequence, reply)| (reply, Ok(Outcome::Applied { sequence })))
    }

    #[tokio::test]
    async fn all_of_a_batch_get_their_own_outcome() {
        let (replies, answers) = asked(4);
        reply_to_all(outcomes(replies));
        // The last one is woken first; the others only by it.
        for (expected, answer) in [0, 1, 2, 3].into_iter().zip(answers).rev() {
            let Answer { outcome, others } = answer.await.unwrap();
            drop(others);
            assert_eq!(outcome.unwrap(), Outcome::Applied { sequence: expected });
        }
    }

    #[tokio::test]
    async fn who_is_gone_keeps_nobody_from_being_told() {
        let (replies, mut answers) = asked(4);
        drop(answers.pop());
        reply_to_all(outcomes(replies));
        drop(answers.pop()); // told, but gone before it looked
        for (expected, answer) in (0..).zip(answers) {
            let outcome = answer.await.unwrap().outcome;
            assert_eq!(outcome.unwrap(), Outcome::Applied { sequence: expected });
        }
    }
}
