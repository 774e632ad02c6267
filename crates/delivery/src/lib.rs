//! The delivery plane: claims due notifications, signs, sends, records.
//!
//! A notification is made in its event's own commit. From there: `worker` finds settings with something due and gives
//! each a lane of its own; a `lane` leases, has a bounded number of attempts under way, and records each outcome, which
//! `notifications` tells. Simulated events have no notification: `simulations` claims, sends and records them beside the
//! lanes. Either way `attempt` delivers once: by `sender`, which makes one HTTP request over a connection that
//! `connector` opens where `guard` allows it, or by `mail`. `names` looks up addresses. `letters` are what people get by
//! mail. Beside all that, `fetch` makes the plain requests of sign-in through a provider, so that every request that leaves
//! the program leaves it here.

mod attempt;
mod connector;
mod fetch;
mod guard;
mod lane;
mod letters;
mod mail;
mod names;
mod notifications;
mod sender;
mod simulations;
mod worker;

pub use fetch::{FetchError, Fetcher, is_confidential};
pub use guard::{Guard, Refusal};
pub use lane::LEASE;
pub use letters::Letter;
pub use mail::{Mailer, MailerError};
pub use names::{Found, Names};
pub use sender::{Answer, Sender};
pub use worker::{Delivery, Settings};
