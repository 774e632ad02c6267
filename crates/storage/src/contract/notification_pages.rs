//! Pages of notifications: orders, cursors, filters alone and together, totals.

use tollgate_domain::event::EventType;
use tollgate_domain::id::{ClientTokenKind, Id, NotificationId, NotificationSettingId};
use tollgate_domain::notification::{Notification, NotificationStatus};
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_domain::workspace::Workspace;

use super::outbox::{attempted, create, lets_through, notifications, page, setting};
use super::seed::{self, Dice, at, event, micros_after, telling};
use super::steps::{self, all_applied, applied, assert_only, assert_walks, total, whole};
use super::{Fresh, Verdict};
use crate::{Change, NotificationPage, Order, Page, Storage, StorageError, Write};

/// How many events of client tokens our workspace has.
const EVENTS: u64 = 60;

/// Event `number` about token `number % 10`, of one of three types.
fn some_event(workspace: &Workspace, number: u64) -> tollgate_domain::event::Event {
    let kind = usize::try_from(number % 3).expect("below 3");
    let token: Id<ClientTokenKind> = seed::id(number % 10);
    tollgate_domain::event::Event {
        subject: token.to_string(),
        ..event(workspace.id, number, EventType::ALL[kind])
    }
}

/// Three settings of ours with 60 events each, replays, and each status, and as much of another workspace's.
async fn many(fresh: &Fresh) -> Result<(Workspace, Vec<Notification>), StorageError> {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    for number in 1..=3 {
        create(store, setting(&ours, number)).await?;
        create(store, setting(&theirs, number + 10)).await?;
    }
    let events = (1..=EVENTS).map(|number| telling(vec![some_event(&ours, number), some_event(&theirs, number)]));
    all_applied(&fresh.store, events.collect()).await?;
    let dice = Dice::new(11);
    let all = notifications(store, &ours).await?.items;
    let all = all.into_iter().chain(notifications(store, &theirs).await?.items);
    let mut replays = Vec::new();
    for (number, notification) in (1..).zip(all) {
        let status = NotificationStatus::ALL[usize::try_from(dice.roll(4)).expect("below 4")];
        if status != NotificationStatus::NotAttempted {
            let retry_at = (status == NotificationStatus::NeedsRetry).then_some(9_999);
            attempted(store, &notification, (number, 200 + number), status, retry_at).await?;
        }
        if status.is_final() && dice.roll(3) == 0 {
            replays.push(Change::silent(Write::ReplayNotification {
                workspace: notification.workspace,
                original: notification.id,
                id: seed::id(number),
                at: at(9_000),
            }));
        }
    }
    assert!(replays.len() > 20, "some are replayed");
    all_applied(&fresh.store, replays).await?;
    let mut all = notifications(store, &ours).await?.items;
    all.sort_by_key(|notification| notification.id);
    Ok((ours, all))
}

/// What a filter must let through, page by page in both orders, with a total when counters tell of it.
async fn assert_pages(
    store: &dyn Storage,
    workspace: &Workspace,
    all: &[Notification],
    asked: &NotificationPage,
    limits: &[usize],
) -> Verdict {
    let expected: Vec<&Notification> = all.iter().filter(|row| lets_through(asked, row)).collect();
    let ids: Vec<NotificationId> = expected.iter().map(|row| row.id).collect();
    let counted = asked.search.is_none() && asked.subject.is_none() && asked.from.is_none() && asked.to.is_none();
    let fetch = async |page| {
        let mut slice = store
            .notifications(workspace.id, &NotificationPage { page, ..asked.clone() })
            .await?;
        assert_eq!(slice.total.is_some(), counted, "{asked:?}");
        slice.total = slice.total.or_else(|| Some(total(expected.len())));
        assert_only(workspace, slice.items.iter().map(|row| row.workspace));
        assert!(
            slice.items.iter().all(|row| expected.contains(&row)),
            "whole, as by its id"
        );
        Ok(slice)
    };
    assert_walks(&ids, limits, |row: &Notification| row.id, fetch).await
}

fn unfiltered() -> NotificationPage {
    page(whole(Order::Ascending))
}

pub async fn pages_of_notifications_run_both_ways_and_end_exactly_at_the_limit(fresh: &Fresh) -> Verdict {
    let (ours, all) = many(fresh).await?;
    let limits = [1, 7, all.len() - 1, all.len(), all.len() + 1];
    assert_pages(&*fresh.store, &ours, &all, &unfiltered(), &limits).await?;
    let nobody = seed::workspace(3);
    assert_pages(&*fresh.store, &nobody, &[], &unfiltered(), &[1]).await
}

pub async fn a_cursor_of_notifications_need_not_exist(fresh: &Fresh) -> Verdict {
    let (ours, all) = many(fresh).await?;
    let store = &*fresh.store;
    let middle = &all[all.len() / 2];
    let theirs = notifications(store, &seed::workspace(2)).await?.items;
    for (after, order) in [
        (theirs[theirs.len() / 2].id, Order::Ascending),
        (theirs[theirs.len() / 3].id, Order::Descending),
        (middle.id, Order::Descending),
        (seed::id(0), Order::Ascending),
        (seed::id(0), Order::Descending),
        (
            NotificationId::from_tail(&"z".repeat(26)).expect("26 letters"),
            Order::Ascending,
        ),
        (
            NotificationId::from_tail(&"z".repeat(26)).expect("26 letters"),
            Order::Descending,
        ),
    ] {
        // The cursor of one filter's page goes on in another's, too.
        let statuses = vec![NotificationStatus::Delivered];
        for statuses in [vec![], statuses] {
            let after = Some(after);
            let asked = NotificationPage {
                statuses,
                ..page(Page { after, ..whole(order) })
            };
            let beyond = all.iter().filter(|row| match order {
                Order::Ascending => Some(row.id) > after,
                Order::Descending => Some(row.id) < after,
            });
            let mut expected: Vec<_> = beyond.filter(|row| lets_through(&asked, row)).cloned().collect();
            if order == Order::Descending {
                expected.reverse();
            }
            let slice = store.notifications(ours.id, &asked).await?;
            assert_eq!((slice.items, slice.has_more), (expected, false), "{asked:?}");
            let counted = all.iter().filter(|row| lets_through(&asked, row)).count();
            assert_eq!(slice.total, Some(total(counted)), "whatever the cursor");
        }
    }
    Ok(())
}

