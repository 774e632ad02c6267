//! Several nodes make, take and record notifications at once.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use tollgate_domain::id::{Id, NotificationSettingId};
use tollgate_domain::notification::{self, Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_storage::{Change, NotificationPage, Order, Outcome, Page, SettingsSeen, Slice, Storage, Write};

use super::seed::{Seed, at, create_setting, fresh_schema, lease};
use super::{applied, in_one_batch, open};
use crate::postgres::PostgresStore;
use crate::postgres::connect::Connector;

pub(super) const DELIVERED: NotificationStatus = NotificationStatus::Delivered;
pub(super) const NEEDS_RETRY: NotificationStatus = NotificationStatus::NeedsRetry;
const FAILED: NotificationStatus = NotificationStatus::Failed;

/// A setting, and `count` client tokens made after it.
pub(super) async fn fill(store: &PostgresStore, seed: &Seed, count: usize) -> NotificationSetting {
    let setting = seed.setting();
    assert!(applied(&store.commit(create_setting(&setting, &[])).await));
    let made = join_all((0..count).map(|_| store.commit(seed.new_token().1))).await;
    assert!(made.iter().all(applied), "{made:?}");
    setting
}

pub(super) async fn take(store: &PostgresStore, change: Change) -> Vec<Notification> {
    match store.commit(change).await.unwrap() {
        Outcome::Leased(notifications) => notifications,
        other => panic!("{other:?}"),
    }
}

fn everything() -> NotificationPage {
    NotificationPage {
        page: Page {
            after: None,
            order: Order::Ascending,
            limit: 10_000,
            count: true,
        },
        settings: Vec::new(),
        statuses: Vec::new(),
        search: None,
        subject: None,
        from: None,
        to: None,
    }
}

async fn listed(store: &PostgresStore, seed: &Seed, statuses: &[NotificationStatus]) -> Slice<Notification> {
    let page = NotificationPage {
        statuses: statuses.to_vec(),
        ..everything()
    };
    store.notifications(seed.workspace, &page).await.unwrap()
}

/// The counters tell what counting would.
async fn assert_counted(url: &str) {
    let (client, _driver) = Connector::new(url).unwrap().connect().await.unwrap();
    let differences = client
        .query_one(
            "SELECT coalesce(string_agg(name || ' ' || counted || ' ' || told, ', '), '') FROM (
                SELECT 'notifications.' || setting_id || '.' || status AS name, count(*) AS counted
                FROM notifications GROUP BY 1
             ) AS counted FULL JOIN (
                SELECT name, value AS told FROM counters WHERE name LIKE 'notifications.%' AND value <> 0
             ) AS told USING (name) WHERE counted IS DISTINCT FROM told",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(differences.get::<_, &str>(0), "", "counter, counted, told");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_lease_at_once_never_get_the_same() {
    let url = fresh_schema().await;
    let nodes = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let seed = Seed::new(60);
    let setting = fill(&nodes[0], &seed, 3_000).await;
    let tasks = (0..16).map(|task| {
        let (node, setting) = (Arc::clone(&nodes[task % 2]), setting.id);
        tokio::spawn(async move {
            let mut all = Vec::new();
            // Passed over while another has them locked is not gone: a few more looks.
            let mut empty = 0;
            while empty < 20 {
                let taken = take(&node, lease(setting, (10, 60), 37)).await;
                empty = if taken.is_empty() { empty + 1 } else { 0 };
                assert!(taken.is_sorted_by_key(|notification| notification.event.occurred_at));
                all.extend(taken.into_iter().map(|notification| notification.id));
            }
            all
        })
    });
    let taken: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(taken.len(), 3_000);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 3_000);
    // They are everybody's again when the lease is over.
    assert_eq!(take(&nodes[1], lease(setting.id, (60, 90), 3_000)).await.len(), 3_000);
}

