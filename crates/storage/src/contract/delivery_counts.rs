//! How deliveries went, hour by hour.

use std::sync::Arc;

use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::notification::{Notification, NotificationStatus};
use tollgate_domain::usage::Hour;
use tollgate_domain::workspace::Workspace;

use super::outbox::{self, attempt, attempted, create, deletion, record, setting, tell};
use super::seed::at;
use super::steps::{self, all_at_once_each, applied};
use super::{Fresh, Verdict};
use crate::{Change, DeliveryCount, DeliveryTotal, Storage, StorageError, Write};

use NotificationStatus::{Delivered, Failed, NeedsRetry};

const HOUR: u64 = 3_600;

/// The counts as hours after the first one, delivered, failed.
async fn counts(
    store: &dyn Storage,
    workspace: &Workspace,
    setting: Option<NotificationSettingId>,
    since: u64,
) -> Result<Vec<(u32, u64, u64)>, StorageError> {
    let first = Hour::of(at(0)).0;
    let since = Hour::of(at(since * HOUR));
    let counts = store.delivery_counts(workspace.id, setting, since).await?;
    let told = |count: &DeliveryCount| (count.hour.0 - first, count.delivered, count.failed);
    Ok(counts.iter().map(told).collect())
}

/// Two settings of ours and one of theirs, with a notification each.
async fn waiting(store: &dyn Storage) -> Result<([Workspace; 2], [Notification; 3]), StorageError> {
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let one = create(store, setting(&ours, 1)).await?;
    let other = create(store, setting(&ours, 2)).await?;
    let foreign = create(store, setting(&theirs, 3)).await?;
    let mine = tell(store, &ours, [10]).await?;
    let not_mine = tell(store, &theirs, [11]).await?;
    let all = [
        outbox::fresh(&mine[0], &one),
        outbox::fresh(&mine[0], &other),
        outbox::fresh(&not_mine[0], &foreign),
    ];
    Ok(([ours, theirs], all))
}

pub async fn attempts_are_counted_by_hour_setting_and_outcome(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let ([ours, theirs], [one, other, foreign]) = waiting(store).await?;
    assert_eq!(counts(store, &ours, None, 0).await?, []);
    attempted(store, &one, (1, 100), NeedsRetry, Some(HOUR)).await?;
    // Over half a second later, in the next hour.
    attempted(store, &one, (2, HOUR - 1), NeedsRetry, Some(HOUR)).await?;
    attempted(store, &one, (3, HOUR), Delivered, None).await?;
    attempted(store, &other, (4, 2 * HOUR), Failed, None).await?;
    attempted(store, &foreign, (5, 9 * HOUR), Delivered, None).await?;
    let both_secrets = vec![
        attempt(&other, 6, 401, 30 * HOUR),
        attempt(&other, 7, 200, 30 * HOUR + 1),
    ];
    applied(store, record(&other, both_secrets, Delivered, None)).await?;
    let another = &*fresh.another().await?;
    let (first, second, third) = (one.setting, other.setting, foreign.setting);
    let everything = [(0, 0, 2), (1, 1, 0), (2, 0, 1), (30, 1, 0)];
    for (workspace, setting, since, expected) in [
        (&ours, None, 0, &everything[..]),
        (&ours, None, 1, &everything[1..]),
        (&ours, None, 3, &everything[3..]),
        (&ours, None, 31, &[]),
        (&ours, Some(first), 0, &everything[..2]),
        (&ours, Some(second), 0, &everything[2..]),
        (&ours, Some(third), 0, &[]),
        (&theirs, None, 0, &[(9, 1, 0)]),
        (&theirs, Some(first), 0, &[]),
    ] {
        let found = counts(another, workspace, setting, since).await?;
        assert_eq!(found, expected, "{setting:?} since {since}");
    }
    let totals = async |workspace: &Workspace, since: u64| {
        let since = Hour::of(at(since * HOUR));
        let totals = another.delivery_totals(workspace.id, since).await?;
        let told = |total: &DeliveryTotal| (total.setting, total.delivered, total.failed);
        Ok::<_, StorageError>(totals.iter().map(told).collect::<Vec<_>>())
    };
    assert_eq!(totals(&ours, 0).await?, [(first, 1, 2), (second, 1, 1)]);
    assert_eq!(totals(&ours, 2).await?, [(second, 1, 1)]);
    assert_eq!(totals(&ours, 31).await?, []);
    assert_eq!(totals(&theirs, 0).await?, [(third, 1, 0)]);
    Ok(())
}

pub async fn attempts_recorded_at_once_on_two_handles_are_all_counted(fresh: &Fresh) -> Verdict {
    let another = fresh.another().await?;
    let ([ours, _], [one, other, _]) = waiting(&*fresh.store).await?;
    let attempts = (1..=40).map(|number| {
        let (store, notification) = match number % 4 {
            0 => (&fresh.store, &one),
            1 => (&another, &one),
            2 => (&fresh.store, &other),
            _ => (&another, &other),
        };
        let rows = vec![attempt(notification, number, 500, 50)];
        let retry_at = Some(at(60));
        (Arc::clone(store), record(notification, rows, NeedsRetry, retry_at))
    });
    for outcome in all_at_once_each(attempts.collect()).await {
        outcome?;
    }
    assert_eq!(counts(&*another, &ours, None, 0).await?, [(0, 0, 40)]);
    assert_eq!(counts(&*another, &ours, Some(one.setting), 0).await?, [(0, 0, 20)]);
    Ok(())
}

pub async fn old_hours_are_removed_with_what_is_old(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let ([ours, theirs], [one, _, foreign]) = waiting(store).await?;
    for (number, hour) in (1..).zip([0, 1, 2, 3]) {
        attempted(store, &one, (number, hour * HOUR + 60), NeedsRetry, Some(9 * HOUR)).await?;
        attempted(
            store,
            &foreign,
            (number + 10, hour * HOUR + 60),
            NeedsRetry,
            Some(9 * HOUR),
        )
        .await?;
    }
    let all = [(0, 0, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1)];
    assert_eq!(counts(store, &ours, None, 0).await?, all);
    let prune = async |before: u64| {
        let before = at(before);
        applied(store, Change::silent(Write::Prune { before, limit: 100 })).await
    };
    prune(2 * HOUR + 59 * 60).await?; // its hour isn't over
    assert_eq!(counts(store, &ours, None, 0).await?, all[2..]);
    assert_eq!(counts(store, &theirs, None, 0).await?, all[2..]);
    let gone = store.all_notification_settings(ours.id).await?;
    for setting in &gone {
        applied(store, deletion(setting)).await?;
    }
    assert_eq!(
        counts(store, &ours, None, 0).await?,
        all[2..],
        "they went so, whatever became of the setting"
    );
    prune(4 * HOUR).await?;
    assert_eq!(counts(store, &ours, None, 0).await?, []);
    Ok(())
}
