//! Notifications as their events make them: which, for whom, and exactly when.

use std::collections::HashSet;
use std::sync::Arc;

use tollgate_domain::event::{Event, EventType};
use tollgate_domain::notification;
use tollgate_domain::notification_setting::{NotificationSetting, TrafficSource};
use tollgate_domain::workspace::Workspace;

use super::outbox::{
    self, assert_totals, changed, create, creation, deletion, lease, notifications, replace, setting, tell, update,
};
use super::seed::{self, Dice, answer, at, event, idempotency_key, telling};
use super::steps::{self, all_at_once_each, applied, events, places, total, whole};
use super::{Fresh, Verdict};
use crate::{Change, Order, Outcome, Page, SettingsSeen, Storage, StorageError};

use EventType::{ApiKeyCreated, ClientTokenCreated, ClientTokenRevoked, ClientTokenUpdated};

/// These settings want what happens to client tokens, and `numbers` have been told of.
async fn made(
    store: &dyn Storage,
    workspace: &Workspace,
    settings: u64,
    numbers: impl IntoIterator<Item = u64>,
) -> Result<(Vec<NotificationSetting>, Vec<Event>), StorageError> {
    let mut made = Vec::new();
    for number in 1..=settings {
        made.push(create(store, setting(workspace, number)).await?);
    }
    Ok((made, tell(store, workspace, numbers).await?))
}

pub async fn an_event_makes_one_notification_for_each_setting_that_wants_it(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let (settings, events) = made(store, &ours, 3, [10, 11]).await?;
    let mut expected = Vec::new();
    for event in &events {
        expected.extend(settings.iter().map(|setting| outbox::fresh(event, setting)));
    }
    expected.sort_by_key(|notification| notification.id);
    for store in [store, &*fresh.another().await?] {
        let found = notifications(store, &ours).await?;
        assert_eq!((found.items.as_slice(), found.total), (expected.as_slice(), Some(6)));
        for notification in &expected {
            let id = notification.id;
            assert_eq!(store.notification(ours.id, id).await?.as_ref(), Some(notification));
            assert_eq!(store.notification(theirs.id, id).await?, None);
            assert_eq!(outbox::log(store, notification).await?, []);
        }
        assert_eq!(notifications(store, &theirs).await?.items, []);
        assert_eq!(store.notification(ours.id, seed::id(1)).await?, None);
    }
    assert_totals(store, &ours).await
}

pub async fn only_a_setting_that_wants_an_event_gets_it(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let subscribed = |number, names: &[&str]| NotificationSetting {
        subscribed_events: names.iter().map(|name| (*name).to_owned()).collect(),
        ..setting(&ours, number)
    };
    let created = "client_token.created";
    let wanting = [
        subscribed(1, &[created]),
        subscribed(2, &["api_key.created", created]),
        subscribed(3, &[created, "address.created", "transaction.completed"]),
        NotificationSetting {
            traffic_source: TrafficSource::All,
            ..subscribed(4, &["api_key.revoked", created, "api_key.created"])
        },
    ];
    let others = [
        subscribed(11, &["client_token.revoked", "client_token.updated"]),
        subscribed(12, &["api_key.created"]),
        subscribed(13, &["transaction.created"]),
        NotificationSetting {
            active: false,
            ..subscribed(14, &[created])
        },
        NotificationSetting {
            traffic_source: TrafficSource::Simulation,
            ..subscribed(15, &[created])
        },
        setting(&theirs, 16),
        subscribed(17, &[created]), // deleted below
        subscribed(18, &[created]), // switched off below
    ];
    for setting in wanting.iter().chain(&others) {
        create(store, setting.clone()).await?;
    }
    applied(store, deletion(&others[6])).await?;
    replace(store, changed(&others[7], |setting| setting.active = false)).await?;

    let told = event(ours.id, 50, ClientTokenCreated);
    applied(store, telling(vec![told.clone()])).await?;
    let mut expected: Vec<_> = wanting.iter().map(|setting| outbox::fresh(&told, setting)).collect();
    expected.sort_by_key(|notification| notification.id);
    assert_eq!(notifications(store, &ours).await?.items, expected);
    assert_eq!(notifications(store, &theirs).await?.items, []);
    for other in &others {
        let id = notification::id_of(told.id, other.id);
        assert_eq!(store.notification(ours.id, id).await?, None);
        assert_eq!(store.notification(theirs.id, id).await?, None);
    }
    assert_totals(store, &ours).await
}

