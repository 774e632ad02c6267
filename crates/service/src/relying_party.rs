//! The relying party of passkeys: what is asked of a browser, and whether its answer holds. Everything that the library
//! for them does for us is here.
//!
//! User verification (a PIN, a finger, a face) is required, so that a passkey is two factors in one; the passkey has to
//! be one that names its person, so that nobody types an address. Who made the device isn't asked (no attestation).

use tollgate_domain::id::UserId;
use tollgate_domain::passkey::Passkey;
use tollgate_domain::user::User;
use url::{Host, Url};
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle16, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication16, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration, RegistrationServerState,
};

type StoredKey = StaticState<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>;

/// Where passkeys are made and used: they work nowhere else.
#[derive(Debug)]
pub struct RelyingParty {
    id: RpId,
    /// As browsers write it: scheme, host, and the port unless it is the scheme's own.
    origin: String,
}

/// Why an answer doesn't hold. For the log: the caller is only told that it doesn't.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl Refused {
    fn because(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// What is sent to the browser, and what is kept to check its answer with.
pub(crate) struct Asked {
    /// What `navigator.credentials.create` or `.get` take as `publicKey`, as JSON.
    pub(crate) options: String,
    pub(crate) state: Vec<u8>,
}

/// A new passkey, as far as its device tells.
pub(crate) struct Registered {
    pub(crate) credential: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) state: Vec<u8>,
}

impl RelyingParty {
    /// The one at this origin or URL of the server, as people's browsers see it. `None` where browsers have no passkeys:
    /// at an IP address, and without TLS unless it is `localhost`.
    pub fn at(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let Host::Domain(host) = url.host()? else {
            return None;
        };
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_local);
        let id = RpId::Domain(AsciiDomain::try_from(host.to_owned()).ok()?);
        is_secure.then(|| Self {
            id,
            origin: url.origin().ascii_serialization(),
        })
    }

    /// Asks for a new passkey of this person, on a device that has none of `known`.
    pub(crate) fn ask_to_register(&self, user: &User, known: &[Passkey]) -> Result<Asked, Refused> {
        let handle = handle_of(user.id)?;
        // What isn't fit to be shown by every device is left out there.
        let name = Username::try_from(user.email.as_str()).or_else(|_| Username::try_from(user.id.to_string()));
        let person = PublicKeyCredentialUserEntity {
            name: name.map_err(Refused::because)?,
            id: &handle,
            display_name: Nickname::try_from(user.name.as_str()).ok(),
        };
        let known: Result<Vec<_>, Refused> = known.iter().map(descriptor).collect();
        let mut options = PublicKeyCredentialCreationOptions::passkey(&self.id, person, known?);
        // Every sign-in asks for verification; devices that can't be told to ask always would be refused for nothing.
        options.extensions.cred_protect = CredProtect::None;
        let (server, client) = options.start_ceremony().map_err(Refused::because)?;
        Ok(Asked {
            options: serde_json::to_string(&client).map_err(Refused::because)?,
            state: server.encode().map_err(Refused::because)?,
        })
    }

    /// Checks the answer to [`ask_to_register`](Self::ask_to_register).
    pub(crate) fn registered(&self, state: &[u8], answer: &str) -> Result<Registered, Refused> {
        let asked = RegistrationServerState::<16>::decode(state).map_err(Refused::because)?;
        let answer = Registration::from_json_relaxed(answer.as_bytes()).map_err(Refused::because)?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &[&self.origin],
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = asked.verify(&self.id, &answer, &options).map_err(Refused::because)?;
        Ok(Registered {
            credential: made.id().as_ref().to_vec(),
            key: made.static_state().encode().map_err(Refused::because)?,
            state: encoded(made.dynamic_state())?,
        })
    }

    /// Asks whoever it is for a passkey.
    pub(crate) fn ask_to_sign_in(&self) -> Result<Asked, Refused> {
        let options = DiscoverableCredentialRequestOptions::passkey(&self.id);
        let (server, client) = options.start_ceremony().map_err(Refused::because)?;
        Ok(Asked {
            options: serde_json::to_string(&client).map_err(Refused::because)?,
            state: server.encode().map_err(Refused::because)?,
        })
    }

    /// Checks the answer to [`ask_to_sign_in`](Self::ask_to_sign_in), which names this passkey; gives the passkey's next
    /// state. Refuses a counter that didn't go on: the key was copied.
    pub(crate) fn signed_in(
        &self,
        state: &[u8],
        answer: &PasskeyAnswer,
        passkey: &Passkey,
    ) -> Result<Vec<u8>, Refused> {
        let asked = DiscoverableAuthenticationServerState::decode(state).map_err(Refused::because)?;
        let handle = handle_of(passkey.user)?;
        let key: StoredKey = StaticState::decode(&passkey.key).map_err(Refused::because)?;
        let stored = passkey.state.as_slice().try_into().map_err(Refused::because)?;
        let stored = DynamicState::decode(stored).map_err(Refused::because)?;
        let credential = answer.0.raw_id();
        let mut credential =
            AuthenticatedCredential::new(credential, &handle, key, stored).map_err(Refused::because)?;
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &[&self.origin],
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        asked
            .verify(&self.id, &answer.0, &mut credential, &options)
            .map_err(Refused::because)?;
        encoded(credential.dynamic_state())
    }
}

/// What a browser answers when it is asked for a passkey, not checked yet.
pub(crate) struct PasskeyAnswer(DiscoverableAuthentication16);

impl PasskeyAnswer {
    pub(crate) fn read(answer: &str) -> Result<Self, Refused> {
        let answer = DiscoverableAuthentication16::from_json_relaxed(answer.as_bytes());
        answer.map(Self).map_err(Refused::because)
    }

    /// Which passkey it says it is of.
    pub(crate) fn credential(&self) -> &[u8] {
        self.0.raw_id().into_inner()
    }
}

/// The bits of the id: devices show them to nobody, and they say nothing of the person.
fn handle_of(user: UserId) -> Result<UserHandle16, Refused> {
    let bits = user
        .to_bits()
        .ok_or_else(|| Refused::because("not an id that we made"))?;
    UserHandle16::decode(bits.to_be_bytes()).map_err(Refused::because)
}

fn descriptor(passkey: &Passkey) -> Result<PublicKeyCredentialDescriptor<Vec<u8>>, Refused> {
    Ok(PublicKeyCredentialDescriptor {
        id: CredentialId::decode(passkey.credential.clone()).map_err(Refused::because)?,
        transports: AuthTransports::decode(0).map_err(Refused::because)?,
    })
}

fn encoded(state: DynamicState) -> Result<Vec<u8>, Refused> {
    state.encode().map(|bytes| bytes.to_vec()).map_err(Refused::because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_passkeys_where_browsers_have_them() {
        for (url, origin) in [
            ("https://tollgate.example", Some("https://tollgate.example")),
            (
                "https://Tollgate.example:8443/path",
                Some("https://tollgate.example:8443"),
            ),
            ("https://tollgate.example:443", Some("https://tollgate.example")),
            ("http://localhost:8787", Some("http://localhost:8787")),
            ("http://x.localhost", Some("http://x.localhost")),
            ("http://tollgate.example", None),
            ("http://notlocalhost", None),
            ("https://127.0.0.1", None),
            ("https://[::1]", None),
            ("ftp://localhost", None),
            ("localhost:8787", None),
            ("", None),
        ] {
            let found = RelyingParty::at(url).map(|party| party.origin);
            assert_eq!(found.as_deref(), origin, "{url}");
        }
    }
}
