//! The model's search for client tokens.

use std::collections::BTreeMap;

use tollgate_domain::client_token::ClientToken;
use tollgate_domain::id::{ClientTokenId, ClientTokenKind, WorkspaceId};

use crate::{Searched, TokenSearch};

pub(super) fn search(
    all: &BTreeMap<(WorkspaceId, ClientTokenId), ClientToken>,
    workspace: WorkspaceId,
    asked: &TokenSearch,
    look_through: usize,
) -> Searched<ClientTokenKind, ClientToken> {
    let newest_first = all.values().rev().filter(|token| token.workspace == workspace);
    let walked = newest_first
        .filter(|token| asked.statuses.is_empty() || asked.statuses.contains(&token.status))
        .filter(|token| asked.after.is_none_or(|after| token.id < after));
    let mut found = Vec::new();
    for (looked_at, token) in (1..).zip(walked) {
        if asked.sought.fits(&token.name, token.token.as_str()) {
            found.push(token.clone());
        }
        if found.len() > asked.limit {
            break;
        }
        if looked_at == look_through {
            return Searched::cut_short(found, token.id);
        }
    }
    Searched::from_one_more(found, asked.limit, |token| token.id)
}
