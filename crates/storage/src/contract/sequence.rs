//! The sequence that everything follows, and the pulse that says how far it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::EventId;

use super::outbox;
use super::seed::{self, creation, revocation};
use super::steps::{self, applied};
use super::{Fresh, Verdict};
use crate::{Change, Outcome, Pulse, Storage, StorageError, Write};

/// How long a ring may take here: far above what is promised, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(1);

/// Waits until the pulse has come to `sequence`; how long that took.
async fn ring(pulse: &mut watch::Receiver<Pulse>, sequence: u64) -> Duration {
    let started = Instant::now();
    let heard = timeout(PATIENCE, pulse.wait_for(|pulse| pulse.sequence >= sequence)).await;
    drop(heard.expect("it rings in time").expect("the store lives"));
    started.elapsed()
}

pub async fn an_empty_store_is_at_place_0(fresh: &Fresh) -> Verdict {
    assert_eq!(fresh.store.sequence().await?, 0);
    assert_eq!(fresh.store.pulse().borrow().sequence, 0);
    assert_eq!(fresh.store.events_between(0, 1_000, &EventType::ALL).await?, []);
    steps::workspace(&*fresh.store, 1).await?;
    assert_eq!(fresh.store.sequence().await?, 0, "a silent change takes no place");
    Ok(())
}

pub async fn a_change_is_applied_at_the_place_of_its_last_event(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let token = seed::client_token(&workspace, 1);
    let first = applied(store, creation(&token)).await?;
    assert!(first >= 1);
    let mut two_events = revocation(&token, 10);
    two_events
        .events
        .push(seed::event(workspace.id, 11, EventType::ClientTokenUpdated));
    let third = applied(store, two_events).await?;
    assert!(third >= first + 2);
    assert_eq!(store.sequence().await?, third);
    let silent = Change::silent(Write::CreateClientToken(seed::client_token(&workspace, 2)));
    assert_eq!(applied(store, silent).await?, third, "the last event before it");
    assert_eq!(store.sequence().await?, third);
    assert_eq!(steps::places(store).await?.last().map(|(place, _)| *place), Some(third));
    Ok(())
}

pub async fn another_handle_sees_what_was_acknowledged_and_goes_on_from_there(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let another = fresh.another().await?;
    let mut last = 0;
    for number in 1..=10 {
        let (writer, reader) = if number % 2 == 0 {
            (&fresh.store, &another)
        } else {
            (&another, &fresh.store)
        };
        let token = seed::client_token(&workspace, number);
        let place = applied(&**writer, creation(&token)).await?;
        assert!(place > last, "{place} after {last}");
        assert_eq!(reader.sequence().await?, place);
        assert_eq!(
            reader.client_token(workspace.id, token.id).await?.as_ref(),
            Some(&token)
        );
        let read = reader.events_between(last, place, &EventType::ALL).await?;
        assert_eq!(read, [(place, creation(&token).events.remove(0))]);
        last = place;
    }
    assert_eq!(fresh.another().await?.sequence().await?, last);
    Ok(())
}

pub async fn the_pulse_rings_at_once_for_a_commit_of_this_handle(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let mut pulse = fresh.store.pulse();
    let mut delays = Vec::new();
    for number in 1..=21 {
        let place = applied(&*fresh.store, creation(&seed::client_token(&workspace, number))).await?;
        delays.push(ring(&mut pulse, place).await);
        ring(&mut fresh.store.pulse(), place).await; // also for who asks only now
    }
    delays.sort_unstable();
    let (usual, slowest) = (delays[10], delays[20]);
    println!("the pulse rang usually {usual:?}, at most {slowest:?} after this handle's commits");
    // A busy machine may delay some of them, but looking at the store every now and then would delay nearly all.
    assert!(usual < Duration::from_millis(5), "{delays:?}");
    Ok(())
}

pub async fn the_pulse_rings_soon_for_a_commit_of_another_handle(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let another = fresh.another().await?;
    let mut pulse = another.pulse();
    let mut slowest = Duration::ZERO;
    for number in 1..=20 {
        let place = applied(&*fresh.store, creation(&seed::client_token(&workspace, number))).await?;
        slowest = slowest.max(ring(&mut pulse, place).await);
    }
    println!("the pulse rang within {slowest:?} of another handle's commits; 100 ms are promised");
    Ok(())
}

/// Whoever delivers waits for the pulse, and a replay has no event.
pub async fn the_pulse_rings_soon_for_a_replay_by_any_handle(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    outbox::create(store, outbox::setting(&workspace, 1)).await?;
    outbox::tell(store, &workspace, [10]).await?;
    let original = outbox::notifications(store, &workspace).await?.items[0].id;
    let another = fresh.another().await?;
    for (first, follower) in [(100, store), (200, &*another)] {
        let mut pulse = follower.pulse();
        let mut delays = Vec::new();
        for number in first..first + 11 {
            pulse.borrow_and_update();
            let replay = Write::ReplayNotification {
                workspace: workspace.id,
                original,
                id: seed::id(number),
                at: seed::at(number),
            };
            applied(store, Change::silent(replay)).await?;
            let started = Instant::now();
            let rang = timeout(PATIENCE, pulse.changed()).await;
            rang.expect("it rings in time").expect("the store lives");
            delays.push(started.elapsed());
        }
        delays.sort_unstable();
        println!("the pulse rang usually {:?} after a replay", delays[5]);
        assert!(delays[5] < Duration::from_millis(100), "{delays:?}");
    }
    Ok(())
}

