//! Delivery attempts: what they leave of a notification and of its setting, the log, and replays.

use tollgate_domain::id::NotificationLogId;
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationOrigin, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::workspace::Workspace;

use super::outbox::{
    self, again, assert_totals, attempt, attempted, changed, create, deletion, lease, log, over, record, replace,
    setting, tell,
};
use super::seed::{self, at, micros_after};
use super::steps::{self, applied, assert_walks, everything};
use super::{Fresh, Verdict};
use crate::{Change, Outcome, Storage, StorageError, Write};

use NotificationStatus::{Delivered, Failed, NeedsRetry};

/// A setting, and a notification for each of these events.
async fn waiting(
    store: &dyn Storage,
    numbers: impl IntoIterator<Item = u64>,
) -> Result<(Workspace, NotificationSetting, Vec<Notification>), StorageError> {
    let workspace = steps::workspace(store, 1).await?;
    let setting = create(store, setting(&workspace, 1)).await?;
    let events = tell(store, &workspace, numbers).await?;
    let notifications = events.iter().map(|event| outbox::fresh(event, &setting)).collect();
    Ok((workspace, setting, notifications))
}

pub async fn an_attempt_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, _, waiting) = waiting(store, [10, 11]).await?;
    let another = fresh.another().await?;
    let fails = DeliveryAttempt {
        response_code: 599,
        response_content_type: Some("text/html; x=\"ü\"".to_owned()),
        response_body: "é e\u{301} 🔑 'a' \\ $1 \r\n\t\u{1} ".repeat(1_000),
        problem: Some("the answer was cut".to_owned()),
        attempted_at: micros_after(20, 1),
        duration_ms: u32::try_from(i32::MAX).expect("positive"),
        ..attempt(&waiting[0], 5, 500, 0)
    };
    let silent = attempt(&waiting[0], 6, 0, 30);
    let delivered = DeliveryAttempt {
        response_content_type: None,
        response_body: String::new(),
        ..attempt(&waiting[0], 7, 204, 40)
    };
    let mut expected = waiting[0].clone();
    let mut rows = Vec::new();
    for (row, status, retry_at) in [
        (fails, NeedsRetry, Some(micros_after(30, -1))),
        (silent, NeedsRetry, Some(at(40))),
        (delivered, Delivered, None),
    ] {
        expected.status = status;
        expected.times_attempted += 1;
        expected.last_attempt_at = Some(row.attempted_at);
        expected.retry_at = retry_at;
        expected.delivered_at = (status == Delivered).then_some(over(row.attempted_at));
        applied(store, record(&waiting[0], vec![row.clone()], status, retry_at)).await?;
        rows.push(row);
        for store in [store, &*another] {
            assert_eq!(again(store, &waiting[0]).await?, expected);
            assert_eq!(log(store, &waiting[0]).await?, rows);
            assert_eq!(log(store, &waiting[1]).await?, []);
            let all = outbox::notifications(store, &workspace).await?.items;
            assert!(all.contains(&expected) && all.contains(&waiting[1]) && all.len() == 2);
        }
        assert_totals(store, &workspace).await?;
    }
    Ok(())
}

pub async fn an_attempt_with_both_secrets_counts_once_and_logs_twice(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (_, _, waiting) = waiting(store, [10]).await?;
    let rows = vec![attempt(&waiting[0], 1, 401, 20), attempt(&waiting[0], 2, 200, 21)];
    applied(store, record(&waiting[0], rows.clone(), Delivered, None)).await?;
    let expected = Notification {
        status: Delivered,
        times_attempted: 1,
        last_attempt_at: Some(at(21)),
        delivered_at: Some(over(at(21))),
        ..waiting[0].clone()
    };
    assert_eq!(again(store, &waiting[0]).await?, expected);
    assert_eq!(log(store, &waiting[0]).await?, rows);
    Ok(())
}

pub async fn a_delivered_notification_stays_delivered(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, setting, waiting) = waiting(store, [10, 11]).await?;
    // Its lease ran out, and somebody else delivered it before this attempt was over.
    attempted(store, &waiting[0], (2, 50), Delivered, None).await?;
    let late = attempt(&waiting[0], 1, 500, 20);
    applied(store, record(&waiting[0], vec![late], NeedsRetry, Some(at(60)))).await?;
    let expected = Notification {
        status: Delivered,
        times_attempted: 2,
        last_attempt_at: Some(at(50)),
        delivered_at: Some(over(at(50))),
        ..waiting[0].clone()
    };
    assert_eq!(again(store, &waiting[0]).await?, expected);
    attempted(store, &waiting[0], (3, 70), Failed, None).await?;
    attempted(store, &waiting[0], (4, 80), Delivered, None).await?;
    let expected = Notification {
        times_attempted: 4,
        last_attempt_at: Some(at(80)),
        ..expected
    };
    assert_eq!(again(store, &waiting[0]).await?, expected, "since the first time");
    assert_eq!(log(store, &waiting[0]).await?.len(), 4);
    let due = lease(store, setting.id, (500, 600), 9).await?;
    assert_eq!(due, [waiting[1].clone()]);
    // A late success counts, though.
    attempted(store, &waiting[1], (5, 20), Failed, None).await?;
    attempted(store, &waiting[1], (6, 21), Delivered, None).await?;
    assert_eq!(again(store, &waiting[1]).await?.status, Delivered);
    assert_totals(store, &workspace).await
}

