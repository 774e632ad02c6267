//! One attempt to deliver: to a URL, with the old secret at once after the new one while a rotation lasts, or by mail.

use std::fmt::Display;
use std::time::Instant;

use bytes::Bytes;
use tollgate_domain::event::EventType;
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting};
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::time::Timestamp;

use crate::sender::{Answer, Message};
use crate::worker::Delivery;

/// What is delivered.
pub(crate) struct Parcel<'a> {
    /// What a receiver tells repetitions by.
    pub(crate) event_id: String,
    pub(crate) event_type: EventType,
    /// The id of the entity.
    pub(crate) subject: &'a str,
    pub(crate) occurred_at: Timestamp,
    pub(crate) notification_id: &'a (dyn Display + Sync),
    /// The body, byte for byte.
    pub(crate) payload: String,
}

/// An attempt that was made.
pub(crate) struct Attempt {
    pub(crate) at: Timestamp,
    pub(crate) answer: Answer,
}

/// What became of a parcel.
pub(crate) struct Attempted {
    /// With a secret that the receiver may not have.
    pub(crate) first: Option<Attempt>,
    /// The one that counts.
    pub(crate) last: Attempt,
}

impl Delivery {
    /// Sends the parcel to where this setting says, once.
    pub(crate) async fn attempt(&self, setting: &NotificationSetting, parcel: Parcel<'_>) -> Attempted {
        match setting.destination_type {
            DestinationType::Url => self.post(setting, parcel).await,
            DestinationType::Email => {
                let at = self.clock.now();
                let answer = self.mail(setting, &parcel).await;
                let last = Attempt { at, answer };
                Attempted { first: None, last }
            }
        }
    }

    async fn post(&self, setting: &NotificationSetting, parcel: Parcel<'_>) -> Attempted {
        let at = self.clock.now();
        let message = Message {
            event_id: parcel.event_id,
            body: Bytes::from(parcel.payload),
            secret: &setting.secret,
            also: previous(setting, at),
        };
        let answer = self.sender.attempt(&setting.destination, &message, at).await;
        let attempt = Attempt { at, answer };
        if !attempt.answer.may_refuse_signature() {
            return Attempted {
                first: None,
                last: attempt,
            };
        }
        // The receiver may still have the old secret; or the new one already, when the setting was read before the
        // rotation. So it is read again.
        let fresh = self.storage.notification_setting(setting.workspace, setting.id).await;
        let fresh = fresh.ok().flatten();
        let at = self.clock.now();
        let Some(other) = other_secret(fresh.as_ref().unwrap_or(setting), &setting.secret, at) else {
            return Attempted {
                first: None,
                last: attempt,
            };
        };
        let message = Message {
            secret: other,
            also: Some(&setting.secret),
            ..message
        };
        let answer = self.sender.attempt(&setting.destination, &message, at).await;
        Attempted {
            first: Some(attempt),
            last: Attempt { at, answer },
        }
    }

    async fn mail(&self, setting: &NotificationSetting, parcel: &Parcel<'_>) -> Answer {
        let began = Instant::now();
        let Some(mailer) = &self.mailer else {
            return Answer::failed(
                "no mail server is configured: set smtp_url and smtp_from",
                began.elapsed(),
            );
        };
        match mailer.send(&setting.destination, parcel).await {
            Ok(body) => Answer {
                // SMTP's own word for "taken". RFC 5321, 4.2.3.
                status: 250,
                content_type: None,
                body,
                problem: None,
                retry_after: None,
                took: began.elapsed(),
            },
            Err(problem) => Answer::failed(&problem, began.elapsed()),
        }
    }
}

/// The secret before, while its receiver may still have it.
fn previous(setting: &NotificationSetting, now: Timestamp) -> Option<&EndpointSecret> {
    let (secret, until) = setting.previous_secret.as_ref()?;
    (now < *until).then_some(secret)
}

/// The newest secret that isn't `tried`, if there is another one.
fn other_secret<'a>(
    setting: &'a NotificationSetting,
    tried: &EndpointSecret,
    now: Timestamp,
) -> Option<&'a EndpointSecret> {
    let known = [Some(&setting.secret), previous(setting, now)];
    known
        .into_iter()
        .flatten()
        .find(|secret| secret.reveal() != tried.reveal())
}
