//! Every page runs along an index, however the table is filled: no table is read as a whole, and none is sorted but
//! the few rows that several types' pages have together.

use tokio_postgres::{Client, SimpleQueryMessage};
use tollgate_domain::api_key::ApiKeyStatus;
use tollgate_domain::client_token::ClientTokenStatus;
use tollgate_storage::Order;

use super::seed::{fresh_schema, sql};
use crate::audit::Walk;
use crate::postgres::connect::Connector;
use crate::postgres::reads::audit;
use crate::postgres::reads::client_tokens;
use crate::postgres::reads::notification_settings as settings;
use crate::postgres::reads::notifications::{self, Walk as NotificationWalk};
use crate::postgres::reads::people;
use crate::postgres::statements::{self, usage, webhooks};
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

/// How the server would run `statement` with these parameters.
async fn explain(client: &Client, mode: &str, statement: &str, parameters: &str) -> String {
    let parameters = match parameters {
        "" => String::new(),
        _ => format!("({parameters})"),
    };
    let explained = client
        .simple_query(&format!(
            "SET plan_cache_mode = {mode}; PREPARE asked AS {statement}; EXPLAIN EXECUTE asked {parameters}; \
             DEALLOCATE asked"
        ))
        .await
        .unwrap();
    let plan: Vec<&str> = explained
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect();
    plan.join("\n")
}

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
        let tokens = |statuses: &[ClientTokenStatus]| client_tokens::page_sql(order, statuses);
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
            (
                reads::api_keys_sql(order, None),
                page.to_owned(),
                "api_keys_by_workspace",
            ),
            (
                reads::api_keys_sql(order, Some(ApiKeyStatus::Revoked)),
                page.to_owned(),
                "api_keys_by_status",
            ),
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
    let span = "'wsp_1', 'evt_', 'evt_~', 51";
    let looking = |by: &str| format!("{span}, ARRAY['api_key.created'], '{by}', NULL, 10000");
    pages.extend([
        (audit::trail_sql(Walk::All), span.to_owned(), "events_by_id"),
        (
            audit::trail_sql(Walk::Types),
            format!("{span}, ARRAY['api_key.created', 'member.invited']"),
            "events_by_type",
        ),
        (audit::trail_sql(Walk::Actor), looking("clock"), "events_by_actor"),
        (audit::trail_sql(Walk::Actor), looking("apikey_7"), "events_by_actor"),
        (audit::trail_sql(Walk::Subject), looking("ctkn_"), "events_by_subject"),
        (
            reads::api_keys_named_sql(),
            "'wsp_1', ARRAY['apikey_1', 'apikey_2']".to_owned(),
            "api_keys_pkey",
        ),
        (people::users_sql(), "ARRAY['usr_1', 'usr_2']".to_owned(), "users_pkey"),
    ]);
    let recent = "190000, 200000, ARRAY['api_key.created']".to_owned();
    pages.push((reads::events_between_sql(), recent, "events_pkey"));
    let of_one = "190000, 200000, 'wsp_1', ARRAY['api_key.created'], 100".to_owned();
    pages.push((reads::workspace_events_between_sql(), of_one, "events_pkey"));
    pages.push((reads::api_keys_due_sql(), "1000, 2000, 100".to_owned(), "api_keys_due"));
    pages.push((
        client_tokens::to_revoke_sql(),
        "1000, 100".to_owned(),
        "client_tokens_to_revoke",
    ));

    for filled in ["empty", "not analyzed", "analyzed"] {
        match filled {
            "not analyzed" => sql(&url, FILL).await,
            "analyzed" => sql(&url, "ANALYZE").await,
            _ => {}
        }
        for mode in ["force_custom_plan", "force_generic_plan"] {
            for (page, parameters, index) in &pages {
                let plan = explain(&client, mode, page, parameters).await;
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

/// 200,000 notifications, nine of ten of them one setting's; the last 5,000 wait, and a few are in trouble.
const FILL_NOTIFICATIONS: &str = "
    INSERT INTO workspaces SELECT 'wsp_' || n, 'Name', 'live', n FROM generate_series(1, 1000) AS n;
    INSERT INTO notification_settings
    SELECT 'ntfset_' || n, 'wsp_' || CASE WHEN n <= 20 THEN 1 ELSE n END, 'Receiver', 'url', 'https://receiver.example',
        CASE WHEN n % 3 = 0 THEN 0 ELSE 1 END, 1, 0, 'all', ' client_token.created ', 'x', NULL, NULL, NULL,
        CASE WHEN n % 30 = 0 THEN 1 END, n, n, 1
    FROM generate_series(1, 1000) AS n;
    INSERT INTO notifications
    SELECT 'wsp_' || CASE WHEN n % 100 = 7 THEN n % 1000 ELSE 1 END, 'ntf_' || lpad(n::text, 26, '0'),
        'ntfset_' || CASE WHEN n % 10 = 0 THEN n % 1000 ELSE 1 END, n, 'client_token.created', 'event',
        CASE WHEN n > 195000 THEN 'not_attempted' WHEN n % 1000 = 1 THEN 'failed' WHEN n % 1000 = 2 THEN 'needs_retry'
            ELSE 'delivered' END,
        1, n, n, n, NULL, NULL, CASE WHEN n > 195000 OR n % 1000 = 2 THEN n END
    FROM generate_series(1, 200000) AS n;
    INSERT INTO delivery_attempts
    SELECT 'ntf_' || lpad(n::text, 26, '0'), 'ntflog_' || n, 200, NULL, '', NULL, n, 1
    FROM generate_series(1, 200000) AS n";

/// Statement, parameters, and what its plan must hold: indexes, by what their names begin with, and look-ups by place.
type Case = (String, String, &'static [&'static str]);

fn reading() -> Vec<Case> {
    let mut cases = Vec::new();
    for (order, from) in [(Order::Ascending, "''"), (Order::Descending, "'~'")] {
        let page = |settings: &str, statuses: &str| {
            format!("'wsp_1', {from}, 51, ARRAY[{settings}]::text[], ARRAY[{statuses}]::text[], NULL, NULL, NULL, NULL")
        };
        let walk = |walk| notifications::page_sql(order, walk);
        cases.extend([
            (
                walk(NotificationWalk::All),
                page("", ""),
                &["notifications_pkey", "events_pkey"][..],
            ),
            (
                walk(NotificationWalk::All),
                page("", "'delivered'"),
                &["notifications_pkey", "events_pkey"],
            ),
            (
                walk(NotificationWalk::Settings),
                page("'ntfset_10'", ""),
                &["notifications_by_setting", "events_pkey"],
            ),
            (
                walk(NotificationWalk::Settings),
                page("'ntfset_1', 'ntfset_2'", ""),
                &["notifications_by_setting", "events_pkey"],
            ),
            (
                walk(NotificationWalk::Trouble),
                page("", "'failed'"),
                &["notifications_in_trouble", "events_pkey"],
            ),
            (
                walk(NotificationWalk::Trouble),
                page("'ntfset_1'", "'failed', 'needs_retry'"),
                &["notifications_in_trouble", "events_pkey"],
            ),
            (
                settings::page_sql(order),
                format!("'wsp_1', 1, NULL, {from}, 51"),
                &["notification_settings_"],
            ),
            (
                notifications::attempts_sql(order),
                format!("'ntf_', {from}, 51"),
                &["delivery_attempts_pkey"],
            ),
        ]);
    }
    cases.push((
        notifications::DELIVERY_COUNTS.to_owned(),
        "'wsp_1', 'deliveries.0000000001.', 'deliveries/'".to_owned(),
        &["counters_pkey"],
    ));
    cases.push((settings::all_sql(), "'wsp_1'".to_owned(), &["notification_settings_"]));
    cases.push((settings::due_sql(), "500".to_owned(), &["notifications_due"]));
    cases
}

fn writing() -> Vec<Case> {
    let texts = |count: usize, text: &str| format!("array_fill('{text}'::text, ARRAY[{count}])");
    let numbers = |count: usize| format!("array_fill(200000::bigint, ARRAY[{count}])");
    let mut cases = Vec::new();
    for many in [1, 512] {
        let (workspaces, ids, places) = (texts(many, "wsp_1"), texts(many, "ntf_"), texts(many, "(1,1)"));
        let (times, flags) = (numbers(many), format!("array_fill(TRUE, ARRAY[{many}])"));
        let appended = format!(
            "{many}, {tokens}, {events}, {ids}, {ids}, {times}",
            tokens = [
                &ids, &ids, &ids, &ids, &ids, &ids, &times, &times, &times, &times, &ids, &times
            ]
            .map(String::as_str)
            .join(", "),
            events = [&workspaces, &ids, &ids, &times, &ids, &ids, &ids, &ids, &ids, &flags]
                .map(String::as_str)
                .join(", "),
        );
        let logged = [&ids, &ids, &times, &ids, &ids, &ids, &times, &times]
            .map(String::as_str)
            .join(", ");
        cases.extend([
            (
                webhooks::lease(),
                format!("{}, {times}, {times}, {times}", texts(many, "ntfset_1")),
                &[
                    "notifications_due",
                    "Tid Scan on notifications",
                    "events_pkey",
                    "notification_settings_pkey",
                ][..],
            ),
            (
                webhooks::LOCK_NOTIFICATIONS.to_owned(),
                format!("{workspaces}, {ids}"),
                &["notifications_pkey"],
            ),
            (
                webhooks::RECORD_ATTEMPTS.to_owned(),
                format!("{places}, {ids}, {times}, {times}, {times}"),
                &["Tid Scan on notifications"],
            ),
            (webhooks::LOG_ATTEMPTS.to_owned(), logged, &[]),
            (
                webhooks::REPLAY.to_owned(),
                format!("{places}, {ids}, {times}"),
                &["Tid Scan on notifications"],
            ),
            (
                webhooks::NOTE_FAILING.to_owned(),
                format!("{ids}, {flags}, {times}"),
                &["notification_settings_pkey", "Tid Scan on notification_settings"],
            ),
            (
                webhooks::LOCK_FAILING.to_owned(),
                format!("{ids}, {flags}, {times}"),
                &["notification_settings_pkey"],
            ),
            (
                statements::APPEND.to_owned(),
                appended,
                &["notification_settings_active"],
            ),
            (
                webhooks::SETTINGS_SEEN.to_owned(),
                format!("{workspaces}, {ids}"),
                &["notification_settings_"],
            ),
            (
                webhooks::PRUNE_ATTEMPTS.to_owned(),
                ids.clone(),
                &["delivery_attempts_pkey"],
            ),
        ]);
    }
    cases
}

fn pruning() -> Vec<Case> {
    vec![
        (
            webhooks::PRUNE_DELETED.to_owned(),
            "100".to_owned(),
            &["notification_settings_deleted", "notifications_by_setting"][..],
        ),
        (
            webhooks::PRUNE_OLD.to_owned(),
            "'ntf_0001', 100".to_owned(),
            &["notifications_pkey"],
        ),
        (
            webhooks::PRUNE_DELIVERY_COUNTS.to_owned(),
            "'deliveries.0000000001.', 100".to_owned(),
            &["counters_pkey"],
        ),
        (
            webhooks::PRUNE_EVENTS.to_owned(),
            "100, 100".to_owned(),
            &["events_pkey", "notifications_replays", "notifications_pkey"],
        ),
        (
            webhooks::PRUNE_SETTINGS.to_owned(),
            String::new(),
            &["notification_settings_deleted"],
        ),
    ]
}

#[tokio::test]
async fn notifications_are_found_by_an_index() {
    let url = fresh_schema().await;
    migrate(&url).await.unwrap();
    let (client, _driver) = Connector::new(&url).unwrap().connect().await.unwrap();
    let mut wrong = Vec::new();
    for filled in ["empty", "not analyzed", "analyzed"] {
        match filled {
            "not analyzed" => sql(&url, &format!("{FILL}; {FILL_NOTIFICATIONS}")).await,
            "analyzed" => sql(&url, "ANALYZE").await,
            _ => {}
        }
        for mode in ["force_custom_plan", "force_generic_plan"] {
            for (statement, parameters, indexes) in reading().into_iter().chain(writing()).chain(pruning()) {
                let plan = explain(&client, mode, &statement, &parameters).await;
                let by_index = indexes.iter().all(|index| plan.contains(*index));
                let whole = ["Seq Scan on", "Merge Cond", "Hash Cond"]
                    .into_iter()
                    .any(|way| plan.contains(way));
                if !by_index || whole {
                    wrong.push(format!("{filled}, {mode}: {statement}\n{plan}\n"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A year of one token's usage, and an hour of 50,000 others.
const FILL_USAGE: &str = "
    INSERT INTO client_token_usage
    SELECT 'wsp_1', 'ctkn_1', n, 1, 1, 0, 0, 0, 0, 0 FROM generate_series(1, 8000) AS n;
    INSERT INTO client_token_usage
    SELECT 'wsp_1', 'ctkn_' || lpad(n::text, 26, '0'), 8000, 1, 1, 0, 0, 0, 0, 0 FROM generate_series(1, 50000) AS n;
    INSERT INTO client_token_last_uses
    SELECT 'wsp_1', 'ctkn_' || lpad(n::text, 26, '0'), n FROM generate_series(1, 50000) AS n;
    INSERT INTO client_token_origins
    SELECT 'wsp_1', 'ctkn_' || lpad(n::text, 26, '0'), n % 300, 'https://shop.example', 1
    FROM generate_series(1, 50000) AS n";

#[tokio::test]
async fn usage_and_changes_of_tokens_are_found_by_an_index() {
    let url = fresh_schema().await;
    migrate(&url).await.unwrap();
    let (client, _driver) = Connector::new(&url).unwrap().connect().await.unwrap();
    let mut cases: Vec<Case> = vec![
        (
            client_tokens::changed_sql(),
            "199900, 200000, ARRAY['client_token.created']".to_owned(),
            &["events_pkey", "client_tokens_pkey"],
        ),
        (
            usage::PRUNE_HOURS.to_owned(),
            "100, 100".to_owned(),
            &["client_token_usage_by_hour"],
        ),
        (
            usage::PRUNE_ORIGINS.to_owned(),
            "100, 100".to_owned(),
            &["client_token_origins_by_day"],
        ),
        (
            reads::usage::HOURS.to_owned(),
            "'wsp_1', 'ctkn_1', 100".to_owned(),
            &["client_token_usage_pkey"],
        ),
        (
            reads::usage::ORIGINS.to_owned(),
            "'wsp_1', 'ctkn_1', 100, 20".to_owned(),
            &["client_token_origins_pkey"],
        ),
        (
            reads::usage::LAST_USES.to_owned(),
            "'wsp_1', ARRAY['ctkn_1', 'ctkn_2']".to_owned(),
            &["client_token_last_uses_pkey"],
        ),
        (
            reads::usage::HOURS_OF_MANY.to_owned(),
            "'wsp_1', ARRAY['ctkn_1', 'ctkn_2'], 100".to_owned(),
            &["client_token_usage_pkey"],
        ),
    ];
    for many in [1, 1_000] {
        let texts = format!("array_fill('wsp_1'::text, ARRAY[{many}])");
        let numbers = format!("array_fill(8000::bigint, ARRAY[{many}])");
        let of = format!("{texts}, {texts}, {numbers}");
        cases.extend([
            (
                usage::COUNT.to_owned(),
                format!("{of}, {}", [numbers.as_str(); 7].join(", ")),
                &["client_tokens_pkey"][..],
            ),
            (usage::TOUCH.to_owned(), of.clone(), &["client_tokens_pkey"]),
            (
                usage::ADD_ORIGINS.to_owned(),
                format!("{of}, {texts}, {numbers}"),
                &["client_tokens_pkey"],
            ),
            (
                usage::DROP_RARE_ORIGINS.to_owned(),
                format!("{of}, 20"),
                &["client_token_origins_pkey"],
            ),
        ]);
    }
    let mut wrong = Vec::new();
    for filled in ["empty", "not analyzed", "analyzed"] {
        match filled {
            "not analyzed" => sql(&url, &format!("{FILL}; {FILL_USAGE}")).await,
            "analyzed" => sql(&url, "ANALYZE").await,
            _ => {}
        }
        for mode in ["force_custom_plan", "force_generic_plan"] {
            for (statement, parameters, indexes) in &cases {
                let plan = explain(&client, mode, statement, parameters).await;
                let by_index = indexes.iter().all(|index| plan.contains(*index));
                let whole = [
                    "Seq Scan on",
                    "Merge Cond",
                    "Hash Cond",
                    "Filter: (day",
                    "Filter: (hour",
                ];
                if !by_index || whole.into_iter().any(|way| plan.contains(way)) {
                    wrong.push(format!("{filled}, {mode}: {statement}\n{plan}\n"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
