//! API keys.

use std::sync::Arc;

use tollgate_domain::api_key::{ApiKey, ApiKeyStatus, SecretDigest};
use tollgate_domain::environment::Environment;
use tollgate_domain::id::ApiKeyId;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;

use super::seed::{self, Dice, api_key, at, key_creation, key_update, micros_after};
use super::steps::{self, applied, assert_only, assert_walks, everything};
use super::{Fresh, Verdict};
use crate::{Change, Order, Outcome, Page, Slice, Storage, StorageError, Write};

pub async fn a_new_key_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    assert_eq!(store.api_key(seed::id(1)).await?, None);
    let (first, second) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    assert_ne!(first.environment, second.environment);
    let plain = api_key(&first, 1);
    let full = ApiKey {
        name: "\u{1f511} 'é' e\u{301} ".repeat(15),
        description: Some("one\r\n\ttwo 🔑".to_owned()),
        digest: SecretDigest(std::array::from_fn(|place| if place % 2 == 0 { 0 } else { 0xff })),
        status: ApiKeyStatus::Revoked,
        expires_at: Some(at(100)),
        expiring_announced_at: Some(at(101)),
        last_used_at: Some(at(102)),
        updated_at: at(103),
        version: 7,
        ..api_key(&second, 2)
    };
    let expired = ApiKey {
        status: ApiKeyStatus::Expired,
        expires_at: Timestamp::from_micros(0),
        environment: Environment::Live,
        ..api_key(&second, 3)
    };
    for key in [plain, full, expired] {
        applied(store, key_creation(&key)).await?;
        assert_eq!(store.api_key(key.id).await?, Some(key));
    }
    Ok(())
}

pub async fn every_set_of_permissions_comes_back(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let dice = Dice::new(36);
    let mut sets = vec![PermissionSet::NONE, PermissionSet::all()];
    sets.extend(Permission::all().map(|one| PermissionSet::from_iter([one])));
    sets.extend((0..30).map(|_| {
        Permission::all()
            .filter(|_| dice.roll(2) == 0)
            .collect::<PermissionSet>()
    }));
    let keys: Vec<ApiKey> = (1..)
        .zip(sets)
        .map(|(number, permissions)| ApiKey {
            permissions,
            ..api_key(&workspace, number)
        })
        .collect();
    steps::all_applied(&fresh.store, keys.iter().map(key_creation).collect()).await?;
    for key in keys {
        assert_eq!(fresh.store.api_key(key.id).await?, Some(key));
    }
    Ok(())
}

/// The version after `key`, with everything changed that may change.
fn changed(key: &ApiKey, seconds: u64) -> ApiKey {
    ApiKey {
        name: format!("{}, changed", key.name),
        description: Some("Changed".to_owned()),
        status: ApiKeyStatus::Revoked,
        permissions: PermissionSet::from_iter([Permission::CLIENT_TOKEN_WRITE]),
        expires_at: Some(at(seconds + 1)),
        expiring_announced_at: Some(at(seconds + 2)),
        updated_at: at(seconds),
        version: key.version + 1,
        ..key.clone()
    }
}

pub async fn an_update_is_there_at_once_and_leaves_the_last_use(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let (key, neighbour) = (api_key(&workspace, 1), api_key(&workspace, 2));
    for key in [&key, &neighbour] {
        applied(store, key_creation(key)).await?;
    }
    applied(store, touch(key.id, at(50))).await?;
    // Whoever updates has seen the key before its use, or claims another one: neither counts.
    let to = ApiKey {
        last_used_at: Some(at(9_999)),
        ..changed(&key, 100)
    };
    applied(store, key_update(&key, &to, 100)).await?;
    let used = ApiKey {
        last_used_at: Some(at(50)),
        ..to
    };
    assert_eq!(store.api_key(key.id).await?.as_ref(), Some(&used));
    let back = ApiKey {
        description: None,
        expires_at: None,
        expiring_announced_at: None,
        last_used_at: None,
        version: 3,
        ..used.clone()
    };
    applied(store, key_update(&used, &back, 101)).await?;
    let expected = ApiKey {
        last_used_at: Some(at(50)),
        ..back
    };
    assert_eq!(store.api_key(key.id).await?, Some(expected));
    assert_eq!(store.api_key(neighbour.id).await?, Some(neighbour));
    Ok(())
}

