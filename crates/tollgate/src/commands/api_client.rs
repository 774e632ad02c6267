//! A small client of the HTTP API, for any server that speaks it.

use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use ureq::Agent;
use ureq::http::{Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};

use super::Usage;
use crate::config::{self, environment};
use crate::output::visible;

const DEFAULT_URL: &str = "http://127.0.0.1:8787";
/// How long a whole request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which server.
#[derive(Debug, Args)]
#[command(next_help_heading = "The server")]
pub(super) struct ApiArgs {
    /// Its base URL. [env: TOLLGATE_API_URL] [default: http://127.0.0.1:8787]
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
}

/// Asks one server with one key.
pub(super) struct ApiClient {
    agent: Agent,
    base_url: String,
    key: SecretString,
}

/// Why there is no answer to work with.
#[derive(Debug)]
pub(super) struct ApiError {
    /// `None`: the server wasn't reached, or its answer broke off.
    status: Option<u16>,
    told: String,
}

impl ApiError {
    /// Whether asking again later may help: nobody answered, or the server is busy or in trouble.
    pub(super) fn may_pass(&self) -> bool {
        self.status
            .is_none_or(|status| !(400..500).contains(&status) || matches!(status, 408 | 429))
    }

    pub(super) const fn status(&self) -> Option<u16> {
        self.status
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.told)
    }
}

impl std::error::Error for ApiError {}

/// What an answer with data looks like.
#[derive(Deserialize)]
pub(super) struct Answer<T> {
    pub(super) data: T,
    #[serde(default)]
    pub(super) meta: Meta,
}

#[derive(Default, Deserialize)]
pub(super) struct Meta {
    pub(super) pagination: Option<Pagination>,
}

#[derive(Deserialize)]
pub(super) struct Pagination {
    pub(super) has_more: bool,
}

/// What a refusal looks like.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalError,
    meta: Option<RefusalMeta>,
}

#[derive(Deserialize)]
struct RefusalError {
    code: String,
    detail: String,
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

#[derive(Deserialize)]
struct FieldProblem {
    field: String,
    message: String,
}

#[derive(Deserialize)]
struct RefusalMeta {
    request_id: String,
}

impl ApiArgs {
    /// The client, with the key from the environment.
    pub(super) fn client(&self) -> anyhow::Result<ApiClient> {
        let from_environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (place, url) = match &self.api_url {
            Some(url) => ("--api-url", url.clone()),
            None => (
                environment::API_URL,
                from_environment(environment::API_URL).unwrap_or_else(|| DEFAULT_URL.to_owned()),
            ),
        };
        let base_url = config::base_url(&url).ok_or_else(|| {
            Usage(format!(
                "{place} must be an http or https URL without a user, a query or a fragment, such as {DEFAULT_URL}"
            ))
        })?;
        let key = from_environment(environment::API_KEY).ok_or_else(|| {
            Usage(format!(
                "set {} to an API key: `tollgate dev` prints one, and `tollgate key create` makes one",
                environment::API_KEY
            ))
        })?;
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Usage(format!(
                "{} isn't an API key: it has a blank or a line break in it",
                environment::API_KEY
            ))
            .into());
        }
        Ok(ApiClient {
            agent: agent(&base_url),
            base_url,
            key: key.into(),
        })
    }
}

fn agent(base_url: &str) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // A redirect would take the key elsewhere, or lose the request's body: it is told instead.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE))
        .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
        // The certificates that this machine trusts, so that an authority of one's own is one of them.
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build());
    // What is meant for this machine isn't sent to a proxy.
    if is_loopback(base_url) {
        config.proxy(None).build().into()
    } else {
        config.build().into()
    }
}

pub(super) fn is_loopback(base_url: &str) -> bool {
    let url: Result<Uri, _> = base_url.parse();
    url.is_ok_and(|url| {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let address: Result<std::net::IpAddr, _> = host.parse();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

impl ApiClient {
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer<T>, ApiError> {
        let request = self.agent.get(self.url(path)).query_pairs(query.iter().copied());
        self.read(request.header("Authorization", self.authorization()).call())
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Answer<T>, ApiError> {
        let request = self
            .agent
            .post(self.url(path))
            .header("Authorization", self.authorization());
        self.read(request.send_json(body))
    }

    pub(super) fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Answer<T>, ApiError> {
        let request = self
            .agent
            .patch(self.url(path))
            .header("Authorization", self.authorization());
        self.read(request.send_json(body))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.key.expose_secret())
    }

    /// Where the server is.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    fn read<T: DeserializeOwned>(
        &self,
        answered: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer<T>, ApiError> {
        let mut response = answered.map_err(|error| ApiError {
            status: None,
            told: format!(
                "can't reach {}: {error}. Does the server run? --api-url or {} says where it is",
                self.base_url,
                environment::API_URL
            ),
        })?;
        let status = response.status();
        let body = response.body_mut().read_to_string().map_err(|error| ApiError {
            status: None,
            told: format!("the server's answer broke off: {error}"),
        })?;
        if status.is_success() {
            return serde_json::from_str(&body).map_err(|_| self.foreign(status.as_u16()));
        }
        Err(match serde_json::from_str::<Refusal>(&body) {
            Ok(refusal) => ApiError {
                status: Some(status.as_u16()),
                told: told(&refusal),
            },
            Err(_) => self.foreign(status.as_u16()),
        })
    }

    fn foreign(&self, status: u16) -> ApiError {
        ApiError {
            status: Some(status),
            told: format!(
                "{} answered {status} with something that isn't an answer of this API; check --api-url or {}",
                self.base_url,
                environment::API_URL
            ),
        }
    }
}

/// A refusal as a person reads it: the detail, each field's message, and the request id.
fn told(refusal: &Refusal) -> String {
    let error = &refusal.error;
    let mut lines = vec![format!("{} ({})", visible(&error.detail), visible(&error.code))];
    let problems = error.errors.iter();
    lines.extend(problems.map(|problem| format!("{}: {}", visible(&problem.field), visible(&problem.message))));
    lines.extend(
        refusal
            .meta
            .iter()
            .map(|meta| format!("request id: {}", visible(&meta.request_id))),
    );
    lines.join("\n  ")
}

/// Keeps the server's own JSON, fields in its order.
pub(super) type Raw = Box<RawValue>;