pub async fn events_for_the_audit_trail_make_no_notification(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let all = EventType::ALL.iter().chain(&EventType::AUDIT_ONLY);
    let curious = NotificationSetting {
        subscribed_events: all.map(|event_type| event_type.name().to_owned()).collect(),
        ..setting(&workspace, 1)
    };
    create(store, curious.clone()).await?;
    replace(store, changed(&curious, |_| ())).await?; // with its event, as everywhere
    let audit = (30..).zip(EventType::AUDIT_ONLY);
    let audit: Vec<Event> = audit.map(|(number, kind)| event(workspace.id, number, kind)).collect();
    applied(store, telling(audit.clone())).await?;
    let found = notifications(store, &workspace).await?;
    assert_eq!((found.items, found.total), (vec![], Some(0)));

    let public = event(workspace.id, 20, ClientTokenCreated);
    let mixed = vec![event(workspace.id, 19, EventType::AUDIT_ONLY[0]), public.clone()];
    applied(store, telling(mixed)).await?;
    assert_eq!(
        notifications(store, &workspace).await?.items,
        [outbox::fresh(&public, &curious)]
    );
    Ok(())
}

pub async fn each_event_of_a_change_makes_its_own_notifications(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let (settings, _) = made(store, &ours, 2, []).await?;
    let their_setting = create(store, setting(&theirs, 9)).await?;
    let told = [
        event(ours.id, 21, ClientTokenUpdated),
        event(ours.id, 20, ClientTokenRevoked),
        event(theirs.id, 20, ClientTokenRevoked),
        event(ours.id, 22, ApiKeyCreated), // which nobody wants
    ];
    applied(store, telling(told.to_vec())).await?;
    let mut expected = Vec::new();
    for event in &told[..2] {
        expected.extend(settings.iter().map(|setting| outbox::fresh(event, setting)));
    }
    expected.sort_by_key(|notification| notification.id);
    assert_eq!(notifications(store, &ours).await?.items, expected);
    assert_eq!(
        notifications(store, &theirs).await?.items,
        [outbox::fresh(&told[2], &their_setting)]
    );
    Ok(())
}

pub async fn a_change_that_is_not_applied_makes_no_notification(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let (settings, _) = made(store, &workspace, 1, []).await?;
    let token = seed::client_token(&workspace, 1);
    let name = idempotency_key(seed::id(1), "once");
    let once = Change {
        idempotency: Some((name.clone(), answer(1, at(9_999)))),
        ..seed::creation(&token)
    };
    applied(store, once.clone()).await?;
    applied(store, seed::revocation(&token, 2)).await?;
    let before = steps::everything(store, &workspace).await?;
    assert_eq!(before.notifications.items.len(), 2);

    assert_eq!(store.commit(seed::revocation(&token, 3)).await?, Outcome::Stale);
    let repeated = Change {
        events: vec![event(workspace.id, 4, ClientTokenCreated)],
        ..once
    };
    assert!(matches!(store.commit(repeated).await?, Outcome::AlreadyAnswered(_)));
    let broken = Change {
        events: vec![event(workspace.id, 5, ClientTokenCreated)],
        ..seed::creation(&token)
    };
    assert!(store.commit(broken).await.is_err(), "the token's id is taken");
    let twice = vec![
        event(workspace.id, 6, ClientTokenCreated),
        event(workspace.id, 1, ClientTokenCreated),
    ];
    assert!(store.commit(telling(twice)).await.is_err(), "the event's id is taken");
    assert_eq!(steps::everything(store, &workspace).await?, before);
    assert_eq!(lease(store, settings[0].id, (100, 200), 10).await?.len(), 2);
    assert_totals(store, &workspace).await
}

pub async fn a_notification_is_visible_together_with_its_event(fresh: &Fresh) -> Verdict {
    const EVENTS: u64 = 60;
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let (settings, _) = made(&*fresh.store, &workspace, 2, []).await?;
    let (writer, ours) = (Arc::clone(&fresh.store), workspace.clone());
    let writing = tokio::spawn(async move { tell(&*writer, &ours, 1..=EVENTS).await });
    let reader = fresh.another().await?;
    let mut checked = 0;
    while checked < EVENTS {
        let newest = Page {
            limit: 3,
            ..whole(Order::Descending)
        };
        for event in events(&*reader, &workspace, None, newest).await?.items {
            for setting in &settings {
                let id = notification::id_of(event.id, setting.id);
                assert!(reader.notification(workspace.id, id).await?.is_some(), "{event:?}");
            }
            checked = checked.max(seed::number(event.id));
        }
        let (before, all) = (reader.sequence().await?, notifications(&*reader, &workspace).await?);
        assert!(all.total >= Some((before - 2) * 2), "at {before}: {:?}", all.total);
        assert_eq!(all.items.len() % 2, 0, "both or none");
    }
    writing.await.expect("the writer doesn't panic")?;
    Ok(())
}

