//! A client token as the native surface shows it: the contract's fields, and ours.

use schemars::JsonSchema;
use serde::Serialize;
use tollgate_domain::client_token::{ClientToken, ClientTokenSnapshot};
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::time::Timestamp;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NativeClientToken")]
pub(super) struct ClientTokenView<'a> {
    #[serde(flatten)]
    snapshot: ClientTokenSnapshot<'a>,
    /// What it is narrowed to; null when it isn't.
    restrictions: Option<&'a Restrictions>,
    /// When it is to be revoked; null when that isn't scheduled.
    revoke_at: Option<Timestamp>,
    /// When it last let somebody in; null when it never did. A few seconds behind.
    last_used_at: Option<Timestamp>,
}

impl<'a> ClientTokenView<'a> {
    pub(super) fn new(token: &'a ClientToken, last_used_at: Option<Timestamp>) -> Self {
        Self {
            snapshot: token.snapshot(),
            restrictions: token.restrictions.as_deref(),
            revoke_at: token.revoke_at,
            last_used_at,
        }
    }
}
