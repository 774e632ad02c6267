//! The provider: what it says of itself, where its page is, and who somebody is whom it sends back.
//!
//! What it says of itself is fetched when it is first needed, so that the server starts without it, and kept for an hour.
//! A token signed with a key that isn't known is reason to ask for the keys again, once a minute at most.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EmptyAdditionalClaims, EndUserEmail,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LocalizedClaim, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse, UserInfoClaims,
};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::EmailAddress;

use super::pending::Pending;

/// How long what the provider says of itself is good.
const KEPT: Duration = Duration::from_hours(1);
/// How old it is at least before it is asked for again because of an unknown key.
const FRESH: Duration = Duration::from_mins(1);
/// Longest subject, in bytes. OpenID Connect Core, section 2.
const LONGEST_SUBJECT: usize = 255;

/// Makes a request of ours. It bounds time and the size of the answer, and follows no redirect.
pub type Fetch = Arc<dyn Fn(HttpRequest) -> Fetching + Send + Sync>;

type Fetching = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchFailed>> + Send>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchFailed(pub String);

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;
type UserInfo = UserInfoClaims<EmptyAdditionalClaims, CoreGenderClaim>;

/// An OpenID Connect provider, and what we are to it.
pub struct OpenIdProvider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<SecretString>,
    fetch: Fetch,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    metadata: Arc<CoreProviderMetadata>,
    since: Timestamp,
}

/// Whom the provider names.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) issuer: String,
    pub(super) subject: String,
    /// What it vouches for, if it does.
    pub(super) verified_email: Option<EmailAddress>,
    pub(super) name: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    #[error("{0}")]
    Unreachable(String),
    #[error("refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Invalid(String),
}

impl ProviderError {
    /// By a code that came through a browser, and is shown as it is only when it is one.
    pub(super) fn refused(code: &str) -> Self {
        let is_code =
            (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        Self::Refused(if is_code { code } else { "no known reason" }.to_owned())
    }
}

impl OpenIdProvider {
    /// The provider that calls itself `issuer`, where we are registered under this id. `None` when that is no URL.
    pub fn new(issuer: &str, client_id: &str, client_secret: Option<SecretString>, fetch: Fetch) -> Option<Self> {
        Some(Self {
            issuer: IssuerUrl::new(issuer.to_owned()).ok()?,
            client_id: ClientId::new(client_id.to_owned()),
            client_secret,
            fetch,
            known: Mutex::new(None),
        })
    }

    /// The page where somebody tells the provider who they are.
    pub(super) async fn page(&self, pending: &Pending, now: Timestamp) -> Result<String, ProviderError> {
        let metadata = self.metadata(now, KEPT).await?;
        let client = self.client(&metadata, &pending.redirect)?;
        let verifier = PkceCodeVerifier::new(pending.verifier.clone());
        let (state, nonce) = (pending.state().to_owned(), pending.nonce.clone());
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    /// Who somebody is who brings this code back.
    pub(super) async fn person(&self, pending: &Pending, code: &str, now: Timestamp) -> Result<Person, ProviderError> {
        let mut metadata = self.metadata(now, KEPT).await?;
        let client = self.client(&metadata, &pending.redirect)?;
        let answer = self.exchange(&client, pending, code).await?;
        let token = answer.id_token().ok_or_else(|| invalid("no ID token"))?;
        let nonce = Nonce::new(pending.nonce.clone());
        let mut claims = token.claims(&verifier(&client, now), &nonce);
        let newer; // the claims borrow from the token only, but their verifier from this
        if is_unknown_key(&claims) {
            metadata = self.metadata(now, FRESH).await?;
            newer = self.client(&metadata, &pending.redirect)?;
            claims = token.claims(&verifier(&newer, now), &nonce);
        }
        let claims = claims.map_err(|error| invalid(error_chain(&error)))?;
        let mut person = self.named_by(claims)?;
        // Providers may keep the email address for those who ask again.
        if claims.email().is_none() {
            self.ask_for_email(&client, &answer, claims, &mut person).await?;
        }
        Ok(person)
    }

    fn named_by(&self, claims: &CoreIdTokenClaims) -> Result<Person, ProviderError> {
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
            return Err(invalid("a subject of 1 to 255 bytes is expected"));
        }
        Ok(Person {
            issuer: self.issuer.as_str().to_owned(),
            subject: subject.to_owned(),
            verified_email: verified(claims.email(), claims.email_verified()),
            name: plain(claims.name()),
        })
    }

