//! The audit trail: its filters, alone and together, and where a search ends.

use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{ApiKeyId, EventId, Id, UserId, time_prefix};
use tollgate_domain::role::Role;
use tollgate_domain::workspace::Workspace;

use super::people::{join, user};
use super::seed::{self, api_key, at, event, telling};
use super::steps::{self, applied};
use super::{Fresh, Verdict};
use crate::{AuditPage, Change, Searched, Storage, StorageError, Write};

/// More than any case has.
const FAR: usize = 1_000;

/// Public ones, and some for the audit trail only.
const TYPES: [EventType; 5] = [
    EventType::ClientTokenCreated,
    EventType::MemberInvited,
    EventType::ClientTokenUpdated,
    EventType::SignedIn,
    EventType::NotificationSettingDeleted,
];

fn actors() -> [Actor; 5] {
    [
        Actor::ApiKey(seed::id(1)),
        Actor::Person(seed::id(1)),
        Actor::CommandLine,
        Actor::Clock,
        Actor::ApiKey(seed::id(2)),
    ]
}

/// The id of an event of this second.
fn made_at(seconds: u64) -> EventId {
    Id::from_tail(&format!("{}{seconds:016}", time_prefix(at(seconds)))).expect("26 letters and digits")
}

/// Event `number`: its type, actor and entity repeat with 5, 4 and 3 numbers.
fn nth(workspace: &Workspace, number: u64) -> Event {
    let place = |of: u64| usize::try_from(number % of).expect("small");
    Event {
        id: made_at(number),
        actor: actors()[place(4)],
        subject: format!("subject {}", place(3)),
        address: (number % 2 == 1).then(|| [192, 0, 2, 1].into()),
        ..event(workspace.id, number, TYPES[place(5)])
    }
}

/// Events 1 to 60 of ours, and as many of theirs.
async fn sixty(fresh: &Fresh) -> Result<(Workspace, Vec<Event>), StorageError> {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    for number in 1..=60 {
        applied(store, telling(vec![nth(&ours, number), nth(&theirs, number)])).await?;
    }
    let events = (1..=60).rev().map(|number| nth(&ours, number)).collect();
    Ok((ours, events))
}

/// All pages of this filter, one after the other, each by itself looking no further than `look_through`.
async fn walked(
    store: &dyn Storage,
    workspace: &Workspace,
    mut page: AuditPage,
    look_through: usize,
) -> Result<Vec<Event>, StorageError> {
    let mut all = Vec::new();
    loop {
        let found = store.audit_trail(workspace.id, &page, look_through).await?;
        assert!(found.items.len() <= page.limit);
        all.extend(found.items);
        match found.next {
            Some(next) => page.after = Some(next),
            None => return Ok(all),
        }
    }
}

fn numbers(found: &Searched<tollgate_domain::id::EventKind, Event>) -> (Vec<EventId>, Option<EventId>, bool) {
    let items = found.items.iter().map(|event| event.id).collect();
    (items, found.next, found.cut_short)
}

pub async fn the_trail_has_events_of_all_types_newest_first(fresh: &Fresh) -> Verdict {
    let (ours, expected) = sixty(fresh).await?;
    let store = &*fresh.another().await?;
    for limit in [1, 7, 59, 60, 61] {
        assert_eq!(
            walked(store, &ours, AuditPage::newest(limit), 1).await?,
            expected,
            "{limit}"
        );
    }
    let first = store.audit_trail(ours.id, &AuditPage::newest(60), FAR).await?;
    assert_eq!(
        (first.next, first.cut_short),
        (None, false),
        "it ends exactly at the limit"
    );
    let first = store.audit_trail(ours.id, &AuditPage::newest(59), FAR).await?;
    assert_eq!((first.next, first.cut_short), (Some(made_at(2)), false));
    let gone = AuditPage {
        after: Some(made_at(0)),
        ..AuditPage::newest(5)
    };
    let before_all = store.audit_trail(ours.id, &gone, FAR).await?;
    assert_eq!(before_all.items, [], "a cursor need not exist");
    let empty = steps::workspace(store, 3).await?;
    assert_eq!(walked(store, &empty, AuditPage::newest(5), FAR).await?, []);
    Ok(())
}

pub async fn each_filter_of_the_trail_lets_through_what_it_says(fresh: &Fresh) -> Verdict {
    let (ours, all) = sixty(fresh).await?;
    let store = &*fresh.store;
    let newest = || AuditPage::newest(4);
    let mut cases: Vec<AuditPage> = actors()
        .into_iter()
        .map(|actor| AuditPage {
            actor: Some(actor),
            ..newest()
        })
        .collect();
    for subject in ["subject 0", "subject 2", "subject 3", "subject", "SUBJECT 0", ""] {
        cases.push(AuditPage {
            subject: Some(subject.to_owned()),
            ..newest()
        });
    }
    for types in [
        &TYPES[..],
        &TYPES[1..2],
        &[TYPES[3], TYPES[0], TYPES[3]],
        &[EventType::SignedOut],
        &EventType::AUDIT_ONLY,
    ] {
        cases.push(AuditPage {
            types: types.to_vec(),
            ..newest()
        });
    }
    for case in cases {
        let expected = expected(&all, &case);
        assert_eq!(walked(store, &ours, case.clone(), FAR).await?, expected, "{case:?}");
    }
    Ok(())
}

fn expected(all: &[Event], page: &AuditPage) -> Vec<Event> {
    let fits = |event: &&Event| {
        page.actor.is_none_or(|actor| event.actor == actor)
            && page.subject.as_ref().is_none_or(|subject| event.subject == *subject)
            && (page.types.is_empty() || page.types.contains(&event.event_type))
            && page.from.is_none_or(|from| event.occurred_at >= from)
            && page.to.is_none_or(|to| event.occurred_at <= to)
    };
    all.iter().filter(fits).cloned().collect()
}

