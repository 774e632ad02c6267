//! What every handler has at hand: the use-cases and the settings of the surfaces.

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use tokio_util::sync::CancellationToken;
use tollgate_delivery::{Guard, Mailer};
use tollgate_domain::environment::Environment;
use tollgate_service::{Service, Verification};

/// The settings of the surfaces.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The base URL that callers use, without a slash at its end; taken from each request when absent.
    pub public_url: Option<String>,
    /// Requests per minute and client address; 0 = no limit.
    pub requests_per_minute: u32,
    /// From these addresses, `X-Forwarded-For`, `-Proto` and `-Host` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What `documentation_url` in errors of the contract begins with, without a slash at its end.
    pub documentation_url: String,
    /// Which addresses destinations may have.
    pub guard: Guard,
    /// Sends mail, if anything does: email destinations are possible then, and links are mailed to whom they are for.
    pub mailer: Option<Mailer>,
    /// What `GET /` tells somebody without a key.
    pub root_environment: Environment,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            requests_per_minute: 240,
            trusted_proxies: vec![
                "127.0.0.0/8".parse().expect("a network"),
                "::1/128".parse().expect("a network"),
            ],
            documentation_url: "https://developer.paddle.com".to_owned(),
            guard: Guard::default(),
            mailer: None,
            root_environment: Environment::Live,
        }
    }
}

/// Shared by all requests. Cheap to clone: every request does so several times, hence one count and not one for each part.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What there is of an [`App`].
pub struct Parts {
    pub(crate) service: Service,
    pub(crate) verification: Arc<Verification>,
    pub(crate) settings: Settings,
    pub(crate) limiter: Option<DefaultKeyedRateLimiter<std::net::IpAddr>>,
    /// Cancelled when the server is asked to end: whoever waits for something to happen answers then.
    pub(crate) stopping: CancellationToken,
}

impl App {
    /// The surfaces over these use-cases, and over these checks.
    pub fn new(service: Service, verification: Arc<Verification>, settings: Settings) -> Self {
        let limiter = NonZeroU32::new(settings.requests_per_minute)
            .map(|requests| RateLimiter::keyed(Quota::per_minute(requests)));
        Self(Arc::new(Parts {
            service,
            verification,
            settings,
            limiter,
            stopping: CancellationToken::new(),
        }))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
