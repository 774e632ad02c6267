//! Signing in through an OpenID Connect provider: the authorization code flow, with PKCE, state and nonce.
//!
//! Whom the provider names is known by issuer and subject. The first time, a verified email address says whose account it
//! is, or which invitation is taken; nobody else gets in.

mod pending;
mod provider;

use std::net::IpAddr;

use tollgate_domain::event::EventType;
use tollgate_domain::identity::Identity;
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_domain::text::NAME;
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Membership, User};
use tollgate_storage::{LinkUse, PeopleWrite, StorageError};

use crate::caller::Cause;
use crate::people::Audited;
use crate::sign_in::SignInMethod;
use crate::{Member, ROUNDS, Service};

use pending::Pending;
pub use provider::{Fetch, FetchFailed, OpenIdProvider};
use provider::{Person, ProviderError};

/// Why nobody was signed in through the provider. The caller can act on each variant, except `Storage`.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdError {
    /// No provider is set.
    #[error("there is no sign-in through a provider here")]
    Off,
    /// It can't be reached, or it doesn't answer as a provider does. The text is for the log and the machine's operator.
    #[error("the sign-in provider gave no answer: {0}")]
    Unreachable(String),
    /// By its word, such as `access_denied`.
    #[error("the sign-in provider refused: {0}")]
    Refused(String),
    /// The answer is to no question of this browser, or it came too late: begin anew.
    #[error("this took too long, or was begun in another browser; try again")]
    State,
    /// Another nonce, audience or issuer, a token that is over, or a bad signature: the text, for the log, says which.
    #[error("the sign-in provider's answer does not hold: {0}")]
    Invalid(String),
    /// It names no email address, or doesn't vouch for it.
    #[error("the sign-in provider doesn't vouch for your email address")]
    EmailUnverified,
    /// And no invitation.
    #[error("there is no account for {0} here; ask for an invitation")]
    NoAccount(EmailAddress),
    /// Others changed the same each time we tried.
    #[error("the members are being changed by others")]
    Contended,
    /// The cause goes to the log; the caller sees a request id.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<ProviderError> for OpenIdError {
    fn from(error: ProviderError) -> Self {
        tracing::warn!(%error, "could not sign in through the provider");
        match error {
            ProviderError::Unreachable(reason) => Self::Unreachable(reason),
            ProviderError::Refused(code) => Self::Refused(code),
            ProviderError::Invalid(reason) => Self::Invalid(reason),
        }
    }
}

/// Where to send somebody who signs in.
#[derive(Clone, Debug)]
pub struct OpenIdStart {
    /// The provider's page.
    pub url: String,
    /// For a cookie of this browser, ten minutes long; `A-Z a-z 0-9 - _` only. It is not for other eyes.
    pub state: String,
}

/// With what somebody comes back from the provider: the query of the redirect address.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenIdAnswer<'a> {
    pub code: Option<&'a str>,
    pub state: Option<&'a str>,
    pub error: Option<&'a str>,
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub struct OpenIdSignedIn {
    pub secret: SessionSecret,
    /// Where they wanted to go: a path below `/dashboard`.
    pub return_to: String,
}

impl Service {
    /// Begins to sign in. `return_to` is a path below `/dashboard`, anything else leads to `/dashboard`; `redirect` is
    /// the whole address that the provider sends people back to, as it was registered there.
    pub async fn openid_start(&self, return_to: &str, redirect: &str) -> Result<OpenIdStart, OpenIdError> {
        let provider = self.openid.as_ref().ok_or(OpenIdError::Off)?;
        let now = self.clock.now();
        let pending = Pending::begin(self.entropy.as_ref(), return_to, redirect, now);
        Ok(OpenIdStart {
            url: provider.page(&pending, now).await?,
            state: pending.to_text(),
        })
    }

