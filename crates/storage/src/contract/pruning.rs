//! Pruning: what is old goes, in small batches; what is young stays, with all that it needs.

use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{Id, Kind, time_prefix};
use tollgate_domain::notification::{Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::workspace::Workspace;

use super::outbox::{self, again, assert_totals, attempted, create, deletion, lease, log, notifications, setting};
use super::seed::{at, event, telling};
use super::steps::{self, applied, events, total, whole};
use super::{Fresh, Verdict};
use crate::{Change, Order, Outcome, Storage, StorageError, Write};

/// An id as one made at `at(seconds)` has it.
fn made_at<K: Kind>(seconds: u64) -> Id<K> {
    Id::from_tail(&format!("{}{seconds:016}", time_prefix(at(seconds)))).expect("26 letters and digits")
}

/// One by one, events of these seconds; the notifications are theirs.
async fn tell(
    store: &dyn Storage,
    workspace: &Workspace,
    seconds: impl IntoIterator<Item = u64>,
) -> Result<Vec<Event>, StorageError> {
    let mut told = Vec::new();
    for seconds in seconds {
        let event = Event {
            id: made_at(seconds),
            ..event(workspace.id, seconds, EventType::ClientTokenCreated)
        };
        applied(store, telling(vec![event.clone()])).await?;
        told.push(event);
    }
    Ok(told)
}

async fn prune(store: &dyn Storage, before: u64, limit: usize) -> Result<u64, StorageError> {
    let before = at(before);
    applied(store, Change::silent(Write::Prune { before, limit })).await
}

/// How many events and notifications a workspace shows, by its rows and by its totals.
async fn counted(store: &dyn Storage, workspace: &Workspace) -> Result<(u64, u64), StorageError> {
    let events = events(store, workspace, None, whole(Order::Ascending)).await?;
    let notifications = notifications(store, workspace).await?;
    assert_eq!(events.total, Some(total(events.items.len())));
    assert_eq!(notifications.total, Some(total(notifications.items.len())));
    Ok((total(events.items.len()), total(notifications.items.len())))
}

pub async fn pruning_removes_what_is_older_and_keeps_the_young(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let mine = create(store, setting(&ours, 1)).await?;
    create(store, setting(&theirs, 2)).await?;
    let told = tell(store, &ours, 10..=19).await?;
    tell(store, &theirs, 10..=19).await?;
    let all: Vec<Notification> = told.iter().map(|event| outbox::fresh(event, &mine)).collect();
    let statuses = NotificationStatus::ALL.into_iter().cycle();
    for ((number, notification), status) in (1..).zip(&all).zip(statuses) {
        if status != NotificationStatus::NotAttempted {
            attempted(store, notification, (number, 30), status, None).await?;
        }
    }
    let young: Vec<Notification> = notifications(store, &ours).await?.items;
    let young: Vec<_> = young
        .into_iter()
        .filter(|row| row.event.occurred_at >= at(15))
        .collect();
    let place = store.sequence().await?;
    assert_eq!(prune(store, 15, 100).await?, place, "the sequence stays");

    for store in [store, &*fresh.another().await?] {
        assert_eq!(store.sequence().await?, place);
        assert_eq!(
            notifications(store, &ours).await?.items,
            young,
            "the one of that very moment, too"
        );
        assert_eq!(counted(store, &ours).await?, (5, 5));
        assert_eq!(counted(store, &theirs).await?, (5, 5));
        for gone in &all[..5] {
            assert_eq!(store.notification(ours.id, gone.id).await?, None);
            assert_eq!(log(store, gone).await?, []);
        }
        for kept in &all[5..] {
            let kept = again(store, kept).await?;
            assert_eq!(
                log(store, &kept).await?.len(),
                usize::try_from(kept.times_attempted).expect("small")
            );
        }
        let left = store.events_between(0, place, &EventType::ALL).await?;
        assert!(left.iter().all(|(_, event)| event.occurred_at >= at(15)) && left.len() == 10);
        assert_totals(store, &ours).await?;
    }
    prune(store, 15, 100).await?;
    assert_eq!(counted(store, &ours).await?, (5, 5), "nothing is left to remove");
    tell(store, &ours, [40]).await?;
    assert_eq!(store.sequence().await?, place + 1, "and it goes on from there");
    prune(store, 41, 100).await?;
    assert_eq!(
        (counted(store, &ours).await?, counted(store, &theirs).await?),
        ((0, 0), (0, 0))
    );
    assert_eq!(store.sequence().await?, place + 1);
    assert_eq!(
        store.all_notification_settings(ours.id).await?.len(),
        1,
        "settings have no age"
    );
    Ok(())
}

pub async fn pruning_removes_at_most_the_limit_and_no_event_before_its_notifications(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    for number in 1..=3 {
        create(store, setting(&workspace, number)).await?;
    }
    tell(store, &workspace, 10..=19).await?; // 30 notifications
    tell(store, &workspace, 50..=51).await?;
    let mut before = counted(store, &workspace).await?;
    assert_eq!(before, (12, 36));
    let mut rounds = 0;
    loop {
        prune(store, 40, 4).await?;
        let after = counted(store, &workspace).await?;
        if after == before {
            break;
        }
        assert!(
            before.0 - after.0 <= 4 && before.1 - after.1 <= 4,
            "{before:?}, {after:?}"
        );
        assert!(after.1 <= after.0 * 3, "no notification lost its event: {after:?}");
        let shown = notifications(store, &workspace).await?.items;
        let left = events(store, &workspace, None, whole(Order::Ascending)).await?.items;
        assert!(shown.iter().all(|row| left.contains(&row.event)));
        assert!(after.1 >= 6 && after.0 >= 2, "the young stay: {after:?}");
        assert_totals(store, &workspace).await?;
        (before, rounds) = (after, rounds + 1);
    }
    assert_eq!(before, (2, 6));
    assert!(rounds >= 8, "30 by at most 4: {rounds}");
    Ok(())
}

pub async fn an_old_event_stays_for_a_young_replay(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let setting = create(store, setting(&workspace, 1)).await?;
    let told = tell(store, &workspace, 10..=14).await?;
    for (seconds, event) in [(60, &told[0]), (61, &told[3])] {
        let write = Write::ReplayNotification {
            workspace: workspace.id,
            original: outbox::fresh(event, &setting).id,
            id: made_at(seconds),
            at: at(seconds),
        };
        applied(store, Change::silent(write)).await?;
    }
    // The limit counts what goes, not what is looked at.
    for _ in 0..8 {
        prune(store, 50, 1).await?;
    }
    let left = notifications(store, &workspace).await?.items;
    let expected = [(60, &told[0]), (61, &told[3])].map(|(seconds, event)| (made_at(seconds), event.clone()));
    assert_eq!(
        left.iter().map(|row| (row.id, row.event.clone())).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(counted(store, &workspace).await?, (2, 2));
    assert_eq!(lease(store, setting.id, (100, 200), 9).await?, left);
    prune(store, 61, 10).await?;
    assert_eq!(counted(store, &workspace).await?, (1, 1));
    prune(store, 62, 10).await?;
    assert_eq!(counted(store, &workspace).await?, (0, 0));
    Ok(())
}

pub async fn a_deleted_settings_notifications_are_removed_in_batches_whatever_their_age(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let doomed = create(store, setting(&workspace, 1)).await?;
    let kept = create(store, setting(&workspace, 2)).await?;
    let told = tell(store, &workspace, 10..=14).await?;
    let gone: Vec<Notification> = told.iter().map(|event| outbox::fresh(event, &doomed)).collect();
    for (number, notification) in (1..).zip(&gone) {
        attempted(store, notification, (number, 20), NotificationStatus::Failed, None).await?;
    }
    applied(store, deletion(&doomed)).await?;
    let logged = async || {
        let mut logged = 0;
        for notification in &gone {
            logged += log(store, notification).await?.len();
        }
        Ok::<_, StorageError>(logged)
    };
    for most in [5, 3, 1, 0] {
        // Their rows show in the log alone, and there until they are removed.
        assert!(logged().await? <= most);
        prune(store, 0, 2).await?;
        assert_eq!(counted(store, &workspace).await?, (5, 5), "nothing else is old");
        assert!(
            notifications(store, &workspace)
                .await?
                .items
                .iter()
                .all(|row| row.setting == kept.id)
        );
        assert_totals(store, &workspace).await?;
    }
    prune(store, 0, 2).await?;
    // Nothing is left of it: another of the same id starts anew.
    let anew = NotificationSetting {
        version: 7,
        ..setting(&workspace, 1)
    };
    create(store, anew).await?;
    assert_eq!(counted(store, &workspace).await?, (5, 5));
    assert_eq!(lease(store, doomed.id, (100, 200), 9).await?, []);
    for notification in &gone {
        assert_eq!(store.notification(workspace.id, notification.id).await?, None);
        assert_eq!(log(store, notification).await?, []);
    }
    let event = tell(store, &workspace, [30]).await?.remove(0);
    let found = again(store, &outbox::fresh(&event, &doomed)).await?;
    assert_eq!(found.status, NotificationStatus::NotAttempted);
    assert_totals(store, &workspace).await
}

pub async fn what_is_pruned_while_it_is_delivered_is_passed_over(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let setting = create(store, setting(&workspace, 1)).await?;
    tell(store, &workspace, [10]).await?;
    let leased = lease(store, setting.id, (20, 30), 1).await?.remove(0);
    prune(store, 11, 10).await?;
    attempted(store, &leased, (1, 21), NotificationStatus::NeedsRetry, Some(40)).await?;
    assert_eq!(log(store, &leased).await?, []);
    assert_eq!(store.notification(workspace.id, leased.id).await?, None);
    assert_eq!(counted(store, &workspace).await?, (0, 0));
    assert_eq!(lease(store, setting.id, (100, 200), 9).await?, []);
    let write = Write::ReplayNotification {
        workspace: workspace.id,
        original: leased.id,
        id: made_at(50),
        at: at(50),
    };
    assert_eq!(store.commit(Change::silent(write)).await?, Outcome::Stale);
    assert_totals(store, &workspace).await
}
