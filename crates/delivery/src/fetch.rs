//! A plain request to a server that the machine's operator named: the OpenID Connect provider.
//!
//! There is no guard against private addresses, unlike for webhooks: members name those, and an operator may well have
//! their provider in a private network. Time and the size of the answer are bounded, redirects aren't followed, and
//! without TLS nothing goes further than this machine, as secrets are sent.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::http::uri::Scheme;
use hyper::{Request, Response, Uri};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use crate::sender::{innermost, tls};

/// How long a request may take in all.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long an address may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest body of an answer, in bytes. The keys of a large provider take ten thousand.
const LARGEST: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It would carry secrets in clear text over a network.
    #[error("{0} is neither https nor on this machine")]
    Insecure(String),
    /// No connection, no TLS, or the connection broke.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// In all.
    #[error("no whole answer within {} s", TIMEOUT.as_secs())]
    TooSlow,
    /// The body.
    #[error("an answer of more than {} KiB", LARGEST / 1024)]
    TooLarge,
}

/// Makes requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Fetcher {
    /// TLS by the machine's certificates.
    pub fn new() -> io::Result<Self> {
        Ok(Self::over(tls()?.with_native_roots()?.with_no_client_auth()))
    }

    /// The same, but believing only these certificate authorities.
    pub fn trusting(roots: RootCertStore) -> io::Result<Self> {
        Ok(Self::over(tls()?.with_root_certificates(roots).with_no_client_auth()))
    }

    fn over(tls: ClientConfig) -> Self {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(connector);
        // Requests are rare: no connection is kept for the next.
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Self { client }
    }

    /// The answer to one request, whatever its status.
    pub async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        if !is_confidential(request.uri()) {
            return Err(FetchError::Insecure(request.uri().to_string()));
        }
        let request = request.map(|body| Full::new(Bytes::from(body)));
        match tokio::time::timeout(TIMEOUT, self.whole(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::TooSlow),
        }
    }

    async fn whole(&self, request: Request<Full<Bytes>>) -> Result<Response<Vec<u8>>, FetchError> {
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| FetchError::NoAnswer(innermost(&error).to_string()))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                FetchError::TooLarge
            } else {
                FetchError::NoAnswer(innermost(error.as_ref()).to_string())
            }
        })?;
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

/// Whether nobody on the way can read along.
pub fn is_confidential(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    let is_here = host == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    uri.scheme() == Some(&Scheme::HTTPS) || (uri.scheme() == Some(&Scheme::HTTP) && is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_stays_on_this_machine() {
        for (url, expected) in [
            ("https://id.example/token", true),
            ("https://10.0.0.1/token", true),
            ("http://localhost:8080/token", true),
            ("http://127.0.0.1/", true),
            ("http://[::1]:1/", true),
            ("http://id.example/token", false),
            ("http://10.0.0.1/token", false),
            ("http://localhost.evil.example/", false),
            ("ftp://localhost/", false),
            ("/token", false),
        ] {
            assert_eq!(is_confidential(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
