//! What only PostgreSQL does; what both stores promise is in the contract suite.

mod deliveries;
mod plans;
mod seed;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::timeout;
use tollgate_domain::event::EventType;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_storage::{Change, ClientTokenPage, Order, Outcome, Page, Storage, StorageError, Write};

use self::seed::{Seed, fresh_schema, sql};
use super::connect::Connector;
use super::pulse::Bell;
use super::writer::Writer;
use super::{PostgresOptions, PostgresStore, migrate, migrate_to};
use crate::LATEST_SCHEMA_VERSION;
use crate::queue::Queue;

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(url, PostgresOptions::default())
        .await
        .expect("the store opens")
}

fn applied(outcome: &Result<Outcome, StorageError>) -> bool {
    matches!(outcome, Ok(Outcome::Applied { .. }))
}

#[tokio::test]
async fn upgrading_leaves_an_api_keys_permissions_as_they_were() {
    let url = fresh_schema().await;
    assert_eq!(migrate_to(&url, 1).await.unwrap(), (0, 1));
    let id = Seed::new(1).api_key_id();
    let key = format!(
        "INSERT INTO api_keys VALUES ('{id}', '{}', 'sandbox', 'Old', NULL, sha256('x'), 'active', \
         'client_token.read client_token.write', NULL, NULL, NULL, 1, 1, 1)",
        Seed::new(1).workspace
    );
    sql(&url, &key).await;

    assert_eq!(migrate(&url).await.unwrap(), (1, LATEST_SCHEMA_VERSION));
    let store = open(&url).await;
    let granted: PermissionSet = [Permission::CLIENT_TOKEN_READ, Permission::CLIENT_TOKEN_WRITE]
        .into_iter()
        .collect();
    assert_eq!(store.api_key(id).await.unwrap().unwrap().permissions, granted);
    assert_eq!(
        migrate(&url).await.unwrap(),
        (LATEST_SCHEMA_VERSION, LATEST_SCHEMA_VERSION)
    );
}

#[tokio::test]
async fn upgrading_leaves_a_client_token_as_it_was_unrestricted() {
    let url = fresh_schema().await;
    migrate_to(&url, 4).await.unwrap();
    let (token, _) = Seed::new(1).new_token();
    let row = format!(
        "INSERT INTO client_tokens VALUES ('{}', '{}', '{}', '{}', NULL, 'active', {made}, {made}, NULL, 1)",
        token.workspace,
        token.id,
        token.token.as_str(),
        token.name,
        made = token.created_at.as_micros()
    );
    sql(&url, &row).await;

    assert_eq!(migrate(&url).await.unwrap(), (4, LATEST_SCHEMA_VERSION));
    let store = open(&url).await;
    assert_eq!(
        store.client_token(token.workspace, token.id).await.unwrap(),
        Some(token)
    );
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused_with_both_versions() {
    let url = fresh_schema().await;
    migrate(&url).await.unwrap();
    sql(&url, "INSERT INTO schema_version VALUES (99, 1)").await;
    let refused = PostgresStore::open(&url, PostgresOptions::default()).await;
    assert!(matches!(
        refused.err(),
        Some(StorageError::SchemaTooNew { found: 99, known }) if known == LATEST_SCHEMA_VERSION
    ));
}

#[tokio::test]
async fn nodes_that_start_together_migrate_once() {
    let url = fresh_schema().await;
    let outcomes = join_all((0..6).map(|_| migrate(&url))).await;
    let migrated = outcomes.into_iter().map(Result::unwrap).filter(|(from, _)| *from == 0);
    assert_eq!(migrated.count(), 1);
}

/// Applies changes that all wait in the queue when the writer starts: one batch, as far as they may share one.
async fn in_one_batch(url: &str, changes: Vec<Change>) -> Vec<Result<Outcome, StorageError>> {
    migrate(url).await.unwrap();
    let (queue, jobs) = Queue::new();
    let (stop, stopped) = watch::channel(false);
    let bell = Bell::new(0, std::time::Instant::now());
    let writer = Writer::open(Connector::new(url).unwrap(), jobs, stopped, bell, 512)
        .await
        .unwrap();
    let mut outcomes = Box::pin(join_all(changes.into_iter().map(|change| queue.clone().commit(change))));
    tokio::select! {
        biased;
        _ = &mut outcomes => unreachable!("nobody answers yet"),
        () = async {} => {}
    }
    let writer = tokio::spawn(writer.run());
    let outcomes = outcomes.await;
    stop.send_replace(true);
    writer.await.unwrap();
    outcomes
}

#[tokio::test]
async fn a_refused_change_does_not_harm_its_neighbours() {
    for with_other_writes in [false, true] {
        let url = fresh_schema().await;
        let seed = Seed::new(2);
        let mut changes: Vec<Change> = (0..20).map(|_| seed.new_token().1).collect();
        changes.insert(7, changes[3].clone()); // the same id again
        if with_other_writes {
            changes.push(Change::silent(Write::CreateWorkspace(seed.workspace())));
        }
        let outcomes = in_one_batch(&url, changes).await;
        for (place, outcome) in outcomes.iter().enumerate() {
            assert_eq!(applied(outcome), place != 7, "{place}: {outcome:?}");
        }
        let Err(StorageError::Unavailable(reason)) = &outcomes[7] else {
            panic!("{:?}", outcomes[7]);
        };
        assert!(reason.to_string().contains("23505"), "{reason}"); // unique violation
        assert!(reason.source().is_some());

        let store = open(&url).await;
        assert_eq!(store.sequence().await.unwrap(), 20);
        let page = ClientTokenPage {
            page: Page {
                after: None,
                order: Order::Ascending,
                limit: 50,
                count: true,
            },
            statuses: Vec::new(),
        };
        let tokens = store.client_tokens(seed.workspace, &page).await.unwrap();
        assert_eq!((tokens.items.len(), tokens.total), (20, Some(20)));
    }
}

#[tokio::test]
async fn changes_of_one_batch_to_the_same_row_come_one_after_the_other() {
    let url = fresh_schema().await;
    let seed = Seed::new(3);
    let (token, create) = seed.new_token();
    assert!(applied(&in_one_batch(&url, vec![create]).await[0]));

    let first = seed.revoke(&token);
    let second = seed.revoke(&token);
    let (_, named) = seed.new_token_named("order-1");
    let (_, named_again) = seed.new_token_named("order-1");
    let answer = named.idempotency.clone().unwrap().1;
    let outcomes: Vec<Outcome> = in_one_batch(&url, vec![first, second, named, named_again])
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Applied { sequence: 3 }, // updated and revoked
            Outcome::Stale,
            Outcome::Applied { sequence: 4 },
            Outcome::AlreadyAnswered(answer),
        ]
    );
    assert_eq!(open(&url).await.sequence().await.unwrap(), 4);
}