pub async fn filters_of_the_trail_together_let_through_what_each_does(fresh: &Fresh) -> Verdict {
    let (ours, all) = sixty(fresh).await?;
    let store = &*fresh.store;
    let dice = seed::Dice::new(5);
    for round in 0..150 {
        let types = dice.shuffled(TYPES.to_vec());
        let page = AuditPage {
            types: types[..usize::try_from(dice.roll(4)).expect("small")].to_vec(),
            actor: (dice.roll(2) == 0).then(|| dice.shuffled(actors().to_vec())[0]),
            subject: (dice.roll(2) == 0).then(|| format!("subject {}", dice.roll(4))),
            from: (dice.roll(3) == 0).then(|| at(dice.roll(60))),
            to: (dice.roll(3) == 0).then(|| at(dice.roll(65))),
            ..AuditPage::newest(1 + usize::try_from(dice.roll(6)).expect("small"))
        };
        let look_through = 1 + usize::try_from(dice.roll(12)).expect("small");
        let found = walked(store, &ours, page.clone(), look_through).await?;
        assert_eq!(found, expected(&all, &page), "round {round}, {look_through}: {page:?}");
    }
    Ok(())
}

pub async fn a_search_of_the_trail_ends_where_it_may_look_no_further(fresh: &Fresh) -> Verdict {
    let (ours, _) = sixty(fresh).await?;
    let store = &*fresh.store;
    // Of the key are events 60, 56, 52, …, 4; of them 60, 40 and 20 are creations of tokens.
    let page = |limit: usize, after: Option<u64>| AuditPage {
        types: vec![EventType::ClientTokenCreated],
        actor: Some(Actor::ApiKey(seed::id(1))),
        after: after.map(made_at),
        ..AuditPage::newest(limit)
    };
    let at_most = async |page: AuditPage, look_through| store.audit_trail(ours.id, &page, look_through).await;
    for (asked, look_through, found, next, cut_short) in [
        (page(1, None), 5, &[60][..], Some(44), true),
        (page(1, None), 6, &[60], Some(60), false), // the next one was seen, so the page is full
        (page(1, Some(60)), 6, &[40], Some(36), true),
        (page(5, None), 1, &[60], Some(60), true),
        (page(5, Some(60)), 4, &[], Some(44), true),
        (page(5, None), 14, &[60, 40, 20], Some(8), true),
        (page(5, None), 15, &[60, 40, 20], Some(4), true), // whether more follow wasn't looked at
        (page(5, None), 16, &[60, 40, 20], None, false),
        (page(5, Some(4)), 1, &[], None, false),
    ] {
        let expected = (
            found.iter().copied().map(made_at).collect::<Vec<_>>(),
            next.map(made_at),
            cut_short,
        );
        let found = at_most(asked.clone(), look_through).await?;
        assert_eq!(numbers(&found), expected, "{look_through}: {asked:?}");
    }
    Ok(())
}

pub async fn the_trail_is_cut_by_the_time_in_its_ids(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let event = |micros: i64, number: u64| {
        let time = seed::micros_after(100, micros);
        let tail = format!("{}{number:016}", time_prefix(time));
        Event {
            id: Id::from_tail(&tail).expect("26 letters and digits"),
            occurred_at: time,
            ..event(workspace.id, number, EventType::SignedIn)
        }
    };
    // The beginning is at 457 microseconds of a millisecond.
    let (before, first, last, behind) = (event(-458, 1), event(-457, 2), event(542, 3), event(543, 4));
    for event in [&before, &first, &last, &behind] {
        applied(store, telling(vec![event.clone()])).await?;
    }
    let bounds = [seed::micros_after(100, 0), seed::micros_after(100, 300)];
    for (from, to, expected) in [
        (None, None, vec![&behind, &last, &first, &before]),
        (Some(bounds[0]), None, vec![&behind, &last, &first]),
        (None, Some(bounds[0]), vec![&last, &first, &before]),
        (Some(bounds[1]), Some(bounds[0]), vec![&last, &first]),
        (Some(behind.occurred_at), Some(before.occurred_at), vec![]),
    ] {
        for types in [&[][..], &[EventType::SignedIn]] {
            let page = AuditPage {
                types: types.to_vec(),
                from,
                to,
                ..AuditPage::newest(1)
            };
            let found = walked(store, &workspace, page.clone(), FAR).await?;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{page:?}");
        }
    }
    Ok(())
}

pub async fn names_are_looked_up_for_many_at_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let keys = [api_key(&ours, 1), api_key(&ours, 2), api_key(&theirs, 3)];
    for key in &keys {
        applied(store, Change::silent(Write::CreateApiKey(key.clone()))).await?;
    }
    for number in 1..=3 {
        join(store, &theirs, number, Role::Viewer).await?;
    }
    let ids: Vec<ApiKeyId> = [2, 3, 1, 2, 9].map(seed::id).to_vec();
    let mut found = store.api_keys_named(ours.id, &ids).await?;
    found.sort_by_key(|key| key.id);
    assert_eq!(found, keys[..2], "each once, and none of another workspace");
    let ids: Vec<UserId> = [3, 1, 3, 9].map(seed::id).to_vec();
    let mut found = store.users(&ids).await?;
    found.sort_by_key(|user| user.id);
    assert_eq!(found, [user(1), user(3)]);
    assert_eq!(store.api_keys_named(ours.id, &[]).await?, []);
    assert_eq!(store.users(&[]).await?, []);
    Ok(())
}
