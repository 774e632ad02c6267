//! The local server: an event is sent to it as a delivery is, signed at that moment.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_domain::ambient::Clock as _;
use tollgate_domain::id::{EventId, NotificationId, NotificationSettingId};
use tollgate_domain::notification;
use tollgate_domain::signature::EndpointSecret;
use tollgate_service::ambient::SystemClock;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};

use crate::commands::Usage;
use crate::commands::api_client::is_loopback;

/// How much of an answer is read, in bytes.
const READ: u64 = 64 * 1024;
/// How much of it is shown, in characters.
const SHOWN: usize = 200;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// An event with its place in the sequence, as the server gives it.
#[derive(Deserialize)]
pub(super) struct Placed {
    pub(super) sequence: u64,
    pub(super) event_id: EventId,
    pub(super) event_type: String,
    occurred_at: String,
    data: Box<RawValue>,
}

impl Placed {
    /// Follows from the event and the listener, so that sending it again is recognised as the same.
    pub(super) fn notification_id(&self, listener: NotificationSettingId) -> NotificationId {
        notification::id_of(self.event_id, listener)
    }

    /// The bytes that a destination would get. The entity is passed on as it came.
    fn payload(&self, notification: NotificationId) -> String {
        #[derive(Serialize)]
        struct Payload<'a> {
            event_id: EventId,
            event_type: &'a str,
            occurred_at: &'a str,
            notification_id: NotificationId,
            data: &'a RawValue,
        }
        serde_json::to_string(&Payload {
            event_id: self.event_id,
            event_type: &self.event_type,
            occurred_at: &self.occurred_at,
            notification_id: notification,
            data: &self.data,
        })
        .expect("texts and JSON are JSON")
    }
}

/// Sends to one URL.
pub(super) struct Receiver {
    agent: Agent,
    url: String,
    secret: EndpointSecret,
    listener: NotificationSettingId,
}

/// What came of one attempt.
pub(super) enum Attempt {
    /// It answered; and the beginning of what it said when that was no success.
    Answered { status: u16, says: Option<String> },
    /// It took the event and gave no answer in time.
    Silent,
    /// It wasn't reached, or hung up.
    NotReached(String),
}

/// Checks what `--forward-to` gives.
pub(super) fn checked(url: &str) -> Result<String, Usage> {
    let parsed: Option<Uri> = url.parse().ok();
    let is_http = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if is_http && !url.contains(['@', '#']) {
        return Ok(url.to_owned());
    }
    Err(Usage(
        "--forward-to must be the http or https URL of your server, without a user or a fragment, such as \
         http://localhost:3000/webhooks"
            .to_owned(),
    ))
}

impl Receiver {
    /// To `url`, which was [`checked`]. `patience` is how long an answer may take.
    pub(super) fn new(
        url: &str,
        (secret, listener): (EndpointSecret, NotificationSettingId),
        patience: Duration,
    ) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(patience + CONNECT))
            .timeout_recv_response(Some(patience))
            // A server that is started anew has closed the connections of before.
            .max_idle_connections(0)
            .user_agent("Paddle")
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build());
        Self {
            agent: if is_loopback(url) {
                config.proxy(None).build().into()
            } else {
                config.build().into()
            },
            url: url.to_owned(),
            secret,
            listener,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn notification_id(&self, event: &Placed) -> NotificationId {
        event.notification_id(self.listener)
    }

    /// Sends it once; what came of it, and how long it took.
    pub(super) fn attempt(&self, event: &Placed) -> (Attempt, Duration) {
        let began = Instant::now();
        let body = event.payload(self.notification_id(event));
        let (seconds, message) = (SystemClock.now().as_millis() / 1_000, event.event_id.to_string());
        let signature = self.secret.paddle_signature(seconds, body.as_bytes());
        let standard = self.secret.standard_signature(&message, seconds, body.as_bytes());
        let request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("Paddle-Signature", signature)
            .header("webhook-id", message)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", standard);
        let attempt = match request.send(body.as_bytes()) {
            Ok(mut response) => {
                let status = response.status();
                // A body that breaks off changes nothing: the status is the answer.
                let text = response
                    .body_mut()
                    .with_config()
                    .limit(READ)
                    .lossy_utf8(true)
                    .read_to_string();
                let says = text
                    .ok()
                    .filter(|_| !status.is_success())
                    .and_then(|text| beginning(&text));
                Attempt::Answered {
                    status: status.as_u16(),
                    says,
                }
            }
            Err(ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve)) => {
                Attempt::NotReached(format!("no connection within {} s", CONNECT.as_secs()))
            }
            Err(ureq::Error::Timeout(_)) => Attempt::Silent,
            Err(ureq::Error::Io(error)) => Attempt::NotReached(error.to_string()),
            Err(error) => Attempt::NotReached(error.to_string()),
        };
        (attempt, began.elapsed())
    }
}

/// The first line with something in it, cut.
fn beginning(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(SHOWN).collect())
}

#[cfg(test)]
mod tests {
    use tollgate_domain::event::{Actor, Event, EventType};
    use tollgate_domain::id::WorkspaceId;
    use tollgate_domain::time::Timestamp;

    use super::*;

    #[test]
    fn what_is_sent_is_what_a_destination_gets() {
        let event = Event {
            workspace: WorkspaceId::parse("wsp_01khxpvseb2c6yh7kamebc4fdp").unwrap(),
            id: EventId::parse("evt_01kk9qj3e303apn41qrp5t6kps").unwrap(),
            event_type: EventType::ClientTokenRevoked,
            occurred_at: Timestamp::parse("2026-03-09T16:40:51.907412Z").unwrap(),
            subject: "ctkn_01kjpx8smtt7yvcqtc63b3kq74".to_owned(),
            data: r#"{"id":"ctkn_01kjpx8smtt7yvcqtc63b3kq74","name":"é \u00e9 \/"}"#.to_owned(),
            actor: Actor::CommandLine,
            address: None,
        };
        let given = format!(
            r#"{{"sequence":3,"event_id":"{}","event_type":"client_token.revoked","occurred_at":"{}","data":{}}}"#,
            event.id, event.occurred_at, event.data
        );
        let placed: Placed = serde_json::from_str(&given).unwrap();
        let listener = NotificationSettingId::parse("ntfset_01khxpvseb2c6yh7kamebc4fdp").unwrap();
        let id = placed.notification_id(listener);
        assert_eq!(placed.payload(id), notification::payload(&event, id));
    }

    #[test]
    fn only_a_url_is_forwarded_to() {
        for good in [
            "http://localhost:3000",
            "https://localhost/hooks?a=b&c",
            "http://[::1]:3000/",
        ] {
            assert_eq!(checked(good).unwrap(), good);
        }
        for bad in [
            "",
            "localhost:3000",
            "3000",
            "/hooks",
            "ftp://localhost/",
            "http://u:p@localhost/",
            "http://a/#b",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
