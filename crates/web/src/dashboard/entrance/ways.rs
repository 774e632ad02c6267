//! The ways to sign in that people are offered.

use tollgate_service::{RelyingParty, SignInMethods};

use crate::App;
use crate::dashboard::session::Reached;

/// What is switched on, and works at the address that the browser used.
#[derive(Clone, Debug)]
pub(in crate::dashboard) struct Ways {
    pub(in crate::dashboard) passwords: bool,
    pub(in crate::dashboard) passkeys: bool,
    /// The provider's name.
    pub(in crate::dashboard) openid: Option<String>,
    /// Passkeys are on, but browsers have none at this address.
    pub(in crate::dashboard) lacks_passkeys: bool,
}

impl Ways {
    pub(in crate::dashboard) fn at(app: &App, reached: &Reached) -> Self {
        let SignInMethods {
            passwords,
            passkeys,
            openid,
        } = app.service.sign_in_methods().clone();
        let works = RelyingParty::at(&reached.base).is_some();
        Self {
            passwords,
            passkeys: passkeys && works,
            openid,
            lacks_passkeys: passkeys && !works,
        }
    }
}
