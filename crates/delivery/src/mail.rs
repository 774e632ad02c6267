//! Mail to email destinations and to people, by SMTP.

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};

use crate::attempt::Parcel;
use crate::letters::Letter;
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
        let subject = format!("{} ({})", parcel.event_type.name(), parcel.subject);
        let message = self.message(to, subject, text(parcel))?;
        self.deliver(message).await
    }

    /// Mails a letter; what went wrong, for the log.
    pub async fn send_letter(&self, to: &str, letter: &Letter) -> Result<(), String> {
        let message = self.message(to, letter.subject.to_owned(), letter.text.clone())?;
        self.deliver(message).await.map(drop)
    }

    async fn deliver(&self, message: Message) -> Result<String, String> {
        // The transport's own limit is for each step of the conversation.
        let answer = tokio::time::timeout(TIMEOUT, self.transport.send(message)).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(answer.message().collect::<Vec<_>>().join(" "))
    }

    fn message(&self, to: &str, subject: String, text: String) -> Result<Message, String> {
        let to = to
            .parse::<lettre::Address>()
            .map_err(|_| "the destination is no email address".to_owned())?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| error.to_string())
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

#[cfg(test)]
mod tests {
    use tollgate_domain::time::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_letter_has_no_header_that_somebody_chose() {
        let mailer = Mailer::new("smtp://localhost:1", "Tollgate <tollgate@shop.example>").unwrap();
        let name = format!("a\r\nBcc: eve@example.com\r\n\r\n\u{202e}{}", "🔑".repeat(120));
        let until = Timestamp::parse("2026-03-02T09:15:04Z").unwrap();
        let letter = Letter::invitation(&name, "viewer", Some(&name), "https://t.example/l", until);
        let message = mailer.message("ada@example.com", letter.subject.to_owned(), letter.text);
        let message = String::from_utf8(message.unwrap().formatted()).unwrap();
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        let mut names: Vec<&str> = head.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "Content-Transfer-Encoding",
                "Content-Type",
                "Date",
                "From",
                "Subject",
                "To"
            ]
        );
        assert!(!head.contains("eve") && body.lines().all(|line| line.len() <= 998));
        for bad in ["", "a\r\nBcc: eve@example.com", "ada@example.com, eve@example.com"] {
            assert!(mailer.message(bad, String::new(), String::new()).is_err(), "{bad:?}");
        }
    }
}
