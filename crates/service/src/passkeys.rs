//! Passkeys: people add them when they are signed in, and sign in with them.
//!
//! Between the question and the answer a ceremony waits in the store: every node can check the answer, and none takes it
//! twice. Its secret is with the browser that was asked, so that the answer of one can't be handed in by another.

use std::net::IpAddr;

use tollgate_domain::event::EventType;
use tollgate_domain::id::{PasskeyId, UserId};
use tollgate_domain::passkey::{Ceremony, CeremonySecret, MOST_PASSKEYS, Passkey};
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_storage::{PeopleWrite, StorageError};

use crate::caller::Cause;
use crate::people::Detail;
use crate::relying_party::{Asked, PasskeyAnswer, Refused, RelyingParty};
use crate::sign_in::SignInMethod;
use crate::{Service, SignedIn};

/// Why a use-case about passkeys refused. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The setting `sign_in_passkeys` is false.
    #[error("passkeys are switched off")]
    Off,
    /// It was used, it is too old, or it never was: ask anew.
    #[error("this took too long, or was done already; try again")]
    Ceremony,
    /// Another challenge, another origin, no user verification, a counter that went back, a bad signature: the log says
    /// which, and the caller isn't told.
    #[error("the passkey was not accepted")]
    Refused,
    /// It may have been removed here and not from the device.
    #[error("nobody here has this passkey")]
    Unknown,
    /// Nobody needs so many.
    #[error("there are {MOST_PASSKEYS} passkeys already; remove one first")]
    TooMany,
    /// The device gave it to somebody already.
    #[error("this passkey is in use already")]
    Taken,
    /// Also for a passkey of somebody else.
    #[error("no such passkey")]
    NotFound,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<Refused> for PasskeyError {
    fn from(refused: Refused) -> Self {
        tracing::info!(reason = %refused, "a passkey was not accepted");
        Self::Refused
    }
}

/// What a browser is asked.
#[derive(Clone, Debug)]
pub struct PasskeyChallenge {
    /// `PublicKeyCredentialCreationOptionsJSON` or `…RequestOptionsJSON`: read by `PublicKeyCredential`'s
    /// `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`, it is the `publicKey` of what
    /// `navigator.credentials.create` or `.get` take.
    pub options: String,
    /// To be given back with the answer, once, within [five minutes](tollgate_domain::passkey::CEREMONY).
    pub state: CeremonySecret,
}

impl Service {
    /// The passkeys of somebody who signed in, oldest first.
    pub async fn passkeys(&self, signed_in: &SignedIn) -> Result<Vec<Passkey>, PasskeyError> {
        Ok(self.storage.passkeys(signed_in.user.id).await?)
    }

    /// Asks the browser of somebody who signed in for a new passkey.
    pub async fn passkey_registration(
        &self,
        signed_in: &SignedIn,
        party: &RelyingParty,
    ) -> Result<PasskeyChallenge, PasskeyError> {
        self.require_passkeys()?;
        let known = self.passkeys(signed_in).await?;
        if known.len() >= MOST_PASSKEYS {
            return Err(PasskeyError::TooMany);
        }
        let asked = party.ask_to_register(&signed_in.user, &known)?;
        self.begin_ceremony(Some(signed_in.user.id), asked).await
    }

    /// Adds the passkey that the browser made. `state` is [`PasskeyChallenge::state`]; the name keeps to
    /// [`tollgate_domain::text::NAME`].
    pub async fn add_passkey(
        &self,
        signed_in: &SignedIn,
        party: &RelyingParty,
        (state, answer): (&str, &str),
        name: &str,
        address: Option<IpAddr>,
    ) -> Result<Passkey, PasskeyError> {
        self.require_passkeys()?;
        let user = &signed_in.user;
        let ceremony = self.ceremony(state, Some(user.id)).await?;
        let made = party.registered(&ceremony.state, answer)?;
        let now = self.clock.now();
        let passkey = Passkey {
            id: self.next_id(now),
            user: user.id,
            credential: made.credential,
            key: made.key,
            state: made.state,
            name: name.to_owned(),
            created_at: now,
            last_used_at: None,
        };
        let detail = Detail::passkey(&passkey);
        let cause = Cause::person(user.id, address);
        let events = self
            .events_with((user, cause, EventType::PasskeyAdded), now, detail)
            .await?;
        let add = PeopleWrite::AddPasskey {
            ceremony: ceremony.digest,
            now,
            passkey: passkey.clone(),
        };
        if self.commit_people(add, events).await? {
            return Ok(passkey);
        }
        if self.storage.passkey_by_credential(&passkey.credential).await?.is_some() {
            return Err(PasskeyError::Taken);
        }
        if self.passkeys(signed_in).await?.len() >= MOST_PASSKEYS {
            return Err(PasskeyError::TooMany);
        }
        Err(PasskeyError::Ceremony)
    }

