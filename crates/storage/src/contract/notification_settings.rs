//! Notification settings: what comes back, what a change of them must have seen, pages, and their end.

use std::sync::Arc;

use tollgate_domain::event::EventType;
use tollgate_domain::id::NotificationSettingId;
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::workspace::Workspace;

use super::outbox::{
    self, all_told, changed, create, creation, deletion, lease, replace, seen, setting, settings_page, tell, told,
    update,
};
use super::seed::{self, answer, at, idempotency_key, micros_after};
use super::steps::{self, all_at_once_each, applied, assert_only, assert_walks, everything, whole};
use super::{Fresh, Verdict};
use crate::{
    Change, NotificationPage, NotificationSettingPage, Order, Outcome, SettingsSeen, Storage, StorageError, Write,
};

/// One of each kind, with texts at their limits and secrets made elsewhere.
fn all_sorts(workspace: &Workspace) -> Vec<NotificationSetting> {
    let plain = |number| setting(workspace, number);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    vec![
        plain(1),
        NotificationSetting {
            description: "Zwei Zeilen\n\tund ein 🔑, 'a' \"b\" % _ \\ $1 ?1 \u{2028}é e\u{301}".to_owned(),
            destination_type: DestinationType::Email,
            destination: "o'hara+\"x\"@mail.example".to_owned(),
            active: false,
            api_version: u32::try_from(i32::MAX).expect("positive"),
            include_sensitive_fields: true,
            traffic_source: TrafficSource::All,
            // Not sorted, and most of them never sent by us.
            subscribed_events: names(&["transaction.past_due", "api_key.expiring", "address.created"]),
            secret: EndpointSecret::from_text("pdl_ntfset_01khpxvseb2c6yh7kamebc4fdp_a+b/c=D'e\"f Z\\"),
            previous_secret: Some((EndpointSecret::from_text("before/+"), micros_after(7, 1))),
            created_at: micros_after(2, 1),
            updated_at: micros_after(3, -1),
            ..plain(2)
        },
        NotificationSetting {
            description: "ü".repeat(500),
            destination: format!("https://receiver.example/?{}", "q".repeat(2_023)),
            traffic_source: TrafficSource::Simulation,
            subscribed_events: names(&["client_token.revoked"]),
            ..plain(3)
        },
        NotificationSetting {
            subscribed_events: EventType::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
            version: 9,
            ..plain(4)
        },
    ]
}

/// Every way to read settings gives these.
async fn assert_settings(store: &dyn Storage, workspace: &Workspace, expected: &[NotificationSetting]) -> Verdict {
    let expected = all_told(expected);
    let all = store.all_notification_settings(workspace.id).await?;
    assert_eq!(all_told(&all), expected);
    let page = store
        .notification_settings(workspace.id, &settings_page(Order::Ascending))
        .await?;
    assert_eq!(all_told(&page.items), expected);
    assert_eq!((page.has_more, page.total), (false, Some(steps::total(expected.len()))));
    for (setting, expected) in all.iter().zip(&expected) {
        let found = store.notification_setting(workspace.id, setting.id).await?;
        assert_eq!(&told(&found.expect("by its id")), expected);
    }
    Ok(())
}

pub async fn a_new_setting_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let another = fresh.another().await?;
    let mut expected = Vec::new();
    for setting in all_sorts(&workspace) {
        expected.push(create(store, setting).await?);
        assert_settings(store, &workspace, &expected).await?;
        assert_settings(&*another, &workspace, &expected).await?;
    }
    Ok(())
}

pub async fn a_setting_of_another_workspace_is_not_found(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let setting = create(store, setting(&ours, 1)).await?;
    assert!(store.notification_setting(theirs.id, setting.id).await?.is_none());
    assert_settings(store, &theirs, &[]).await?;
    let seen = SettingsSeen::default();
    let foreign = changed(&setting, |setting| setting.workspace = theirs.id);
    assert_eq!(store.commit(update(&foreign, seen)).await?, Outcome::Stale);
    assert_eq!(store.commit(deletion(&foreign)).await?, Outcome::Stale);
    assert_settings(store, &ours, &[setting]).await
}

pub async fn a_setting_id_that_is_taken_is_refused_and_the_first_stays(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let first = create(store, setting(&workspace, 1)).await?;
    let before = everything(store, &workspace).await?;
    let second = changed(&first, |setting| setting.description += ", second");
    let outcome = store.commit(creation(&second, seen(store, &second).await?)).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(everything(store, &workspace).await?, before);
    Ok(())
}

pub async fn an_update_is_there_at_once_and_leaves_what_never_changes(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let another = fresh.another().await?;
    let first = create(store, setting(&workspace, 1)).await?;
    let bystander = create(store, setting(&workspace, 9)).await?;
    for (version, to) in (first.version + 1..).zip(all_sorts(&workspace).into_iter().skip(1)) {
        let to = NotificationSetting {
            id: first.id,
            destination_type: DestinationType::Email,
            failing_since: Some(at(4)),
            created_at: at(5),
            version,
            ..to
        };
        replace(store, to.clone()).await?;
        let expected = NotificationSetting {
            destination_type: first.destination_type,
            failing_since: None,
            created_at: first.created_at,
            ..to
        };
        for store in [store, &*another] {
            assert_settings(store, &workspace, &[expected.clone(), bystander.clone()]).await?;
        }
    }
    Ok(())
}