/// Follows the pulse up to place `last`, as any follower does, and answers the places in the order they were seen.
async fn follow(store: &PostgresStore, last: u64) -> Vec<u64> {
    let mut pulse = store.pulse();
    let mut seen = Vec::new();
    let mut known = 0;
    while known < last {
        let heard = pulse.borrow_and_update().sequence;
        if heard > known {
            let events = store.events_between(known, heard, &EventType::ALL).await.unwrap();
            seen.extend(events.iter().map(|(place, _)| *place));
            known = heard;
        } else {
            pulse.changed().await.unwrap();
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_misses_nothing_that_two_nodes_write() {
    let url = fresh_schema().await;
    let nodes = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let observer = open(&url).await;
    let changes = 1_000;
    let followers = tokio::spawn({
        let node = Arc::clone(&nodes[0]);
        async move { tokio::join!(follow(&observer, 2 * changes), follow(&node, 2 * changes)) }
    });
    let writers = nodes.iter().zip(10..).map(|(node, number)| {
        let seed = Arc::new(Seed::new(number));
        let tasks = (0..20).map(move |_| {
            let (node, seed) = (Arc::clone(node), Arc::clone(&seed));
            tokio::spawn(async move {
                for _ in 0..changes / 20 {
                    node.commit(seed.new_token().1).await.unwrap();
                }
            })
        });
        join_all(tasks)
    });
    for task in join_all(writers).await.into_iter().flatten() {
        task.unwrap();
    }
    let (by_observer, by_node) = timeout(Duration::from_secs(20), followers).await.unwrap().unwrap();
    let all: Vec<u64> = (1..=2 * changes).collect();
    assert!(by_observer == all, "the observer missed a place or saw one twice");
    assert!(by_node == all, "the node missed a place or saw one twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_made_anew() {
    let url = fresh_schema().await;
    let marked = format!("{url}&application_name=to_be_lost");
    let store = Arc::new(open(&marked).await);
    let observer = open(&url).await;
    let seed = Arc::new(Seed::new(20));
    let tasks = (0..16).map(|_| {
        let (store, seed) = (Arc::clone(&store), Arc::clone(&seed));
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for _ in 0..100 {
                let (token, change) = seed.new_token();
                if store.commit(change).await.is_ok() {
                    acknowledged.push(token.id);
                }
            }
            acknowledged
        })
    });
    let tasks = join_all(tasks);
    let killer = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            sql(
                &url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to_be_lost'",
            )
            .await;
        }
    };
    let (acknowledged, ()) = tokio::join!(tasks, killer);
    for id in acknowledged.into_iter().flat_map(Result::unwrap) {
        assert!(observer.client_token(seed.workspace, id).await.unwrap().is_some());
    }
    // The writer, the readers and the listener all work again.
    assert!(applied(&store.commit(seed.new_token().1).await));
    let head = store.sequence().await.unwrap();
    assert!(applied(&observer.commit(seed.new_token().1).await));
    let mut pulse = store.pulse();
    timeout(Duration::from_secs(10), pulse.wait_for(|pulse| pulse.sequence > head))
        .await
        .expect("hears of another node's commit again")
        .unwrap();
}

