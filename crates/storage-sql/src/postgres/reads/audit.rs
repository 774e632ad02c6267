//! The audit trail.

use tokio_postgres::Row;
use tollgate_domain::event::Event;
use tollgate_domain::id::{EventKind, WorkspaceId};
use tollgate_storage::{AuditPage, Searched, StorageError};

use super::{Parameters, Reads, bigint, names};
use crate::audit::{Walk, actor, span};
use crate::postgres::failure::unavailable;
use crate::postgres::rows::{self, EVENT};

impl Reads {
    pub(in crate::postgres) async fn audit_trail(
        &self,
        workspace: WorkspaceId,
        asked: &AuditPage,
        look_through: usize,
    ) -> Result<Searched<EventKind, Event>, StorageError> {
        let workspace = workspace.to_string();
        let (from, before) = span(asked);
        let one_more = bigint(asked.limit).saturating_add(1);
        let mut types = asked.types.clone();
        types.sort_unstable();
        types.dedup(); // each is read on its own: twice named would be twice shown
        let types = names(&types);
        let walk = Walk::of(asked);
        let by = match walk {
            Walk::All | Walk::Types => None,
            Walk::Actor => asked.actor.map(actor),
            Walk::Subject => asked.subject.clone(),
        };
        let caused_by = asked.actor.map(actor);
        let bound = bigint(look_through);
        let walked: Parameters = &[&workspace, &from, &before, &one_more];
        let by_type: Parameters = &[&workspace, &from, &before, &one_more, &types];
        let looked: Parameters = &[&workspace, &from, &before, &one_more, &types, &by, &caused_by, &bound];
        let parameters = match walk {
            Walk::All => walked,
            Walk::Types => by_type,
            Walk::Actor | Walk::Subject => looked,
        };
        let rows = self.many(&trail_sql(walk), parameters).await?;
        let mut events = rows::all(&rows, |row| Ok(rows::event(row)?.1))?;
        let last_looked_at = match (walk, rows.last()) {
            (Walk::Actor | Walk::Subject, Some(row)) if flag(row, "is_last")? => {
                let last = events.last().map(|event| event.id);
                if !flag(row, "fits")? {
                    events.pop();
                }
                last
            }
            _ => None,
        };
        match last_looked_at {
            Some(last) if events.len() <= asked.limit => Ok(Searched::cut_short(events, last)),
            _ => Ok(Searched::from_one_more(events, asked.limit, |event| event.id)),
        }
    }
}

fn flag(row: &Row, column: &str) -> Result<bool, StorageError> {
    row.try_get(column).map_err(unavailable)
}

/// The parameters: workspace, first id, id before which, one item more than the page holds; then the types, of which a page
/// each is read along the index of types and merged ([`page_sql`](super::client_tokens::page_sql) tells why so); or the
/// types, the actor or entity whose index is walked, the actor again, and how many rows may be looked at: the last of them
/// comes in any case, as it says where to go on.
pub(in crate::postgres) fn trail_sql(walk: Walk) -> String {
    let span = "workspace_id = $1 AND id >= $2 AND id < $3";
    let looking = |by: &str| {
        format!(
            "SELECT looked_at.*, place = $8 AS is_last FROM (\
                 SELECT {EVENT}, {by} AS walked_by, (cardinality($5::text[]) = 0 OR type = ANY ($5)) \
                     AND ($7::text IS NULL OR coalesce(actor_id, actor_kind) = $7) AS fits, \
                     row_number() OVER (ORDER BY {by} DESC, id DESC) AS place \
                 FROM events WHERE {span} AND {by} BETWEEN $6 AND $6 ORDER BY {by} DESC, id DESC LIMIT $8\
             ) AS looked_at WHERE fits OR place = $8 ORDER BY walked_by DESC, id DESC LIMIT $4"
        )
    };
    match walk {
        Walk::All => format!("SELECT {EVENT} FROM events WHERE {span} ORDER BY id DESC LIMIT $4"),
        Walk::Types => format!(
            "SELECT page.* FROM UNNEST($5::text[]) AS wanted (type) CROSS JOIN LATERAL (\
             SELECT {EVENT} FROM events WHERE {span} AND type BETWEEN wanted.type AND wanted.type \
             ORDER BY type DESC, id DESC LIMIT $4) AS page ORDER BY page.id DESC LIMIT $4"
        ),
        Walk::Actor => looking("coalesce(actor_id, actor_kind)"),
        Walk::Subject => looking("subject_id"),
    }
}
