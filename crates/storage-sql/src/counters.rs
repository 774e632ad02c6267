//! How a change moves the counters that spare counting rows, the same in both stores.

use std::collections::BTreeMap;

use tollgate_domain::client_token::ClientTokenStatus;
use tollgate_domain::event::EventType;
use tollgate_domain::id::WorkspaceId;
use tollgate_storage::{Change, TOTAL_CAP, Write};

/// The counter of a workspace's client tokens with this status.
pub(crate) fn client_tokens(status: ClientTokenStatus) -> String {
    format!("client_tokens.{}", status.name())
}

/// The counter of a workspace's API keys.
pub(crate) const API_KEYS: &str = "api_keys";

/// The counter of a workspace's events of this type.
pub(crate) fn events(event_type: EventType) -> String {
    format!("events.{}", event_type.name())
}

/// A sum of counters as a page's total.
pub(crate) fn total(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or(0).min(TOTAL_CAP + 1)
}

/// By how much the counters of one commit move, in the order of their keys, so that two nodes lock them alike.
#[derive(Debug, Default)]
pub(crate) struct Deltas(BTreeMap<(WorkspaceId, String), i64>);

impl Deltas {
    /// Adds what an applied change moves.
    pub(crate) fn add(&mut self, change: &Change) {
        match &change.write {
            Write::CreateClientToken(token) => self.move_by(token.workspace, client_tokens(token.status), 1),
            Write::UpdateClientToken { from, to } if from.status != to.status => {
                self.move_by(from.workspace, client_tokens(from.status), -1);
                self.move_by(to.workspace, client_tokens(to.status), 1);
            }
            Write::CreateApiKey(key) => self.move_by(key.workspace, API_KEYS.to_owned(), 1),
            Write::CreateWorkspace(_)
            | Write::UpdateClientToken { .. }
            | Write::UpdateApiKey { .. }
            | Write::TouchApiKey { .. }
            | Write::ForgetIdempotentAnswers { .. } => {}
        }
        for event in &change.events {
            self.move_by(event.workspace, events(event.event_type), 1);
        }
    }

    fn move_by(&mut self, workspace: WorkspaceId, name: String, by: i64) {
        *self.0.entry((workspace, name)).or_default() += by;
    }

    /// What moved, by how much.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (WorkspaceId, &str, i64)> {
        self.0
            .iter()
            .map(|((workspace, name), by)| (*workspace, name.as_str(), *by))
    }
}