#[tokio::test]
async fn delivered_stays_delivered_when_the_lease_was_taken_over() {
    let url = fresh_schema().await;
    let (first, second) = (open(&url).await, open(&url).await);
    let seed = Seed::new(61);
    let setting = fill(&first, &seed, 1).await;
    let slow = take(&first, lease(setting.id, (1, 30), 10)).await;
    let quick = take(&second, lease(setting.id, (30, 60), 10)).await;
    assert_eq!(slow, quick);
    assert!(applied(&second.commit(seed.attempt(&quick[0], DELIVERED, 31)).await));
    assert!(applied(&first.commit(seed.attempt(&slow[0], NEEDS_RETRY, 32)).await));

    let stands = first.notification(seed.workspace, slow[0].id).await.unwrap().unwrap();
    assert_eq!(
        (
            stands.status,
            stands.times_attempted,
            stands.retry_at,
            stands.delivered_at
        ),
        (DELIVERED, 2, None, Some(at(31_000_000)))
    );
    assert!(take(&first, lease(setting.id, (900, 960), 10)).await.is_empty());
    assert_counted(&url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_record_the_same_at_once_wait_for_each_other_in_one_order() {
    let url = fresh_schema().await;
    let nodes = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let seed = Arc::new(Seed::new(62));
    let setting = fill(&nodes[0], &seed, 300).await;
    let taken = take(&nodes[0], lease(setting.id, (1, 2), 300)).await;
    for round in 0..4 {
        let tasks = (0..2).map(|node| {
            let (store, seed, mut taken) = (Arc::clone(&nodes[node]), Arc::clone(&seed), taken.clone());
            if node == 1 {
                taken.reverse();
            }
            let status = [[FAILED, DELIVERED], [NEEDS_RETRY, FAILED]][round % 2][node];
            tokio::spawn(async move {
                let recorded = taken
                    .iter()
                    .map(|notification| store.commit(seed.attempt(notification, status, 3)));
                join_all(recorded).await
            })
        });
        for outcome in join_all(tasks).await.into_iter().flat_map(Result::unwrap) {
            assert!(applied(&outcome), "{outcome:?}");
        }
        assert_counted(&url).await;
    }
    let all = listed(&nodes[1], &seed, &[DELIVERED]).await;
    assert_eq!((all.items.len(), all.total), (300, Some(300)));
    assert!(all.items.iter().all(|notification| notification.times_attempted == 8));
}

#[tokio::test]
async fn a_change_of_the_same_batch_counts_only_for_what_comes_behind_it() {
    let url = fresh_schema().await;
    let seed = Seed::new(63);
    let setting = seed.setting();
    let (before, create_before) = seed.new_token();
    let (between, create_between) = seed.new_token();
    let (after, create_after) = seed.new_token();
    let gone = Change::silent(Write::DeleteNotificationSetting {
        workspace: seed.workspace,
        id: setting.id,
    });
    let other = seed.setting();
    let outcomes = in_one_batch(
        &url,
        vec![
            create_before,
            create_setting(&setting, &[]),
            create_between,
            gone,
            create_setting(&setting, &[]), // the same id again is refused, and harms nobody
            create_setting(&other, &[]),
            create_after,
        ],
    )
    .await;
    let refused: Vec<bool> = outcomes.iter().map(|outcome| !applied(outcome)).collect();
    assert_eq!(
        refused,
        [false, false, false, false, true, false, false],
        "{outcomes:?}"
    );
    let store = open(&url).await;
    let subjects = |notifications: Vec<Notification>| -> Vec<String> {
        notifications.into_iter().map(|made| made.event.subject).collect()
    };
    assert_eq!(subjects(listed(&store, &seed, &[]).await.items), [after.id.to_string()]);
    let (client, _driver) = Connector::new(&url).unwrap().connect().await.unwrap();
    let all = client
        .query(
            "SELECT e.subject_id, n.id, e.id, n.setting_id FROM notifications n JOIN events e ON e.sequence = \
             n.event_sequence ORDER BY e.sequence",
            &[],
        )
        .await
        .unwrap();
    let made: Vec<String> = all.iter().map(|row| row.get(0)).collect();
    assert_eq!(made, [between.id.to_string(), after.id.to_string()], "not {before:?}");
    for row in &all {
        let id = notification::id_of(Id::parse(row.get(2)).unwrap(), Id::parse(row.get(3)).unwrap());
        assert_eq!(row.get::<_, &str>(1), id.to_string(), "made in SQL as in the domain");
    }
}

#[tokio::test]
async fn an_answer_with_characters_that_text_cannot_hold_is_logged_all_the_same() {
    let url = fresh_schema().await;
    let store = open(&url).await;
    let seed = Seed::new(65);
    let setting = fill(&store, &seed, 1).await;
    let taken = take(&store, lease(setting.id, (1, 2), 1)).await;
    let mut change = seed.attempt(&taken[0], DELIVERED, 1);
    if let Write::RecordAttempt(record) = &mut change.write {
        record.attempts[0].response_body = "a\0b".to_owned();
        record.attempts[0].problem = Some("\0".to_owned());
    }
    assert!(applied(&store.commit(change).await));
    let page = Page {
        after: None,
        order: Order::Ascending,
        limit: 10,
        count: true,
    };
    let log = store.delivery_attempts(taken[0].id, &page).await.unwrap();
    assert_eq!(log.items[0].response_body, "a\u{fffd}b");
    let asked = NotificationPage {
        search: Some("\0".to_owned()),
        ..everything()
    };
    assert_eq!(store.notifications(seed.workspace, &asked).await.unwrap().items, []);
}

/// One of everything at once on two nodes: nobody is refused, and the counters are right in the end.
#[tokio::test(flavor = "multi_thread")]
async fn all_kinds_of_changes_at_once_on_two_nodes_leave_the_counters_right() {
    let url = fresh_schema().await;
    let nodes = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let seed = Arc::new(Seed::new(66));
    assert!(applied(
        &nodes[0]
            .commit(Change::silent(Write::CreateWorkspace(seed.workspace())))
            .await
    ));
    let setting = fill(&nodes[0], &seed, 50).await;
    let tasks = (0..12_u32).map(|task| {
        let (node, seed, setting) = (Arc::clone(&nodes[(task % 2) as usize]), Arc::clone(&seed), setting.id);
        tokio::spawn(async move {
            for round in 0..30 {
                do_something(&node, &seed, setting, task / 2, round).await;
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    assert_counted(&url).await;
    let whole = listed(&nodes[0], &seed, &[]).await;
    assert_eq!(whole.total, Some(whole.items.len() as u64));
    assert!(whole.items.len() > 100, "{}", whole.items.len());
}

async fn do_something(node: &PostgresStore, seed: &Seed, setting: NotificationSettingId, kind: u32, round: i64) {
    match kind {
        0 => assert!(applied(&node.commit(seed.new_token().1).await)),
        1 => {
            let settings = node.all_notification_settings(seed.workspace).await.unwrap();
            let made = seed.setting();
            // Stale when the other node was quicker.
            let outcome = node.commit(create_setting(&made, &settings)).await.unwrap();
            if outcome != Outcome::Stale && round % 2 == 0 {
                let to = NotificationSetting {
                    version: 2,
                    active: false,
                    ..made.clone()
                };
                let settings = node.all_notification_settings(seed.workspace).await.unwrap();
                let update = Change::silent(Write::UpdateNotificationSetting {
                    to,
                    seen: SettingsSeen::of(&settings),
                });
                node.commit(update).await.unwrap();
                let delete = Change::silent(Write::DeleteNotificationSetting {
                    workspace: seed.workspace,
                    id: made.id,
                });
                assert!(applied(&node.commit(delete).await));
            }
        }
        2 => {
            let newest = listed(node, seed, &[]).await.items;
            let replayed = node.commit(seed.replay(newest[newest.len() / 2].id, round)).await;
            replayed.unwrap(); // stale when it was just pruned
        }
        3 if round % 3 == 0 => {
            let prune = Write::Prune {
                before: at(5_000),
                limit: 3,
            };
            assert!(applied(&node.commit(Change::silent(prune)).await));
        }
        _ => {
            let status = [DELIVERED, NEEDS_RETRY, FAILED][usize::try_from(round % 3).unwrap()];
            let due = node.due_notification_settings(at(100_000_000)).await.unwrap();
            let setting = due.last().map_or(setting, |due| due.id);
            let taken = take(node, lease(setting, (100, 101), 20)).await;
            let records = taken
                .iter()
                .map(|notification| node.commit(seed.attempt(notification, status, 100)));
            let outcomes = join_all(records).await;
            assert!(outcomes.iter().all(applied), "{outcomes:?}");
        }
    }
}
