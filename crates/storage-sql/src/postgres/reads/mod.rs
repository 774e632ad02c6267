//! Look-ups and pages, on a pool of connections; each connection keeps its statements prepared.
//!
//! Pages run along an index from the cursor on, so that none costs more than its length. What can be asked at once
//! is sent at once: the page and its total take one round trip.

pub(super) mod audit;
pub(super) mod client_tokens;
pub(super) mod notification_settings;
pub(super) mod notifications;
pub(super) mod passkeys;
pub(super) mod people;
pub(super) mod simulations;
pub(super) mod usage;

use std::collections::BTreeSet;
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_domain::api_key::{ApiKey, ApiKeyStatus};
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{ApiKeyId, EventId, Id, Kind, WorkspaceId};
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{ApiKeyPage, EventPage, IdempotencyKey, IdempotentAnswer, Order, Page, Slice, StorageError};

use super::connect::Connector;
use super::failure::{Failure, unavailable};
use super::rows::{self, API_KEY, EVENT, IDEMPOTENT_ANSWER, WORKSPACE};
use crate::counters;
use crate::keyset::{cursor, words};

/// How long a look-up waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last place of the sequence.
pub(super) const HEAD: &str = "SELECT sequence FROM sequence_head WHERE only_row = 1";

const TOTAL: &str =
    "SELECT coalesce(sum(value), 0)::bigint AS total FROM counters WHERE workspace_id = $1 AND name = ANY($2)";

pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The readers' pool.
#[derive(Clone)]
pub(super) struct Reads {
    pool: Pool,
}

