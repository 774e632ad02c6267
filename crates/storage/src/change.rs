//! A write as a value.

use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::Event;
use tollgate_domain::id::{
    ApiKeyId, NotificationId, NotificationSettingId, SimulationEventId, SimulationId, SimulationRunId, WorkspaceId,
};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::simulation::{
    Simulation, SimulationEvent, SimulationEventStatus, SimulationResponse, SimulationRun,
};
use tollgate_domain::time::Timestamp;
use tollgate_domain::usage::{Hour, UsageDelta};
use tollgate_domain::workspace::Workspace;

use crate::PeopleWrite;

/// Everything durable that one use-case does.
#[derive(Clone, Debug)]
pub struct Change {
    /// The row, with what must still hold for it.
    pub write: Write,
    /// What happened, in this order; each gets the next place in the sequence, and for each notification setting of
    /// its workspace that wants it ([`NotificationSetting::wants`]), as committed before this change, a notification
    /// with the id that [`tollgate_domain::notification::id_of`] gives, due from the event's time on.
    pub events: Vec<Event>,
    /// The request this answers, when it came with a key of its own: kept with the rest, or found to be answered
    /// before, and then nothing else happens.
    pub idempotency: Option<(IdempotencyKey, IdempotentAnswer)>,
}

impl Change {
    /// A write that nobody is told of.
    pub const fn silent(write: Write) -> Self {
        Self {
            write,
            events: Vec::new(),
            idempotency: None,
        }
    }

    /// When it happens, as far as it says: an earlier answer that is forgotten by then doesn't stand in its way.
    pub fn happens_at(&self) -> Option<Timestamp> {
        match &self.write {
            Write::CreateClientToken(token) => Some(token.created_at),
            _ => self.events.first().map(|event| event.occurred_at),
        }
    }
}

/// One row to write.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new workspace.
    CreateWorkspace(Workspace),
    /// A new client token.
    CreateClientToken(ClientToken),
    /// `to` in place of `from`, if the stored row still has the version of `from`; else [`Outcome::Stale`]. Workspace,
    /// id, token and time of creation stay.
    UpdateClientToken {
        /// As it was read from the store: the counters move by the difference.
        from: ClientToken,
        /// As it shall be; a later version.
        to: ClientToken,
    },
    /// [`UpdateClientToken`](Self::UpdateClientToken) and, together with it, a new client token that takes its place.
    ReplaceClientToken {
        /// As it was read from the store.
        from: ClientToken,
        /// As it shall be; a later version.
        to: ClientToken,
        /// The new one.
        successor: ClientToken,
    },
    /// Adds to what is stored of client tokens' usage; several nodes do so. The last use only moves forward. Of each
    /// token and UTC day the [`MOST_ORIGINS_A_DAY`](tollgate_domain::usage::MOST_ORIGINS_A_DAY) most frequent origins
    /// are kept, among equals the first in the order of their bytes. Tokens that don't exist are passed over. A
    /// thousand at a time hold up nobody else's write for long.
    RecordUsage(Vec<UsageDelta>),
    /// Removes hourly counts of hours before this one, and origins of days before its UTC day, at most `limit` of each.
    /// The last use stays.
    PruneUsage {
        /// Older than this.
        before: Hour,
        /// How many at a time.
        limit: usize,
    },
    /// A new API key.
    CreateApiKey(ApiKey),
    /// `to` in place of `from`, if the stored row still has the version of `from`; else [`Outcome::Stale`]. Workspace,
    /// environment, id, digest, last use and time of creation stay.
    UpdateApiKey {
        /// As it was read from the store.
        from: ApiKey,
        /// As it shall be; a later version.
        to: ApiKey,
    },
    /// The key was used: moves `last_used_at` forward, never back, and leaves the version.
    TouchApiKey {
        /// Which one; an unknown one is passed over.
        id: ApiKeyId,
        /// When.
        used_at: Timestamp,
    },
    /// A new notification setting, if the workspace's settings are still those that the use-case saw; else
    /// [`Outcome::Stale`].
    CreateNotificationSetting {
        /// The new one.
        setting: NotificationSetting,
        /// What the use-case saw of the others.
        seen: SettingsSeen,
    },
    /// `to` in place of the setting, if the workspace's settings are still those that the use-case saw; else
    /// [`Outcome::Stale`]. Workspace, id, type and time of creation stay; so does `failing_since`, except that it is
    /// cleared when the setting becomes active.
    UpdateNotificationSetting {
        /// As it shall be; a later version.
        to: NotificationSetting,
        /// What the use-case saw of all of them.
        seen: SettingsSeen,
    },
    /// The setting is gone, with its notifications and their attempts, which are no longer shown and are removed by
    /// [`Write::Prune`]. [`Outcome::Stale`] when it is gone already.
    DeleteNotificationSetting {
        /// Whose.
        workspace: WorkspaceId,
        /// Which.
        id: NotificationSettingId,
    },
    /// Takes up to `limit` of a setting's notifications that are due at `now`, earliest first, until `until`: before that
    /// moment nobody else gets them, from it on anybody. Nothing for a setting that isn't active. [`Outcome::Leased`].
    LeaseNotifications {
        /// Which queue.
        setting: NotificationSettingId,
        /// The current time.
        now: Timestamp,
        /// When others may take what isn't recorded by then.
        until: Timestamp,
        /// How many.
        limit: usize,
    },
    /// An attempt and what follows from it; it ends the lease. It counts once, however many rows of the log it has. A
    /// notification that is delivered stays so, since the first time. Passed over, setting included, when the
    /// notification is gone, or its setting.
    RecordAttempt(AttemptRecord),
    /// Another delivery of a notification, due at once; the original notes when. [`Outcome::Stale`] when the original
    /// is gone, or its setting.
    ReplayNotification {
        /// Whose.
        workspace: WorkspaceId,
        /// Which.
        original: NotificationId,
        /// The new one's id.
        id: NotificationId,
        /// The current time.
        at: Timestamp,
    },
    /// Removes what is older than `before` (notifications with their attempts, then events that no notification is
    /// left of) and what belongs to settings that are gone, at most `limit` of each. A notification is as old as its id,
    /// to the millisecond, and a replay so younger than its event. Events go from the beginning of the sequence on: one
    /// of a clock behind goes when those before it do.
    Prune {
        /// Older than this.
        before: Timestamp,
        /// How many at a time.
        limit: usize,
    },
    /// A new simulation.
    CreateSimulation(Simulation),
    /// `to` in place of `from`, if the stored row still has the version of `from`; else [`Outcome::Stale`]. Workspace,
    /// id, last run and time of creation stay.
    UpdateSimulation {
        /// As it was read from the store.
        from: Simulation,
        /// As it shall be; a later version.
        to: Simulation,
    },
    /// A run of a simulation with its event, both pending; the simulation notes when, never an earlier time than it has,
    /// and keeps its version. [`Outcome::Stale`] when another run of it is pending, or when there is no such simulation.
    RunSimulation {
        /// The new run.
        run: SimulationRun,
        /// Its event.
        event: SimulationEvent,
    },
    /// One more event of a run; the run stays as it is. [`Outcome::Stale`] when there is no such run.
    ReplaySimulationEvent(SimulationEvent),
    /// Takes an event to send it: nobody else does. [`Outcome::Stale`] when somebody has it already, or when it isn't
    /// pending.
    ClaimSimulationEvent {
        /// Which.
        event: SimulationEventKey,
        /// The current time.
        at: Timestamp,
    },
    /// How a pending event ended, and with it its run, if that is pending and no other event of it is.
    /// [`Outcome::Stale`] when it isn't pending.
    RecordSimulationEvent(SimulationRecord),
    /// Removes runs that are older than `before` with their events, oldest first, at most `limit` runs.
    PruneSimulationRuns {
        /// Older than this.
        before: Timestamp,
        /// How many at a time.
        limit: usize,
    },
    /// Something about people, their sessions, the links that are made for them, or the workspace that they share.
    People(PeopleWrite),
    /// Removes idempotent answers that are forgotten at `now`, at most `limit`.
    ForgetIdempotentAnswers {
        /// The current time.
        now: Timestamp,
        /// How many at a time.
        limit: usize,
    },
}

