//! Pages of client tokens: order, cursor, filter, total.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::workspace::Workspace;

use super::seed::{self, Dice, creation, revocation, revoked};
use super::steps::{self, applied, assert_only, assert_walks, client_tokens, total, whole};
use super::{Fresh, Verdict};
use crate::{Order, Page, StorageError};

const ACTIVE: &[ClientTokenStatus] = &[ClientTokenStatus::Active];
const REVOKED: &[ClientTokenStatus] = &[ClientTokenStatus::Revoked];
const BOTH: &[ClientTokenStatus] = &ClientTokenStatus::ALL;

/// A workspace with tokens 10, 20, 30, 40 and 50, of which 20 and 50 are revoked; another one has the tokens between.
async fn five_tokens(fresh: &Fresh) -> Result<Workspace, StorageError> {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let mut changes = Vec::new();
    for number in [40, 10, 50, 30, 20] {
        changes.push(creation(&seed::client_token(&ours, number)));
        changes.push(creation(&seed::client_token(&theirs, number + 1)));
    }
    steps::all_applied(&fresh.store, changes).await?;
    for number in [20, 50] {
        applied(store, revocation(&seed::client_token(&ours, number), 100 + number)).await?;
    }
    Ok(ours)
}

fn numbers(tokens: &[ClientToken]) -> Vec<u64> {
    tokens.iter().map(|token| seed::number(token.id)).collect()
}

/// The numbers of a page after `after`, and whether more follow.
async fn page(
    fresh: &Fresh,
    workspace: &Workspace,
    statuses: &[ClientTokenStatus],
    (after, order, limit): (Option<ClientTokenId>, Order, usize),
) -> Result<(Vec<u64>, bool), StorageError> {
    let page = Page {
        after,
        order,
        limit,
        count: false,
    };
    let slice = client_tokens(&*fresh.store, workspace, statuses, page).await?;
    assert_eq!(slice.total, None, "not asked for");
    assert_only(workspace, slice.items.iter().map(|token| token.workspace));
    Ok((numbers(&slice.items), slice.has_more))
}

pub async fn pages_run_both_ways_and_end_exactly_at_the_limit(fresh: &Fresh) -> Verdict {
    let workspace = five_tokens(fresh).await?;
    let (up, down) = (Order::Ascending, Order::Descending);
    let after = |number| Some(seed::id(number));
    for (cursor, expected) in [
        ((None, up, 5), (vec![10, 20, 30, 40, 50], false)),
        ((None, up, 6), (vec![10, 20, 30, 40, 50], false)),
        ((None, up, 4), (vec![10, 20, 30, 40], true)),
        ((None, down, 5), (vec![50, 40, 30, 20, 10], false)),
        ((None, down, 1), (vec![50], true)),
        ((after(20), up, 3), (vec![30, 40, 50], false)),
        ((after(20), up, 2), (vec![30, 40], true)),
        ((after(20), down, 9), (vec![10], false)),
        ((after(50), up, 9), (vec![], false)),
        ((after(10), down, 9), (vec![], false)),
    ] {
        assert_eq!(page(fresh, &workspace, &[], cursor).await?, expected, "{cursor:?}");
    }
    Ok(())
}

pub async fn a_cursor_need_not_exist(fresh: &Fresh) -> Verdict {
    let workspace = five_tokens(fresh).await?;
    let (up, down) = (Order::Ascending, Order::Descending);
    let between = Some(seed::id(25));
    let theirs = Some(seed::id(21));
    let first_of_all = ClientTokenId::from_tail(&"0".repeat(26));
    let last_of_all = ClientTokenId::from_tail(&"z".repeat(26));
    for (cursor, expected) in [
        ((between, up, 2), (vec![30, 40], true)),
        ((between, down, 2), (vec![20, 10], false)),
        ((theirs, up, 9), (vec![30, 40, 50], false)),
        ((theirs, down, 9), (vec![20, 10], false)),
        ((first_of_all, up, 9), (vec![10, 20, 30, 40, 50], false)),
        ((first_of_all, down, 9), (vec![], false)),
        ((last_of_all, up, 9), (vec![], false)),
        ((last_of_all, down, 9), (vec![50, 40, 30, 20, 10], false)),
    ] {
        assert_eq!(page(fresh, &workspace, &[], cursor).await?, expected, "{cursor:?}");
    }
    Ok(())
}

