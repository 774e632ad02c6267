//! `/notification-settings`.

pub(crate) mod audit;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod destinations;
pub(crate) mod fields;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod room;
pub(crate) mod update;
