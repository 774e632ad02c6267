//! The native surface, under `/tollgate`: whatever is ours. The same envelope and the same errors as the compatible
//! one, except that a missing or invalid credential is 401 with a challenge.

pub(crate) mod client_tokens;
mod errors;
mod events;
pub(crate) mod notification_settings;
mod notifications;
pub(crate) mod simulations;
mod verification;

use crate::endpoint::Endpoint;

pub(crate) use verification::Checks;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = client_tokens::endpoints();
    all.extend(events::endpoints());
    all.extend(notification_settings::endpoints());
    all.extend(notifications::endpoints());
    all.extend(simulations::endpoints());
    all.extend(verification::endpoints());
    all.extend(errors::endpoints());
    all
}