pub async fn an_attempt_of_a_notification_that_is_gone_is_passed_over(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, setting, waiting) = waiting(store, [10]).await?;
    let before = everything(store, &workspace).await?;
    let unknown = Notification {
        id: seed::id(99),
        ..waiting[0].clone()
    };
    attempted(store, &unknown, (1, 20), Failed, None).await?; // applied, to nothing
    assert_eq!(log(store, &unknown).await?, []);
    assert_eq!(
        everything(store, &workspace).await?,
        before,
        "its setting doesn't fail either"
    );

    applied(store, deletion(&setting)).await?;
    let before = everything(store, &workspace).await?;
    attempted(store, &waiting[0], (2, 20), NeedsRetry, Some(30)).await?;
    assert_eq!(everything(store, &workspace).await?, before);
    assert_eq!(log(store, &waiting[0]).await?, []);
    Ok(())
}

pub async fn a_setting_fails_from_its_first_failure_to_the_next_success(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, setting, waiting) = waiting(store, 10..=12).await?;
    let bystander = create(store, self::setting(&workspace, 2)).await?;
    let since = async || {
        let found = store
            .notification_setting(workspace.id, setting.id)
            .await?
            .expect("there");
        assert_eq!(
            (found.version, found.updated_at),
            (setting.version, setting.updated_at),
            "no change of it"
        );
        let other = store
            .notification_setting(workspace.id, bystander.id)
            .await?
            .expect("there");
        assert_eq!(other.failing_since, None);
        Ok::<_, StorageError>(found.failing_since)
    };
    assert_eq!(since().await?, None);
    attempted(store, &waiting[0], (1, 20), NeedsRetry, Some(30)).await?;
    assert_eq!(since().await?, Some(over(at(20))));
    attempted(store, &waiting[0], (2, 30), Failed, None).await?;
    attempted(store, &waiting[1], (3, 40), NeedsRetry, Some(50)).await?;
    assert_eq!(since().await?, Some(over(at(20))), "later failures leave it");
    attempted(store, &waiting[2], (4, 45), Delivered, None).await?;
    assert_eq!(since().await?, None, "any success ends it");
    attempted(store, &waiting[1], (5, 50), Failed, None).await?;
    assert_eq!(since().await?, Some(over(at(50))));
    Ok(())
}

pub async fn a_setting_that_becomes_active_again_has_not_failed_yet(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, setting, waiting) = waiting(store, [10]).await?;
    attempted(store, &waiting[0], (1, 20), NeedsRetry, Some(30)).await?;
    let since = async || {
        let found = store.notification_setting(workspace.id, setting.id).await?;
        Ok::<_, StorageError>(found.expect("there").failing_since)
    };
    // Whatever a use-case writes there: the store knows better.
    let renamed = replace(store, changed(&setting, |row| row.failing_since = Some(at(1)))).await?;
    assert_eq!(since().await?, Some(over(at(20))), "still active is not active again");
    let inactive = replace(store, changed(&renamed, |row| row.active = false)).await?;
    assert_eq!(since().await?, Some(over(at(20))));
    let inactive = replace(store, changed(&inactive, |row| row.failing_since = None)).await?;
    assert_eq!(since().await?, Some(over(at(20))));
    replace(store, changed(&inactive, |row| row.active = true)).await?;
    assert_eq!(since().await?, None);
    Ok(())
}

pub async fn totals_follow_every_attempt(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, setting, waiting) = waiting(store, 10..=15).await?;
    let other = create(store, self::setting(&workspace, 2)).await?;
    let theirs = steps::workspace(store, 2).await?;
    create(store, self::setting(&theirs, 3)).await?;
    tell(store, &theirs, 10..=12).await?;
    tell(store, &workspace, 16..=18).await?;
    assert_totals(store, &workspace).await?;
    for (number, status) in (1..).zip([NeedsRetry, Failed, Delivered, NeedsRetry, Failed, Delivered]) {
        let index = usize::try_from(number % 4).expect("below 4"); // some of them twice
        let retry_at = (status == NeedsRetry).then_some(90);
        attempted(store, &waiting[index], (number, 20 + number), status, retry_at).await?;
        assert_totals(store, &workspace).await?;
    }
    let write = Write::ReplayNotification {
        workspace: workspace.id,
        original: waiting[1].id,
        id: seed::id(500),
        at: at(100),
    };
    applied(store, Change::silent(write)).await?;
    assert_totals(store, &workspace).await?;
    assert_eq!(outbox::notifications(store, &workspace).await?.total, Some(13));
    applied(store, deletion(&setting)).await?;
    assert_totals(store, &workspace).await?;
    assert_eq!(outbox::notifications(store, &workspace).await?.total, Some(3));
    applied(store, deletion(&other)).await?;
    assert_totals(store, &workspace).await?;
    assert_eq!(outbox::notifications(store, &theirs).await?.total, Some(3));
    Ok(())
}