/// A create and an update that saw something else; each under a name, so that its answer could be kept.
async fn assert_stale(store: &dyn Storage, workspace: &Workspace, seen: &SettingsSeen) -> Verdict {
    let before = everything(store, workspace).await?;
    let stored = store.all_notification_settings(workspace.id).await?;
    let next = changed(&stored[0], |setting| setting.description += ", too late");
    for change in [
        creation(&setting(workspace, 77), seen.clone()),
        update(&next, seen.clone()),
    ] {
        let key = idempotency_key(seed::id(1), "too late");
        let change = Change {
            idempotency: Some((key.clone(), answer(1, at(9_999)))),
            ..change
        };
        assert_eq!(store.commit(change).await?, Outcome::Stale);
        assert_eq!(everything(store, workspace).await?, before, "events included");
        assert_eq!(store.idempotent_answer(&key, at(0)).await?, None);
    }
    Ok(())
}

pub async fn a_change_that_saw_other_settings_writes_nothing_events_included(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let first = create(store, setting(&workspace, 1)).await?;
    let second = create(store, setting(&workspace, 2)).await?;
    let two = seen(store, &first).await?;
    let third = create(store, setting(&workspace, 3)).await?;
    assert_stale(store, &workspace, &two).await?; // one was made since

    let three = seen(store, &first).await?;
    replace(store, changed(&second, |_| ())).await?;
    assert_stale(store, &workspace, &three).await?; // one was changed since

    let three = seen(store, &first).await?;
    applied(store, deletion(&third)).await?;
    assert_stale(store, &workspace, &three).await?; // one was deleted since
    assert_stale(store, &workspace, &SettingsSeen::default()).await?;

    // Another workspace's settings are nobody's business here, and neither are attempts.
    let two = seen(store, &first).await?;
    let theirs = steps::workspace(store, 2).await?;
    create(store, setting(&theirs, 4)).await?;
    let event = tell(store, &workspace, [10]).await?.remove(0);
    let notification = outbox::fresh(&event, &first);
    outbox::attempted(store, &notification, (1, 11), NotificationStatus::NeedsRetry, Some(20)).await?;
    applied(store, creation(&setting(&workspace, 5), two)).await?;
    Ok(())
}

pub async fn a_setting_in_place_of_another_is_noticed(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let first = create(store, setting(&workspace, 1)).await?;
    let second = create(store, setting(&workspace, 2)).await?;
    let two = seen(store, &first).await?;
    applied(store, deletion(&second)).await?;
    create(store, setting(&workspace, 3)).await?; // as many as before, of the same versions
    assert_stale(store, &workspace, &two).await
}

/// Two handles race in each round; exactly one wins, the other is told, and only the winner's event is there.
async fn race(
    fresh: &Fresh,
    workspace: &Workspace,
    changes: impl Fn(u64, SettingsSeen, &[NotificationSetting]) -> [Change; 2],
) -> Verdict {
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    for round in 1..=10 {
        let all = fresh.store.all_notification_settings(workspace.id).await?;
        let before = fresh.store.sequence().await?;
        let changes = changes(round, SettingsSeen::of(&all), &all);
        let racing = stores.iter().cloned().zip(changes).collect();
        let mut outcomes = all_at_once_each(racing).await.into_iter();
        let (one, other) = (outcomes.next().expect("of two")?, outcomes.next().expect("of two")?);
        let won = Outcome::Applied { sequence: before + 1 };
        assert!(
            (one == won && other == Outcome::Stale) || (one == Outcome::Stale && other == won),
            "{one:?}, {other:?}"
        );
        assert_eq!(fresh.store.sequence().await?, before + 1);
    }
    Ok(())
}

pub async fn of_two_handles_racing_to_create_one_wins(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    race(fresh, &workspace, |round, seen, _| {
        [1, 2].map(|racer| creation(&setting(&workspace, round * 10 + racer), seen.clone()))
    })
    .await?;
    let all = fresh.store.all_notification_settings(workspace.id).await?;
    assert_eq!(all.len(), 10);
    Ok(())
}

pub async fn of_two_handles_racing_to_update_one_wins(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    for number in [1, 2] {
        create(&*fresh.store, setting(&workspace, number)).await?;
    }
    // Of different settings: what counts is that neither saw the other's change.
    race(fresh, &workspace, |_, seen, all| {
        [0, 1].map(|racer| update(&changed(&all[racer], |_| ()), seen.clone()))
    })
    .await?;
    let all = fresh.store.all_notification_settings(workspace.id).await?;
    assert_eq!(all.iter().map(|setting| setting.version).sum::<i64>(), 12);
    Ok(())
}

