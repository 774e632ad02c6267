//! Settings: the workspace, its members, who is invited, and how people sign in.

mod invite;
mod leave;
mod letter;
mod link;
mod member;
mod show;
mod workspace;

use super::row::Row;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = show::rows();
    rows.extend(workspace::rows());
    rows.extend(invite::rows());
    rows.extend(member::rows());
    rows.extend(leave::rows());
    rows
}

/// The page that all of it is on.
const SETTINGS: &str = "/dashboard/settings";
