//! What happened to a token, and who did it.

use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::ClientTokenId;
use tollgate_service::{AuditEntry, AuditError, HistoryOf};

use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::moment::Moment;
use crate::dashboard::session::Visit;

/// How many events are shown; the audit trail has all.
const SHOWN: usize = 20;

/// The newest events of a token.
pub(super) struct History {
    /// Newest first.
    pub(super) rows: Vec<Happened>,
    /// Whether there are older ones.
    pub(super) has_more: bool,
}

/// What happened at once.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    event_type: EventType,
    pub(super) at: Moment,
    pub(super) what: &'static str,
    pub(super) who: String,
    /// From where, for those who may know.
    pub(super) address: Option<String>,
}

impl History {
    pub(super) async fn read(app: &App, visit: &Visit, id: ClientTokenId) -> Result<Self, Failure> {
        let of = HistoryOf::ClientToken(id);
        let told = app.service.history(&visit.caller, of, None, SHOWN).await;
        let told = told.map_err(|error| match error {
            AuditError::Denied(denied) => Failure::from(denied),
            AuditError::Storage(error) => error.into(),
        })?;
        Ok(Self {
            rows: happened(&told.entries),
            has_more: told.next.is_some(),
        })
    }

    /// Who revoked it.
    pub(super) fn revoked_by(&self) -> Option<&str> {
        let revoked = self
            .rows
            .iter()
            .find(|row| row.event_type == EventType::ClientTokenRevoked);
        revoked.map(|row| row.who.as_str())
    }
}

/// A revocation is also a change: that is told once.
fn happened(entries: &[AuditEntry]) -> Vec<Happened> {
    let is_told = |event: &Event| {
        let revoked_then = |other: &AuditEntry| {
            other.event.event_type == EventType::ClientTokenRevoked && other.event.occurred_at == event.occurred_at
        };
        event.event_type != EventType::ClientTokenUpdated || !entries.iter().any(revoked_then)
    };
    let told = entries.iter().filter(|entry| is_told(&entry.event));
    told.map(|entry| Happened {
        event_type: entry.event.event_type,
        at: Moment(entry.event.occurred_at),
        what: match entry.event.event_type {
            EventType::ClientTokenCreated => "created",
            EventType::ClientTokenRevoked => "revoked",
            _ => "changed",
        },
        who: who(entry.event.actor, entry.actor_name.as_deref()),
        address: entry.event.address.map(|address| address.to_string()),
    })
    .collect()
}

fn who(actor: Actor, name: Option<&str>) -> String {
    match (actor, name) {
        (Actor::ApiKey(_), Some(name)) => format!("API key {name}"),
        (Actor::ApiKey(id), None) => format!("API key {id}"),
        (Actor::Person(_), Some(name)) => name.to_owned(),
        (Actor::Person(id), None) => id.to_string(),
        (Actor::CommandLine, _) => "the command line".to_owned(),
        (Actor::Clock, _) => "the clock, as scheduled".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tollgate_domain::id::{ApiKeyId, EventId, WorkspaceId};
    use tollgate_domain::time::Timestamp;

    use super::*;

    fn entry(event_type: EventType, seconds: u64, actor: Actor, name: Option<&str>) -> AuditEntry {
        let then = Timestamp::parse("2026-03-02T09:15:04Z").unwrap();
        AuditEntry {
            event: Event {
                workspace: WorkspaceId::parse("wsp_01jqxvwkd1n0000000000000a1").unwrap(),
                id: EventId::parse("evt_01jqxvwkd1n0000000000000a1").unwrap(),
                event_type,
                occurred_at: then.plus(Duration::from_secs(seconds)),
                subject: "ctkn_01jqxvwkd1n0000000000000a1".to_owned(),
                data: "{}".to_owned(),
                actor,
                address: None,
            },
            actor_name: name.map(str::to_owned),
        }
    }

    #[test]
    fn a_revocation_is_told_once_and_with_who_did_it() {
        let key = Actor::ApiKey(ApiKeyId::parse("apikey_01jqxvwkd1n0000000000000a1").unwrap());
        let entries = [
            entry(EventType::ClientTokenRevoked, 9, key, Some("Deploy")),
            entry(EventType::ClientTokenUpdated, 9, key, Some("Deploy")),
            entry(EventType::ClientTokenUpdated, 5, Actor::CommandLine, None),
            entry(EventType::ClientTokenCreated, 0, key, None),
        ];
        let history = History {
            rows: happened(&entries),
            has_more: false,
        };
        let told: Vec<_> = history.rows.iter().map(|row| (row.what, row.who.as_str())).collect();
        assert_eq!(
            told,
            [
                ("revoked", "API key Deploy"),
                ("changed", "the command line"),
                ("created", "API key apikey_01jqxvwkd1n0000000000000a1"),
            ]
        );
        assert_eq!(history.revoked_by(), Some("API key Deploy"));
        let by_time = [entry(EventType::ClientTokenRevoked, 9, Actor::Clock, None)];
        assert_eq!(happened(&by_time)[0].who, "the clock, as scheduled");
    }
}