pub async fn pages_hold_the_settings_asked_for(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let mut all = Vec::new();
    for number in 1..=12_u64 {
        let source = TrafficSource::ALL[usize::try_from(number % 3).expect("below 3")];
        let setting = NotificationSetting {
            active: number % 4 != 0,
            traffic_source: source,
            ..setting(&ours, number * 10)
        };
        all.push(create(store, setting).await?);
        create(store, self::setting(&theirs, number * 10 + 5)).await?;
    }
    for active in [None, Some(true), Some(false)] {
        for traffic_source in TrafficSource::ALL.map(Some).into_iter().chain([None]) {
            let expected: Vec<NotificationSettingId> = all
                .iter()
                .filter(|setting| active.is_none_or(|active| setting.active == active))
                .filter(|setting| traffic_source.is_none_or(|source| setting.traffic_source == source))
                .map(|setting| setting.id)
                .collect();
            let fetch = async |page| {
                let asked = NotificationSettingPage {
                    page,
                    active,
                    traffic_source,
                };
                let slice = store.notification_settings(ours.id, &asked).await?;
                assert_only(&ours, slice.items.iter().map(|setting| setting.workspace));
                Ok(slice)
            };
            assert_walks(&expected, &[1, 3, 4, 12, 13], |row: &NotificationSetting| row.id, fetch).await?;
        }
    }
    let mut asked = settings_page(Order::Descending);
    asked.page.after = Some(seed::id(45)); // theirs
    asked.page.count = false;
    let slice = store.notification_settings(ours.id, &asked).await?;
    let numbers: Vec<u64> = slice.items.iter().map(|row| seed::number(row.id)).collect();
    assert_eq!((numbers, slice.total), (vec![40, 30, 20, 10], None));
    Ok(())
}

pub async fn a_deleted_setting_is_gone_from_every_read_with_its_notifications(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let doomed = create(store, setting(&workspace, 1)).await?;
    let kept = create(store, setting(&workspace, 2)).await?;
    let events = tell(store, &workspace, 10..=15).await?;
    let gone: Vec<_> = events.iter().map(|event| outbox::fresh(event, &doomed)).collect();
    outbox::attempted(store, &gone[0], (1, 20), NotificationStatus::Delivered, None).await?;
    let another = fresh.another().await?;
    let place = applied(store, deletion(&doomed)).await?;
    assert_eq!(store.sequence().await?, place);

    for store in [store, &*another] {
        assert_settings(store, &workspace, std::slice::from_ref(&kept)).await?;
        assert!(store.notification_setting(workspace.id, doomed.id).await?.is_none());
        for notification in &gone {
            assert_eq!(store.notification(workspace.id, notification.id).await?, None);
        }
        let left = outbox::notifications(store, &workspace).await?;
        assert_eq!((left.items.len(), left.total), (6, Some(6)));
        assert!(left.items.iter().all(|row| row.setting == kept.id));
        let asked = NotificationPage {
            settings: vec![doomed.id],
            ..outbox::page(whole(Order::Ascending))
        };
        let none = store.notifications(workspace.id, &asked).await?;
        assert_eq!((none.items, none.has_more, none.total), (vec![], false, Some(0)));
        let both = NotificationPage {
            settings: vec![doomed.id, kept.id],
            ..outbox::page(whole(Order::Ascending))
        };
        assert_eq!(store.notifications(workspace.id, &both).await?, left);
        assert_eq!(
            all_told(&store.due_notification_settings(at(100)).await?),
            [told(&kept)]
        );
    }
    assert_eq!(lease(store, doomed.id, (100, 200), 10).await?, []);
    let before = everything(store, &workspace).await?;
    let replay = Write::ReplayNotification {
        workspace: workspace.id,
        original: gone[0].id,
        id: seed::id(500),
        at: at(100),
    };
    assert_eq!(store.commit(Change::silent(replay)).await?, Outcome::Stale);
    let next = changed(&doomed, |setting| setting.active = true);
    let seen = SettingsSeen::of(std::slice::from_ref(&kept));
    assert_eq!(store.commit(update(&next, seen)).await?, Outcome::Stale);
    assert_eq!(store.commit(deletion(&doomed)).await?, Outcome::Stale, "once is enough");
    assert_eq!(everything(store, &workspace).await?, before);
    Ok(())
}

pub async fn of_many_racing_to_delete_one_does(fresh: &Fresh) -> Result<(), StorageError> {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let doomed = create(&*fresh.store, setting(&workspace, 1)).await?;
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let racing = stores
        .iter()
        .cycle()
        .take(16)
        .cloned()
        .zip(std::iter::repeat(deletion(&doomed)));
    let outcomes = all_at_once_each(racing.collect()).await;
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    let stale = outcomes.iter().filter(|outcome| **outcome == Outcome::Stale).count();
    assert_eq!(stale, 15, "{outcomes:?}");
    assert_eq!(fresh.store.sequence().await?, 2, "it was made and deleted");
    Ok(())
}