pub async fn a_replay_is_a_notification_of_its_own(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, setting, waiting) = waiting(store, [10]).await?;
    let original = lease(store, setting.id, (20, 30), 1).await?.remove(0);
    attempted(store, &original, (1, 21), Failed, None).await?;
    let replay = |id, seconds| {
        Change::silent(Write::ReplayNotification {
            workspace: workspace.id,
            original: original.id,
            id: seed::id(id),
            at: at(seconds),
        })
    };
    let failed = again(store, &original).await?;
    applied(store, replay(500, 40)).await?;
    let expected = Notification {
        id: seed::id(500),
        origin: NotificationOrigin::Replay,
        ..waiting[0].clone()
    };
    let noted = |seconds| Notification {
        replayed_at: Some(at(seconds)),
        ..failed.clone()
    };
    for store in [store, &*fresh.another().await?] {
        assert_eq!(
            again(store, &expected).await?,
            expected,
            "the same event, not attempted yet"
        );
        assert_eq!(log(store, &expected).await?, []);
        assert_eq!(again(store, &original).await?, noted(40));
        assert_eq!(log(store, &original).await?.len(), 1);
    }
    assert_eq!(lease(store, setting.id, (39, 99), 9).await?, []);
    assert_eq!(
        lease(store, setting.id, (40, 50), 9).await?,
        std::slice::from_ref(&expected)
    );
    attempted(store, &expected, (2, 41), Delivered, None).await?;
    assert_eq!(
        again(store, &original).await?,
        noted(40),
        "the original stays as it ended"
    );

    applied(store, replay(501, 60)).await?;
    assert_eq!(again(store, &original).await?, noted(60), "the last time");
    let of_event = async |workspace, event, limit| {
        let found = store.notifications_of(workspace, event, limit).await?;
        Ok::<_, StorageError>(found.iter().map(|found| found.id).collect::<Vec<_>>())
    };
    let (event, other) = (original.event.id, steps::workspace(store, 2).await?);
    let mut all = [original.id, seed::id(500), seed::id(501)];
    all.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(of_event(workspace.id, event, 9).await?, all);
    assert_eq!(of_event(workspace.id, event, 2).await?, all[..2]);
    assert_eq!(of_event(workspace.id, seed::id(77), 9).await?, []);
    assert_eq!(of_event(other.id, event, 9).await?, []);
    let outcome = store.commit(replay(501, 70)).await;
    assert!(outcome.is_err(), "the id is taken: {outcome:?}");
    assert_eq!(again(store, &original).await?, noted(60));
    assert_eq!(outbox::notifications(store, &workspace).await?.total, Some(3));
    assert_totals(store, &workspace).await
}

pub async fn what_is_gone_is_not_replayed(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, setting, waiting) = waiting(store, [10]).await?;
    let theirs = steps::workspace(store, 2).await?;
    let replay = async |workspace: &Workspace, original| {
        let write = Write::ReplayNotification {
            workspace: workspace.id,
            original,
            id: seed::id(500),
            at: at(40),
        };
        store.commit(Change::silent(write)).await
    };
    let before = everything(store, &workspace).await?;
    assert_eq!(replay(&workspace, seed::id(99)).await?, Outcome::Stale, "unknown");
    assert_eq!(replay(&theirs, waiting[0].id).await?, Outcome::Stale, "somebody else's");
    assert_eq!(everything(store, &workspace).await?, before);
    assert_eq!(everything(store, &theirs).await?.notifications.items, []);
    applied(store, deletion(&setting)).await?;
    assert_eq!(
        replay(&workspace, waiting[0].id).await?,
        Outcome::Stale,
        "its setting is gone"
    );
    Ok(())
}

pub async fn pages_of_attempts_run_both_ways(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (_, _, waiting) = waiting(store, [10, 11, 12]).await?;
    let mut expected: Vec<NotificationLogId> = Vec::new();
    for number in 1..=12 {
        attempted(store, &waiting[0], (number * 10, 20 + number), NeedsRetry, Some(90)).await?;
        attempted(store, &waiting[1], (number * 10 + 5, 20 + number), NeedsRetry, Some(90)).await?;
        expected.push(seed::id(number * 10));
    }
    for (notification, expected) in [(&waiting[0], &expected[..]), (&waiting[2], &[])] {
        let fetch = async |page| store.delivery_attempts(notification.id, &page).await;
        assert_walks(expected, &[1, 3, 4, 11, 12, 13], |row: &DeliveryAttempt| row.id, fetch).await?;
    }
    let mut page = steps::whole(crate::Order::Descending);
    (page.after, page.count) = (Some(seed::id(35)), false); // another's
    let slice = store.delivery_attempts(waiting[0].id, &page).await?;
    let numbers: Vec<u64> = slice.items.iter().map(|row| seed::number(row.id)).collect();
    assert_eq!((numbers, slice.has_more, slice.total), (vec![30, 20, 10], false, None));
    Ok(())
}