#[tokio::test]
async fn the_pulse_beats_while_nothing_happens_and_is_quick_when_another_node_writes() {
    let url = fresh_schema().await;
    let (store, other) = (open(&url).await, open(&url).await);
    let mut pulse = store.pulse();
    let first = pulse.borrow_and_update().heard_at;
    let beat = timeout(Duration::from_secs(1), pulse.wait_for(|pulse| pulse.heard_at > first));
    beat.await.expect("beats").unwrap();
    other.commit(Seed::new(30).new_token().1).await.unwrap();
    let heard = timeout(Duration::from_millis(100), pulse.wait_for(|pulse| pulse.sequence == 1));
    heard.await.expect("hears within 100 ms").unwrap();
}

#[tokio::test]
async fn a_closed_store_has_finished_what_was_queued_and_refuses_the_rest() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(40);
    let mut queued = Box::pin(join_all((0..50).map(|_| store.commit(seed.new_token().1))));
    tokio::select! {
        biased;
        _ = &mut queued => {}
        () = async {} => {}
    }
    let (outcomes, ()) = tokio::join!(queued, store.close());
    assert!(outcomes.iter().all(applied), "{outcomes:?}");
    let late = store.commit(seed.new_token().1).await;
    assert!(matches!(late, Err(StorageError::Unavailable(_))), "{late:?}");
    assert!(matches!(store.sequence().await, Err(StorageError::Unavailable(_))));
}

#[tokio::test]
async fn acknowledged_means_durable_whatever_the_servers_default() {
    let url = fresh_schema().await;
    for (default, used) in [
        ("off", "on"),
        ("on", "on"),
        ("local", "local"),
        ("remote_apply", "remote_apply"),
    ] {
        let url = format!("{url}%20-csynchronous_commit%3D{default}");
        let (client, _driver) = Connector::new(&url).unwrap().connect().await.unwrap();
        let row = client.query_one("SHOW synchronous_commit", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), used);
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_named_by_table_column_and_row() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(50);
    let (token, change) = seed.new_token();
    store.commit(change).await.unwrap();
    for (column, value, reason) in [
        (
            "token",
            "'test_x'",
            "a client token is test_ or live_ and 27 letters and digits",
        ),
        ("revoked_at", "-1", "-1 µs is outside the years 1970 to 9998"),
    ] {
        sql(&url, &format!("UPDATE client_tokens SET {column} = {value}")).await;
        let read = store.client_token(seed.workspace, token.id).await;
        let Err(StorageError::Corrupt(message)) = read else {
            panic!("{read:?}");
        };
        assert_eq!(message, format!("client_tokens.{column} of {}: {reason}", token.id));
        sql(
            &url,
            &format!("UPDATE client_tokens SET token = '{}'", token.token.as_str()),
        )
        .await;
    }
}

#[tokio::test]
async fn no_error_repeats_the_databases_url() {
    for url in [
        "postgres://tollgate:hunter?2=hunter@db.example/tollgate",
        "postgres://tollgate:hunter@db.example/tollgate?sslmode=hunter",
        "postgres://tollgate:hunter@127.0.0.1:1/tollgate?sslmode=disable",
        "hunter=hunter",
        "hunter",
    ] {
        let error = PostgresStore::open(url, PostgresOptions::default()).await.err();
        let mut error: Option<&dyn std::error::Error> = error.as_ref().map(|error| error as _);
        assert!(error.is_some(), "{url}");
        while let Some(link) = error {
            assert!(!format!("{link} {link:?}").contains("hunter"), "{link:?}");
            error = link.source();
        }
    }
}