impl Reads {
    pub(super) fn new(connector: Connector, size: usize) -> Result<Self, StorageError> {
        let config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_connect(connector.config(), connector, config);
        let timeouts = Timeouts {
            wait: Some(PATIENCE),
            create: Some(PATIENCE),
            recycle: Some(PATIENCE),
        };
        let pool = Pool::builder(manager)
            .max_size(size.max(1))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| unavailable(Failure::Plain("the pool of connections is misconfigured")))?;
        Ok(Self { pool })
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }

    pub(super) async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StorageError> {
        let sql = format!("SELECT {WORKSPACE} FROM workspaces WHERE id = $1");
        self.one(&sql, &[&id.to_string()], rows::workspace).await
    }

    pub(super) async fn workspaces(&self) -> Result<Vec<Workspace>, StorageError> {
        let sql = format!("SELECT {WORKSPACE} FROM workspaces ORDER BY created_at, id");
        rows::all(&self.many(&sql, &[]).await?, rows::workspace)
    }

    pub(super) async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        let sql = format!("SELECT {API_KEY} FROM api_keys WHERE id = $1");
        self.one(&sql, &[&id.to_string()], rows::api_key).await
    }

    pub(super) async fn api_keys(
        &self,
        workspace: WorkspaceId,
        asked: &ApiKeyPage,
    ) -> Result<Slice<ApiKey>, StorageError> {
        let query = PageQuery {
            sql: &api_keys_sql(asked.page.order, asked.status),
            types: None,
            counted: vec![counters::API_KEYS.to_owned()],
        };
        let page = Page {
            count: asked.page.count && asked.status.is_none(),
            ..asked.page
        };
        self.page(workspace, &page, query, rows::api_key).await
    }

    /// Each by the primary key, for [`client_tokens::page_sql`]'s reason.
    pub(super) async fn api_keys_named(
        &self,
        workspace: WorkspaceId,
        ids: &[ApiKeyId],
    ) -> Result<Vec<ApiKey>, StorageError> {
        let ids = distinct(ids);
        let parameters: Parameters = &[&workspace.to_string(), &ids];
        let found = self.many(&api_keys_named_sql(), parameters).await?;
        rows::all(&found, rows::api_key)
    }

    pub(super) async fn api_keys_due(
        &self,
        now: Timestamp,
        announce_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StorageError> {
        let parameters: Parameters = &[&now.as_micros(), &announce_before.as_micros(), &bigint(limit)];
        let sql = api_keys_due_sql();
        rows::all(&self.many(&sql, parameters).await?, rows::api_key)
    }

    pub(super) async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Option<Event>, StorageError> {
        let sql = format!("SELECT {EVENT} FROM events WHERE workspace_id = $1 AND id = $2");
        let parameters: Parameters = &[&workspace.to_string(), &id.to_string()];
        self.one(&sql, parameters, |row| Ok(rows::event(row)?.1)).await
    }

    pub(super) async fn events(&self, workspace: WorkspaceId, page: &EventPage) -> Result<Slice<Event>, StorageError> {
        let mut types = page.types.clone();
        if let Some(types) = &mut types {
            types.sort_unstable();
            types.dedup(); // each is read on its own: twice named would be twice shown
            if types.is_empty() {
                return Ok(Slice::from_one_more(
                    Vec::new(),
                    page.page.limit,
                    page.page.count.then_some(0),
                ));
            }
        }
        let counted = types.as_deref().unwrap_or(&EventType::ALL);
        let query = PageQuery {
            sql: &events_sql(page.page.order, types.is_some()),
            counted: counted.iter().copied().map(counters::events).collect(),
            types: types.as_deref().map(names),
        };
        self.page(workspace, &page.page, query, |row| Ok(rows::event(row)?.1))
            .await
    }

    pub(super) async fn events_between(
        &self,
        after: u64,
        upto: u64,
        types: &[EventType],
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        let parameters: Parameters = &[&bigint(after), &bigint(upto), &names(types)];
        rows::all(&self.many(&events_between_sql(), parameters).await?, rows::event)
    }

    pub(super) async fn workspace_events_between(
        &self,
        workspace: WorkspaceId,
        (after, upto): (u64, u64),
        limit: usize,
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        let sql = workspace_events_between_sql();
        let workspace = workspace.to_string();
        let public = names(&EventType::ALL);
        let parameters: Parameters = &[&bigint(after), &bigint(upto), &workspace, &public, &bigint(limit)];
        rows::all(&self.many(&sql, parameters).await?, rows::event)
    }

    pub(super) async fn idempotent_answer(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StorageError> {
        let sql = format!(
            "SELECT {IDEMPOTENT_ANSWER} FROM idempotent_answers WHERE api_key_id = $1 AND key = $2 AND expires_at > $3"
        );
        let parameters: Parameters = &[&key.api_key.to_string(), &key.key, &now.as_micros()];
        self.one(&sql, parameters, rows::idempotent_answer).await
    }

    pub(super) async fn sequence(&self) -> Result<u64, StorageError> {
        let head = self.one(HEAD, &[], rows::head).await?;
        head.ok_or_else(|| StorageError::Corrupt("sequence_head has no row".to_owned()))
    }

    /// The schema that all of this is in.
    pub(super) async fn schema(&self) -> Result<String, StorageError> {
        let row = self.many("SELECT current_schema()::text AS schema", &[]).await?;
        let schema = row.first().and_then(|row| row.try_get("schema").ok());
        schema.ok_or_else(|| unavailable(Failure::Plain("no schema of the search_path exists")))
    }

    async fn page<K: Kind, T>(
        &self,
        workspace: WorkspaceId,
        page: &Page<K>,
        query: PageQuery<'_>,
        read: impl Fn(&Row) -> Result<T, StorageError>,
    ) -> Result<Slice<T>, StorageError> {
        let workspace = workspace.to_string();
        let after = cursor(page);
        let one_more = bigint(page.limit).saturating_add(1);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&workspace, &after, &one_more];
        if let Some(types) = &query.types {
            parameters.push(types);
        }
        let counted: Parameters = &[&workspace, &query.counted];
        let count = page.count.then_some((TOTAL, counted));
        let (items, total) = self.counted((query.sql, &parameters), count).await?;
        let total = total.map(counters::total);
        Ok(Slice::from_one_more(rows::all(&items, read)?, page.limit, total))
    }

    /// Asks for a page and, when it is wanted, for its total, both at once.
    async fn counted(
        &self,
        (sql, parameters): (&str, Parameters<'_>),
        count: Option<(&str, Parameters<'_>)>,
    ) -> Result<(Vec<Row>, Option<i64>), StorageError> {
        let client = self.pool.get().await.map_err(unavailable)?;
        let items = ask(&client, sql, parameters);
        let Some((sql, parameters)) = count else {
            return Ok((items.await?, None));
        };
        let (items, totals) = tokio::try_join!(biased; items, ask(&client, sql, parameters))?;
        let total = totals.first().and_then(|row| row.try_get("total").ok());
        Ok((items, Some(total.unwrap_or(0))))
    }

    async fn one<T>(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
        read: impl Fn(&Row) -> Result<T, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        self.many(sql, parameters).await?.first().map(read).transpose()
    }

    async fn many(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, StorageError> {
        let client = self.pool.get().await.map_err(unavailable)?;
        ask(&client, sql, parameters).await
    }
}

/// What differs between pages. The parameters are the workspace, the cursor, one item more than the page holds, and the
/// names of the types when there are any.
struct PageQuery<'a> {
    sql: &'a str,
    types: Option<Vec<&'static str>>,
    counted: Vec<String>,
}

async fn ask(client: &Client, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, StorageError> {
    let statement = client.prepare_cached(sql).await.map_err(unavailable)?;
    client.query(&statement, parameters).await.map_err(unavailable)
}

/// By workspace as [`client_tokens::page_sql`] by status: the primary key has every workspace's keys.
pub(super) fn api_keys_sql(order: Order, status: Option<ApiKeyStatus>) -> String {
    let (beyond, direction) = words(order);
    let (filter, by_status) = match status {
        Some(status) => (
            format!(" AND status BETWEEN '{0}' AND '{0}'", status.name()),
            format!("status {direction}, "),
        ),
        None => (String::new(), String::new()),
    };
    format!(
        "SELECT {API_KEY} FROM api_keys WHERE workspace_id BETWEEN $1 AND $1 AND id {beyond} $2{filter} \
         ORDER BY workspace_id {direction}, {by_status}id {direction} LIMIT $3"
    )
}

pub(super) fn api_keys_named_sql() -> String {
    format!(
        "SELECT found.* FROM UNNEST($2::text[]) AS wanted (id) CROSS JOIN LATERAL (\
         SELECT {API_KEY} FROM api_keys WHERE id = wanted.id AND (workspace_id = $1) IS TRUE OFFSET 0) AS found"
    )
}

pub(super) fn api_keys_due_sql() -> String {
    format!(
        "SELECT {API_KEY} FROM api_keys \
         WHERE status = 'active' AND expires_at <= greatest($1::bigint, $2::bigint) \
         AND (expires_at <= $1 OR expiring_announced_at IS NULL) ORDER BY expires_at LIMIT $3"
    )
}

/// By type, a page of each is read along the index of types ([`client_tokens::page_sql`] tells why so), and only these few
/// are merged.
pub(super) fn events_sql(order: Order, by_type: bool) -> String {
    let (beyond, direction) = words(order);
    if by_type {
        format!(
            "SELECT page.* FROM UNNEST($4::text[]) AS wanted (type) CROSS JOIN LATERAL (\
             SELECT {EVENT} FROM events \
             WHERE workspace_id = $1 AND id {beyond} $2 AND type BETWEEN wanted.type AND wanted.type \
             ORDER BY type {direction}, id {direction} LIMIT $3) AS page ORDER BY page.id {direction} LIMIT $3"
        )
    } else {
        let unlisted: Vec<String> = names(&EventType::AUDIT_ONLY)
            .iter()
            .map(|name| format!("'{name}'"))
            .collect();
        format!(
            "SELECT {EVENT} FROM events WHERE workspace_id = $1 AND id {beyond} $2 AND type NOT IN ({}) \
             ORDER BY id {direction} LIMIT $3",
            unlisted.join(", ")
        )
    }
}

pub(super) fn events_between_sql() -> String {
    format!("SELECT {EVENT} FROM events WHERE sequence > $1 AND sequence <= $2 AND type = ANY($3) ORDER BY sequence")
}

/// Along the sequence and no other index: a follower asks for what is new, of which there is little.
pub(super) fn workspace_events_between_sql() -> String {
    format!(
        "SELECT {EVENT} FROM events WHERE sequence > $1 AND sequence <= $2 \
         AND (workspace_id = $3 AND type = ANY($4)) IS TRUE ORDER BY sequence LIMIT $5"
    )
}

/// Each once, as the store names it.
fn distinct<K: Kind>(ids: &[Id<K>]) -> Vec<String> {
    let distinct: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    distinct.into_iter().collect()
}

fn names(types: &[EventType]) -> Vec<&'static str> {
    types.iter().map(|event_type| event_type.name()).collect()
}

/// As SQL's integer; what is beyond it is beyond every row.
fn bigint(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
