//! The delivery plane: claims due notifications, signs, sends, records.
//!
//! A notification is made in its event's own commit. From there: `worker` finds settings with something due and gives
//! each a lane of its own; a `lane` leases, sends a bounded number at once, and records each outcome. Simulated events
//! have no notification: `simulations` claims, sends and records them beside the lanes. Either way `attempt` delivers
//! once: by `sender`, which makes one HTTP attempt through `guard`, which decides what addresses may be reached; or by
//! `mail`.

mod attempt;
mod guard;
mod lane;
mod mail;
mod sender;
mod simulations;
mod worker;

pub use guard::{Guard, Refusal};
pub use mail::{Mailer, MailerError};
pub use sender::{Answer, Sender};
pub use worker::{Delivery, Settings};
