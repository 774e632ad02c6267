//! The data plane's three ways to ask: for proxies, for backends, for browsers. Verdicts come from memory; nothing here
//! waits for the store.

mod answers;
mod authorize;
mod client;
mod introspect;
mod parameters;
mod presented;
mod raw;

use crate::endpoint::Endpoint;

pub(crate) use authorize::Checks;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = authorize::endpoints();
    all.extend(client::endpoints());
    all.extend(introspect::endpoints());
    all
}