    /// Gives a passkey of theirs another name, which keeps to [`tollgate_domain::text::NAME`].
    pub async fn rename_passkey(&self, signed_in: &SignedIn, id: PasskeyId, name: &str) -> Result<(), PasskeyError> {
        let rename = PeopleWrite::RenamePasskey {
            user: signed_in.user.id,
            id,
            name: name.to_owned(),
        };
        if self.commit_people(rename, Vec::new()).await? {
            Ok(())
        } else {
            Err(PasskeyError::NotFound)
        }
    }

    /// Removes a passkey of theirs; what is on the device stays there and is good for nothing. Sessions that it began go
    /// on. Also while passkeys are switched off.
    pub async fn remove_passkey(
        &self,
        signed_in: &SignedIn,
        id: PasskeyId,
        address: Option<IpAddr>,
    ) -> Result<(), PasskeyError> {
        let user = &signed_in.user;
        let passkeys = self.passkeys(signed_in).await?;
        let passkey = passkeys.iter().find(|passkey| passkey.id == id);
        let passkey = passkey.ok_or(PasskeyError::NotFound)?;
        let (now, detail) = (self.clock.now(), Detail::passkey(passkey));
        let cause = Cause::person(user.id, address);
        let events = self
            .events_with((user, cause, EventType::PasskeyRemoved), now, detail)
            .await?;
        let remove = PeopleWrite::RemovePasskey { user: user.id, id };
        if self.commit_people(remove, events).await? {
            Ok(())
        } else {
            Err(PasskeyError::NotFound) // it was removed just now
        }
    }

    /// Asks the browser of whoever it is for a passkey. Writes a row: for who asks to sign in by one, not for everybody
    /// who sees a page.
    pub async fn passkey_sign_in_challenge(&self, party: &RelyingParty) -> Result<PasskeyChallenge, PasskeyError> {
        self.require_passkeys()?;
        self.begin_ceremony(None, party.ask_to_sign_in()?).await
    }

    /// Signs in the person whose passkey answered. `state` is [`PasskeyChallenge::state`].
    pub async fn sign_in_by_passkey(
        &self,
        party: &RelyingParty,
        (state, answer): (&str, &str),
        address: Option<IpAddr>,
    ) -> Result<SessionSecret, PasskeyError> {
        self.require_passkeys()?;
        let ceremony = self.ceremony(state, None).await?;
        let answer = PasskeyAnswer::read(answer)?;
        let passkey = self.storage.passkey_by_credential(answer.credential()).await?;
        let passkey = passkey.ok_or(PasskeyError::Unknown)?;
        let next = party.signed_in(&ceremony.state, &answer, &passkey)?;
        let user = self.storage.user(passkey.user).await?.ok_or(PasskeyError::Unknown)?;
        let now = self.clock.now();
        let secret = SessionSecret::generate(self.entropy.as_ref());
        let events = self
            .signed_in_events(&user, SignInMethod::Passkey, now, address)
            .await?;
        let begin = PeopleWrite::UsePasskey {
            ceremony: ceremony.digest,
            now,
            session: Session::begin(&secret, user.id, now),
            passkey,
            state: next,
        };
        if self.commit_people(begin, events).await? {
            Ok(secret)
        } else {
            // Somebody was quicker, with the ceremony or with the passkey.
            Err(PasskeyError::Ceremony)
        }
    }

    fn require_passkeys(&self) -> Result<(), PasskeyError> {
        if self.sign_in_methods().passkeys {
            Ok(())
        } else {
            Err(PasskeyError::Off)
        }
    }

    async fn begin_ceremony(&self, user: Option<UserId>, asked: Asked) -> Result<PasskeyChallenge, PasskeyError> {
        let secret = CeremonySecret::generate(self.entropy.as_ref());
        let ceremony = Ceremony::begin(&secret, user, asked.state, self.clock.now());
        self.commit_people(PeopleWrite::BeginCeremony(ceremony), Vec::new())
            .await?;
        Ok(PasskeyChallenge {
            options: asked.options,
            state: secret,
        })
    }

    /// The ceremony of this secret, if it can be used now, by this person, or by nobody yet.
    async fn ceremony(&self, state: &str, user: Option<UserId>) -> Result<Ceremony, PasskeyError> {
        let secret = CeremonySecret::parse(state).ok_or(PasskeyError::Ceremony)?;
        let ceremony = self.storage.ceremony(secret.digest()).await?;
        let now = self.clock.now();
        ceremony
            .filter(|ceremony| ceremony.user == user && now < ceremony.expires_at)
            .ok_or(PasskeyError::Ceremony)
    }
}
