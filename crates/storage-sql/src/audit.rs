//! Which index a page of the audit trail walks, and from where to where: the same in both stores.

use tollgate_domain::event::Actor;
use tollgate_domain::id::{EventKind, Kind, time_prefix};
use tollgate_domain::time::Timestamp;
use tollgate_storage::AuditPage;

/// Which index a page runs along. What the index doesn't tell is looked at row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// All of a workspace.
    All,
    /// One for each type.
    Types,
    /// What one actor caused.
    Actor,
    /// What happened to one entity: the least, mostly.
    Subject,
}

impl Walk {
    pub(crate) const fn of(asked: &AuditPage) -> Self {
        if asked.subject.is_some() {
            Self::Subject
        } else if asked.actor.is_some() {
            Self::Actor
        } else if asked.types.is_empty() {
            Self::All
        } else {
            Self::Types
        }
    }
}

/// What the index by actors has of one: its id, or its kind where there is one of a kind.
pub(crate) fn actor(actor: Actor) -> String {
    actor.to_string()
}

/// From this text on, and before that one, are the ids that are asked for. The times are compared by the ids, which begin
/// with theirs.
pub(crate) fn span(asked: &AuditPage) -> (String, String) {
    let at = |time: Timestamp| format!("{}{}", EventKind::PREFIX, time_prefix(time));
    let from = asked.from.map(at).unwrap_or_default();
    // `~` is behind every character of an id: all that begin with the last millisecond are before it.
    let to = asked.to.map_or_else(|| "~".to_owned(), |to| at(to) + "~");
    let after = asked.after.map_or_else(|| "~".to_owned(), |after| after.to_string());
    (from, to.min(after))
}