pub async fn each_filter_lets_through_what_it_says(fresh: &Fresh) -> Verdict {
    let (ours, all) = many(fresh).await?;
    let store = &*fresh.store;
    let mut pages = Vec::new();
    for settings in [
        vec![seed::id(1)],
        vec![seed::id(3), seed::id(1)],
        vec![seed::id(2), seed::id(2)],
        vec![seed::id(11)],
        vec![seed::id(77), seed::id(1)],
    ] {
        pages.push(NotificationPage {
            settings,
            ..unfiltered()
        });
    }
    let statuses = NotificationStatus::ALL;
    for statuses in statuses.map(|status| vec![status]).into_iter().chain([
        statuses.to_vec(),
        vec![statuses[3], statuses[1]],
        vec![statuses[2], statuses[2]],
    ]) {
        pages.push(NotificationPage {
            statuses,
            ..unfiltered()
        });
    }
    let id = all[20].id.to_string();
    for search in [
        id.as_str(),
        &id[14..],
        &id[..9],
        &id[17..24],
        "ntf_",
        "client_token",
        "token.created",
        "revoked",
        "api_key",
        "data",
        "CREATED",
        "%",
        "_token",
        "client-token",
        ".",
        "'",
        "\"",
        "\\",
        "",
    ] {
        let search = Some(search.to_owned());
        pages.push(NotificationPage { search, ..unfiltered() });
    }
    for subject in [all[0].event.subject.as_str(), "ctkn_", "", "'; --"] {
        let subject = Some(subject.to_owned());
        pages.push(NotificationPage {
            subject,
            ..unfiltered()
        });
    }
    for (from, to) in [
        (Some(at(30)), None),
        (None, Some(at(30))),
        (Some(at(30)), Some(at(30))),
        (Some(micros_after(30, 1)), Some(micros_after(41, -1))),
        (Some(at(31)), Some(at(30))),
        (Some(at(0)), Some(at(9_999))),
    ] {
        pages.push(NotificationPage {
            from,
            to,
            ..unfiltered()
        });
    }
    for asked in &pages {
        assert_pages(store, &ours, &all, asked, &[13, 500]).await?;
    }
    let uncounted = NotificationPage {
        statuses: vec![NotificationStatus::Failed],
        ..page(Page {
            count: false,
            ..whole(Order::Ascending)
        })
    };
    assert_eq!(
        store.notifications(ours.id, &uncounted).await?.total,
        None,
        "not asked for"
    );
    Ok(())
}

pub async fn filters_together_let_through_what_each_does(fresh: &Fresh) -> Verdict {
    let (ours, all) = many(fresh).await?;
    let dice = Dice::new(23);
    let settings: Vec<NotificationSetting> = fresh.store.all_notification_settings(ours.id).await?;
    let mut some = 0;
    for _ in 0..60 {
        let now_and_then = |one_in| dice.roll(one_in) == 0;
        let chosen = settings.iter().filter(|_| now_and_then(2)).map(|row| row.id);
        let chosen: Vec<NotificationSettingId> = chosen.collect();
        let statuses = NotificationStatus::ALL.into_iter().filter(|_| now_and_then(2));
        let search = ["token.created", "client_token", "ntf_01kj", "e"][usize::try_from(dice.roll(4)).expect("small")];
        let subject: Id<ClientTokenKind> = seed::id(dice.roll(10));
        let asked = NotificationPage {
            settings: if now_and_then(2) { chosen } else { Vec::new() },
            statuses: statuses.collect(),
            search: now_and_then(3).then(|| search.to_owned()),
            subject: now_and_then(4).then(|| subject.to_string()),
            from: now_and_then(3).then(|| at(dice.roll(EVENTS))),
            to: now_and_then(3).then(|| at(dice.roll(EVENTS))),
            ..unfiltered()
        };
        some += usize::from(all.iter().any(|row| lets_through(&asked, row)));
        assert_pages(&*fresh.store, &ours, &all, &asked, &[5, 500]).await?;
    }
    assert!(some > 20, "many of the filters let something through");
    Ok(())
}

pub async fn a_page_follows_what_happens_to_its_notifications(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    create(store, setting(&workspace, 1)).await?;
    applied(
        store,
        telling((1..=5).map(|number| some_event(&workspace, number)).collect()),
    )
    .await?;
    let all = notifications(store, &workspace).await?.items;
    let another = fresh.another().await?;
    for (number, notification) in (1..).zip(&all) {
        attempted(store, notification, (number, 100), NotificationStatus::Delivered, None).await?;
        let delivered = NotificationPage {
            statuses: vec![NotificationStatus::Delivered],
            ..unfiltered()
        };
        let slice = another.notifications(workspace.id, &delivered).await?;
        assert_eq!((total(slice.items.len()), slice.total), (number, Some(number)));
    }
    Ok(())
}
