//! The compatible surface, at the root: exactly what the contract says, nothing more.

mod api_keys;
pub(crate) mod client_tokens;
mod event_types;
pub(crate) mod events;
pub(crate) mod notification_settings;
pub(crate) mod notifications;
mod root;
mod simulation_runs;
mod simulation_types;
pub(crate) mod simulations;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = root::endpoints();
    all.extend(client_tokens::endpoints());
    all.extend(api_keys::endpoints());
    all.extend(events::endpoints());
    all.extend(event_types::endpoints());
    all.extend(notification_settings::endpoints());
    all.extend(notifications::endpoints());
    all.extend(simulation_types::endpoints());
    all.extend(simulations::endpoints());
    all.extend(simulation_runs::endpoints());
    all
}
