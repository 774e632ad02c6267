//! Committers and deliverers at once: nothing is lost, doubled or miscounted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;
use tollgate_domain::event::EventType;
use tollgate_domain::id::NotificationId;
use tollgate_domain::notification::{self, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;

use super::outbox::{self, assert_totals, attempted, create, lease, log, notifications, setting};
use super::seed::{self, Dice, at};
use super::steps::{self, applied, places};
use super::{Fresh, Verdict};
use crate::{Storage, StorageError};

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
