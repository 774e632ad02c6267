//! `/dashboard`: the pages, without a browser.

pub(crate) mod client_tokens;
pub(crate) mod entrance;
pub(crate) mod forms;
pub(crate) mod headers;
pub(crate) mod openid;
pub(crate) mod passkeys;
pub(crate) mod sweep;
pub(crate) mod ways;
pub(crate) mod workspaces;