/// Events and one change of a setting are committed at once; those after it, by the sequence, find it as it left it,
/// those before as it was.
async fn assert_parts(
    fresh: &Fresh,
    workspace: &Workspace,
    setting: &NotificationSetting,
    (change, first): (Change, u64),
    wanted_before: bool,
) -> Verdict {
    let audit = change.events[0].id;
    let events = (first..first + 40).map(|number| event(workspace.id, number, ClientTokenCreated));
    let mut changes: Vec<Change> = events.map(|event| telling(vec![event])).collect();
    changes.insert(20, change);
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let changes = stores.iter().cycle().cloned().zip(changes);
    for outcome in all_at_once_each(changes.collect()).await {
        assert!(matches!(outcome?, Outcome::Applied { .. }));
    }
    let store = &*fresh.store;
    let all = [&EventType::ALL[..], &EventType::AUDIT_ONLY[..]].concat();
    let told = store.events_between(0, store.sequence().await?, &all).await?;
    let (parting, _) = told
        .iter()
        .find(|(_, event)| event.id == audit)
        .expect("it was applied");
    let of_round = told
        .iter()
        .filter(|(_, event)| (first..first + 40).contains(&seed::number(event.id)));
    for (place, event) in of_round {
        let id = notification::id_of(event.id, setting.id);
        let found = store.notification(workspace.id, id).await?;
        assert_eq!(
            found.is_some(),
            (place < parting) == wanted_before,
            "{place}, {parting}"
        );
    }
    Ok(())
}

pub async fn a_new_setting_gets_the_events_after_it_and_none_before(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    for round in 1..=5 {
        let all = fresh.store.all_notification_settings(workspace.id).await?;
        let setting = setting(&workspace, round);
        let change = creation(&setting, SettingsSeen::of(&all));
        assert_parts(fresh, &workspace, &setting, (change, round * 1_000), false).await?;
    }
    assert_totals(&*fresh.store, &workspace).await
}

pub async fn a_setting_that_changes_gets_the_events_as_it_stood_when_they_happened(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let mut setting = create(store, setting(&workspace, 1)).await?;
    let never = |setting: &mut NotificationSetting| setting.subscribed_events.retain(|name| name.ends_with("updated"));
    let off = |setting: &mut NotificationSetting| setting.active = false;
    let simulated = |setting: &mut NotificationSetting| setting.traffic_source = TrafficSource::Simulation;
    let losing: [&dyn Fn(&mut NotificationSetting); 3] = [&never, &off, &simulated];
    for (round, lose) in (1..).zip(losing) {
        let before = setting.clone();
        let lost = changed(&before, lose);
        let seen = SettingsSeen::of(std::slice::from_ref(&before));
        assert_parts(fresh, &workspace, &lost, (update(&lost, seen), round * 1_000), true).await?;
        setting = NotificationSetting {
            version: lost.version + 1,
            ..before
        };
        let seen = SettingsSeen::of(std::slice::from_ref(&lost));
        let change = (update(&setting, seen), round * 1_000 + 500);
        assert_parts(fresh, &workspace, &setting, change, false).await?;
    }
    assert_totals(store, &workspace).await
}

pub async fn a_deleted_setting_gets_no_event_after_it(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let (settings, _) = made(store, &workspace, 2, []).await?;
    let mut changes: Vec<Change> = (1..=40)
        .map(|number| telling(vec![event(workspace.id, number, ClientTokenCreated)]))
        .collect();
    changes.insert(20, deletion(&settings[0]));
    steps::all_applied(&fresh.store, changes).await?;
    let found = notifications(store, &workspace).await?;
    assert_eq!((found.items.len(), found.total), (40, Some(40)));
    assert!(found.items.iter().all(|row| row.setting == settings[1].id));
    Ok(())
}

pub async fn many_committers_make_one_notification_for_each_event_and_setting(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let (settings, _) = made(&*fresh.store, &workspace, 3, []).await?;
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let tokens = Dice::new(5).shuffled((1..=200).collect::<Vec<u64>>());
    let changes = tokens
        .iter()
        .map(|number| seed::creation(&seed::client_token(&workspace, *number)));
    let changes = stores.iter().cycle().cloned().zip(changes);
    for outcome in all_at_once_each(changes.collect()).await {
        assert!(matches!(outcome?, Outcome::Applied { .. }));
    }
    let mut expected = HashSet::new();
    for (_, event) in places(&*fresh.store).await? {
        expected.extend(settings.iter().map(|setting| notification::id_of(event.id, setting.id)));
    }
    assert_eq!(expected.len(), 600);
    for store in &stores {
        let found = notifications(&**store, &workspace).await?;
        assert_eq!(found.total, Some(total(600)));
        assert_eq!(found.items.iter().map(|row| row.id).collect::<HashSet<_>>(), expected);
    }
    assert_totals(&*fresh.store, &workspace).await
}
