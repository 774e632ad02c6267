//! Every page runs along an index, however the table is filled: no table is read as a whole, and none is sorted but
//! the few rows that several types' pages have together.

use tollgate_domain::client_token::ClientTokenStatus;
use tollgate_storage::Order;

use super::seed::{fresh_schema, sql};
use crate::postgres::connect::Connector;
use crate::postgres::{migrate, reads};

/// One large workspace among small ones; one token in a thousand is revoked.
const FILL: &str = "
    INSERT INTO client_tokens
    SELECT 'wsp_' || CASE WHEN n % 10 = 0 THEN n % 1000 ELSE 1 END, 'ctkn_' || lpad(n::text, 26, '0'), 'test_', 'Name', NULL,
        CASE WHEN n % 1000 = 1 THEN 'revoked' ELSE 'active' END, n, n, NULL, 1
    FROM generate_series(1, 200000) AS n;
    INSERT INTO events
    SELECT n, 'wsp_' || CASE WHEN n % 10 = 0 THEN n % 1000 ELSE 1 END, 'evt_' || lpad(n::text, 26, '0'),
        CASE WHEN n % 1000 = 1 THEN 'api_key.created' WHEN n % 3 = 0 THEN 'client_token.updated'
            ELSE 'client_token.created' END,
        n, 'ctkn_', 'clock', NULL, '{}'
    FROM generate_series(1, 200000) AS n;
    INSERT INTO api_keys
    SELECT 'apikey_' || lpad(n::text, 26, '0'), 'wsp_' || n % 3, 'live', 'Name', NULL, '', 'active', '',
        CASE WHEN n % 2 = 0 THEN n END, CASE WHEN n % 4 = 0 THEN n END, NULL, n, n, 1
    FROM generate_series(1, 50000) AS n";

#[tokio::test]
async fn pages_run_along_an_index() {
    let url = fresh_schema().await;
    migrate(&url).await.unwrap();
    let (client, _driver) = Connector::new(&url).unwrap().connect().await.unwrap();
    let mut pages = Vec::new();
    for order in [Order::Ascending, Order::Descending] {
        let (from, page) = match order {
            Order::Ascending => ("''", "'wsp_1', '', 51"),
            Order::Descending => ("'~'", "'wsp_1', '~', 51"),
        };
        let typed = |types: &str| format!("'wsp_1', {from}, 51, ARRAY[{types}]");
        let tokens = |statuses: &[ClientTokenStatus]| reads::client_tokens_sql(order, statuses);
        pages.extend([
            (tokens(&[]), page.to_owned(), "client_tokens_pkey"),
            (tokens(&ClientTokenStatus::ALL), page.to_owned(), "client_tokens_pkey"),
            (
                tokens(&[ClientTokenStatus::Active]),
                page.to_owned(),
                "client_tokens_by_status",
            ),
            (
                tokens(&[ClientTokenStatus::Revoked]),
                page.to_owned(),
                "client_tokens_by_status",
            ),
            (reads::api_keys_sql(order), page.to_owned(), "api_keys_by_workspace"),
            (reads::events_sql(order, false), page.to_owned(), "events_by_id"),
            (
                reads::events_sql(order, true),
                typed("'api_key.created'"),
                "events_by_type",
            ),
            (
                reads::events_sql(order, true),
                typed("'api_key.created', 'client_token.created', 'client_token.updated'"),
                "events_by_type",
            ),
        ]);
    }
    let recent = "190000, 200000, ARRAY['api_key.created']".to_owned();
    pages.push((reads::events_between_sql(), recent, "events_pkey"));
    pages.push((reads::api_keys_due_sql(), "1000, 2000, 100".to_owned(), "api_keys_due"));

    for filled in ["empty", "not analyzed", "analyzed"] {
        match filled {
            "not analyzed" => sql(&url, FILL).await,
            "analyzed" => sql(&url, "ANALYZE").await,
            _ => {}
        }
        for mode in ["force_custom_plan", "force_generic_plan"] {
            for (page, parameters, index) in &pages {
                let plan = client
                    .simple_query(&format!(
                        "SET plan_cache_mode = {mode}; PREPARE page AS {page}; EXPLAIN EXECUTE page ({parameters}); \
                         DEALLOCATE page"
                    ))
                    .await
                    .unwrap();
                let plan: Vec<&str> = plan
                    .iter()
                    .filter_map(|message| match message {
                        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                        _ => None,
                    })
                    .collect();
                let plan = plan.join("\n");
                // By types, the sort is above the loop that reads one page of each.
                let sorts = plan.matches("Sort  (").count();
                let merged = usize::from(page.contains("LATERAL"));
                let by_index = plan.contains(&format!("using {index} "));
                let fine = by_index && sorts <= merged && !plan.contains("Seq Scan") && !plan.contains("Filter: (id");
                assert!(fine, "{filled}, {mode}: {page}\n{plan}");
            }
        }
    }
}
