//! Events: what happened, as receivers are told it. What only the audit trail has isn't here.

mod detail;
mod list;

use tollgate_domain::permission::Permission;

use super::row::{Right, Row};

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Permission(Permission::NOTIFICATION_READ);
    vec![
        Row::get("/dashboard/events", read, list::show),
        Row::get("/dashboard/events/{id}", read, detail::show),
        Row::get("/dashboard/events/{id}/payload.json", read, detail::payload),
    ]
}
