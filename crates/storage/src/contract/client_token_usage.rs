//! Usage of client tokens, as several nodes tell it.

use std::collections::HashMap;
use std::sync::Arc;

use tollgate_domain::client_token::ClientToken;
use tollgate_domain::usage::{Hour, MOST_ORIGINS_A_DAY, Usage, UsageCounts, UsageDelta};

use super::seed::{self, Dice, at, creation};
use super::steps::{self, all_at_once_each, applied, everything};
use super::{Fresh, Verdict};
use crate::{Change, Outcome, Storage, StorageError, Write};

/// The first hour of a UTC day.
const MIDNIGHT: u32 = 20_000 * 24;

fn delta(token: &ClientToken, hour: u32, counts: UsageCounts) -> UsageDelta {
    UsageDelta {
        workspace: token.workspace,
        id: token.id,
        hour: Hour(hour),
        counts,
        last_used_at: None,
        origins: Vec::new(),
    }
}

const fn counts(allowed: u64, refused: u64, reported: [u64; 5]) -> UsageCounts {
    UsageCounts {
        allowed,
        refused,
        reported,
    }
}

fn used(token: &ClientToken, seconds: u64) -> UsageDelta {
    UsageDelta {
        last_used_at: Some(at(seconds)),
        ..delta(token, MIDNIGHT, UsageCounts::default())
    }
}

fn from(token: &ClientToken, hour: u32, origins: &[(&str, u64)]) -> UsageDelta {
    UsageDelta {
        origins: origins
            .iter()
            .map(|(origin, uses)| ((*origin).to_owned(), *uses))
            .collect(),
        ..delta(token, hour, UsageCounts::default())
    }
}

fn record(deltas: Vec<UsageDelta>) -> Change {
    Change::silent(Write::RecordUsage(deltas))
}

async fn usage(store: &dyn Storage, token: &ClientToken) -> Result<Usage, StorageError> {
    store.client_token_usage(token.workspace, token.id, Hour(0)).await
}

/// Workspace 1 with these tokens.
async fn tokens<const COUNT: usize>(store: &dyn Storage) -> Result<[ClientToken; COUNT], StorageError> {
    let workspace = steps::workspace(store, 1).await?;
    let tokens = std::array::from_fn(|number| seed::client_token(&workspace, u64::try_from(number).expect("few") + 1));
    for token in &tokens {
        applied(store, creation(token)).await?;
    }
    Ok(tokens)
}

pub async fn usage_is_added_up_over_handles(fresh: &Fresh) -> Verdict {
    let (store, another) = (&*fresh.store, fresh.another().await?);
    let [token, other] = tokens(store).await?;
    assert_eq!(usage(store, &token).await?, Usage::default());

    let first = UsageDelta {
        last_used_at: Some(at(50)),
        origins: vec![("https://a.example".to_owned(), 3), ("https://b.example".to_owned(), 5)],
        ..delta(&token, MIDNIGHT, counts(8, 2, [1, 2, 3, 4, 5]))
    };
    let twice_in_one = delta(&token, MIDNIGHT, counts(1, 0, [0, 0, 0, 0, 1]));
    let elsewhere = delta(&other, MIDNIGHT, counts(100, 0, [0; 5]));
    applied(store, record(vec![first, twice_in_one, elsewhere])).await?;
    let second = UsageDelta {
        last_used_at: Some(at(60)),
        origins: vec![("https://a.example".to_owned(), 3), ("https://c.example".to_owned(), 1)],
        ..delta(&token, MIDNIGHT, counts(4, 1, [10, 0, 0, 0, 0]))
    };
    let later = delta(&token, MIDNIGHT + 1, counts(0, 7, [0; 5]));
    applied(&*another, record(vec![later, second])).await?;

    let expected = Usage {
        last_used_at: Some(at(60)),
        hours: vec![
            (Hour(MIDNIGHT), counts(13, 3, [11, 2, 3, 4, 6])),
            (Hour(MIDNIGHT + 1), counts(0, 7, [0; 5])),
        ],
        origins: vec![
            ("https://a.example".to_owned(), 6),
            ("https://b.example".to_owned(), 5),
            ("https://c.example".to_owned(), 1),
        ],
    };
    assert_eq!(usage(store, &token).await?, expected);
    assert_eq!(usage(&*another, &token).await?, expected);
    assert_eq!(
        usage(store, &other).await?.hours,
        [(Hour(MIDNIGHT), counts(100, 0, [0; 5]))]
    );
    Ok(())
}

