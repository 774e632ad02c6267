//! `/client-tokens`. What both surfaces do alike is tried on both.

pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod fields;
pub(crate) mod get;
pub(crate) mod idempotency;
pub(crate) mod list;
pub(crate) mod pages;
pub(crate) mod update;
