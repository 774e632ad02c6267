//! Requests that may come twice: one answer per API key and name, until it is forgotten.

use std::sync::Arc;

use tollgate_domain::api_key::ApiKey;
use tollgate_domain::client_token::ClientToken;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;

use super::seed::{self, answer, at, creation, idempotency_key, key_creation, micros_after, number, revocation};
use super::steps::{self, applied, everything};
use super::{Fresh, Verdict};
use crate::{Change, IdempotencyKey, IdempotentAnswer, Outcome, Storage, StorageError, Write};

/// `change` as the answer to the request that `key` names.
fn answering(change: Change, key: &IdempotencyKey, answer: IdempotentAnswer) -> Change {
    Change {
        idempotency: Some((key.clone(), answer)),
        ..change
    }
}

pub async fn an_answer_is_kept_with_its_change(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let key = idempotency_key(seed::id(1), "once");
    let token = seed::client_token(&workspace, 1);
    let first = answer(1, at(1_000));
    assert_eq!(store.idempotent_answer(&key, at(0)).await?, None);
    applied(store, answering(creation(&token), &key, first.clone())).await?;
    for store in [store, &*fresh.another().await?] {
        assert_eq!(store.idempotent_answer(&key, at(1)).await?.as_ref(), Some(&first));
        assert_eq!(store.client_token(workspace.id, token.id).await?.as_ref(), Some(&token));
    }
    Ok(())
}

pub async fn the_second_request_gets_the_first_answer_and_writes_nothing(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let key = idempotency_key(seed::id(1), "once");
    let (token, older) = (seed::client_token(&workspace, 1), seed::client_token(&workspace, 2));
    let first = answer(1, at(1_000));
    applied(store, answering(creation(&token), &key, first.clone())).await?;
    applied(store, creation(&older)).await?;
    let before = everything(store, &workspace).await?;
    let changes = [
        creation(&token),                                   // the very same
        creation(&seed::client_token(&workspace, 3)),       // would do by itself
        revocation(&older, 4),                              // so would this
        revocation(&seed::client_token(&workspace, 99), 5), // would be stale
        key_creation(&seed::api_key(&workspace, 6)),
        Change::silent(Write::CreateWorkspace(seed::workspace(7))),
    ];
    for (number, change) in (10..).zip(changes) {
        let again = answering(change, &key, answer(number, at(2_000)));
        assert_eq!(store.commit(again).await?, Outcome::AlreadyAnswered(first.clone()));
        assert_eq!(everything(store, &workspace).await?, before);
    }
    assert_eq!(store.workspaces().await?, [workspace]);
    assert_eq!(store.idempotent_answer(&key, at(2)).await?, Some(first));
    Ok(())
}

pub async fn a_name_belongs_to_its_api_key_and_is_compared_exactly(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let long = "x".repeat(255);
    let keys = [
        (1, "once"),
        (2, "once"),
        (1, "Once"),
        (1, "once "),
        (1, "é"),
        (1, "e\u{301}"),
        (1, "🔑"),
        (1, ""),
        (1, &long),
    ];
    for (number, (api_key, name)) in (1..).zip(keys) {
        let key = idempotency_key(seed::id(api_key), name);
        let change = creation(&seed::client_token(&workspace, u64::from(number)));
        applied(store, answering(change, &key, answer(number, at(1_000)))).await?;
    }
    for (number, (api_key, name)) in (1..).zip(keys) {
        let key = idempotency_key(seed::id(api_key), name);
        let kept = store.idempotent_answer(&key, at(20)).await?;
        assert_eq!(kept, Some(answer(number, at(1_000))), "{key:?}");
    }
    Ok(())
}

pub async fn an_answer_is_forgotten_from_the_moment_it_expires(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let key = idempotency_key(seed::id(1), "once");
    let first = answer(1, at(1_000));
    applied(
        store,
        answering(creation(&seed::client_token(&workspace, 1)), &key, first.clone()),
    )
    .await?;
    let just_before = micros_after(1_000, -1);
    for (now, expected) in [(just_before, Some(&first)), (at(1_000), None), (at(1_001), None)] {
        assert_eq!(store.idempotent_answer(&key, now).await?.as_ref(), expected);
    }
    Ok(())
}

/// Token `number`, made at `created_at`: what tells the time of the change that creates it.
fn made_at(workspace: &Workspace, number: u64, created_at: Timestamp) -> ClientToken {
    ClientToken {
        created_at,
        updated_at: created_at,
        ..seed::client_token(workspace, number)
    }
}

pub async fn a_request_after_the_expiry_is_a_new_one(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let key = idempotency_key(seed::id(1), "once");
    let request = |number: u8, created_at, expires_at| {
        let token = made_at(&workspace, u64::from(number), created_at);
        answering(creation(&token), &key, answer(number, expires_at))
    };
    applied(store, request(1, at(0), at(1_000))).await?;
    let too_early = store.commit(request(2, micros_after(1_000, -1), at(2_000))).await?;
    assert_eq!(too_early, Outcome::AlreadyAnswered(answer(1, at(1_000))));
    applied(store, request(3, at(1_000), at(2_000))).await?;
    assert_eq!(
        store.idempotent_answer(&key, at(1_000)).await?,
        Some(answer(3, at(2_000)))
    );
    let again = store.commit(request(4, at(1_500), at(2_500))).await?;
    assert_eq!(again, Outcome::AlreadyAnswered(answer(3, at(2_000))));
    applied(store, request(5, at(9_000), at(9_999))).await?;
    assert_eq!(
        store.idempotent_answer(&key, at(9_000)).await?,
        Some(answer(5, at(9_999)))
    );
    let stored = everything(store, &workspace).await?;
    assert_eq!(
        stored
            .client_tokens
            .items
            .iter()
            .map(|token| number(token.id))
            .collect::<Vec<_>>(),
        [1, 3, 5]
    );
    assert_eq!(stored.events.total, Some(3));
    Ok(())
}

