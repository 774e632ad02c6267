//! The audit trail: who did what, when, from where, with which key.

mod csv;
mod filter;
mod list;
pub(super) mod words;

use tollgate_domain::role::Action;

use super::row::{Right, Row};

pub(super) fn rows() -> Vec<Row> {
    let read = Right::Action(Action::ReadAuditTrail);
    vec![
        Row::get("/dashboard/audit", read, list::show),
        Row::get("/dashboard/audit.csv", read, csv::download),
    ]
}
