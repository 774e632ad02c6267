//! Client tokens: one, a page, and what followers and the clock ask of all of them.

use futures_util::TryStreamExt;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{IsolationLevel, Row};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::event::EventType;
use tollgate_domain::id::{ClientTokenId, ClientTokenKind, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_storage::{ClientTokenPage, EachToken, Order, Searched, Slice, StorageError, TokenChanges, TokenSearch};

use super::{HEAD, PageQuery, Parameters, Reads, bigint, names};
use crate::changes::Span;
use crate::counters;
use crate::keyset::words;
use crate::postgres::failure::unavailable;
use crate::postgres::rows::{self, CLIENT_TOKEN, TOKEN_FACTS};

impl Reads {
    pub(in crate::postgres) async fn client_token(
        &self,
        workspace: WorkspaceId,
        id: ClientTokenId,
    ) -> Result<Option<ClientToken>, StorageError> {
        let sql = format!("SELECT {CLIENT_TOKEN} FROM client_tokens WHERE workspace_id = $1 AND id = $2");
        self.one(&sql, &[&workspace.to_string(), &id.to_string()], rows::client_token)
            .await
    }

    pub(in crate::postgres) async fn client_tokens(
        &self,
        workspace: WorkspaceId,
        page: &ClientTokenPage,
    ) -> Result<Slice<ClientToken>, StorageError> {
        let counted = if page.statuses.is_empty() {
            &ClientTokenStatus::ALL[..]
        } else {
            &page.statuses
        };
        let counted = counted.iter().copied().map(counters::client_tokens).collect();
        let query = PageQuery {
            sql: &page_sql(page.page.order, &page.statuses),
            types: None,
            counted,
        };
        self.page(workspace, &page.page, query, rows::client_token).await
    }

    /// Walks as a page does, and looks at one token after the other; some at a time, as the server sends all that it is
    /// asked for.
    pub(in crate::postgres) async fn search_client_tokens(
        &self,
        workspace: WorkspaceId,
        asked: &TokenSearch,
        look_through: usize,
    ) -> Result<Searched<ClientTokenKind, ClientToken>, StorageError> {
        let sql = page_sql(Order::Descending, &asked.statuses);
        let workspace = workspace.to_string();
        let mut before = asked.after.map_or_else(|| "~".to_owned(), |after| after.to_string());
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let some = LOOKED_AT_ONCE.min(look_through - looked_at);
            let parameters: Parameters = &[&workspace, &before, &bigint(some)];
            let rows = self.many(&sql, parameters).await?;
            for row in &rows {
                looked_at += 1;
                let (name, token): (&str, &str) = (cell(row, "name")?, cell(row, "token")?);
                if asked.sought.fits(name, token) {
                    found.push(rows::client_token(row)?);
                }
                if found.len() > asked.limit {
                    return Ok(Searched::from_one_more(found, asked.limit, |token| token.id));
                }
                if looked_at == look_through {
                    let last = rows::client_token(row)?.id;
                    return Ok(Searched::cut_short(found, last));
                }
            }
            match rows.last() {
                Some(row) if rows.len() == some => before = cell::<String>(row, "id")?,
                _ => return Ok(Searched::from_one_more(found, asked.limit, |token| token.id)),
            }
        }
    }

    /// Within one transaction that sees one moment. Whoever takes a place in the sequence holds its head until the commit,
    /// so all up to the head that is seen is seen.
    pub(in crate::postgres) async fn each_client_token(&self, mut each: EachToken) -> Result<u64, StorageError> {
        let mut client = self.pool.get().await.map_err(unavailable)?;
        let snapshot = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(unavailable)?;
        // The one statement that wants all of a table.
        snapshot
            .batch_execute("SET LOCAL enable_seqscan = on")
            .await
            .map_err(unavailable)?;
        let place = rows::head(&snapshot.query_one(HEAD, &[]).await.map_err(unavailable)?)?;
        let none: [&(dyn ToSql + Sync); 0] = [];
        let tokens = snapshot
            .query_raw(&format!("SELECT {TOKEN_FACTS} FROM client_tokens"), none)
            .await
            .map_err(unavailable)?;
        let mut tokens = std::pin::pin!(tokens);
        while let Some(row) = tokens.try_next().await.map_err(unavailable)? {
            each(rows::token_facts(&row)?);
        }
        Ok(place)
    }

    pub(in crate::postgres) async fn client_tokens_changed(
        &self,
        (after, upto): (u64, u64),
        limit: usize,
    ) -> Result<TokenChanges, StorageError> {
        let most = after.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX)).min(upto);
        let parameters: Parameters = &[&bigint(after), &bigint(most), &names(&EventType::CLIENT_TOKEN)];
        let found = self.many(&changed_sql(), parameters).await?;
        let first = found
            .first()
            .ok_or_else(|| StorageError::Corrupt("sequence_head has no row".to_owned()))?;
        let span = Span::new(after, upto, rows::head(first)?, limit);
        let events: i64 = first.try_get("events").map_err(unavailable)?;
        if !span.is_whole(usize::try_from(events).unwrap_or(0)) {
            return Ok(TokenChanges::Forgotten);
        }
        let tokens = found
            .iter()
            .filter(|row| matches!(row.try_get::<_, Option<&str>>("id"), Ok(Some(_))))
            .map(rows::token_facts)
            .collect::<Result<_, _>>()?;
        Ok(TokenChanges::Upto {
            place: span.upto,
            tokens,
        })
    }

    pub(in crate::postgres) async fn client_tokens_to_revoke(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ClientToken>, StorageError> {
        let parameters: Parameters = &[&now.as_micros(), &bigint(limit)];
        rows::all(&self.many(&to_revoke_sql(), parameters).await?, rows::client_token)
    }
}