    async fn exchange(
        &self,
        client: &Client,
        pending: &Pending,
        code: &str,
    ) -> Result<CoreTokenResponse, ProviderError> {
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| invalid("it names no address to fetch tokens from"))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()));
        let http = |request| (self.fetch)(request);
        let answered = sendable(request.request_async(&http)).await;
        answered.map_err(|error| match error {
            RequestTokenError::ServerResponse(refused) => ProviderError::refused(refused.error().as_ref()),
            RequestTokenError::Request(failed) => ProviderError::Unreachable(failed.to_string()),
            // What it answered may hold secrets, and stays out of the log.
            RequestTokenError::Parse(..) => invalid("it answered with something else than tokens"),
            RequestTokenError::Other(reason) => invalid(reason),
        })
    }

    async fn ask_for_email(
        &self,
        client: &Client,
        answer: &CoreTokenResponse,
        claims: &CoreIdTokenClaims,
        person: &mut Person,
    ) -> Result<(), ProviderError> {
        let access_token = answer.access_token().clone();
        let Ok(request) = client.user_info(access_token, Some(claims.subject().clone())) else {
            return Ok(()); // there is nowhere to ask
        };
        let http = |request| (self.fetch)(request);
        let told = sendable(request.request_async(&http)).await;
        let told: UserInfo = told.map_err(|error| invalid(error_chain(&error)))?;
        person.verified_email = verified(told.email(), told.email_verified());
        if person.name.is_none() {
            person.name = plain(told.name());
        }
        Ok(())
    }

    /// What the provider says of itself, fetched anew when it is older than this.
    async fn metadata(&self, now: Timestamp, oldest: Duration) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let known = self.known.lock().clone();
        if let Some(known) = known.filter(|known| now < known.since.plus(oldest)) {
            return Ok(known.metadata);
        }
        let http = |request| (self.fetch)(request);
        let found = sendable(CoreProviderMetadata::discover_async(self.issuer.clone(), &http)).await;
        let metadata = Arc::new(found.map_err(|error| ProviderError::Unreachable(error_chain(&error)))?);
        *self.known.lock() = Some(Known {
            metadata: Arc::clone(&metadata),
            since: now,
        });
        Ok(metadata)
    }

    fn client(&self, metadata: &CoreProviderMetadata, redirect: &str) -> Result<Client, ProviderError> {
        let secret = self.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| invalid("our own address is no URL"))?;
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client_id.clone(), secret);
        Ok(client.set_redirect_uri(redirect))
    }
}

impl fmt::Debug for OpenIdProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdProvider")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Says that a request may move between threads, which the compiler doesn't see through the library's lifetimes.
fn sendable<'a, T>(request: impl Future<Output = T> + Send + 'a) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(request)
}

/// Signatures by a key of the provider's own only: a shared secret, or none, is no signature of the provider.
fn verifier(client: &Client, now: Timestamp) -> CoreIdTokenVerifier<'_> {
    let time = chrono::DateTime::from_timestamp_micros(now.as_micros()).expect("the years 1970 to 9998");
    client
        .id_token_verifier()
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::EcdsaP384Sha384,
            CoreJwsSigningAlgorithm::EdDsa,
        ])
        .set_time_fn(move || time)
}

fn is_unknown_key<T>(claims: &Result<T, ClaimsVerificationError>) -> bool {
    matches!(
        claims,
        Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey
        ))
    )
}

fn verified(email: Option<&EndUserEmail>, is_verified: Option<bool>) -> Option<EmailAddress> {
    let email = email.filter(|_| is_verified == Some(true))?;
    EmailAddress::parse(email.as_str()).ok()
}

/// The name without a language, or the first of those with one.
fn plain(name: Option<&LocalizedClaim<openidconnect::EndUserName>>) -> Option<String> {
    let name = name?;
    let any = name.get(None).or_else(|| name.iter().next().map(|(_, name)| name));
    any.map(|name| name.as_str().to_owned())
}

fn invalid(reason: impl Into<String>) -> ProviderError {
    ProviderError::Invalid(reason.into())
}

/// An error with its causes.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}
