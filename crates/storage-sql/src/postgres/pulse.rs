//! What is known of the sequence, told to everyone who follows it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tollgate_storage::Pulse;

/// Tells the followers. `heard_at` is when the store was asked, not when its answer came in: what an answer says may be
/// as old as the question.
#[derive(Clone)]
pub(super) struct Bell(Arc<watch::Sender<Pulse>>);

impl Bell {
    pub(super) fn new(sequence: u64, heard_at: Instant) -> Self {
        Self(Arc::new(watch::Sender::new(Pulse { sequence, heard_at })))
    }

    /// The store has answered. Rings also when nothing is new: silence must be told from a standstill.
    pub(super) fn heard(&self, sequence: u64, asked_at: Instant) {
        self.0.send_modify(|pulse| {
            pulse.sequence = pulse.sequence.max(sequence);
            pulse.heard_at = pulse.heard_at.max(asked_at);
        });
    }

    /// Another node has committed something that took no place.
    pub(super) fn again(&self) {
        self.0.send_modify(|_| {});
    }

    /// Whether the followers know of this place already.
    pub(super) fn has_told(&self, sequence: u64) -> bool {
        sequence <= self.0.borrow().sequence
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Pulse> {
        self.0.subscribe()
    }
}
