//! Time and chance as arguments: what the rest of the program asks instead of the machine.
//!
//! The implementations that ask the real machine live where the program is composed.

use crate::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current time, in microseconds since 1970. May repeat and, after the machine's clock was set, go back.
    fn now(&self) -> Timestamp;
}

/// Gives unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `buffer`. Panics when the operating system has no randomness to give: nothing safe can follow.
    fn fill(&self, buffer: &mut [u8]);
}
