//! Simulations: an event that didn't happen, sent to a destination that takes simulated ones.
//!
//! A simulation says what is sent where; each run of it makes a simulation event, and each replay another one. Neither
//! events nor notifications know of them.

use std::fmt::Display;

use crate::event::EventType;
use crate::id::{
    NotificationSettingId, SimulationEventId, SimulationId, SimulationNotificationId, SimulationRunId, WorkspaceId,
};
use crate::notification;
use crate::time::Timestamp;

/// What can be simulated: everything that Tollgate emits and the contract knows.
pub const TYPES: [EventType; 8] = EventType::ALL;

/// Whether a simulation is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimulationStatus {
    /// It can be run.
    Active,
    /// Put away: it isn't listed by default and can't be run.
    Archived,
}

impl SimulationStatus {
    /// Both, as the contract orders them.
    pub const ALL: [Self; 2] = [Self::Active, Self::Archived];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A simulation as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// `ntfsim_…`
    pub id: SimulationId,
    /// Where it is sent. It may be gone by now, or take no simulated events any more.
    pub setting: NotificationSettingId,
    /// Within [`crate::text::NAME`].
    pub name: String,
    /// What is simulated.
    pub event_type: EventType,
    /// In use or put away.
    pub status: SimulationStatus,
    /// Properties of the entity instead of the demo's, a JSON object as it was given; the demo alone when absent.
    pub payload: Option<String>,
    /// When it was last run.
    pub last_run_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last changed it; running it is no change.
    pub updated_at: Timestamp,
    /// Counts the changes: 1 when made. A write names the version it saw, and doesn't happen if another came first.
    pub version: i64,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimulationRunStatus {
    /// Its event is still to be sent.
    Pending,
    /// Its event was sent, however the receiver took it.
    Completed,
    /// Its event could not be sent.
    Canceled,
}

impl SimulationRunStatus {
    /// All three, as the contract orders them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Completed, Self::Canceled];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A run of a simulation as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationRun {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// Of which simulation.
    pub simulation: SimulationId,
    /// `ntfsimrun_…`
    pub id: SimulationRunId,
    /// Where it stands.
    pub status: SimulationRunStatus,
    /// What is simulated: the simulation's type at that time.
    pub event_type: EventType,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
}

/// Where a simulation event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimulationEventStatus {
    /// Still to be sent.
    Pending,
    /// The receiver took it.
    Success,
    /// It was sent, and the receiver didn't take it or gave no answer. No further attempt follows.
    Failed,
    /// It was not sent: its destination takes nothing any more, or nobody sent it in time.
    Aborted,
}

impl SimulationEventStatus {
    /// All four, as the contract orders them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Success, Self::Failed, Self::Aborted];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Where an event that ends so leaves its run.
    pub const fn of_run(self) -> SimulationRunStatus {
        match self {
            Self::Pending => SimulationRunStatus::Pending,
            Self::Success | Self::Failed => SimulationRunStatus::Completed,
            Self::Aborted => SimulationRunStatus::Canceled,
        }
    }
}

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationResponse {
    /// The answer's status.
    pub status_code: u16,
    /// Its body, cut.
    pub body: String,
}

/// An event of a run as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationEvent {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// Of which simulation.
    pub simulation: SimulationId,
    /// Of which run.
    pub run: SimulationRunId,
    /// `ntfsimevt_…`
    pub id: SimulationEventId,
    /// Where it goes.
    pub setting: NotificationSettingId,
    /// Where it stands.
    pub status: SimulationEventStatus,
    /// What is simulated.
    pub event_type: EventType,
    /// The entity, as JSON text: exactly the bytes in the delivery's `data`.
    pub payload: String,
    /// The body that was sent; `None` while nothing was.
    pub request: Option<String>,
    /// What the receiver answered; `None` when there was no answer.
    pub response: Option<SimulationResponse>,
    /// Why it was not sent, why there was no answer, or why that isn't whole. Ours, not in the contract.
    pub problem: Option<String>,
    /// When somebody took it to send it: nobody else does.
    pub claimed_at: Option<Timestamp>,
    /// When it was asked for; when it "occurred".
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
}

impl SimulationEvent {
    /// What its delivery carries in the place of a notification's id: it follows from the event's.
    pub fn notification(&self) -> SimulationNotificationId {
        SimulationNotificationId::from_tail(self.id.tail()).expect("the tail of an id")
    }

    /// What is sent: the ordinary envelope. The two ids have prefixes of their own, as in captured traffic: receivers
    /// tell simulated deliveries by them.
    pub fn body(&self) -> String {
        let event: (&dyn Display, _, _) = (&self.id, self.event_type, self.created_at);
        notification::envelope(event, &self.notification(), &self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for status in SimulationStatus::ALL {
            assert_eq!(SimulationStatus::from_name(status.name()), Some(status));
        }
        for status in SimulationRunStatus::ALL {
            assert_eq!(SimulationRunStatus::from_name(status.name()), Some(status));
        }
        for status in SimulationEventStatus::ALL {
            assert_eq!(SimulationEventStatus::from_name(status.name()), Some(status));
        }
    }

    #[test]
    fn the_body_is_the_ordinary_envelope_with_ids_of_its_own() {
        let at = Timestamp::parse("2026-03-09T16:40:51.907412Z").unwrap();
        let event = SimulationEvent {
            workspace: WorkspaceId::parse("wsp_01khxpvseb2c6yh7kamebc4fdp").unwrap(),
            simulation: SimulationId::parse("ntfsim_01khxpvseb2c6yh7kamebc4fdp").unwrap(),
            run: SimulationRunId::parse("ntfsimrun_01khxpvseb2c6yh7kamebc4fdp").unwrap(),
            id: SimulationEventId::parse("ntfsimevt_01kk9qj3e303apn41qrp5t6kps").unwrap(),
            setting: NotificationSettingId::parse("ntfset_01khxpvseb2c6yh7kamebc4fdp").unwrap(),
            status: SimulationEventStatus::Pending,
            event_type: EventType::ClientTokenRevoked,
            payload: r#"{"id":"ctkn_01kjpx8smtt7yvcqtc63b3kq74"}"#.to_owned(),
            request: None,
            response: None,
            problem: None,
            claimed_at: None,
            created_at: at,
            updated_at: at,
        };
        assert_eq!(
            event.body(),
            concat!(
                r#"{"event_id":"ntfsimevt_01kk9qj3e303apn41qrp5t6kps","event_type":"client_token.revoked","occurred_at":"#,
                r#""2026-03-09T16:40:51.907412Z","notification_id":"ntfsimntf_01kk9qj3e303apn41qrp5t6kps","data":"#,
                r#"{"id":"ctkn_01kjpx8smtt7yvcqtc63b3kq74"}}"#
            )
        );
    }
}
