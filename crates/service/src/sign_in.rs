//! Signing in, with a password or by a link. With a passkey: [`passkeys`](crate::passkeys). Through a provider:
//! [`openid`](crate::openid).
//!
//! A try is counted as a failure before it is looked at, so that many at once are no way around the throttle; one that
//! succeeds is taken back. Whoever fails learns nothing else: neither whether there is such an account, nor whether it
//! has a password, in words or in time.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::one_time_link::{LinkPurpose, LinkSecret};
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_domain::throttle::{AttemptKey, Attempts};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Password, User};
use tollgate_storage::{AttemptCount, LinkUse, PasswordChange, PeopleWrite, SignInNames, StorageError};

use crate::caller::Cause;
use crate::people::Detail;
use crate::{PeopleError, ROUNDS, Service, SignedIn};

/// How long to wait when too many try under one name at the same moment.
const CROWDED: Duration = Duration::from_secs(1);

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignInMethod {
    Password,
    Link,
    Passkey,
    #[serde(rename = "openid")]
    OpenId,
}

/// Which ways to sign in are switched on. A link of the machine's operator always signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInMethods {
    /// With an email address and a password.
    pub passwords: bool,
    /// With a passkey.
    pub passkeys: bool,
    /// Through an OpenID Connect provider, which people know by this name.
    pub openid: Option<String>,
}

impl Default for SignInMethods {
    fn default() -> Self {
        Self {
            passwords: true,
            passkeys: true,
            openid: None,
        }
    }
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The setting `sign_in_passwords` is false.
    #[error("passwords are switched off: sign in another way")]
    Off,
    /// No such account, or another password: the caller isn't told which.
    #[error("the email address or the password is wrong")]
    Wrong,
    /// Too many failures; this try wasn't looked at and doesn't count.
    #[error("too many failed attempts: try again in {} seconds", .0.as_millis().div_ceil(1_000))]
    Wait(Duration),
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Service {
    /// Signs somebody in who presents an email address and a password, from a client's address as far as it is known.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<SessionSecret, SignInError> {
        if !self.sign_in_methods().passwords {
            return Err(SignInError::Off);
        }
        // What is no address is counted as one that nobody has: the answer and its time are the same.
        let email = EmailAddress::parse(email).ok();
        let counted = names(email.as_ref(), address);
        self.count(&counted).await?;
        let user = match &email {
            Some(email) => self.storage.user_by_email(email).await?,
            None => None,
        };
        let user = self.with_password(user, password).await.ok_or(SignInError::Wrong)?;
        let now = self.clock.now();
        let secret = SessionSecret::generate(self.entropy.as_ref());
        let session = Session::begin(&secret, user.id, now);
        let events = self
            .signed_in_events(&user, SignInMethod::Password, now, address)
            .await?;
        let begin = PeopleWrite::BeginSession {
            session,
            version: user.version,
            counted,
        };
        if self.commit_people(begin, events).await? {
            Ok(secret)
        } else {
            // The password was changed while it was looked at.
            Err(SignInError::Wrong)
        }
    }

    /// What the audit trail tells of somebody who signs in.
    pub(crate) async fn signed_in_events(
        &self,
        user: &User,
        method: SignInMethod,
        now: Timestamp,
        address: Option<IpAddr>,
    ) -> Result<Vec<Event>, StorageError> {
        let about = (user, Cause::person(user.id, address), EventType::SignedIn);
        let detail = Detail {
            method: Some(method),
            ..Detail::default()
        };
        self.events_with(about, now, detail).await
    }

    /// The user, if `password` is theirs.
    async fn with_password(&self, user: Option<User>, password: &str) -> Option<User> {
        let hashed = user.as_ref().and_then(|user| user.password.clone());
        let presented = Password::presented(password);
        let matches = self.passwords.matches(hashed, presented, self.entropy.as_ref()).await;
        user.filter(|_| matches)
    }

    /// Counts a try under its names, or tells how long it has to wait.
    async fn count(&self, names: &SignInNames) -> Result<(), SignInError> {
        let keys: Vec<AttemptKey> = std::iter::once(&names.email).chain(&names.network).cloned().collect();
        for _ in 0..ROUNDS {
            let found = self.storage.sign_in_attempts(&keys).await?;
            let now = self.clock.now();
            let waits = keys
                .iter()
                .zip(&found)
                .filter_map(|(key, found)| key.wait((*found)?, now));
            if let Some(wait) = waits.max() {
                return Err(SignInError::Wait(wait));
            }
            let counts = keys.iter().zip(found).map(|(key, from)| AttemptCount {
                key: key.clone(),
                from,
                to: from.unwrap_or(Attempts::none(now)).one_more(now),
            });
            let count = PeopleWrite::CountAttempts(counts.collect());
            if self.commit_people(count, Vec::new()).await? {
                return Ok(());
            }
        }
        Err(SignInError::Wait(CROWDED))
    }

    /// Signs somebody in who has the link that [`issue_sign_in`](Self::issue_sign_in) made.
    pub async fn sign_in_by_link(
        &self,
        secret: &LinkSecret,
        address: Option<IpAddr>,
    ) -> Result<SessionSecret, PeopleError> {
        let LinkPurpose::SignIn(id) = self.good_link(secret).await?.purpose else {
            return Err(PeopleError::Link);
        };
        let user = self.storage.user(id).await?.ok_or(PeopleError::Link)?;
        let now = self.clock.now();
        let cookie = SessionSecret::generate(self.entropy.as_ref());
        let events = self.signed_in_events(&user, SignInMethod::Link, now, address).await?;
        let session = Session::begin(&cookie, id, now);
        if self
            .use_link(secret, now, LinkUse::BeginSession(session), events)
            .await?
        {
            Ok(cookie)
        } else {
            Err(PeopleError::Link) // somebody was quicker
        }
    }

    /// Changes the password of somebody who signed in and knows the one they have. Their other sessions end.
    pub async fn change_password(
        &self,
        signed_in: &SignedIn,
        current: &str,
        new: &Password,
        address: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        // A stolen session is no way to guess more quickly.
        let counted = names(Some(&signed_in.user.email), address);
        self.count(&counted).await?;
        let user = self.storage.user(signed_in.user.id).await?;
        let user = self.with_password(user, current).await.ok_or(SignInError::Wrong)?;
        let password = self.passwords.hash(new, self.entropy.as_ref()).await;
        let now = self.clock.now();
        let cause = Cause::person(user.id, address);
        let events = self
            .events_everywhere(&user, cause, EventType::PasswordChanged, now)
            .await?;
        let change = PasswordChange {
            user: user.id,
            version: user.version,
            password,
        };
        let keep = signed_in.secret.digest();
        if self
            .commit_people(PeopleWrite::SetPassword { change, keep, counted }, events)
            .await?
        {
            Ok(())
        } else {
            Err(SignInError::Wrong) // it isn't the current one any more
        }
    }
}

fn names(email: Option<&EmailAddress>, address: Option<IpAddr>) -> SignInNames {
    SignInNames {
        email: email.map_or_else(AttemptKey::no_email, AttemptKey::email),
        network: address.map(AttemptKey::network),
    }
}
