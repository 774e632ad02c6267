//! `/api-keys`, and what happens to API keys as time passes.

pub(crate) mod changes;
pub(crate) mod expiry;
pub(crate) mod get;
pub(crate) mod list;