pub async fn a_page_holds_only_the_statuses_asked_for(fresh: &Fresh) -> Verdict {
    let workspace = five_tokens(fresh).await?;
    let (up, down) = (Order::Ascending, Order::Descending);
    let after = |number| Some(seed::id(number));
    let twice = [ACTIVE, ACTIVE].concat();
    for (statuses, cursor, expected) in [
        (ACTIVE, (None, up, 9), (vec![10, 30, 40], false)),
        (ACTIVE, (None, up, 3), (vec![10, 30, 40], false)),
        (ACTIVE, (None, up, 2), (vec![10, 30], true)),
        (ACTIVE, (after(20), up, 9), (vec![30, 40], false)),
        (ACTIVE, (after(40), down, 9), (vec![30, 10], false)),
        (REVOKED, (None, up, 9), (vec![20, 50], false)),
        (REVOKED, (None, down, 1), (vec![50], true)),
        (REVOKED, (after(30), up, 9), (vec![50], false)),
        (BOTH, (None, down, 9), (vec![50, 40, 30, 20, 10], false)),
        (BOTH, (after(30), down, 1), (vec![20], true)),
        (&[], (None, up, 9), (vec![10, 20, 30, 40, 50], false)),
        (&twice, (None, up, 9), (vec![10, 30, 40], false)),
    ] {
        let found = page(fresh, &workspace, statuses, cursor).await?;
        assert_eq!(found, expected, "{statuses:?} {cursor:?}");
    }
    Ok(())
}

pub async fn an_empty_workspace_has_an_empty_page(fresh: &Fresh) -> Verdict {
    five_tokens(fresh).await?;
    let empty = steps::workspace(&*fresh.store, 3).await?;
    for workspace in [empty, seed::workspace(4)] {
        for statuses in [&[], ACTIVE, BOTH] {
            for order in [Order::Ascending, Order::Descending] {
                let slice = client_tokens(&*fresh.store, &workspace, statuses, whole(order)).await?;
                assert_eq!((slice.items, slice.has_more, slice.total), (vec![], false, Some(0)));
            }
        }
    }
    Ok(())
}

pub async fn totals_follow_the_filter_and_not_the_cursor(fresh: &Fresh) -> Verdict {
    let workspace = five_tokens(fresh).await?;
    let twice = [REVOKED, REVOKED].concat();
    for (statuses, expected) in [(ACTIVE, 3), (REVOKED, 2), (BOTH, 5), (&[], 5), (&twice, 2)] {
        for (after, limit) in [(None, 1), (None, 9), (Some(seed::id(30)), 9), (Some(seed::id(50)), 9)] {
            for order in [Order::Ascending, Order::Descending] {
                let page = Page {
                    after,
                    order,
                    limit,
                    count: true,
                };
                let slice = client_tokens(&*fresh.store, &workspace, statuses, page).await?;
                assert_eq!(slice.total, Some(expected), "{statuses:?}, after {after:?}");
            }
        }
    }
    Ok(())
}

pub async fn totals_follow_revocations_at_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let another = fresh.another().await?;
    for number in 1..=4 {
        applied(store, creation(&seed::client_token(&workspace, number))).await?;
    }
    for number in 0..=4 {
        if let 1.. = number {
            applied(store, revocation(&seed::client_token(&workspace, number), 10 + number)).await?;
        }
        for store in [store, &*another] {
            for (statuses, expected) in [(ACTIVE, 4 - number), (REVOKED, number), (&[], 4)] {
                let slice = client_tokens(store, &workspace, statuses, whole(Order::Ascending)).await?;
                assert_eq!(slice.total, Some(expected), "{statuses:?} after {number} revocations");
            }
        }
    }
    Ok(())
}

pub async fn walks_over_300_random_tokens_agree_with_a_model(fresh: &Fresh) -> Verdict {
    let (ours, theirs) = (
        steps::workspace(&*fresh.store, 1).await?,
        steps::workspace(&*fresh.store, 2).await?,
    );
    let dice = Dice::new(2_026);
    let (mut model, mut changes, mut revocations) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=300 {
        let token = seed::client_token(&ours, number * 1_000 + dice.roll(1_000));
        changes.push(creation(&token));
        if dice.roll(3) == 0 {
            changes.push(creation(&seed::client_token(&theirs, 1_000_000 + number)));
        }
        if dice.roll(4) == 0 {
            revocations.push(revocation(&token, 2_000_000 + number));
            model.push(revoked(&token, 2_000_000 + number));
        } else {
            model.push(token);
        }
    }
    steps::all_applied(&fresh.store, dice.shuffled(changes)).await?;
    steps::all_applied(&fresh.store, dice.shuffled(revocations)).await?;

    let all = client_tokens(&*fresh.store, &ours, &[], whole(Order::Ascending)).await?;
    assert_eq!((&all.items, all.has_more, all.total), (&model, false, Some(total(300))));
    for statuses in [&[], ACTIVE, REVOKED, BOTH] {
        let expected: Vec<ClientTokenId> = model
            .iter()
            .filter(|token| statuses.is_empty() || statuses.contains(&token.status))
            .map(|token| token.id)
            .collect();
        let limits = [3, 50, 299, 300, 301, expected.len(), expected.len() - 1];
        let fetch = async |page| client_tokens(&*fresh.store, &ours, statuses, page).await;
        assert_walks(&expected, &limits, |token: &ClientToken| token.id, fetch).await?;
    }
    Ok(())
}
