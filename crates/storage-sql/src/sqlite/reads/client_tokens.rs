//! Client tokens: one, a page, and what followers and the clock ask of all of them.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{ClientTokenId, ClientTokenKind, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{ClientTokenPage, EachToken, Order, Searched, Slice, TokenChanges, TokenSearch};

use super::{head, limit_of, one_more, place, quoted, total};
use crate::changes::Span;
use crate::counters;
use crate::keyset::{cursor, words};
use crate::sqlite::rows::{self, TOKEN_FACTS};

pub(in crate::sqlite) fn one(
    connection: &Connection,
    workspace: WorkspaceId,
    id: ClientTokenId,
) -> rusqlite::Result<Option<ClientToken>> {
    connection
        .prepare_cached("SELECT * FROM client_tokens WHERE workspace_id = ?1 AND id = ?2")?
        .query_row([workspace.to_string(), id.to_string()], rows::client_token)
        .optional()
}

pub(in crate::sqlite) fn page(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: &ClientTokenPage,
) -> rusqlite::Result<Slice<ClientToken>> {
    let status = only_one(&asked.statuses);
    let items = connection
        .prepare_cached(&page_sql(asked.page.order, status))?
        .query_map(
            params![
                workspace.to_string(),
                cursor(&asked.page),
                one_more(asked.page.limit),
                status.map(ClientTokenStatus::name)
            ],
            rows::client_token,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let counted = match status {
        Some(status) => vec![counters::client_tokens(status)],
        None => ClientTokenStatus::ALL.map(counters::client_tokens).to_vec(),
    };
    let total = asked
        .page
        .count
        .then(|| total(connection, workspace, &counted))
        .transpose()?;
    Ok(Slice::from_one_more(items, asked.page.limit, total))
}

/// One status walks the index by status; both, or none named, walk the table.
fn only_one(statuses: &[ClientTokenStatus]) -> Option<ClientTokenStatus> {
    match statuses {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => Some(*first),
        _ => None,
    }
}

fn page_sql(order: Order, status: Option<ClientTokenStatus>) -> String {
    let (beyond, direction) = words(order);
    let by_status = if status.is_some() {
        "AND status = ?4"
    } else {
        "AND ?4 IS NULL"
    };
    format!(
        "SELECT * FROM client_tokens WHERE workspace_id = ?1 AND id {beyond} ?2 {by_status} ORDER BY id {direction} LIMIT ?3"
    )
}

/// Walks as a page does, and looks at one token after the other.
pub(in crate::sqlite) fn search(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: &TokenSearch,
    look_through: usize,
) -> rusqlite::Result<Searched<ClientTokenKind, ClientToken>> {
    let status = only_one(&asked.statuses);
    let before = asked.after.map_or_else(|| "~".to_owned(), |after| after.to_string());
    let mut statement = connection.prepare_cached(&page_sql(Order::Descending, status))?;
    let mut rows = statement.query(params![
        workspace.to_string(),
        before,
        limit_of(look_through),
        status.map(ClientTokenStatus::name)
    ])?;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        looked_at += 1;
        let (name, token) = (row.get_ref("name")?, row.get_ref("token")?);
        let (Ok(name), Ok(token)) = (name.as_str(), token.as_str()) else {
            return Err(rows::unreadable("name"));
        };
        if asked.sought.fits(name, token) {
            found.push(rows::client_token(row)?);
        }
        if found.len() > asked.limit {
            break;
        }
        if looked_at == look_through {
            return Ok(Searched::cut_short(found, rows::id(row, "id")?));
        }
    }
    Ok(Searched::from_one_more(found, asked.limit, |token| token.id))
}

/// Within one transaction: the head and the rows are of the same moment.
pub(in crate::sqlite) fn each(connection: &Connection, mut each: EachToken) -> rusqlite::Result<u64> {
    let snapshot = connection.unchecked_transaction()?;
    let place = head(&snapshot)?;
    let mut statement = snapshot.prepare_cached(&format!("SELECT {TOKEN_FACTS} FROM client_tokens"))?;
    let mut rows = statement.query([])?;
    let mut workspace = None;
    while let Some(row) = rows.next()? {
        each(rows::token_facts(row, &mut workspace)?);
    }
    Ok(place)
}

pub(in crate::sqlite) fn changed(
    connection: &Connection,
    (after, upto): (u64, u64),
    limit: usize,
) -> rusqlite::Result<TokenChanges> {
    let snapshot = connection.unchecked_transaction()?;
    let span = Span::new(after, upto, head(&snapshot)?, limit);
    let seen = snapshot
        .prepare_cached(&format!(
            "SELECT type IN ({}), workspace_id, subject_id FROM events WHERE sequence > ?1 AND sequence <= ?2",
            quoted(&EventType::CLIENT_TOKEN)
        ))?
        .query_map([place(span.after), place(span.upto)], |row| {
            let about_token: bool = row.get(0)?;
            Ok(about_token.then_some((row.get(1)?, row.get(2)?)))
        })?
        .collect::<rusqlite::Result<Vec<Option<(String, String)>>>>()?;
    if !span.is_whole(seen.len()) {
        return Ok(TokenChanges::Forgotten);
    }
    let mut tokens = Vec::new();
    let mut statement = snapshot.prepare_cached(&format!(
        "SELECT {TOKEN_FACTS} FROM client_tokens WHERE workspace_id = ?1 AND id = ?2"
    ))?;
    for (workspace, id) in seen.into_iter().flatten().collect::<BTreeSet<_>>() {
        let found = statement.query_row([workspace, id], |row| rows::token_facts(row, &mut None));
        tokens.extend(found.optional()?);
    }
    Ok(TokenChanges::Upto {
        place: span.upto,
        tokens,
    })
}

pub(in crate::sqlite) fn to_revoke(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<ClientToken>> {
    connection
        .prepare_cached(
            "SELECT * FROM client_tokens WHERE status = 'active' AND revoke_at IS NOT NULL AND revoke_at <= ?1 \
             ORDER BY revoke_at LIMIT ?2",
        )?
        .query_map(params![now.as_micros(), limit_of(limit)], rows::client_token)?
        .collect()
}