pub async fn a_change_that_was_not_applied_keeps_no_answer(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let key = idempotency_key(seed::id(1), "once");
    let token = seed::client_token(&workspace, 1);
    applied(store, creation(&token)).await?;
    let stale = answering(
        revocation(&seed::client_token(&workspace, 99), 2),
        &key,
        answer(1, at(1_000)),
    );
    assert_eq!(store.commit(stale).await?, Outcome::Stale);
    assert_eq!(store.idempotent_answer(&key, at(0)).await?, None);
    let failing = answering(creation(&token), &key, answer(2, at(1_000)));
    assert!(store.commit(failing).await.is_err());
    assert_eq!(store.idempotent_answer(&key, at(0)).await?, None);
    // Nor does it forget an expired answer before its time, or stand in the way of the next try.
    applied(store, answering(revocation(&token, 3), &key, answer(3, at(1_000)))).await?;
    assert_eq!(store.idempotent_answer(&key, at(3)).await?, Some(answer(3, at(1_000))));
    Ok(())
}

pub async fn of_two_requests_at_once_one_is_done(fresh: &Fresh) -> Verdict {
    let another = fresh.another().await?;
    for round in 1..=10 {
        assert_one_is_done(fresh, round, &[&fresh.store, &fresh.store]).await?;
        assert_one_is_done(fresh, 100 + round, &[&fresh.store, &another]).await?;
    }
    Ok(())
}

pub async fn of_sixteen_requests_at_once_one_is_done(fresh: &Fresh) -> Verdict {
    let another = fresh.another().await?;
    assert_one_is_done(fresh, 1, &[&fresh.store; 16]).await?;
    assert_one_is_done(fresh, 2, &[&fresh.store, &another].repeat(8)).await
}

/// The same request, once by each of `handles` at once, in a workspace of its own.
async fn assert_one_is_done(fresh: &Fresh, round: u64, handles: &[&Arc<dyn Storage>]) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, round).await?;
    let key = idempotency_key(seed::id(1), &format!("round {round}"));
    let requests = (1..).zip(handles).map(|(number, store)| {
        let change = creation(&seed::client_token(&workspace, u64::from(number)));
        (Arc::clone(store), answering(change, &key, answer(number, at(1_000))))
    });
    let outcomes = steps::all_at_once_each(requests.collect()).await;
    let stored = everything(&*fresh.store, &workspace).await?;
    assert_eq!((stored.client_tokens.total, stored.events.total), (Some(1), Some(1)));
    let winner = u8::try_from(number(stored.client_tokens.items[0].id)).expect("small");
    for (number, outcome) in (1..).zip(outcomes) {
        match outcome? {
            Outcome::Applied { .. } => assert_eq!(number, winner),
            other => {
                assert_ne!(number, winner);
                assert_eq!(other, Outcome::AlreadyAnswered(answer(winner, at(1_000))));
            }
        }
    }
    Ok(())
}

/// Which of answers 1 to 6 the store still has; expired ones too, as long as they aren't removed.
async fn kept(store: &dyn Storage) -> Result<Vec<u8>, StorageError> {
    let mut kept = Vec::new();
    for number in 1..=6 {
        let key = idempotency_key(seed::id(1), &number.to_string());
        if store.idempotent_answer(&key, at(0)).await?.is_some() {
            kept.push(number);
        }
    }
    Ok(kept)
}

pub async fn forgetting_removes_expired_answers_only_and_at_most_the_limit(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    // 1 to 4 expire by at(100), the fourth exactly then; 5 and 6 later.
    let expiries = [at(50), at(60), at(70), at(100), micros_after(100, 1), at(200)];
    for (number, expires_at) in (1..).zip(expiries) {
        let key = idempotency_key(seed::id(1), &number.to_string());
        let change = creation(&seed::client_token(&workspace, u64::from(number)));
        applied(store, answering(change, &key, answer(number, expires_at))).await?;
    }
    let forget = |now, limit| Change::silent(Write::ForgetIdempotentAnswers { now, limit });
    let before = everything(store, &workspace).await?;
    applied(store, forget(at(10), 10)).await?;
    assert_eq!(kept(store).await?.len(), 6, "none has expired yet");
    for left in [5, 4] {
        applied(store, forget(at(100), 1)).await?;
        let kept = kept(store).await?;
        assert_eq!(kept.len(), left);
        assert!(kept.ends_with(&[5, 6]), "{kept:?}");
    }
    applied(store, forget(at(100), 10)).await?;
    assert_eq!(kept(store).await?, [5, 6]);
    applied(store, forget(micros_after(100, 1), 10)).await?;
    assert_eq!(kept(store).await?, [6]);
    assert_eq!(
        everything(store, &workspace).await?,
        before,
        "nothing else is removed, and no place is taken"
    );
    Ok(())
}

pub async fn an_answer_may_come_with_any_kind_of_write(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let token = seed::client_token(&workspace, 1);
    let key: ApiKey = seed::api_key(&workspace, 2);
    let next = ApiKey {
        version: 2,
        ..key.clone()
    };
    let changes = [
        creation(&token),
        revocation(&token, 10),
        key_creation(&key),
        seed::key_update(&key, &next, 11),
    ];
    for (number, change) in (1..).zip(changes) {
        let name = idempotency_key(seed::id(1), &number.to_string());
        applied(store, answering(change, &name, answer(number, at(1_000)))).await?;
        assert_eq!(
            store.idempotent_answer(&name, at(20)).await?,
            Some(answer(number, at(1_000)))
        );
    }
    Ok(())
}
