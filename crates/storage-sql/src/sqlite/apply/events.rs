//! Events.

use std::net::IpAddr;

use rusqlite::{Transaction, params};
use tollgate_domain::event::Event;

pub(super) fn insert(transaction: &Transaction<'_>, event: &Event, place: u64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO events (sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data, \
             address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            i64::try_from(place).expect("fewer than 2^63 events"),
            event.workspace.to_string(),
            event.id.to_string(),
            event.event_type.name(),
            event.occurred_at.as_micros(),
            event.subject,
            event.actor.kind(),
            event.actor.id(),
            event.data,
            event.address.as_ref().map(IpAddr::to_string),
        ])?;
    Ok(())
}
