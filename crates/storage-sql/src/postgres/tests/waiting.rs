//! What a node does about what another one commits while it waits, and what it doesn't wait for.

use std::time::Duration;

use tokio::time::timeout;
use tollgate_storage::{Outcome, Storage, StorageError};

use super::deliveries::{DELIVERED, NEEDS_RETRY, fill, take};
use super::seed::{Seed, fresh_schema, lease};
use super::{applied, in_one_batch, open};
use crate::postgres::connect::Connector;

/// Runs `while_waiting` in another node's transaction that holds what `commit` waits for, and lets it go on.
async fn behind_another_node(
    url: &str,
    (holds, while_waiting): (&str, &str),
    commit: impl Future<Output = Result<Outcome, StorageError>>,
) {
    let (mut client, _driver) = Connector::new(url).unwrap().connect().await.unwrap();
    let other_node = client.transaction().await.unwrap();
    other_node.batch_execute(holds).await.unwrap();
    // Locks are looked at anew each time; activity only once in a transaction.
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))";
    let mut commit = std::pin::pin!(commit);
    loop {
        tokio::select! {
            biased;
            outcome = &mut commit => panic!("it didn't wait: {outcome:?}"),
            row = other_node.query_one(waits, &[]) => if row.unwrap().get::<_, i64>(0) > 0 { break },
        }
    }
    other_node.batch_execute(while_waiting).await.unwrap();
    other_node.commit().await.unwrap();
    assert!(applied(&commit.await));
}

/// Whatever a node commits comes behind what was committed while it waited for its place.
#[tokio::test]
async fn a_setting_that_was_committed_while_a_node_waited_for_its_place_gets_the_event() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(64);
    let setting = seed.setting();
    let made_there = format!(
        "INSERT INTO notification_settings VALUES ('{}', '{}', 'Receiver', 'url', 'https://receiver.example', 1, 1, 0, \
         'all', ' client_token.created ', 'x', NULL, NULL, NULL, NULL, 1, 1, 1)",
        setting.id, seed.workspace
    );
    let held = ("SELECT sequence FROM sequence_head FOR UPDATE", made_there.as_str());
    behind_another_node(&url, held, store.commit(seed.new_token().1)).await;
    assert_eq!(take(&store, lease(setting.id, (1, 2), 10)).await.len(), 1);
}

#[tokio::test]
async fn a_success_ends_a_failing_that_another_node_noted_meanwhile() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(67);
    let setting = fill(&store, &seed, 1).await;
    let taken = take(&store, lease(setting.id, (1, 2), 1)).await;
    let failing = seed.attempt(&taken[0], NEEDS_RETRY, 1);
    assert!(applied(&store.commit(failing).await));
    let noted_there = "UPDATE notification_settings SET failing_since = 5";
    let success = store.commit(seed.attempt(&taken[0], DELIVERED, 2));
    behind_another_node(&url, (noted_there, "SELECT"), success).await;
    let setting = store.notification_setting(seed.workspace, setting.id).await.unwrap();
    assert_eq!(setting.unwrap().failing_since, None);
}

/// While one node is about to give out places, another one goes on delivering.
#[tokio::test]
async fn deliveries_wait_for_nobodys_place_in_the_sequence() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(68);
    let setting = fill(&store, &seed, 2).await;
    let (client, _driver) = Connector::new(&url).unwrap().connect().await.unwrap();
    client
        .batch_execute("BEGIN; SELECT sequence FROM sequence_head FOR UPDATE")
        .await
        .unwrap();
    let delivery = async {
        let taken = take(&store, lease(setting.id, (1, 2), 2)).await;
        store.commit(seed.attempt(&taken[0], DELIVERED, 2)).await.unwrap()
    };
    let recorded = timeout(Duration::from_secs(5), delivery).await.expect("doesn't wait");
    assert_eq!(recorded, Outcome::Applied { sequence: 2 });
}

#[tokio::test]
async fn a_lease_passes_over_what_another_node_is_taking() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(69);
    let setting = fill(&store, &seed, 3).await;
    let (client, _driver) = Connector::new(&url).unwrap().connect().await.unwrap();
    let first = "SELECT id FROM notifications ORDER BY due_at LIMIT 1";
    client
        .batch_execute(&format!(
            "BEGIN; UPDATE notifications SET due_at = 99 WHERE id = ({first})"
        ))
        .await
        .unwrap();
    let lease = take(&store, lease(setting.id, (1, 2), 2));
    let taken = timeout(Duration::from_secs(5), lease).await.expect("doesn't wait");
    assert_eq!(taken.len(), 2);
}

/// Two nodes whose leases were taken over record the same notifications: whoever waits holds none of a greater key.
#[tokio::test]
async fn recorded_notifications_are_locked_in_the_order_of_their_keys() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(70);
    let setting = fill(&store, &seed, 2).await;
    let mut taken = take(&store, lease(setting.id, (1, 2), 2)).await;
    taken.sort_unstable_by_key(|notification| notification.id);
    let [first, second] = [0, 1].map(|place| {
        format!(
            "SELECT id FROM notifications WHERE id = '{}' FOR UPDATE NOWAIT",
            taken[place].id
        )
    });
    let records = [1, 0].map(|place| seed.attempt(&taken[place], DELIVERED, 2));
    let recorded = async { Box::pin(in_one_batch(&url, records.to_vec())).await.remove(0) };
    behind_another_node(&url, (&first, &second), recorded).await;
}
