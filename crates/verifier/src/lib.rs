//! Decides on client tokens from memory, in a fraction of a microsecond: no IO, no async, no clock of its own.
//!
//! A [`Verifier`] is fed the facts of a store's tokens, whole at first and then change by change, and answers for each
//! token that is presented whether it lets in. It is shared by all threads; who asks takes no lock that a writer holds
//! and waits for nobody.
//!
//! # What it promises
//!
//! - A change is seen by every question asked after [`Verifier::apply`] returned: a revoked token is refused at once.
//! - Facts may come in any order, and more than once: of each token the highest version counts, and revoked is final.
//! - Each verdict names a place in the store's sequence up to which everything was known when it was decided.
//! - Once the store hasn't been heard of for longer than [`Settings::max_age`], every look-up is refused: so a token that was
//!   revoked elsewhere passes for as long as news take to come here, and never for longer than that bound.
//! - Memory: under 40 bytes for each token that isn't restricted, with ten million of them. Rate limits take 16 MiB at
//!   most, and what counts the usage is bounded too ([`Verifier::gather_usage`]). The index has room for 134,217,727
//!   tokens; [`ApplyError`] says when it is full.
//!
//! # Example
//!
//! ```
//! use std::time::Instant;
//!
//! use tollgate_domain::ambient::Entropy;
//! use tollgate_domain::client_token::TokenText;
//! use tollgate_domain::environment::Environment;
//! use tollgate_domain::id::IdGenerator;
//! use tollgate_domain::time::Timestamp;
//! use tollgate_domain::verdict::{Asked, Denial, TokenFacts};
//! use tollgate_verifier::{Now, Settings, Verifier};
//!
//! # struct Random(std::sync::atomic::AtomicU8);
//! # impl Entropy for Random {
//! #     fn fill(&self, buffer: &mut [u8]) {
//! #         buffer.fill_with(|| self.0.fetch_add(7, std::sync::atomic::Ordering::Relaxed));
//! #     }
//! # }
//! # let entropy = Random(std::sync::atomic::AtomicU8::new(1));
//! # let time = Timestamp::parse("2026-03-02T09:15:04Z").unwrap();
//! # let now = Now { time, instant: Instant::now() };
//! let verifier = Verifier::new(Settings::default(), &entropy);
//!
//! let ids = IdGenerator::default();
//! let mut facts = TokenFacts {
//!     workspace: ids.next(now.time, &entropy),
//!     id: ids.next(now.time, &entropy),
//!     token: TokenText::generate(Environment::Live, &entropy),
//!     revoked: false,
//!     revoke_at: None,
//!     restrictions: None,
//!     version: 1,
//! };
//! verifier.apply(&facts).unwrap();
//! verifier.followed(1, now.instant);
//!
//! let verdict = verifier.verify(facts.token.as_str(), &Asked::default(), now);
//! assert_eq!(verdict.decision.unwrap().id, facts.id);
//!
//! facts.revoked = true;
//! facts.version += 1;
//! verifier.apply(&facts).unwrap();
//! verifier.followed(2, now.instant);
//!
//! let verdict = verifier.verify(facts.token.as_str(), &Asked::default(), now);
//! assert_eq!(verdict.decision.unwrap_err().denial, Denial::Revoked);
//! assert_eq!(verdict.sequence, 2);
//! ```
#![warn(missing_docs)]

mod error;
mod index;
#[cfg(test)]
mod interleavings;
mod rate;
mod sync;
mod usage;
mod verifier;

pub use self::error::ApplyError;
pub use self::index::IndexMemory;
pub use self::usage::Lost;
pub use self::verifier::{Admitted, Known, Memory, Now, Refused, Settings, Verdict, Verifier};
