//! Events: what comes back, pages, and what a follower reads between two places.

use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::EventId;
use tollgate_domain::workspace::Workspace;

use super::seed::{self, Dice, event, telling};
use super::steps::{self, applied, assert_only, assert_walks, events, whole};
use super::{Fresh, Verdict};
use crate::{Order, Page, StorageError, TOTAL_CAP};

use EventType::{ApiKeyExpiring, ClientTokenCreated, ClientTokenRevoked, ClientTokenUpdated};

pub async fn an_event_is_found_by_its_id_in_its_workspace_only(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let ours = steps::workspace(store, 1).await?;
    let theirs = steps::workspace(store, 2).await?;
    let public = event(ours.id, 1, ClientTokenCreated);
    let audited = event(ours.id, 2, EventType::SignedIn);
    applied(store, telling(vec![public.clone(), audited.clone()])).await?;
    for event in [public, audited] {
        assert_eq!(store.event(theirs.id, event.id).await?, None);
        assert_eq!(store.event(ours.id, event.id).await?, Some(event));
    }
    assert_eq!(store.event(ours.id, seed::id(3)).await?, None);
    Ok(())
}

pub async fn an_event_comes_back_byte_for_byte(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let actors = [
        Actor::ApiKey(seed::id(77)),
        Actor::Person(seed::id(78)),
        Actor::CommandLine,
        Actor::Clock,
    ];
    let data = [
        r#"{"z":1,"a":2,"m":{"z":null,"a":[]}}"#.to_owned(), // the order of keys
        r#"{ "a" : 1.0 ,"a":1e2, "b": 10000000000000000000000001 }"#.to_owned(), // blanks, doubles, numbers
        r#"{"escapes":"\u0000 \ud83d\udd11 \ud800 \/ \\ \" \t \u00e9"}"#.to_owned(),
        "{\"raw\":\"🔑 é e\u{301} \u{2028}\u{7f}\u{10ffff}'%$1\"}".to_owned(),
        format!(r#"{{"long":"{}"}}"#, "ü".repeat(100_000)),
        "{}".to_owned(),
    ];
    let addresses = [None, Some("192.0.2.7"), Some("2001:db8::ffff:7")];
    let mut expected = Vec::new();
    for (number, event_type) in (1..).zip(EventType::ALL) {
        let index = usize::try_from(number).expect("small");
        let event = Event {
            actor: actors[index % actors.len()],
            data: data[index % data.len()].clone(),
            subject: "apikey_01khqw72q437v2n2wtbrraawbn".to_owned(),
            occurred_at: seed::micros_after(number, 1),
            address: addresses[index % addresses.len()].and_then(|address| address.parse().ok()),
            ..event(workspace.id, number, event_type)
        };
        let place = applied(store, telling(vec![event.clone()])).await?;
        let newest = Page {
            limit: 1,
            ..whole(Order::Descending)
        };
        assert_eq!(
            events(store, &workspace, None, newest).await?.items,
            std::slice::from_ref(&event)
        );
        assert_eq!(store.event(workspace.id, event.id).await?.as_ref(), Some(&event));
        let read = store.events_between(place - 1, place, &[event_type]).await?;
        assert_eq!(read, [(place, event.clone())]);
        expected.push(event);
    }
    assert_eq!(
        events(store, &workspace, None, whole(Order::Ascending)).await?.items,
        expected
    );
    Ok(())
}

pub async fn events_of_one_change_keep_their_order(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    // The later id first: the order is that of the change, not of the ids.
    let told = [
        (9, ClientTokenUpdated),
        (8, ClientTokenRevoked),
        (12, ApiKeyExpiring),
        (3, ClientTokenUpdated),
    ];
    let told = told.map(|(number, event_type)| event(workspace.id, number, event_type));
    let before = store.sequence().await?;
    let place = applied(store, telling(told.to_vec())).await?;
    let read = store.events_between(before, place, &EventType::ALL).await?;
    assert_eq!(read.iter().map(|(_, event)| event.clone()).collect::<Vec<_>>(), told);
    assert!(read.is_sorted_by(|(one, _), (next, _)| one < next));
    assert_eq!(read.last().map(|(place, _)| *place), Some(place));
    Ok(())
}

/// In our workspace, an event of each number from 1 to 12: created, updated, revoked, created, …; theirs between.
async fn twelve_events(fresh: &Fresh) -> Result<(Workspace, Workspace), StorageError> {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    for number in 1..=12 {
        let event_type = [ClientTokenRevoked, ClientTokenCreated, ClientTokenUpdated][number % 3];
        let number = u64::try_from(number).expect("small") * 10;
        applied(store, telling(vec![event(ours.id, number, event_type)])).await?;
        applied(store, telling(vec![event(theirs.id, number + 5, event_type)])).await?;
    }
    Ok((ours, theirs))
}

pub async fn a_page_holds_only_the_types_asked_for(fresh: &Fresh) -> Verdict {
    let (ours, _) = twelve_events(fresh).await?;
    let all: Vec<u64> = (1..=12).map(|number| number * 10).collect();
    let twice = [ClientTokenCreated, ClientTokenCreated];
    for (types, expected) in [
        (None, all.as_slice()),
        (Some(&[][..]), &[]),
        (Some(&[ClientTokenCreated][..]), &[10, 40, 70, 100]),
        (
            Some(&[ClientTokenRevoked, ClientTokenCreated][..]),
            &[10, 30, 40, 60, 70, 90, 100, 120],
        ),
        (Some(&[ApiKeyExpiring, ClientTokenUpdated][..]), &[20, 50, 80, 110]),
        (Some(&[ApiKeyExpiring][..]), &[]),
        (Some(&twice[..]), &[10, 40, 70, 100]),
        (Some(&EventType::ALL[..]), all.as_slice()),
    ] {
        let expected: Vec<EventId> = expected.iter().map(|number| seed::id(*number)).collect();
        let fetch = async |page| events(&*fresh.store, &ours, types, page).await;
        let limits = [1, 3, 4, 5, 12, 13];
        assert_walks(&expected, &limits, |event: &Event| event.id, fetch).await?;
        let uncounted = Page {
            count: false,
            ..whole(Order::Ascending)
        };
        let slice = events(&*fresh.store, &ours, types, uncounted).await?;
        assert_eq!(slice.total, None, "not asked for");
        assert_only(&ours, slice.items.iter().map(|event| event.workspace));
    }
    let empty = seed::workspace(3);
    let slice = events(&*fresh.store, &empty, None, whole(Order::Ascending)).await?;
    assert_eq!((slice.items, slice.has_more, slice.total), (vec![], false, Some(0)));
    Ok(())
}

pub async fn a_page_shows_no_event_for_the_audit_trail_unless_asked(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let all = EventType::AUDIT_ONLY.into_iter().chain(EventType::ALL);
    let all: Vec<Event> = (1..)
        .zip(all)
        .map(|(number, kind)| event(workspace.id, number, kind))
        .collect();
    applied(store, telling(all.clone())).await?;
    let ids = |events: &[Event]| events.iter().map(|event| event.id).collect::<Vec<EventId>>();
    let of_audit = EventType::AUDIT_ONLY.len();
    let audit = Some(&EventType::AUDIT_ONLY[..]);
    for (types, expected) in [(None, ids(&all[of_audit..])), (audit, ids(&all[..of_audit]))] {
        let fetch = async |page| events(store, &workspace, types, page).await;
        assert_walks(&expected, &[1, 4, 8, 14, 15], |event: &Event| event.id, fetch).await?;
    }
    let between = |types| store.events_between(0, 100, types);
    let told = |read: Vec<(u64, Event)>| ids(&read.into_iter().map(|(_, event)| event).collect::<Vec<_>>());
    assert_eq!(told(between(&EventType::AUDIT_ONLY).await?), ids(&all[..of_audit]));
    assert_eq!(told(between(&EventType::ALL).await?), ids(&all[of_audit..]));
    Ok(())
}

pub async fn a_cursor_of_events_need_not_exist(fresh: &Fresh) -> Verdict {
    let (ours, _) = twelve_events(fresh).await?;
    let created = Some(&[ClientTokenCreated][..]);
    for (types, after, order, expected) in [
        (None, 105, Order::Ascending, &[110, 120][..]), // theirs
        (None, 21, Order::Descending, &[20, 10]),
        (None, 999, Order::Ascending, &[]),
        (None, 1, Order::Descending, &[]),
        (created, 50, Order::Ascending, &[70, 100]), // ours, of another type
        (created, 39, Order::Descending, &[10]),
    ] {
        let page = Page {
            after: Some(seed::id(after)),
            ..whole(order)
        };
        let slice = events(&*fresh.store, &ours, types, page).await?;
        let found: Vec<u64> = slice.items.iter().map(|event| seed::number(event.id)).collect();
        assert_eq!(found, expected, "after {after}");
        assert_eq!(slice.total, Some(if types.is_some() { 4 } else { 12 }));
    }
    Ok(())
}

pub async fn events_between_two_places_are_those_after_the_first_up_to_the_second(fresh: &Fresh) -> Verdict {
    let (ours, theirs) = twelve_events(fresh).await?;
    for store in [&fresh.store, &fresh.another().await?] {
        let last = store.sequence().await?;
        let all = store.events_between(0, last, &EventType::ALL).await?;
        assert_eq!(all.len(), 24, "every workspace's");
        assert!(all.is_sorted_by(|(one, _), (next, _)| one < next));
        assert_eq!(all.iter().filter(|(_, event)| event.workspace == ours.id).count(), 12);
        let told: Vec<_> = all
            .iter()
            .map(|(_, event)| (event.workspace, seed::number(event.id)))
            .collect();
        assert_eq!(
            told[..3],
            [(ours.id, 10), (theirs.id, 15), (ours.id, 20)],
            "in the order they happened"
        );
        assert_eq!(all.last().map(|(place, _)| *place), Some(last));

        let place = |index: usize| all[index].0;
        for (after, upto, expected) in [
            (place(3), place(7), &all[4..=7]),
            (place(3), place(4), &all[4..=4]),
            (place(3), place(3), &[]),
            (place(7), place(3), &[]),
            (0, place(0), &all[..1]),
            (last, last + 1_000, &[]),
            (place(22), u64::MAX, &all[23..]),
            (u64::MAX, u64::MAX, &[]),
        ] {
            let found = store.events_between(after, upto, &EventType::ALL).await?;
            assert_eq!(found, expected, "after {after} up to {upto}");
        }
        for types in [
            &[][..],
            &[ClientTokenRevoked],
            &[ClientTokenRevoked, ClientTokenUpdated],
            &[ApiKeyExpiring],
        ] {
            let mut expected = all[4..=20].to_vec();
            expected.retain(|(_, event)| types.contains(&event.event_type));
            assert_eq!(
                store.events_between(place(3), place(20), types).await?,
                expected,
                "{types:?}"
            );
        }
        for limit in [1, 3, 100] {
            let mut expected = all[4..=20].to_vec();
            expected.retain(|(_, event)| event.workspace == theirs.id && event.event_type.is_public());
            expected.truncate(limit);
            let found = store
                .workspace_events_between(theirs.id, place(3), place(20), limit)
                .await?;
            assert_eq!(found, expected, "at most {limit} of one workspace");
        }
    }
    Ok(())
}

pub async fn totals_are_exact_up_to_the_cap_and_no_further(fresh: &Fresh) -> Verdict {
    const CHUNK: u64 = 5_000;
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let newest = Page {
        limit: 1,
        ..whole(Order::Descending)
    };
    for chunk in 0..TOTAL_CAP / CHUNK {
        let numbers = chunk * CHUNK + 1..=(chunk + 1) * CHUNK;
        let event_type = if chunk % 2 == 0 {
            ClientTokenCreated
        } else {
            ClientTokenUpdated
        };
        applied(
            store,
            telling(numbers.map(|number| event(workspace.id, number, event_type)).collect()),
        )
        .await?;
    }
    for (more, expected) in [(0, TOTAL_CAP), (1, TOTAL_CAP + 1), (2, TOTAL_CAP + 1)] {
        if let 1.. = more {
            applied(
                store,
                telling(vec![event(workspace.id, TOTAL_CAP + more, ClientTokenCreated)]),
            )
            .await?;
        }
        let slice = events(store, &workspace, None, newest).await?;
        assert_eq!(
            (slice.items.len(), slice.has_more, slice.total),
            (1, true, Some(expected))
        );
        let some = [ClientTokenCreated];
        let slice = events(store, &workspace, Some(&some), newest).await?;
        assert_eq!(slice.total, Some(TOTAL_CAP / 2 + more));
    }
    Ok(())
}

pub async fn walks_over_random_events_agree_with_a_model(fresh: &Fresh) -> Verdict {
    let (ours, theirs) = (
        steps::workspace(&*fresh.store, 1).await?,
        steps::workspace(&*fresh.store, 2).await?,
    );
    let dice = Dice::new(7);
    let (mut model, mut changes) = (Vec::new(), Vec::new());
    for number in 1..=200 {
        let kind = usize::try_from(dice.roll(8)).expect("below 8");
        let told = event(ours.id, number * 100 + dice.roll(100), EventType::ALL[kind]);
        model.push(told.clone());
        let other = event(theirs.id, number * 100, EventType::ALL[kind]);
        changes.push(telling(vec![told, other]));
    }
    steps::all_applied(&fresh.store, dice.shuffled(changes)).await?;
    for _ in 0..6 {
        let types: Vec<EventType> = EventType::ALL.into_iter().filter(|_| dice.roll(2) == 0).collect();
        let expected: Vec<EventId> = model
            .iter()
            .filter(|event| types.contains(&event.event_type))
            .map(|event| event.id)
            .collect();
        let fetch = async |page| events(&*fresh.store, &ours, Some(&types), page).await;
        assert_walks(&expected, &[7, 50, 200], |event: &Event| event.id, fetch).await?;
    }
    Ok(())
}
