//! `/dashboard`: the pages, without a browser.

pub(crate) mod account;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod client_tokens;
pub(crate) mod deliveries;
pub(crate) mod destinations;
pub(crate) mod entrance;
pub(crate) mod events;
pub(crate) mod forms;
pub(crate) mod headers;
pub(crate) mod openid;
pub(crate) mod passkeys;
pub(crate) mod settings;
pub(crate) mod simulator;
pub(crate) mod sweep;
pub(crate) mod ways;
pub(crate) mod workspaces;
