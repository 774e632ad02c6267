//! The mail server and the sender's address: both, or no mail.

use tollgate_delivery::{Mailer, MailerError};

use super::setting::{Given, PUBLIC_URL, SMTP_FROM, SMTP_URL, Setting};
use super::{Invalid, environment, value};

/// Refuses one without the other, and what is no server or no address.
pub(super) fn both_or_neither(url: Option<Given>, from: Option<Given>) -> Result<Option<Mailer>, Invalid> {
    let alone = |given: &Given, other: &Setting| {
        Invalid(format!(
            "{} is given without {}: mail needs both; give neither, and no mail is sent",
            given.place, other.name
        ))
    };
    match (url, from) {
        (None, None) => Ok(None),
        (Some(url), None) => Err(alone(&url, &SMTP_FROM)),
        (None, Some(from)) => Err(alone(&from, &SMTP_URL)),
        (Some(url), Some(from)) => Mailer::new(url.value(), from.value())
            .map(Some)
            .map_err(|error| match error {
                MailerError::Server => url.refuse(url.value()),
                MailerError::From => from.refuse(from.value()),
            }),
    }
}

/// From flags, and the environment.
pub fn mailer_from_flags(url: Option<&String>, from: Option<&String>) -> Result<Option<Mailer>, Invalid> {
    both_or_neither(
        environment::or_flag(&SMTP_URL, url)?,
        environment::or_flag(&SMTP_FROM, from)?,
    )
}

/// What links begin with, from a flag or the environment; without a slash at its end.
pub fn public_url_from_flag(flag: Option<&String>) -> Result<Option<String>, Invalid> {
    let given = environment::or_flag(&PUBLIC_URL, flag)?;
    given.as_ref().map(value::base_url).transpose()
}
