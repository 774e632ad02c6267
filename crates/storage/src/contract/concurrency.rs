//! Changes that get in each other's way, all at once: whatever a store commits together must end as if it had been done
//! one by one, in the order of the sequence.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tollgate_domain::client_token::ClientToken;
use tollgate_domain::id::{ClientTokenId, EventId};
use tollgate_domain::workspace::Workspace;

use super::seed::{self, Dice, answer, at, creation, idempotency_key, revocation};
use super::steps::{self, everything};
use super::{Fresh, Verdict};
use crate::{Change, IdempotencyKey, IdempotentAnswer, Outcome, Storage, StorageError, Write};

pub async fn conflicting_changes_end_as_if_done_one_by_one(fresh: &Fresh) -> Verdict {
    storm(fresh, &[Arc::clone(&fresh.store)]).await
}

pub async fn conflicting_changes_on_two_handles_end_as_if_done_one_by_one(fresh: &Fresh) -> Verdict {
    storm(fresh, &[Arc::clone(&fresh.store), fresh.another().await?]).await
}

async fn storm(fresh: &Fresh, stores: &[Arc<dyn Storage>]) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let dice = Dice::new(64);
    for round in 0..5 {
        let changes = dice.shuffled(conflicting(&workspace, &dice, round));
        let each = changes.iter().cloned().zip(stores.iter().cycle());
        let each = each.map(|(change, store)| (Arc::clone(store), change));
        let outcomes = steps::all_at_once_each(each.collect()).await;
        assert_done_one_by_one(fresh, &workspace, round, changes.iter().zip(outcomes).collect()).await?;
    }
    Ok(())
}

/// Changes of 20 tokens that can't all be applied: made twice, renamed, revoked from two versions, the half of them
/// under names that two or three of them share. Each tells of itself with an event of its own.
fn conflicting(workspace: &Workspace, dice: &Dice, round: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    for number in 1..=20 {
        let token = seed::client_token(workspace, round * 100 + number);
        let renamed = ClientToken {
            name: format!("{}, renamed", token.name),
            version: 2,
            ..token.clone()
        };
        let rename = Write::UpdateClientToken {
            from: token.clone(),
            to: renamed.clone(),
        };
        let rename = Change {
            write: rename,
            ..revocation(&token, 0)
        };
        // Version 2 is the renamed one, whoever wins: no use-case changes what it never saw.
        let mut revoke = revocation(&token, number);
        if let Write::UpdateClientToken { to, .. } = &mut revoke.write {
            to.version = 3;
        }
        changes.extend([creation(&token), creation(&token), rename]);
        changes.extend([revoke, revocation(&renamed, number + 30)]);
    }
    for (number, change) in (1..).zip(&mut changes) {
        change.events[0].id = seed::id(round * 1_000 + number);
        if dice.roll(2) == 0 {
            let key = idempotency_key(seed::id(1), &format!("{round}, {}", dice.roll(20)));
            let mut kept = answer(0, at(9_999));
            kept.answer = number.to_string();
            change.idempotency = Some((key, kept));
        }
    }
    changes
}

/// The order in which the events stand, done again on a plain map, finds every precondition kept, and ends as the store
/// did; what wasn't applied has left nothing, and for a reason.
async fn assert_done_one_by_one(
    fresh: &Fresh,
    workspace: &Workspace,
    round: u64,
    outcomes: Vec<(&Change, Result<Outcome, StorageError>)>,
) -> Verdict {
    let mut applied: BTreeMap<u64, &Change> = BTreeMap::new();
    let mut told: HashSet<EventId> = HashSet::new();
    let mut answers: HashMap<&IdempotencyKey, &IdempotentAnswer> = HashMap::new();
    for (change, outcome) in &outcomes {
        if let Ok(Outcome::Applied { sequence }) = outcome {
            assert!(applied.insert(*sequence, change).is_none(), "two changes at {sequence}");
            told.insert(change.events[0].id);
            if let Some((key, answer)) = &change.idempotency {
                assert!(answers.insert(key, answer).is_none(), "{key:?} was answered twice");
            }
        }
    }

    let mut tokens: BTreeMap<ClientTokenId, &ClientToken> = BTreeMap::new();
    for (place, change) in &applied {
        match &change.write {
            Write::CreateClientToken(token) => {
                assert!(tokens.insert(token.id, token).is_none(), "made twice at {place}");
            }
            Write::UpdateClientToken { from, to } => {
                let before = tokens.insert(to.id, to).map(|token| token.version);
                assert_eq!(before, Some(from.version), "at {place}");
            }
            other => panic!("not among the changes: {other:?}"),
        }
    }
    let all = everything(&*fresh.store, workspace).await?;
    let of_round = |number: u64| number / 100 == round;
    let mut stored = all
        .client_tokens
        .items
        .iter()
        .filter(|token| of_round(seed::number(token.id)));
    assert!(
        tokens.values().copied().eq(stored.by_ref()),
        "the rows are those of the applied changes"
    );
    let of_round = |number: u64| number / 1_000 == round;
    let events = all
        .events
        .items
        .iter()
        .map(|event| event.id)
        .filter(|id| of_round(seed::number(*id)));
    assert_eq!(
        events.collect::<HashSet<_>>(),
        told,
        "the events are those of the applied changes"
    );

    for (change, outcome) in &outcomes {
        match outcome {
            Ok(Outcome::Applied { .. }) => {}
            Ok(Outcome::AlreadyAnswered(answer)) => {
                let (key, _) = change.idempotency.as_ref().expect("asked under a name");
                assert_eq!(answers.get(key), Some(&answer));
            }
            Ok(Outcome::Leased(_)) => panic!("nobody leased: {change:?}"),
            Ok(Outcome::Stale) => assert!(matches!(change.write, Write::UpdateClientToken { .. })),
            Err(error) => match &change.write {
                Write::CreateClientToken(token) => assert!(tokens.contains_key(&token.id), "{error}"),
                other => panic!("{error}: {other:?}"),
            },
        }
    }
    assert!(tokens.len() > 5, "some were made");
    Ok(())
}
