//! What verifiers follow: the facts of all tokens at one moment, and what changes after it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use tollgate_domain::event::EventType;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::verdict::TokenFacts;
use tollgate_domain::workspace::Workspace;

use super::seed::{self, about, at, creation, restricted, revoked, telling, update};
use super::steps::{self, applied};
use super::{Fresh, Verdict};
use crate::{Storage, StorageError, TokenChanges, Write};

/// What a verifier knows.
type Known = BTreeMap<(WorkspaceId, ClientTokenId), TokenFacts>;

/// All facts and their place.
async fn facts(store: &dyn Storage) -> Result<(Known, u64), StorageError> {
    let known = Arc::new(Mutex::new(Known::new()));
    let into = Arc::clone(&known);
    let each = Box::new(move |facts: TokenFacts| {
        let mut known = into.lock().unwrap_or_else(PoisonError::into_inner);
        let twice = known.insert((facts.workspace, facts.id), facts);
        assert_eq!(twice, None, "each token once");
    });
    let place = store.each_client_token(each).await?;
    let known = std::mem::take(&mut *known.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((known, place))
}

/// Takes what is newer, as a verifier does.
fn learn(known: &mut Known, tokens: Vec<TokenFacts>) {
    for facts in tokens {
        let key = (facts.workspace, facts.id);
        if known.get(&key).is_none_or(|old| old.version <= facts.version) {
            known.insert(key, facts);
        }
    }
}

/// What changed, when nothing is forgotten.
async fn changed(
    store: &dyn Storage,
    after: u64,
    upto: u64,
    limit: usize,
) -> Result<(u64, Vec<TokenFacts>), StorageError> {
    match store.client_tokens_changed(after, upto, limit).await? {
        TokenChanges::Upto { place, mut tokens } => {
            tokens.sort_by_key(|facts| (facts.workspace, facts.id));
            Ok((place, tokens))
        }
        TokenChanges::Forgotten => panic!("nothing was removed"),
    }
}

pub async fn facts_of_all_workspaces_come_with_their_place(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    assert_eq!(facts(store).await?, (Known::new(), 0));
    let mut expected = Known::new();
    for number in [1, 2] {
        let workspace = steps::workspace(store, number).await?;
        let plain = seed::client_token(&workspace, 10 + number);
        let tokens = [
            revoked(&seed::client_token(&workspace, 20 + number), 99),
            restricted(
                &seed::client_token(&workspace, 30 + number),
                Some(seed::restrictions(number)),
                Some(at(7_000)),
            ),
            plain,
        ];
        for token in tokens {
            applied(store, creation(&token)).await?;
            expected.insert((workspace.id, token.id), token.facts());
        }
    }
    assert_eq!(facts(store).await?, (expected, 6));
    Ok(())
}

/// 20 committers make tokens and revoke them; whatever place the facts are told with, they are the events' up to it.
pub async fn facts_and_their_place_are_of_one_moment(fresh: &Fresh) -> Verdict {
    let (store, another) = (&fresh.store, fresh.another().await?);
    let workspace = steps::workspace(&**store, 1).await?;
    let mut committers = commit_much([store, &another], &workspace);
    let mut seen = Vec::new();
    while committers
        .try_join_next()
        .map(|done| done.expect("no panic"))
        .transpose()?
        .is_some()
        || !committers.is_empty()
    {
        seen.push(facts(&**store).await?);
        tokio::task::yield_now().await;
    }
    seen.push(facts(&*another).await?);
    let events = steps::places(&**store).await?;
    assert_eq!(seen.last().map(|(_, place)| *place), Some(20 * 10 * 2));
    for (known, place) in seen {
        let mut expected: BTreeMap<String, bool> = BTreeMap::new();
        for (_, event) in events.iter().take_while(|(at, _)| *at <= place) {
            expected.insert(event.subject.clone(), event.event_type == EventType::ClientTokenRevoked);
        }
        let known: BTreeMap<String, bool> = known
            .values()
            .map(|facts| (facts.id.to_string(), facts.revoked))
            .collect();
        assert_eq!(known, expected, "at {place}");
    }
    Ok(())
}

/// 20 committers on these handles, each of whom makes 10 tokens and revokes them: an event for each.
fn commit_much(stores: [&Arc<dyn Storage>; 2], workspace: &Workspace) -> JoinSet<Result<(), StorageError>> {
    let mut committers = JoinSet::new();
    for committer in 0..20 {
        let (store, workspace) = (Arc::clone(stores[committer % 2]), workspace.clone());
        committers.spawn(async move {
            for number in 1..=10 {
                let number = 100 * u64::try_from(committer).expect("few") + number;
                let token = seed::client_token(&workspace, number);
                applied(&*store, creation(&token)).await?;
                let mut revocation = update(&token, &revoked(&token, number), 10_000 + number);
                revocation.events[0].event_type = EventType::ClientTokenRevoked;
                applied(&*store, revocation).await?;
            }
            Ok(())
        });
    }
    committers
}

pub async fn changes_tell_each_token_once_as_it_is_now(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let (first, second) = (seed::client_token(&ours, 1), seed::client_token(&theirs, 2));
    applied(store, creation(&first)).await?; // 1
    applied(store, creation(&second)).await?; // 2
    let key = seed::event(ours.id, 3, EventType::ApiKeyCreated);
    applied(store, telling(vec![key])).await?; // 3
    let next = restricted(&first, Some(seed::restrictions(1)), Some(at(100)));
    applied(store, update(&first, &next, 4)).await?; // 4
    let last = revoked(&next, 9);
    let mut change = update(&next, &last, 5);
    change.events.push(about(&last, 6, EventType::ClientTokenRevoked));
    applied(store, change).await?; // 5 and 6

    assert_eq!(
        changed(store, 0, 6, 100).await?,
        (6, vec![last.facts(), second.facts()])
    );
    assert_eq!(changed(store, 1, 3, 100).await?, (3, vec![second.facts()]));
    assert_eq!(
        changed(store, 2, 3, 100).await?,
        (3, vec![]),
        "an API key's event is about no token"
    );
    assert_eq!(changed(store, 4, 5, 100).await?, (5, vec![last.facts()]));
    assert_eq!(changed(store, 6, 6, 100).await?, (6, vec![]));
    assert_eq!(
        changed(store, 2, 99, 100).await?,
        (6, vec![last.facts()]),
        "no further than there is anything"
    );
    let rumour = seed::about(&seed::client_token(&ours, 50), 7, EventType::ClientTokenUpdated);
    applied(store, telling(vec![rumour])).await?;
    assert_eq!(changed(store, 6, 7, 100).await?, (7, vec![]), "there is no such token");
    Ok(())
}

pub async fn changes_come_in_spans_of_at_most_the_limit(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let tokens: Vec<_> = (1..=7).map(|number| seed::client_token(&workspace, number)).collect();
    for token in &tokens {
        applied(store, creation(token)).await?;
    }
    let mut known = Known::new();
    let (mut place, mut asked) = (0, 0);
    while place < 7 {
        let (upto, tokens) = changed(store, place, 7, 3).await?;
        assert_eq!(upto, (place + 3).min(7));
        (place, asked) = (upto, asked + 1);
        learn(&mut known, tokens);
    }
    assert_eq!(asked, 3);
    assert_eq!(facts(store).await?, (known, 7));
    Ok(())
}

pub async fn changes_that_are_no_longer_known_are_told_as_forgotten(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    for number in 1..=5 {
        applied(store, creation(&seed::client_token(&workspace, number))).await?;
    }
    let prune = |before| Write::Prune {
        before: at(before),
        limit: 100,
    };
    applied(store, crate::Change::silent(prune(3))).await?; // the events at 1 and 2 are gone
    assert_eq!(store.client_tokens_changed(0, 5, 100).await?, TokenChanges::Forgotten);
    assert_eq!(store.client_tokens_changed(1, 5, 100).await?, TokenChanges::Forgotten);
    assert_eq!(store.client_tokens_changed(0, 1, 100).await?, TokenChanges::Forgotten);
    assert_eq!(changed(store, 2, 5, 100).await?.1.len(), 3);
    applied(store, crate::Change::silent(prune(99))).await?;
    assert_eq!(store.client_tokens_changed(2, 5, 100).await?, TokenChanges::Forgotten);
    assert_eq!(changed(store, 5, 5, 100).await?, (5, vec![]));
    assert_eq!(facts(store).await?.0.len(), 5, "the tokens themselves stay");
    Ok(())
}

pub async fn followers_of_changes_on_two_handles_end_where_the_facts_do(fresh: &Fresh) -> Verdict {
    let (store, another) = (&fresh.store, fresh.another().await?);
    let workspace = steps::workspace(&**store, 1).await?;
    let mut committers = commit_much([store, &another], &workspace);
    let follow = async |store: &dyn Storage| {
        let (mut known, mut place) = facts(store).await?;
        let mut pulse = store.pulse();
        while place < 20 * 10 * 2 {
            let upto = pulse.borrow_and_update().sequence;
            while place < upto {
                let (next, tokens) = changed(store, place, upto, 50).await?;
                place = next;
                learn(&mut known, tokens);
            }
            if place < 20 * 10 * 2 {
                pulse.changed().await.expect("the store is open");
            }
        }
        Ok::<_, StorageError>(known)
    };
    let (here, there) = tokio::try_join!(follow(&**store), follow(&*another))?;
    while let Some(done) = committers.join_next().await {
        done.expect("no panic")?;
    }
    let (known, _) = facts(&**store).await?;
    assert_eq!(known.len(), 200);
    assert!(known.values().all(|facts| facts.revoked));
    assert_eq!(here, known);
    assert_eq!(there, known);
    Ok(())
}