pub async fn a_stale_update_of_a_key_writes_nothing_and_is_told(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let key = api_key(&workspace, 1);
    applied(store, key_creation(&key)).await?;
    let second = changed(&key, 10);
    applied(store, key_update(&key, &second, 10)).await?;
    let before = everything(store, &workspace).await?;
    let later = ApiKey { version: 3, ..second };
    for (number, from) in (100..).zip([key, later, api_key(&workspace, 2)]) {
        let outcome = store.commit(key_update(&from, &changed(&from, number), number)).await?;
        assert_eq!(outcome, Outcome::Stale);
        assert_eq!(everything(store, &workspace).await?, before);
    }
    Ok(())
}

pub async fn two_handles_racing_to_change_a_key_make_one_change(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let another = fresh.another().await?;
    for number in 1..=10 {
        let key = api_key(&workspace, number);
        applied(&*fresh.store, key_creation(&key)).await?;
        let racers = [(&fresh.store, 1_000 + number), (&another, 2_000 + number)]
            .map(|(store, event)| (Arc::clone(store), key_update(&key, &changed(&key, event), event)));
        let outcomes = steps::all_at_once_each(racers.into()).await;
        let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert_eq!(
            outcomes.iter().filter(|outcome| **outcome == Outcome::Stale).count(),
            1,
            "{outcomes:?}"
        );
    }
    let stored = everything(&*fresh.store, &workspace).await?;
    assert_eq!(stored.events.items.len(), 20);
    assert!(stored.api_keys.items.iter().all(|key| key.version == 2));
    Ok(())
}

fn touch(id: ApiKeyId, used_at: Timestamp) -> Change {
    Change::silent(Write::TouchApiKey { id, used_at })
}

pub async fn a_use_moves_the_last_use_forward_and_nothing_else(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let (key, neighbour) = (api_key(&workspace, 1), api_key(&workspace, 2));
    for key in [&key, &neighbour] {
        applied(store, key_creation(key)).await?;
    }
    for (used_at, expected) in [
        (at(10), at(10)),
        (at(5), at(10)),
        (micros_after(10, 1), micros_after(10, 1)),
        (at(10), micros_after(10, 1)),
        (at(20), at(20)),
    ] {
        assert_eq!(applied(store, touch(key.id, used_at)).await?, 2, "no event of its own");
        let used = ApiKey {
            last_used_at: Some(expected),
            ..key.clone()
        };
        assert_eq!(store.api_key(key.id).await?, Some(used));
    }
    assert_eq!(store.api_key(neighbour.id).await?.as_ref(), Some(&neighbour));
    let before = everything(store, &workspace).await?;
    applied(store, touch(seed::id(99), at(30))).await?;
    assert_eq!(
        everything(store, &workspace).await?,
        before,
        "an unknown key is passed over"
    );
    // A use doesn't count as a change: who saw the key before may still change it.
    applied(store, key_update(&key, &changed(&key, 40), 40)).await?;
    Ok(())
}

pub async fn uses_at_once_leave_the_latest(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let another = fresh.another().await?;
    let key = api_key(&workspace, 1);
    applied(&*fresh.store, key_creation(&key)).await?;
    let touches = Dice::new(5).shuffled((1..=40).collect()).into_iter();
    let touches = touches
        .map(|seconds| {
            let store = if seconds % 2 == 0 { &fresh.store } else { &another };
            (Arc::clone(store), touch(key.id, at(seconds)))
        })
        .collect();
    for outcome in steps::all_at_once_each(touches).await {
        outcome?;
    }
    let stored = fresh.store.api_key(key.id).await?.expect("stored");
    assert_eq!(stored.last_used_at, Some(at(40)));
    Ok(())
}

/// The numbers of the keys due at `at(1_000)`, announcing what ends by `at(2_000)`.
async fn due(store: &dyn Storage, limit: usize) -> Result<Vec<u64>, StorageError> {
    let due = store.api_keys_due(at(1_000), at(2_000), limit).await?;
    Ok(due.iter().map(|key| seed::number(key.id)).collect())
}

