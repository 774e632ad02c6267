//! `/notifications`. Nothing is sent here: what a deliverer would record is put into the store.

pub(crate) mod filters;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod replay;