/// How many tokens a search gets at a time.
const LOOKED_AT_ONCE: usize = 1_000;

fn cell<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, StorageError> {
    row.try_get(column).map_err(unavailable)
}

/// One status runs along its own index; both are no filter.
///
/// "From this status to this status, in the order of status and id" is what only that index gives unsorted. After
/// `status = …` the planner may walk the primary key instead, in the belief that what is wanted is spread evenly; and
/// it isn't: the revoked ones are the old ones.
pub(in crate::postgres) fn page_sql(order: Order, statuses: &[ClientTokenStatus]) -> String {
    let (beyond, direction) = words(order);
    let mut wanted = ClientTokenStatus::ALL.to_vec();
    wanted.retain(|status| statuses.contains(status));
    let (filter, by_status) = match wanted[..] {
        [one] => (
            format!(" AND status BETWEEN '{0}' AND '{0}'", one.name()),
            format!("status {direction}, "),
        ),
        _ => (String::new(), String::new()),
    };
    format!(
        "SELECT {CLIENT_TOKEN} FROM client_tokens WHERE workspace_id = $1 AND id {beyond} $2{filter} \
         ORDER BY {by_status}id {direction} LIMIT $3"
    )
}

/// The head, how many events there are in the span, and the tokens that some of them are about: a row with no token when
/// there are none. All of it as it was at one moment. A token is found by the primary key, for [`page_sql`]'s reason.
pub(in crate::postgres) fn changed_sql() -> String {
    let token = TOKEN_FACTS.replace(", ", ", token.");
    format!(
        "WITH event AS MATERIALIZED (\
             SELECT workspace_id, type, subject_id FROM events WHERE sequence > $1 AND sequence <= $2\
         ), about AS (\
             SELECT DISTINCT workspace_id, subject_id FROM event WHERE type = ANY ($3)\
         ) \
         SELECT head.sequence, (SELECT count(*) FROM event) AS events, token.{token} \
         FROM (SELECT sequence FROM sequence_head WHERE only_row = 1) AS head \
         LEFT JOIN about ON true \
         LEFT JOIN LATERAL (\
             SELECT {TOKEN_FACTS} FROM client_tokens \
             WHERE workspace_id = about.workspace_id AND id BETWEEN about.subject_id AND about.subject_id \
             ORDER BY client_tokens.id LIMIT 1\
         ) AS token ON true"
    )
}

pub(in crate::postgres) fn to_revoke_sql() -> String {
    format!(
        "SELECT {CLIENT_TOKEN} FROM client_tokens WHERE status = 'active' AND revoke_at <= $1 ORDER BY revoke_at LIMIT $2"
    )
}