pub async fn keys_are_due_when_expired_or_to_be_announced_soonest_first(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    assert!(due(store, 10).await?.is_empty());
    let (first, second) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let expiring = |workspace: &Workspace, number, expires_at| ApiKey {
        expires_at: Some(expires_at),
        ..api_key(workspace, number)
    };
    let announced = |key| ApiKey {
        expiring_announced_at: Some(at(900)),
        ..key
    };
    let ended = |status, key| ApiKey { status, ..key };
    let keys = [
        expiring(&first, 1, at(2_000)),                                // ends right at the bound
        expiring(&second, 2, at(500)),                                 // expired, never announced
        announced(expiring(&first, 3, at(600))),                       // expired, announced
        announced(expiring(&first, 4, at(1_000))),                     // expired just now
        announced(expiring(&first, 5, micros_after(1_000, 1))),        // not yet expired, announced: not due
        expiring(&second, 6, micros_after(1_000, 1)),                  // not yet expired, to be announced
        expiring(&first, 7, micros_after(2_000, 1)),                   // past the bound: not due
        ended(ApiKeyStatus::Revoked, expiring(&first, 8, at(400))),    // not due
        ended(ApiKeyStatus::Expired, expiring(&first, 9, at(400))),    // not due
        ended(ApiKeyStatus::Revoked, expiring(&first, 10, at(1_500))), // not due
        api_key(&first, 11),                                           // never expires
    ];
    steps::all_applied(&fresh.store, keys.iter().map(key_creation).collect()).await?;
    let soonest_first = [2, 3, 4, 6, 1];
    for limit in [1, 2, 3, 4, 5, 10] {
        assert_eq!(
            due(store, limit).await?,
            soonest_first[..limit.min(5)],
            "at most {limit}"
        );
    }
    assert_eq!(store.api_keys_due(at(1_000), at(2_000), 1).await?, [keys[1].clone()]);

    // What was announced is due no more until it expires, and what has expired never again.
    applied(
        store,
        key_update(
            &keys[0],
            &announced(ApiKey {
                version: 2,
                ..keys[0].clone()
            }),
            100,
        ),
    )
    .await?;
    let expired = ended(
        ApiKeyStatus::Expired,
        ApiKey {
            version: 2,
            ..keys[1].clone()
        },
    );
    applied(store, key_update(&keys[1], &expired, 101)).await?;
    assert_eq!(due(store, 10).await?, [3, 4, 6]);
    assert_eq!(due(&*fresh.another().await?, 10).await?, [3, 4, 6]);
    Ok(())
}

pub async fn pages_of_keys_hold_every_status_of_one_workspace(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let mut expected = Vec::new();
    let mut changes = Vec::new();
    for number in 1..=30 {
        let status = ApiKeyStatus::ALL[usize::try_from(number % 3).expect("below 3")];
        let key = ApiKey {
            status,
            ..api_key(&ours, number * 2)
        };
        expected.push(key.id);
        changes.push(key_creation(&key));
        changes.push(key_creation(&api_key(&theirs, number * 2 + 1)));
    }
    steps::all_applied(&fresh.store, Dice::new(30).shuffled(changes)).await?;
    let id_of = |key: &ApiKey| key.id;
    let fetch = async |page: Page<_>| steps::api_keys(store, ours.id, None, page).await;
    assert_walks(&expected, &[1, 7, 29, 30, 31], id_of, fetch).await?;
    assert_walks(&[], &[1, 7], id_of, async |page: Page<_>| {
        steps::api_keys(store, seed::id(3), None, page).await
    })
    .await?;

    for (order, numbers) in [(Order::Ascending, [32, 34]), (Order::Descending, [30, 28])] {
        let page = Page {
            after: Some(seed::id(31)), // theirs
            order,
            limit: 2,
            count: false,
        };
        let slice = steps::api_keys(store, ours.id, None, page).await?;
        assert_eq!(
            slice.items.iter().map(|key| seed::number(key.id)).collect::<Vec<_>>(),
            numbers
        );
        assert_eq!((slice.has_more, slice.total), (true, None));
        assert_only(&ours, slice.items.iter().map(|key| key.workspace));
    }
    Ok(())
}

pub async fn pages_of_keys_with_one_status_hold_only_these(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let mut changes = Vec::new();
    for number in 1..=12 {
        let status = ApiKeyStatus::ALL[usize::try_from(number % 3).expect("below 3")];
        for (workspace, number) in [(&ours, number * 2), (&theirs, number * 2 + 1)] {
            let key = api_key(workspace, number);
            changes.push(key_creation(&ApiKey { status, ..key }));
        }
    }
    steps::all_applied(&fresh.store, Dice::new(30).shuffled(changes)).await?;
    for (status, numbers) in [
        (ApiKeyStatus::Active, [6, 12, 18, 24]),
        (ApiKeyStatus::Expired, [2, 8, 14, 20]),
        (ApiKeyStatus::Revoked, [4, 10, 16, 22]),
    ] {
        let expected = numbers.map(seed::id);
        let fetch = async |page: Page<_>| {
            let slice = steps::api_keys(store, ours.id, Some(status), page).await?;
            // No counter tells of one status: whoever counts asks for all.
            assert_eq!(slice.total, None);
            Ok(Slice {
                total: page.count.then_some(4),
                ..slice
            })
        };
        assert_walks(&expected, &[1, 3, 4, 5], |key: &ApiKey| key.id, fetch).await?;
    }
    Ok(())
}
