//! Notifications: one event for one destination, and the attempts to deliver it.

use std::fmt::Display;

use sha2::{Digest, Sha256};

use crate::event::{Event, EventType};
use crate::id::{EventId, NotificationId, NotificationLogId, NotificationSettingId, WorkspaceId};
use crate::time::Timestamp;

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotificationStatus {
    /// Waiting for its first attempt.
    NotAttempted,
    /// The last attempt failed; another one follows.
    NeedsRetry,
    /// A receiver has taken it.
    Delivered,
    /// Every attempt failed. Replaying makes a new one.
    Failed,
}

impl NotificationStatus {
    /// All four, as the contract orders them.
    pub const ALL: [Self; 4] = [Self::NotAttempted, Self::NeedsRetry, Self::Delivered, Self::Failed];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAttempted => "not_attempted",
            Self::NeedsRetry => "needs_retry",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether no further attempt follows.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed)
    }
}

/// Why there is a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotificationOrigin {
    /// The event itself.
    Event,
    /// Somebody asked for another delivery.
    Replay,
}

impl NotificationOrigin {
    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Replay => "replay",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Event, Self::Replay]
            .into_iter()
            .find(|origin| origin.name() == name)
    }
}

/// A notification as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// `ntf_…`; the same on each attempt.
    pub id: NotificationId,
    /// Where it goes.
    pub setting: NotificationSettingId,
    /// What it tells of.
    pub event: Event,
    /// The event itself, or a replay.
    pub origin: NotificationOrigin,
    /// Where it stands.
    pub status: NotificationStatus,
    /// How many attempts were made.
    pub times_attempted: u32,
    /// When the last attempt was made: the latest, whichever was recorded last.
    pub last_attempt_at: Option<Timestamp>,
    /// When a receiver took it.
    pub delivered_at: Option<Timestamp>,
    /// When it was last replayed.
    pub replayed_at: Option<Timestamp>,
    /// When the next attempt is due after a failed one; `None` before the first attempt and when none follows.
    pub retry_at: Option<Timestamp>,
}

/// One delivery attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// `ntflog_…`
    pub id: NotificationLogId,
    /// What was to be delivered.
    pub notification: NotificationId,
    /// The status that the receiver answered with; 0 when there was no answer. The contract's question Q8.
    pub response_code: u16,
    /// The media type of the answer.
    pub response_content_type: Option<String>,
    /// The answer's body, cut; empty when there was none.
    pub response_body: String,
    /// Why there was no answer, or why it wasn't read to its end. Ours, not in the contract.
    pub problem: Option<String>,
    /// When it was sent.
    pub attempted_at: Timestamp,
    /// How long it took, in milliseconds. Ours, not in the contract.
    pub duration_ms: u32,
}

/// The id of the one notification that this event makes for this setting. It follows from the two, so that making it
/// twice makes it once: the time of the event, then 64 bits of SHA-256 over both ids in hexadecimal. PostgreSQL
/// computes the same in SQL.
pub fn id_of(event: EventId, setting: NotificationSettingId) -> NotificationId {
    let mut hash = Sha256::new();
    hash.update(event.to_string());
    hash.update(setting.to_string());
    let hash = hex::encode(&hash.finalize()[..8]);
    NotificationId::from_tail(&format!("{}{hash}", &event.tail()[..10])).expect("26 letters and digits")
}

/// What is sent: the event with the notification's id. The same bytes on each attempt.
pub fn payload(event: &Event, notification: NotificationId) -> String {
    envelope(
        (&event.id, event.event_type, event.occurred_at),
        &notification,
        &event.data,
    )
}

/// The envelope of everything that is sent, real or simulated, in the order of the contract's samples; `data` is JSON.
pub(crate) fn envelope(
    (event_id, event_type, occurred_at): (&dyn Display, EventType, Timestamp),
    notification_id: &dyn Display,
    data: &str,
) -> String {
    format!(
        r#"{{"event_id":"{event_id}","event_type":"{}","occurred_at":"{occurred_at}","notification_id":"{notification_id}","data":{data}}}"#,
        event_type.name(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Actor;

    #[test]
    fn the_payload_is_the_contracts_sample_byte_for_byte() {
        let data = r#"{"id":"ctkn_01kjpx8smtt7yvcqtc63b3kq74"}"#;
        let event = Event {
            workspace: WorkspaceId::parse("wsp_01khxpvseb2c6yh7kamebc4fdp").unwrap(),
            id: EventId::parse("evt_01kk9qj3e303apn41qrp5t6kps").unwrap(),
            event_type: EventType::ClientTokenRevoked,
            occurred_at: Timestamp::parse("2026-03-09T16:40:51.907412Z").unwrap(),
            subject: "ctkn_01kjpx8smtt7yvcqtc63b3kq74".to_owned(),
            data: data.to_owned(),
            actor: Actor::CommandLine,
            address: None,
        };
        let notification = NotificationId::parse("ntf_01kk9qj3e33j9dnvpqjrx8bqyd").unwrap();
        assert_eq!(
            payload(&event, notification),
            concat!(
                r#"{"event_id":"evt_01kk9qj3e303apn41qrp5t6kps","event_type":"client_token.revoked","occurred_at":"#,
                r#""2026-03-09T16:40:51.907412Z","notification_id":"ntf_01kk9qj3e33j9dnvpqjrx8bqyd","data":"#,
                r#"{"id":"ctkn_01kjpx8smtt7yvcqtc63b3kq74"}}"#
            )
        );
    }

    #[test]
    fn an_id_follows_from_event_and_setting() {
        let event = EventId::parse("evt_01kk9qj3e303apn41qrp5t6kps").unwrap();
        let setting = NotificationSettingId::parse("ntfset_01khxpvseb2c6yh7kamebc4fdp").unwrap();
        let other = NotificationSettingId::parse("ntfset_01khxpvseb2c6yh7kamebc4fdq").unwrap();
        assert_eq!(id_of(event, setting), id_of(event, setting));
        assert_ne!(id_of(event, setting), id_of(event, other));
        assert!(id_of(event, setting).to_string().starts_with("ntf_01kk9qj3e3"));
    }
}
