//! One HTTP attempt: signs now, connects through the guard, follows no redirect, and reads no more of the answer than
//! the log keeps.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::http::Extensions;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::time::Timestamp;

use crate::connector::{GuardedConnector, Used};
use crate::guard::{Guard, Refusal};

/// How long an attempt may take in all. Contract, section 11.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer's body the log keeps, in bytes.
const BODY_KEPT: usize = 32 * 1024;
/// How long an idle connection is kept: less than the five seconds after which many servers close theirs.
const IDLE: Duration = Duration::from_secs(4);
/// How many idle connections are kept for one receiver.
const IDLE_PER_HOST: usize = 64;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer's status; 0 when there was none.
    pub status: u16,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its body, cut at 32 KiB.
    pub body: String,
    /// Why there was no answer, or why its body is not whole.
    pub problem: Option<String>,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// How long it all took.
    pub took: Duration,
}

impl Answer {
    /// Any 2xx. Contract, question Q15.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Whether the receiver may have refused the signature.
    pub(crate) const fn may_refuse_signature(&self) -> bool {
        matches!(self.status, 400 | 401 | 403)
    }

    pub(crate) fn failed(problem: &(impl ToString + ?Sized), took: Duration) -> Self {
        let problem = Some(problem.to_string());
        Self {
            status: 0,
            content_type: None,
            body: String::new(),
            problem,
            retry_after: None,
            took,
        }
    }
}

/// What is sent, and how it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Message<'a> {
    /// What a receiver tells repetitions by.
    pub(crate) event_id: String,
    pub(crate) body: Bytes,
    /// The contract's header is signed with this one.
    pub(crate) secret: &'a EndpointSecret,
    /// The Standard Webhooks header carries a signature by this one too.
    pub(crate) also: Option<&'a EndpointSecret>,
}

/// Sends. Keeps connections open between attempts; cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client<HttpsConnector<GuardedConnector>, Full<Bytes>>,
    guard: Guard,
}

impl Sender {
    /// Over connections that `guard` lets through; TLS by the machine's certificates.
    pub fn new(guard: Guard) -> io::Result<Self> {
        Ok(Self::over(guard, tls()?.with_native_roots()?.with_no_client_auth()))
    }

    /// The same, but believing only these certificate authorities.
    pub fn trusting(guard: Guard, roots: RootCertStore) -> io::Result<Self> {
        Ok(Self::over(
            guard,
            tls()?.with_root_certificates(roots).with_no_client_auth(),
        ))
    }

    fn over(guard: Guard, tls: ClientConfig) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(GuardedConnector { guard: guard.clone() });
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build(connector);
        Self { client, guard }
    }

    /// One attempt at `now`, by the wall clock that receivers compare with.
    pub(crate) async fn attempt(&self, destination: &str, message: &Message<'_>, now: Timestamp) -> Answer {
        let began = Instant::now();
        let request = match self.request(destination, message, now) {
            Ok(request) => request,
            Err(refusal) => return Answer::failed(&refusal, began.elapsed()),
        };
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        let response = match tokio::time::timeout_at(deadline, self.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Answer::failed(&reason(&error), began.elapsed()),
            Err(_) => return Answer::failed(&format!("no answer within {} s", TIMEOUT.as_secs()), began.elapsed()),
        };
        let (parts, body) = response.into_parts();
        let (body, problem) = read(body, deadline).await;
        Answer {
            status: parts.status.as_u16(),
            content_type: header_text(&parts.headers, &CONTENT_TYPE),
            body,
            problem: problem.or_else(|| redirected(parts.status)),
            retry_after: retry_after(&parts.headers, now),
            took: began.elapsed(),
        }
    }

    /// On a connection that had carried answers before and turns out to be closed, the request is made anew: that is
    /// the end of the connection, and says nothing of this request.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        loop {
            match self.client.request(request.clone()).await {
                Err(error) if was_used(&error) => {}
                Err(error) => return Err(error),
                Ok(response) => {
                    if let Some(used) = response.extensions().get::<Used>() {
                        used.note();
                    }
                    return Ok(response);
                }
            }
        }
    }

    fn request(
        &self,
        destination: &str,
        message: &Message<'_>,
        now: Timestamp,
    ) -> Result<Request<Full<Bytes>>, Refusal> {
        // The connector checks the address again; this is for spellings that only a URL parser sees through.
        let url = self.guard.check_url(destination, false)?;
        let uri: Uri = url.as_str().parse().map_err(|_| Refusal::NotAUrl)?;
        let seconds = now.as_millis() / 1_000;
        let mut standard = message
            .secret
            .standard_signature(&message.event_id, seconds, &message.body);
        if let Some(also) = message.also {
            standard.push(' ');
            standard.push_str(&also.standard_signature(&message.event_id, seconds, &message.body));
        }
        let header = |text: String| HeaderValue::try_from(text).expect("ids, digits and base 64 are visible ASCII");
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("Paddle"))
            .header(ACCEPT, HeaderValue::from_static("*/*"))
            .header(
                "paddle-signature",
                header(message.secret.paddle_signature(seconds, &message.body)),
            )
            .header("webhook-id", header(message.event_id.clone()))
            .header("webhook-timestamp", header(seconds.to_string()))
            .header("webhook-signature", header(standard))
            .body(Full::new(message.body.clone()));
        request.map_err(|_| Refusal::NotAUrl)
    }
}

pub(crate) fn tls() -> io::Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)
}

fn was_used(error: &Error) -> bool {
    let mut extensions = Extensions::new();
    if let Some(connection) = error.connect_info() {
        connection.get_extras(&mut extensions);
    }
    extensions.get::<Used>().is_some_and(Used::is_used)
}

/// The body, cut, and why it isn't whole.
async fn read(mut body: Incoming, deadline: tokio::time::Instant) -> (String, Option<String>) {
    let mut kept = Vec::new();
    let problem = loop {
        match tokio::time::timeout_at(deadline, body.frame()).await {
            Err(_) => break Some(format!("the answer's body did not end within {} s", TIMEOUT.as_secs())),
            Ok(None) => break None,
            Ok(Some(Err(error))) => break Some(format!("the answer's body broke off: {error}")),
            Ok(Some(Ok(frame))) => {
                let Some(data) = frame.data_ref() else { continue };
                let room = BODY_KEPT - kept.len();
                kept.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    break Some(format!("the answer's body was cut at {} KiB", BODY_KEPT / 1024));
                }
            }
        }
    };
    // NUL is no text that both stores can keep.
    (String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}"), problem)
}

fn redirected(status: StatusCode) -> Option<String> {
    status.is_redirection().then(|| "redirects are not followed".to_owned())
}

fn header_text(headers: &HeaderMap, name: &hyper::header::HeaderName) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Seconds or a date. RFC 9110, 10.2.3.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let until = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(until.saturating_sub(Duration::from_millis(now.as_millis())))
}

/// The innermost cause, which says what happened, behind what was being done.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    format!("no answer: {}", innermost(error))
}

pub(crate) fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}
