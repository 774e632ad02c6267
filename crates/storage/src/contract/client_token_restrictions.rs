//! What is ours of client tokens: restrictions, scheduled revocation, replacement.

use std::sync::Arc;

use tollgate_domain::client_token::ClientToken;
use tollgate_domain::event::EventType;
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::workspace::Workspace;

use super::seed::{self, about, at, creation, restricted, revoked, update};
use super::steps::{self, all_at_once_each, applied, everything};
use super::{Fresh, Verdict};
use crate::{Change, Outcome, StorageError, Write};

pub async fn restrictions_and_schedules_are_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let mut token = ClientToken {
        restrictions: Some(Box::new(seed::restrictions(1))),
        revoke_at: Some(at(5_000)),
        ..seed::client_token(&workspace, 1)
    };
    applied(store, creation(&token)).await?;
    assert_eq!(store.client_token(workspace.id, token.id).await?.as_ref(), Some(&token));

    let only_scopes = Restrictions {
        scopes: seed::restrictions(2).scopes,
        ..Restrictions::default()
    };
    for (number, (restrictions, revoke_at)) in (10..).zip([
        (Some(seed::restrictions(3)), None),
        (None, Some(at(6_000))),
        (Some(only_scopes), Some(at(7_000))),
        (None, None),
    ]) {
        let next = restricted(&token, restrictions, revoke_at);
        applied(store, update(&token, &next, number)).await?;
        token = next;
        assert_eq!(store.client_token(workspace.id, token.id).await?.as_ref(), Some(&token));
        let page = steps::client_tokens(store, &workspace, &[], steps::whole(crate::Order::Ascending)).await?;
        assert_eq!(page.items, [token.clone()]);
    }
    Ok(())
}

pub async fn of_two_handles_racing_to_restrict_one_wins(fresh: &Fresh) -> Verdict {
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    for round in 1..=10 {
        let token = seed::client_token(&workspace, round);
        applied(&*fresh.store, creation(&token)).await?;
        let wanted = [
            restricted(&token, Some(seed::restrictions(round)), None),
            restricted(&token, None, Some(at(9_000))),
        ];
        let changes = [
            update(&token, &wanted[0], 1_000 + round),
            update(&token, &wanted[1], 2_000 + round),
        ];
        let outcomes = all_at_once_each(stores.iter().cloned().zip(changes).collect()).await;
        let now = fresh.store.client_token(workspace.id, token.id).await?;
        match (outcomes[0].as_ref(), outcomes[1].as_ref()) {
            (Ok(Outcome::Applied { .. }), Ok(Outcome::Stale)) => assert_eq!(now.as_ref(), Some(&wanted[0])),
            (Ok(Outcome::Stale), Ok(Outcome::Applied { .. })) => assert_eq!(now.as_ref(), Some(&wanted[1])),
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

pub async fn tokens_are_to_be_revoked_from_their_time_on_earliest_first(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let scheduled = |workspace: &Workspace, number: u64, seconds: u64| ClientToken {
        revoke_at: Some(at(seconds)),
        ..seed::client_token(workspace, number)
    };
    let (late, early, later) = (
        scheduled(&ours, 1, 200),
        scheduled(&theirs, 2, 100),
        scheduled(&ours, 3, 300),
    );
    let gone = revoked(&scheduled(&ours, 4, 50), 60);
    for token in [&late, &early, &later, &gone, &seed::client_token(&ours, 5)] {
        applied(store, creation(token)).await?;
    }
    let due = async |seconds, limit| {
        let due = store.client_tokens_to_revoke(at(seconds), limit).await?;
        Ok::<_, StorageError>(due.into_iter().map(|token| token.id).collect::<Vec<_>>())
    };
    assert_eq!(due(99, 10).await?, []);
    assert_eq!(due(100, 10).await?, [early.id]);
    assert_eq!(due(250, 10).await?, [early.id, late.id]);
    assert_eq!(due(250, 1).await?, [early.id]);

    applied(store, update(&early, &revoked(&early, 100), 20)).await?;
    applied(store, update(&late, &restricted(&late, None, None), 21)).await?;
    assert_eq!(store.client_tokens_to_revoke(at(999), 10).await?, [later]);
    Ok(())
}

/// Token 1 is to be revoked, and token 2 takes its place.
fn replacement(token: &ClientToken, workspace: &Workspace, successor: u64) -> (ClientToken, ClientToken, Change) {
    let to = restricted(token, token.restrictions.as_deref().cloned(), Some(at(5_000)));
    let successor = ClientToken {
        restrictions: token.restrictions.clone(),
        ..seed::client_token(workspace, successor)
    };
    let number = 1_000 + seed::number(successor.id);
    let change = Change {
        write: Write::ReplaceClientToken {
            from: token.clone(),
            to: to.clone(),
            successor: successor.clone(),
        },
        events: vec![
            about(&successor, number, EventType::ClientTokenCreated),
            about(&to, number + 5_000, EventType::ClientTokenUpdated),
        ],
        idempotency: None,
    };
    (to, successor, change)
}

pub async fn a_replacement_makes_the_new_token_and_changes_the_old_one(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let token = ClientToken {
        restrictions: Some(Box::new(seed::restrictions(1))),
        ..seed::client_token(&workspace, 1)
    };
    let before = applied(store, creation(&token)).await?;
    let (to, successor, change) = replacement(&token, &workspace, 2);
    assert_eq!(applied(store, change).await?, before + 2);
    let all = everything(store, &workspace).await?;
    assert_eq!(all.client_tokens.items, [to, successor]);
    assert_eq!(all.active, Some(2));
    assert_eq!(all.events.items.len(), 3);
    Ok(())
}

pub async fn a_stale_replacement_writes_nothing(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let token = seed::client_token(&workspace, 1);
    applied(store, creation(&token)).await?;
    applied(store, update(&token, &revoked(&token, 10), 10)).await?;
    let before = everything(store, &workspace).await?;
    let (_, _, change) = replacement(&token, &workspace, 2);
    assert_eq!(store.commit(change).await?, Outcome::Stale);
    assert_eq!(everything(store, &workspace).await?, before);
    Ok(())
}

pub async fn a_replacement_with_a_taken_id_writes_nothing(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let (token, other) = (seed::client_token(&workspace, 1), seed::client_token(&workspace, 2));
    for token in [&token, &other] {
        applied(store, creation(token)).await?;
    }
    let before = everything(store, &workspace).await?;
    let (_, _, change) = replacement(&token, &workspace, 2);
    assert!(store.commit(change).await.is_err());
    assert_eq!(everything(store, &workspace).await?, before);
    Ok(())
}

pub async fn of_two_handles_racing_to_replace_one_wins(fresh: &Fresh) -> Verdict {
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let token = seed::client_token(&workspace, 1);
    applied(&*fresh.store, creation(&token)).await?;
    let changes = [2, 3].map(|successor| replacement(&token, &workspace, successor).2);
    let outcomes = all_at_once_each(stores.iter().cloned().zip(changes).collect()).await;
    let made = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Outcome::Applied { .. })));
    let stale = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Stale)));
    assert_eq!((made.count(), stale.count()), (1, 1));
    assert_eq!(
        everything(&*fresh.store, &workspace).await?.client_tokens.items.len(),
        2
    );
    Ok(())
}