pub async fn usage_recorded_at_once_on_two_handles_loses_nothing(fresh: &Fresh) -> Verdict {
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let tokens = tokens::<5>(&*fresh.store).await?;
    let dice = Dice::new(7);
    let changes: Vec<_> = (0..40)
        .map(|number| {
            let deltas = tokens.iter().map(|token| UsageDelta {
                last_used_at: Some(at(number)),
                origins: (0..10)
                    .map(|_| (format!("https://{}.example", dice.roll(30)), 1))
                    .collect(),
                ..delta(token, MIDNIGHT, counts(1, 2, [0, 0, 3, 0, 0]))
            });
            let store = &stores[usize::try_from(number % 2).expect("0 or 1")];
            (Arc::clone(store), record(dice.shuffled(deltas.collect())))
        })
        .collect();
    for outcome in all_at_once_each(changes).await {
        assert!(matches!(outcome?, Outcome::Applied { .. }));
    }
    for token in &tokens {
        let usage = usage(&*fresh.store, token).await?;
        assert_eq!(usage.hours, [(Hour(MIDNIGHT), counts(40, 80, [0, 0, 120, 0, 0]))]);
        assert_eq!(usage.last_used_at, Some(at(39)));
        assert_eq!(usage.origins.len(), MOST_ORIGINS_A_DAY);
    }
    Ok(())
}

pub async fn the_last_use_moves_forward_only(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [token] = tokens(store).await?;
    for (told, kept) in [(100, 100), (99, 100), (101, 101), (101, 101), (5, 101)] {
        applied(store, record(vec![used(&token, told)])).await?;
        assert_eq!(usage(store, &token).await?.last_used_at, Some(at(kept)));
    }
    applied(store, record(vec![used(&token, 300), used(&token, 200)])).await?;
    assert_eq!(usage(store, &token).await?.last_used_at, Some(at(300)));
    let refused = delta(&token, MIDNIGHT, counts(0, 1, [0; 5]));
    applied(store, record(vec![refused])).await?;
    assert_eq!(usage(store, &token).await?.last_used_at, Some(at(300)));
    Ok(())
}

pub async fn the_most_frequent_origins_of_each_day_are_kept(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [token, other] = tokens(store).await?;
    let names: Vec<String> = (10..40).map(|number| format!("https://{number}.example")).collect();
    let each: Vec<(&str, u64)> = names.iter().map(String::as_str).zip((1..=30).rev()).collect();
    applied(
        store,
        record(vec![from(&token, MIDNIGHT, &each), from(&other, MIDNIGHT, &each[25..])]),
    )
    .await?;
    let kept = usage(store, &token).await?.origins;
    let told: Vec<(&str, u64)> = kept.iter().map(|(origin, uses)| (origin.as_str(), *uses)).collect();
    assert_eq!(told, each[..MOST_ORIGINS_A_DAY]);
    assert_eq!(usage(store, &other).await?.origins.len(), 5, "another token's stay");

    // Among equals the first by name: 29 has 11 uses, as the new one has.
    applied(
        store,
        record(vec![from(&token, MIDNIGHT + 23, &[("https://0.example", 11)])]),
    )
    .await?;
    let kept = usage(store, &token).await?.origins;
    assert_eq!(kept.len(), MOST_ORIGINS_A_DAY);
    assert_eq!(kept.last(), Some(&("https://0.example".to_owned(), 11)));

    // The next day begins anew, and both are told together.
    applied(
        store,
        record(vec![from(&token, MIDNIGHT + 24, &[("https://39.example", 50)])]),
    )
    .await?;
    let both = usage(store, &token).await?.origins;
    assert_eq!(both.len(), MOST_ORIGINS_A_DAY);
    assert_eq!(both[0], ("https://39.example".to_owned(), 50));
    let second = store
        .client_token_usage(token.workspace, token.id, Hour(MIDNIGHT + 30))
        .await?;
    assert_eq!(second.origins, [("https://39.example".to_owned(), 50)]);
    Ok(())
}

pub async fn usage_of_an_unknown_token_is_passed_over(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [token] = tokens(store).await?;
    let theirs = ClientToken {
        workspace: steps::workspace(store, 2).await?.id,
        ..token.clone()
    };
    let of = |token: &ClientToken| UsageDelta {
        last_used_at: Some(at(1)),
        origins: vec![("https://a.example".to_owned(), 1)],
        ..delta(token, MIDNIGHT, counts(1, 0, [0; 5]))
    };
    applied(store, record(vec![of(&theirs), of(&token)])).await?;
    assert_eq!(usage(store, &theirs).await?, Usage::default());
    assert_eq!(usage(store, &token).await?.hours.len(), 1);
    applied(store, record(vec![of(&theirs)])).await?;
    applied(store, record(Vec::new())).await?;
    Ok(())
}

