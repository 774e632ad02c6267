//! Leases: who may deliver what, in which order, and for how long.

use std::collections::HashSet;
use std::sync::Arc;

use tollgate_domain::id::{NotificationId, NotificationSettingId};
use tollgate_domain::notification::{Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;

use super::outbox::{self, all_told, attempted, changed, create, lease, replace, setting, tell};
use super::seed::{self, Dice, at, event, telling};
use super::steps::{self, applied};
use super::{Fresh, Verdict};
use crate::{Storage, StorageError};

use tollgate_domain::event::EventType::ClientTokenCreated;

/// The events' numbers.
fn numbers(leased: &[Notification]) -> Vec<u64> {
    leased.iter().map(|row| seed::number(row.event.id)).collect()
}

pub async fn what_is_due_comes_earliest_first_and_at_most_the_limit(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let mine = create(store, setting(&workspace, 1)).await?;
    let other = create(store, setting(&workspace, 2)).await?;
    let order = Dice::new(3).shuffled((10..=21).collect());
    let events = tell(store, &workspace, order).await?; // committed in another order than they happened
    assert_eq!(lease(store, mine.id, (9, 100), 50).await?, [], "none has happened yet");
    assert_eq!(numbers(&lease(store, mine.id, (12, 100), 2).await?), [10, 11]);
    assert_eq!(
        numbers(&lease(store, mine.id, (12, 100), 2).await?),
        [12],
        "due at that very moment"
    );
    let leased = lease(store, mine.id, (50, 100), 5).await?;
    assert_eq!(numbers(&leased), [13, 14, 15, 16, 17]);
    for notification in &leased {
        let told = events
            .iter()
            .find(|event| event.id == notification.event.id)
            .expect("told");
        assert_eq!(
            *notification,
            outbox::fresh(told, &mine),
            "whole, and not attempted yet"
        );
        assert_eq!(
            outbox::again(store, notification).await?,
            *notification,
            "a lease shows nowhere"
        );
    }
    assert_eq!(numbers(&lease(store, mine.id, (50, 100), 500).await?), [18, 19, 20, 21]);
    assert_eq!(lease(store, mine.id, (50, 100), 500).await?, []);
    assert_eq!(
        lease(store, other.id, (50, 100), 500).await?.len(),
        12,
        "another's queue is untouched"
    );
    assert_eq!(lease(store, seed::id(77), (50, 100), 5).await?, [], "no such setting");
    Ok(())
}

pub async fn a_lease_keeps_others_away_until_it_ends(fresh: &Fresh) -> Verdict {
    let (store, another) = (&*fresh.store, fresh.another().await?);
    let workspace = steps::workspace(store, 1).await?;
    let setting = create(store, setting(&workspace, 1)).await?;
    tell(store, &workspace, [10, 11]).await?;
    assert_eq!(numbers(&lease(store, setting.id, (20, 30), 1).await?), [10]);
    assert_eq!(numbers(&lease(&*another, setting.id, (20, 40), 5).await?), [11]);
    for store in [store, &*another] {
        assert_eq!(lease(store, setting.id, (29, 99), 5).await?, []);
    }
    let taken = lease(&*another, setting.id, (30, 45), 5).await?;
    assert_eq!(numbers(&taken), [10], "the first lease has ended, the second hasn't");
    let taken = lease(store, setting.id, (45, 60), 5).await?;
    assert_eq!(numbers(&taken), [11, 10], "in the order the leases ended");
    assert!(taken.iter().all(|row| row.times_attempted == 0));
    Ok(())
}

pub async fn a_recorded_attempt_ends_the_lease(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let setting = create(store, setting(&workspace, 1)).await?;
    tell(store, &workspace, [10, 11, 12]).await?;
    let leased = lease(store, setting.id, (20, 30), 3).await?;
    attempted(store, &leased[0], (1, 21), NotificationStatus::Delivered, None).await?;
    attempted(store, &leased[1], (2, 21), NotificationStatus::NeedsRetry, Some(25)).await?;
    attempted(store, &leased[2], (3, 21), NotificationStatus::Failed, None).await?;
    assert_eq!(
        lease(store, setting.id, (24, 99), 9).await?,
        [],
        "not before the retry is due"
    );
    let retried = lease(store, setting.id, (25, 35), 9).await?;
    assert_eq!(numbers(&retried), [11], "before the lease would have ended");
    assert_eq!(
        (retried[0].status, retried[0].times_attempted, retried[0].retry_at),
        (NotificationStatus::NeedsRetry, 1, Some(at(25)))
    );
    attempted(store, &retried[0], (4, 26), NotificationStatus::NeedsRetry, Some(500)).await?;
    assert_eq!(
        lease(store, setting.id, (499, 900), 9).await?,
        [],
        "also long after the lease"
    );
    assert_eq!(numbers(&lease(store, setting.id, (500, 900), 9).await?), [11]);
    assert_eq!(lease(store, setting.id, (899, 990), 9).await?, []);
    Ok(())
}

pub async fn an_inactive_settings_notifications_wait_until_it_is_active_again(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let active = create(store, setting(&workspace, 1)).await?;
    tell(store, &workspace, 10..=13).await?;
    let leased = lease(store, active.id, (20, 30), 1).await?;
    let inactive = replace(store, changed(&active, |setting| setting.active = false)).await?;
    tell(store, &workspace, 14..=15).await?; // which it doesn't want
    assert_eq!(lease(store, active.id, (100, 200), 9).await?, []);
    assert_eq!(all_told(&store.due_notification_settings(at(100)).await?), [""; 0]);
    assert_eq!(
        outbox::notifications(store, &workspace).await?.total,
        Some(4),
        "they still show"
    );
    // What was on its way is recorded all the same.
    attempted(store, &leased[0], (1, 21), NotificationStatus::NeedsRetry, Some(22)).await?;
    let again = replace(store, changed(&inactive, |setting| setting.active = true)).await?;
    assert_eq!(
        all_told(&store.due_notification_settings(at(100)).await?),
        all_told([&again])
    );
    assert_eq!(
        numbers(&lease(store, active.id, (100, 200), 9).await?),
        [11, 12, 13, 10]
    );
    Ok(())
}

pub async fn settings_with_something_due_are_named(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let (one, two) = (
        create(store, setting(&ours, 1)).await?,
        create(store, setting(&ours, 2)).await?,
    );
    let three = create(store, setting(&theirs, 3)).await?;
    let idle = NotificationSetting {
        subscribed_events: vec!["api_key.created".to_owned()],
        ..setting(&ours, 4)
    };
    create(store, idle).await?;
    let named = async |now| {
        let mut named: Vec<_> = store.due_notification_settings(at(now)).await?;
        named.sort_by_key(|setting| setting.id);
        Ok::<_, StorageError>(all_told(&named))
    };
    assert_eq!(named(1_000).await?, [""; 0]);
    tell(store, &ours, [10]).await?;
    tell(store, &theirs, [20]).await?;
    assert_eq!(named(9).await?, [""; 0]);
    assert_eq!(named(10).await?, all_told([&one, &two]));
    assert_eq!(named(20).await?, all_told([&one, &two, &three]));
    lease(store, one.id, (20, 40), 5).await?;
    assert_eq!(named(39).await?, all_told([&two, &three]), "a lease puts it off");
    assert_eq!(named(40).await?, all_told([&one, &two, &three]));
    let leased = lease(store, two.id, (40, 60), 5).await?;
    attempted(store, &leased[0], (1, 41), NotificationStatus::Delivered, None).await?;
    assert_eq!(named(1_000).await?, all_told([&one, &three]), "nothing is left to do");
    let leased = lease(store, three.id, (40, 60), 5).await?;
    attempted(store, &leased[0], (2, 41), NotificationStatus::NeedsRetry, Some(90)).await?;
    let failing = NotificationSetting {
        failing_since: Some(outbox::over(at(41))),
        ..three
    };
    assert_eq!(named(89).await?, all_told([&one]));
    assert_eq!(named(90).await?, all_told([&one, &failing]));
    Ok(())
}

/// Leases until nothing is left; what was leased, in its order.
async fn drain(
    store: Arc<dyn Storage>,
    setting: NotificationSettingId,
    limit: usize,
) -> Result<Vec<NotificationId>, StorageError> {
    let mut mine = Vec::new();
    loop {
        let leased = lease(&*store, setting, (1_000, 2_000), limit).await?;
        assert!(leased.len() <= limit);
        if leased.is_empty() {
            return Ok(mine);
        }
        mine.extend(leased.into_iter().map(|row| row.id));
    }
}

pub async fn two_handles_share_a_queue_without_overlap(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let setting = create(&*fresh.store, setting(&workspace, 1)).await?;
    let events = (1..=500).map(|number| event(workspace.id, number, ClientTokenCreated));
    applied(&*fresh.store, telling(events.collect())).await?;
    let (one, other) = (Arc::clone(&fresh.store), fresh.another().await?);
    let workers = [(&one, 7), (&other, 7), (&one, 20), (&other, 1)];
    let workers = workers.map(|(store, limit)| tokio::spawn(drain(Arc::clone(store), setting.id, limit)));
    let mut leased = Vec::new();
    for worker in workers {
        leased.extend(worker.await.expect("a worker doesn't panic")?);
    }
    let distinct: HashSet<_> = leased.iter().collect();
    assert_eq!((leased.len(), distinct.len()), (500, 500), "each once, none left");
    assert_eq!(lease(&*other, setting.id, (2_000, 3_000), 501).await?.len(), 500);
    Ok(())
}
