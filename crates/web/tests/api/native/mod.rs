//! What only the native surface does; what it does like the compatible one is tried where that is.

pub(crate) mod authentication;
pub(crate) mod client_tokens;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod notification_settings;
pub(crate) mod simulations;
pub(crate) mod verification;
