//! Mail to email destinations, by SMTP.

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};

use crate::attempt::Parcel;
use crate::sender::TIMEOUT;

/// Why mail can't be sent at all, or an address is none.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The server's URL.
    #[error("smtp_url: write smtp://user:password@host:587?tls=required or smtps://user:password@host:465")]
    Server,
    /// The sender's address.
    #[error("smtp_from: write an address, such as Tollgate <tollgate@example.com>")]
    From,
}

/// Sends mail. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// By the server at `url` (which may hold a password and is never shown), from the address `from`.
    pub fn new(url: &str, from: &str) -> Result<Self, MailerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| MailerError::Server)?
            .timeout(Some(TIMEOUT))
            .build();
        Ok(Self {
            transport,
            from: from.parse().map_err(|_| MailerError::From)?,
        })
    }

    /// Whether mail can be addressed to this text.
    pub fn is_address(text: &str) -> bool {
        text.parse::<lettre::Address>().is_ok()
    }

    /// Sends one parcel; the server's answer, or what went wrong.
    pub(crate) async fn send(&self, to: &str, parcel: &Parcel<'_>) -> Result<String, String> {
        let to = to
            .parse::<lettre::Address>()
            .map_err(|_| "the destination is no email address".to_owned())?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(format!("{} ({})", parcel.event_type.name(), parcel.subject))
            .header(ContentType::TEXT_PLAIN)
            .body(text(parcel))
            .map_err(|error| error.to_string())?;
        // The transport's own limit is for each step of the conversation.
        let answer = tokio::time::timeout(TIMEOUT, self.transport.send(message)).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(answer.message().collect::<Vec<_>>().join(" "))
    }
}

/// What people read: what happened, when, and the payload that a URL destination would get.
fn text(parcel: &Parcel<'_>) -> String {
    format!(
        "{} happened to {} at {}.\n\nEvent: {}\nNotification: {}\n\nPayload:\n{}\n",
        parcel.event_type.name(),
        parcel.subject,
        parcel.occurred_at,
        parcel.event_id,
        parcel.notification_id,
        parcel.payload,
    )
}
