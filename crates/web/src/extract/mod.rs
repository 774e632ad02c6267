//! From the parts of a request to values that are known to be good; bad input ends here.

pub(crate) mod body;
pub(crate) mod form;
pub(crate) mod idempotency;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod origin;
pub(crate) mod path;
pub(crate) mod payload;
pub(crate) mod restrictions;