pub async fn the_pulse_beats_without_any_commit(fresh: &Fresh) -> Verdict {
    let mut pulse = fresh.store.pulse();
    let mut last = pulse.borrow_and_update().heard_at;
    for _ in 0..2 {
        let started = Instant::now();
        let later = timeout(2 * PATIENCE, pulse.wait_for(|pulse| pulse.heard_at > last)).await;
        let later = *later.expect("every second").expect("the store lives");
        println!("the pulse beat after {:?}; a second is promised", started.elapsed());
        assert_eq!(later.sequence, 0);
        assert!(later.heard_at <= Instant::now());
        last = later.heard_at;
    }
    Ok(())
}

/// Reads what each ring of the pulse announces, until it has come to the place that `end` tells.
async fn follow(store: Arc<dyn Storage>, mut end: oneshot::Receiver<u64>) -> Result<Vec<(u64, Event)>, StorageError> {
    let mut pulse = store.pulse();
    let (mut seen, mut place, mut last) = (Vec::new(), 0, u64::MAX);
    while place < last {
        let sequence = pulse.borrow_and_update().sequence;
        assert!(sequence >= place, "the pulse went back from {place} to {sequence}");
        if sequence > place {
            seen.extend(store.events_between(place, sequence, &EventType::ALL).await?);
            place = sequence;
        } else if last < u64::MAX {
            pulse.changed().await.expect("the store lives");
        } else {
            tokio::select! {
                told = &mut end => last = told.expect("told once"),
                changed = pulse.changed() => changed.expect("the store lives"),
            }
        }
    }
    Ok(seen)
}

/// `changes` of as many tokens by 64 committers at once, which take turns among `stores`. Followers on every store see
/// each event exactly once, in order, at the place that its commit was told.
async fn storm(fresh: &Fresh, stores: &[Arc<dyn Storage>], changes: u64) -> Verdict {
    const COMMITTERS: u64 = 64;
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let (mut followers, mut ends) = (JoinSet::new(), Vec::new());
    for store in stores {
        let (sender, end) = oneshot::channel();
        ends.push(sender);
        followers.spawn(follow(Arc::clone(store), end));
    }
    let mut committers = JoinSet::new();
    for (committer, store) in (1..=COMMITTERS).zip(stores.iter().cycle()) {
        let (store, workspace) = (Arc::clone(store), workspace.clone());
        committers.spawn(async move {
            let mut told: Vec<(u64, EventId)> = Vec::new();
            for number in (committer..=changes).step_by(64) {
                let change = creation(&seed::client_token(&workspace, number));
                let event = change.events[0].id;
                match store.commit(change).await? {
                    Outcome::Applied { sequence } => told.push((sequence, event)),
                    other => panic!("{other:?}"),
                }
            }
            assert!(
                told.is_sorted_by(|(one, _), (next, _)| one < next),
                "later commits, later places"
            );
            Ok::<_, StorageError>(told)
        });
    }
    let mut told = BTreeMap::new();
    let mut count = 0;
    for committer in committers.join_all().await {
        let committed = committer?;
        count += committed.len();
        told.extend(committed);
    }
    assert_eq!(
        (told.len(), count),
        (count, usize::try_from(changes).expect("small")),
        "no place twice"
    );
    let last = *told.last_key_value().expect("some").0;
    assert_eq!(fresh.store.sequence().await?, last);
    for end in ends {
        end.send(last).expect("its follower waits");
    }
    let followers = timeout(Duration::from_secs(10), followers.join_all()).await;
    for seen in followers.expect("every follower arrives") {
        let seen: Vec<_> = seen?.iter().map(|(place, event)| (*place, event.id)).collect();
        assert!(
            seen.iter().copied().eq(told.iter().map(|(place, id)| (*place, *id))),
            "as told, in order, once"
        );
    }
    let all = steps::everything(&*fresh.store, &workspace).await?;
    assert_eq!(all.client_tokens.total, Some(changes));
    assert_eq!(all.events.total, Some(changes));
    Ok(())
}

pub async fn followers_miss_nothing_of_64_committers(fresh: &Fresh) -> Verdict {
    let stores = [Arc::clone(&fresh.store)];
    storm(fresh, &stores, 1_000).await
}

pub async fn followers_miss_nothing_of_64_committers_on_two_handles(fresh: &Fresh) -> Verdict {
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    storm(fresh, &stores, 1_000).await
}
