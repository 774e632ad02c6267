//! The delivery plane: claims due notifications, signs, sends, records.
//!
//! A notification is made in its event's own commit. From there: `worker` finds settings with something due and gives
//! each a lane of its own; a `lane` leases, sends a bounded number at once, and records each outcome; `sender` makes
//! one HTTP attempt through `guard`, which decides what addresses may be reached; `mail` sends to email destinations.

mod guard;
mod lane;
mod mail;
mod sender;
mod worker;

pub use guard::{Guard, Refusal};
pub use mail::{Mailer, MailerError};
pub use sender::{Answer, Sender};
pub use worker::{Delivery, Settings};