/// What a use-case saw of a workspace's notification settings: changes with each of them, also when one takes the place
/// of another. Attempts don't change it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsSeen(String);

impl SettingsSeen {
    /// Of these settings: all that the workspace has.
    pub fn of(settings: &[NotificationSetting]) -> Self {
        let each: Vec<String> = settings
            .iter()
            .map(|setting| format!("{} {}", setting.id, setting.version))
            .collect();
        Self::from_text(each.join(" "))
    }

    /// From each setting's id and version, in the order of the ids, with blanks between: as a store gathers it.
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }
}

/// A delivery attempt, and where it leaves the notification and its setting.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// Whose.
    pub workspace: WorkspaceId,
    /// Which destination.
    pub setting: NotificationSettingId,
    /// One row of the log, or two when a rotation had both secrets tried.
    pub attempts: Vec<DeliveryAttempt>,
    /// Where the notification stands now.
    pub status: NotificationStatus,
    /// When the next attempt is due; `None` when none follows.
    pub retry_at: Option<Timestamp>,
    /// When all this was over: since then the notification is delivered, or the setting failing.
    pub at: Timestamp,
}

/// Which simulation event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SimulationEventKey {
    /// Whose.
    pub workspace: WorkspaceId,
    /// Of which simulation.
    pub simulation: SimulationId,
    /// Of which run.
    pub run: SimulationRunId,
    /// Which of it.
    pub id: SimulationEventId,
}

impl SimulationEventKey {
    /// Of this event.
    pub const fn of(event: &SimulationEvent) -> Self {
        Self {
            workspace: event.workspace,
            simulation: event.simulation,
            run: event.run,
            id: event.id,
        }
    }
}

/// How a simulation event ended.
#[derive(Clone, Debug)]
pub struct SimulationRecord {
    /// Which.
    pub event: SimulationEventKey,
    /// Not pending.
    pub status: SimulationEventStatus,
    /// The body that was sent, if anything was.
    pub request: Option<String>,
    /// What was answered, if anything was.
    pub response: Option<SimulationResponse>,
    /// Why it was not sent, why there was no answer, or why that isn't whole.
    pub problem: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored, and everything up to this place in the sequence is visible.
    Applied {
        /// The place of the last event of the change, or of the last event before it when it has none.
        sequence: u64,
    },
    /// The row has another version by now: nothing was written. Look again.
    Stale,
    /// The request was answered before: nothing was written, this was the answer.
    AlreadyAnswered(IdempotentAnswer),
    /// These are the caller's until the lease ends, in the order they were due.
    Leased(Vec<Notification>),
}

/// How a caller names a request that it may send twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Each API key has names of its own.
    pub api_key: ApiKeyId,
    /// As the caller chose it.
    pub key: String,
}

/// What a request was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentAnswer {
    /// SHA-256 of what was asked, to tell a repetition from another request under the same name.
    pub request_digest: [u8; 32],
    /// What the use-case answered; its own format.
    pub answer: String,
    /// Forgotten from this moment on.
    pub expires_at: Timestamp,
}