    /// Signs somebody in who comes back. `state` is [`OpenIdStart::state`], from the cookie; the provider takes a code
    /// once, so that nothing of ours has to be used up.
    pub async fn openid_finish(
        &self,
        state: &str,
        answer: OpenIdAnswer<'_>,
        address: Option<IpAddr>,
    ) -> Result<OpenIdSignedIn, OpenIdError> {
        let provider = self.openid.as_ref().ok_or(OpenIdError::Off)?;
        let now = self.clock.now();
        let pending = Pending::read(state, now).filter(|pending| pending.is_answered_by(answer.state));
        let pending = pending.ok_or(OpenIdError::State)?;
        if let Some(code) = answer.error {
            return Err(ProviderError::refused(code).into());
        }
        let code = answer.code.ok_or(OpenIdError::State)?;
        let person = provider.person(&pending, code, now).await?;
        let secret = self.begin_session_as(&person, address).await?;
        Ok(OpenIdSignedIn {
            secret,
            return_to: pending.return_to,
        })
    }

    async fn begin_session_as(&self, person: &Person, address: Option<IpAddr>) -> Result<SessionSecret, OpenIdError> {
        for _ in 0..ROUNDS {
            let now = self.clock.now();
            let known = self.storage.identity(&person.issuer, &person.subject).await?;
            let user = match known {
                Some(identity) => self.storage.user(identity.user).await?,
                None => self.account_for(person, now, address).await?,
            };
            let Some(user) = user else {
                continue; // somebody else was quicker
            };
            let secret = SessionSecret::generate(self.entropy.as_ref());
            let events = self.signed_in_events(&user, SignInMethod::OpenId, now, address).await?;
            let begin = PeopleWrite::BeginSessionAs {
                identity: Identity {
                    issuer: person.issuer.clone(),
                    subject: person.subject.clone(),
                    user: user.id,
                    created_at: now,
                },
                session: Session::begin(&secret, user.id, now),
            };
            if self.commit_people(begin, events).await? {
                return Ok(secret);
            }
        }
        Err(OpenIdError::Contended)
    }

    /// Whose account an identity is that nobody has yet; `None` when others changed the same.
    async fn account_for(
        &self,
        person: &Person,
        now: Timestamp,
        address: Option<IpAddr>,
    ) -> Result<Option<User>, OpenIdError> {
        let email = person.verified_email.as_ref().ok_or(OpenIdError::EmailUnverified)?;
        if let Some(user) = self.storage.user_by_email(email).await? {
            return Ok(Some(user));
        }
        let open = self.storage.invitations_to(email).await?;
        let mut open = open.into_iter().filter(|link| now < link.expires_at);
        let first = open.next().ok_or_else(|| OpenIdError::NoAccount(email.clone()))?;
        let user = User {
            id: self.next_id(now),
            email: email.clone(),
            name: name_of(person, email),
            password: None,
            created_at: now,
            version: 1,
        };
        if !self.take_invitation(&first, &user, true, now, address).await? {
            return Ok(None);
        }
        for another in open {
            // One that was taken back meanwhile is passed over.
            self.take_invitation(&another, &user, false, now, address).await?;
        }
        Ok(Some(user))
    }

    async fn take_invitation(
        &self,
        link: &OneTimeLink,
        user: &User,
        is_new: bool,
        now: Timestamp,
        address: Option<IpAddr>,
    ) -> Result<bool, StorageError> {
        let LinkPurpose::Invitation { workspace, role, .. } = link.purpose else {
            return Ok(false);
        };
        let membership = Membership {
            workspace,
            user: user.id,
            role,
            created_at: now,
        };
        let member = Member::of((user.clone(), membership));
        let origin = (workspace, Cause::person(user.id, address));
        let audited = Audited::of(&member);
        let event = self.event(origin, EventType::MemberJoined, now, &user.id, &audited);
        let then = if is_new {
            LinkUse::Join {
                user: user.clone(),
                membership,
            }
        } else {
            LinkUse::Add(membership)
        };
        let digest = link.digest;
        self.commit_people(PeopleWrite::UseLink { digest, now, then }, vec![event])
            .await
    }
}

/// What the provider calls them, as far as it is a name here; else what stands before the `@`.
fn name_of(person: &Person, email: &EmailAddress) -> String {
    let given = person.name.as_deref().unwrap_or_default();
    let shown: String = given.chars().filter(|character| !character.is_control()).collect();
    let shown: String = shown.trim().chars().take(NAME.max).collect();
    let local = email.as_str().split('@').next().unwrap_or_default();
    if shown.is_empty() { local.to_owned() } else { shown }
}
