//! Committers and deliverers at once: nothing is lost, doubled or miscounted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;
use tollgate_domain::event::EventType;
use tollgate_domain::id::NotificationId;
use tollgate_domain::notification::{self, Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;

use super::outbox::{
    self, again, assert_totals, attempt, attempted, create, lease, log, notifications, over, record, setting, tell,
};
use super::seed::{self, Dice, at};
use super::steps::{self, all_at_once_each, applied, places};
use super::{Fresh, Verdict};
use crate::{Change, Outcome, Storage, StorageError, Write};

const COMMITTERS: u64 = 64;
const TOKENS_EACH: u64 = 4;
const SETTINGS: u64 = 2;

pub async fn four_deliverers_lose_nothing_of_64_committers(fresh: &Fresh) -> Verdict {
    four_deliverers(fresh, &[Arc::clone(&fresh.store)]).await
}

pub async fn four_deliverers_on_two_handles_lose_nothing_of_64_committers(fresh: &Fresh) -> Verdict {
    four_deliverers(fresh, &[Arc::clone(&fresh.store), fresh.another().await?]).await
}

/// What the deliverers share.
struct Work {
    dice: Dice,
    /// Their clock: each look is a second later.
    seconds: AtomicU64,
    rows: AtomicU64,
    finished: AtomicU64,
}

/// Leases and records until all is over; how often it attempted each.
async fn deliver(store: Arc<dyn Storage>, work: Arc<Work>) -> Result<HashMap<NotificationId, u32>, StorageError> {
    let mut attempts = HashMap::new();
    while work.finished.load(Ordering::SeqCst) < COMMITTERS * TOKENS_EACH * SETTINGS {
        // Beyond every event's time, so that all is due; the leases never end while somebody holds one.
        let now = 10_000 + work.seconds.fetch_add(1, Ordering::SeqCst);
        for setting in store.due_notification_settings(at(now)).await? {
            for leased in lease(&*store, setting.id, (now, now + 1_000_000), 8).await? {
                let row = work.rows.fetch_add(1, Ordering::SeqCst) + 1;
                *attempts.entry(leased.id).or_default() += 1;
                let status = match work.dice.roll(10) {
                    0..=4 => NotificationStatus::Delivered,
                    5 => NotificationStatus::Failed,
                    _ => NotificationStatus::NeedsRetry,
                };
                let retry_at = (status == NotificationStatus::NeedsRetry).then_some(now + 1);
                attempted(&*store, &leased, (row, now), status, retry_at).await?;
                if status.is_final() {
                    work.finished.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(attempts)
}

async fn four_deliverers(fresh: &Fresh, stores: &[Arc<dyn Storage>]) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let mut settings: Vec<NotificationSetting> = Vec::new();
    for number in 1..=SETTINGS {
        settings.push(create(&*fresh.store, setting(&workspace, number)).await?);
    }
    let work = Arc::new(Work {
        dice: Dice::new(8),
        seconds: AtomicU64::new(0),
        rows: AtomicU64::new(0),
        finished: AtomicU64::new(0),
    });
    // In the order they end, so that one that fails ends the case.
    let mut deliverers = JoinSet::new();
    for (_, store) in (0..4).zip(stores.iter().cycle()) {
        deliverers.spawn(deliver(Arc::clone(store), Arc::clone(&work)));
    }
    let committers: Vec<_> = (0..COMMITTERS)
        .zip(stores.iter().cycle())
        .map(|(committer, store)| {
            let (store, workspace) = (Arc::clone(store), workspace.clone());
            tokio::spawn(async move {
                for number in committer * 100 + 1..=committer * 100 + TOKENS_EACH {
                    applied(&*store, seed::creation(&seed::client_token(&workspace, number))).await?;
                }
                Ok::<_, StorageError>(())
            })
        })
        .collect();
    for committer in committers {
        committer.await.expect("a committer doesn't panic")?;
    }
    let mut attempts: HashMap<NotificationId, u32> = HashMap::new();
    while let Some(deliverer) = deliverers.join_next().await {
        for (id, count) in deliverer.expect("a deliverer doesn't panic")? {
            *attempts.entry(id).or_default() += count;
        }
    }

    let store = &*fresh.store;
    let mut expected = HashSet::new();
    for (_, event) in places(store).await? {
        assert_eq!(event.event_type, EventType::ClientTokenCreated);
        expected.extend(settings.iter().map(|setting| notification::id_of(event.id, setting.id)));
    }
    let all = notifications(store, &workspace).await?.items;
    assert_eq!(all.len(), expected.len(), "one for each event and setting");
    assert_eq!(all.iter().map(|row| row.id).collect::<HashSet<_>>(), expected);
    for notification in &all {
        assert!(notification.status.is_final());
        assert_eq!(Some(&notification.times_attempted), attempts.get(&notification.id));
        let rows = log(store, notification).await?;
        assert_eq!(Some(rows.len()), usize::try_from(notification.times_attempted).ok());
        let delivered = notification.status == NotificationStatus::Delivered;
        assert_eq!(notification.delivered_at.is_some(), delivered);
        assert_eq!(notification.retry_at, None);
    }
    assert_eq!(
        outbox::all_told(&store.due_notification_settings(at(9_999_999)).await?),
        [""; 0]
    );
    assert_totals(store, &workspace).await
}

pub async fn attempts_of_one_notification_at_once_all_count_and_a_success_stays(fresh: &Fresh) -> Verdict {
    const ATTEMPTS: u64 = 24;
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let setting = create(store, setting(&workspace, 1)).await?;
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    for (round, event) in (1..).zip(tell(store, &workspace, 10..=14).await?) {
        let notification = outbox::fresh(&event, &setting);
        let attempts = (1..=ATTEMPTS).map(|number| {
            let status = match number % 4 {
                0 if number == 12 => NotificationStatus::Delivered,
                0 => NotificationStatus::Failed,
                _ => NotificationStatus::NeedsRetry,
            };
            let code = if number == 12 { 200 } else { 500 };
            let row = attempt(&notification, round * 100 + number, code, 20 + number);
            let retry_at = (status == NotificationStatus::NeedsRetry).then_some(at(90));
            record(&notification, vec![row], status, retry_at)
        });
        let changes = stores
            .iter()
            .cycle()
            .cloned()
            .zip(Dice::new(round).shuffled(attempts.collect()));
        for outcome in all_at_once_each(changes.collect()).await {
            assert!(matches!(outcome?, Outcome::Applied { .. }));
        }
        let expected = Notification {
            status: NotificationStatus::Delivered,
            times_attempted: u32::try_from(ATTEMPTS).expect("small"),
            last_attempt_at: Some(at(20 + ATTEMPTS)),
            delivered_at: Some(over(at(32))),
            ..notification
        };
        assert_eq!(again(store, &expected).await?, expected);
        assert_eq!(steps::total(log(store, &expected).await?.len()), ATTEMPTS);
        assert_totals(store, &workspace).await?;
    }
    assert_eq!(lease(store, setting.id, (500, 600), 9).await?, []);
    Ok(())
}

pub async fn settings_may_go_and_be_pruned_while_they_are_delivered_to(fresh: &Fresh) -> Verdict {
    const EVENTS: u64 = 60;
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let mut settings = Vec::new();
    for number in 1..=4 {
        settings.push(create(store, setting(&workspace, number)).await?);
    }
    tell(store, &workspace, 1..=EVENTS).await?;
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let rows = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for (setting, store) in settings.iter().zip(stores.iter().cycle()) {
        let (setting, store, rows) = (setting.id, Arc::clone(store), Arc::clone(&rows));
        tasks.spawn(async move {
            loop {
                let leased = lease(&*store, setting, (1_000, 2_000), 3).await?;
                if leased.is_empty() {
                    return Ok::<_, StorageError>(());
                }
                for notification in leased {
                    let row = rows.fetch_add(1, Ordering::SeqCst) + 1;
                    attempted(
                        &*store,
                        &notification,
                        (row, 1_001),
                        NotificationStatus::Delivered,
                        None,
                    )
                    .await?;
                }
            }
        });
    }
    for (doomed, store) in settings.iter().take(2).zip(stores.iter().cycle()) {
        applied(&**store, outbox::deletion(doomed)).await?;
        for _ in 0..10 {
            // Ids of these cases are all younger.
            let (before, limit) = (at(0), 7);
            applied(&**store, Change::silent(Write::Prune { before, limit })).await?;
        }
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("a task doesn't panic")?;
    }
    let left = notifications(store, &workspace).await?;
    assert_eq!(left.total, Some(2 * EVENTS));
    for notification in &left.items {
        assert_eq!(
            (notification.status, notification.times_attempted),
            (NotificationStatus::Delivered, 1)
        );
        assert!(settings[2..].iter().any(|setting| setting.id == notification.setting));
    }
    for _ in 0..=2 * EVENTS / 7 {
        let (before, limit) = (at(0), 7);
        applied(store, Change::silent(Write::Prune { before, limit })).await?;
    }
    assert_eq!(notifications(store, &workspace).await?, left);
    for doomed in &settings[..2] {
        create(store, outbox::changed(doomed, |setting| setting.version = 50)).await?; // nothing is left of it
    }
    assert_eq!(notifications(store, &workspace).await?, left);
    assert_totals(store, &workspace).await
}