pub async fn usage_is_read_from_an_hour_on(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [token] = tokens(store).await?;
    let hours = (0..30).map(|hour| delta(&token, MIDNIGHT + hour, counts(u64::from(hour) + 1, 0, [0; 5])));
    applied(store, record(hours.collect())).await?;
    let read = store
        .client_token_usage(token.workspace, token.id, Hour(MIDNIGHT + 27))
        .await?;
    let expected = [27, 28, 29].map(|hour| (Hour(MIDNIGHT + hour), counts(u64::from(hour) + 1, 0, [0; 5])));
    assert_eq!(read.hours, expected);
    Ok(())
}

pub async fn last_uses_of_many_tokens_come_at_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [first, second, unused] = tokens(store).await?;
    applied(store, record(vec![used(&first, 10), used(&second, 20)])).await?;
    let workspace = first.workspace;
    let ids = [unused.id, second.id, first.id, seed::id(999)];
    let expected = HashMap::from([(first.id, at(10)), (second.id, at(20))]);
    assert_eq!(store.client_token_last_uses(workspace, &ids).await?, expected);
    assert_eq!(store.client_token_last_uses(workspace, &[]).await?, HashMap::new());
    assert_eq!(store.client_token_last_uses(seed::id(2), &ids).await?, HashMap::new());
    Ok(())
}

pub async fn usages_of_many_tokens_come_at_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [first, second, unused, refused] = tokens(store).await?;
    let told = [
        delta(&first, MIDNIGHT + 2, counts(30, 1, [0; 5])),
        delta(&first, MIDNIGHT + 1, counts(20, 0, [0; 5])),
        delta(&first, MIDNIGHT, counts(10, 0, [0; 5])),
        delta(&second, MIDNIGHT + 1, counts(0, 5, [0; 5])),
        delta(&second, MIDNIGHT + 5, counts(7, 0, [7, 0, 0, 0, 0])),
        delta(&refused, MIDNIGHT + 5, counts(0, 9, [0; 5])),
    ];
    applied(store, record(told.into())).await?;
    let workspace = first.workspace;
    let ids = [unused.id, refused.id, second.id, first.id, seed::id(999)];
    let since = Hour(MIDNIGHT + 1);
    let expected = HashMap::from([
        (first.id, vec![(since, 20), (Hour(MIDNIGHT + 2), 30)]),
        (second.id, vec![(Hour(MIDNIGHT + 5), 7)]),
    ]);
    assert_eq!(store.client_token_usages(workspace, &ids, since).await?, expected);
    assert_eq!(store.client_token_usages(workspace, &[], since).await?, HashMap::new());
    assert_eq!(
        store.client_token_usages(seed::id(2), &ids, since).await?,
        HashMap::new()
    );
    Ok(())
}

pub async fn pruning_removes_old_usage_and_at_most_the_limit(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [token] = tokens(store).await?;
    for hour in 0..5 {
        let now = UsageDelta {
            last_used_at: Some(at(1)),
            counts: counts(1, 0, [0; 5]),
            ..from(
                &token,
                MIDNIGHT + 24 * hour,
                &[("https://a.example", 1), ("https://b.example", 1)],
            )
        };
        applied(store, record(vec![now])).await?;
    }
    let prune = |hour, limit| {
        Change::silent(Write::PruneUsage {
            before: Hour(MIDNIGHT + hour),
            limit,
        })
    };
    let left = async |store: &dyn Storage| {
        let usage = usage(store, &token).await?;
        let uses: u64 = usage.origins.iter().map(|(_, uses)| uses).sum();
        Ok::<_, StorageError>((usage.hours.len(), uses))
    };
    applied(store, prune(0, 100)).await?;
    assert_eq!(left(store).await?, (5, 10));
    applied(store, prune(24 * 3, 2)).await?;
    assert_eq!(left(store).await?, (3, 8), "at most the limit of each");
    applied(store, prune(24 * 3, 2)).await?;
    assert_eq!(left(store).await?, (2, 6));
    applied(store, prune(24 * 3 + 5, 100)).await?;
    assert_eq!(left(store).await?, (1, 4), "origins stay until their day is over");
    applied(store, prune(24 * 9, 100)).await?;
    assert_eq!(left(store).await?, (0, 0));
    assert_eq!(
        usage(store, &token).await?.last_used_at,
        Some(at(1)),
        "the last use stays"
    );
    Ok(())
}

pub async fn usage_emits_nothing_and_leaves_the_token(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let [token] = tokens(store).await?;
    let workspace = seed::workspace(1);
    let before = everything(store, &workspace).await?;
    let place = applied(store, record(vec![used(&token, 10)])).await?;
    assert_eq!(place, before.sequence);
    assert_eq!(everything(store, &workspace).await?, before);
    Ok(())
}
