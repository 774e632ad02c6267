//! How people sign in to the dashboard: which ways are open, and the OpenID Connect provider.

use secrecy::SecretString;
use tollgate_delivery::is_confidential;
use tollgate_service::SignInMethods;
use ureq::http::Uri;

use super::setting::{Given, OPENID_CLIENT_ID, OPENID_ISSUER};
use super::{Invalid, value};

/// Which ways are open, and with what.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// As the pages show them.
    pub methods: SignInMethods,
    /// The provider, if there is one.
    pub openid: Option<OpenId>,
}

/// An OpenID Connect provider, and what we are to it.
#[derive(Clone, Debug)]
pub struct OpenId {
    /// What it calls itself: a URL, byte for byte.
    pub issuer: String,
    /// Under which we are registered there.
    pub client_id: String,
    /// What we prove it with; some providers need none.
    pub client_secret: Option<SecretString>,
}

/// The settings of the provider, as far as they are given.
pub(super) struct GivenOpenId {
    pub(super) issuer: Option<Given>,
    pub(super) client_id: Option<Given>,
    pub(super) client_secret: Option<Given>,
    pub(super) name: Option<Given>,
}

/// Refuses a provider that is named in part, and when nobody could sign in.
pub(super) fn sign_in(
    passwords: &Given,
    passkeys: &Given,
    given: GivenOpenId,
    default_name: &Given,
) -> Result<SignIn, Invalid> {
    let name = given.name.clone().unwrap_or_else(|| default_name.clone());
    if name.value().trim().is_empty() || name.value().chars().count() > 50 {
        return Err(name.refuse(name.value()));
    }
    let openid = openid(given)?;
    let methods = SignInMethods {
        passwords: value::switch(passwords)?,
        passkeys: value::switch(passkeys)?,
        openid: openid.is_some().then(|| name.value().to_owned()),
    };
    if !methods.passwords && !methods.passkeys && methods.openid.is_none() {
        return Err(Invalid(format!(
            "nobody could sign in: {} and {} are false, and there is no {}; leave at least one way open",
            passwords.place, passkeys.place, OPENID_ISSUER.name
        )));
    }
    Ok(SignIn { methods, openid })
}

fn openid(given: GivenOpenId) -> Result<Option<OpenId>, Invalid> {
    let without = |given: &Given, other: &str| {
        Invalid(format!(
            "{} is given without {other}: sign-in through a provider needs both {} and {}",
            given.place, OPENID_ISSUER.name, OPENID_CLIENT_ID.name
        ))
    };
    let (issuer, client_id) = match (given.issuer, given.client_id) {
        (Some(issuer), Some(client_id)) => (issuer, client_id),
        (Some(issuer), None) => return Err(without(&issuer, OPENID_CLIENT_ID.name)),
        (None, Some(client_id)) => return Err(without(&client_id, OPENID_ISSUER.name)),
        (None, None) => {
            let stray = given.client_secret.or(given.name);
            return stray.map_or(Ok(None), |stray| Err(without(&stray, OPENID_ISSUER.name)));
        }
    };
    let text = issuer.value();
    let url: Uri = text.parse().map_err(|_| issuer.refuse(text))?;
    if text.contains(['?', '#', '@']) || !is_confidential(&url) {
        return Err(issuer.refuse(text));
    }
    if client_id.value().is_empty() {
        return Err(client_id.refuse(""));
    }
    Ok(Some(OpenId {
        issuer: text.to_owned(),
        client_id: client_id.value().to_owned(),
        client_secret: given.client_secret.map(|secret| secret.value().into()),
    }))
}
