//! Client tokens, one at a time; their pages are in `client_token_pages.rs`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::id::ClientTokenId;

use super::seed::{self, at, creation, revocation, revoked};
use super::steps::{self, applied, everything};
use super::{Fresh, Verdict};
use crate::{Change, Outcome, Write};

pub async fn a_new_token_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    for number in [1, 2] {
        let workspace = steps::workspace(store, number).await?;
        for token in [
            seed::client_token(&workspace, 10 + number),
            seed::client_token(&workspace, 20 + number + 1),
            revoked(&seed::client_token(&workspace, 30 + number), 99),
        ] {
            applied(store, creation(&token)).await?;
            assert_eq!(store.client_token(workspace.id, token.id).await?.as_ref(), Some(&token));
        }
        assert_eq!(store.client_token(workspace.id, seed::id(999)).await?, None);
    }
    Ok(())
}

pub async fn a_token_of_another_workspace_is_not_found(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let token = seed::client_token(&theirs, 7);
    applied(store, creation(&token)).await?;
    assert_eq!(store.client_token(ours.id, token.id).await?, None);
    assert_eq!(
        store.client_token(seed::id(3), token.id).await?,
        None,
        "nor in a workspace that isn't"
    );
    assert_eq!(store.client_token(theirs.id, token.id).await?, Some(token));
    Ok(())
}

pub async fn names_and_descriptions_survive_byte_for_byte(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let texts = [
        "🔑".repeat(500),
        "é".repeat(500),          // one code point
        "e\u{301}".repeat(250),   // the same to the eye, two code points
        "\u{10ffff}".repeat(500), // the last code point
        "שלום עולם \u{202e}abc".to_owned(),
        " \t\r\n leading and trailing \r\n".to_owned(),
        r#"'; DROP TABLE client_tokens; -- "%_\ $1 ?1 :a {} \u0000"#.to_owned(),
        " ".to_owned(),
        "\u{feff}\u{200d}\u{fffd}".to_owned(),
    ];
    for (number, text) in (1..).zip(&texts) {
        let token = ClientToken {
            name: text
                .chars()
                .filter(|character| !character.is_control())
                .take(150)
                .collect(),
            description: Some(text.clone()),
            ..seed::client_token(&workspace, number)
        };
        applied(store, creation(&token)).await?;
        let stored = store.client_token(workspace.id, token.id).await?.expect("just stored");
        assert_eq!(stored.name.as_bytes(), token.name.as_bytes());
        assert_eq!(stored.description.as_deref().map(str::as_bytes), Some(text.as_bytes()));
    }
    Ok(())
}

pub async fn an_update_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let (token, neighbour) = (seed::client_token(&workspace, 2), seed::client_token(&workspace, 3));
    for token in [&token, &neighbour] {
        applied(store, creation(token)).await?;
    }
    let renamed = ClientToken {
        name: "Renamed".to_owned(),
        description: None,
        updated_at: at(10),
        version: 2,
        ..token.clone()
    };
    let described = ClientToken {
        description: Some("Described".to_owned()),
        updated_at: at(11),
        version: 3,
        ..renamed.clone()
    };
    let ended = revoked(&described, 12);
    for (from, to) in [(&token, &renamed), (&renamed, &described), (&described, &ended)] {
        let write = Write::UpdateClientToken {
            from: from.clone(),
            to: to.clone(),
        };
        applied(store, Change::silent(write)).await?;
        assert_eq!(store.client_token(workspace.id, token.id).await?.as_ref(), Some(to));
    }
    assert_eq!(store.client_token(workspace.id, neighbour.id).await?, Some(neighbour));
    Ok(())
}

pub async fn revoking_twice_keeps_the_first_time(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let token = seed::client_token(&workspace, 1);
    applied(store, creation(&token)).await?;
    applied(store, revocation(&token, 10)).await?;
    assert_eq!(store.commit(revocation(&token, 99)).await?, Outcome::Stale);
    let stored = store.client_token(workspace.id, token.id).await?.expect("stored");
    assert_eq!(stored.revoked_at, Some(at(10)));
    Ok(())
}

pub async fn a_stale_update_writes_nothing_events_included_and_is_told(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let token = seed::client_token(&ours, 1);
    applied(store, creation(&token)).await?;
    applied(store, revocation(&token, 10)).await?;
    let before = (everything(store, &ours).await?, everything(store, &theirs).await?);

    let now = revoked(&token, 10);
    let later = ClientToken {
        version: 3,
        ..now.clone()
    };
    let never_stored = seed::client_token(&ours, 2);
    let elsewhere = ClientToken {
        workspace: theirs.id,
        ..now
    };
    for (number, from) in (100..).zip([&token, &later, &never_stored, &elsewhere]) {
        assert_eq!(
            store.commit(revocation(from, number)).await?,
            Outcome::Stale,
            "{from:?}"
        );
        assert_eq!(
            (everything(store, &ours).await?, everything(store, &theirs).await?),
            before
        );
    }
    Ok(())
}

pub async fn a_failed_change_writes_nothing_events_included(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let (first, second) = (seed::client_token(&workspace, 1), seed::client_token(&workspace, 2));
    applied(store, creation(&first)).await?;
    let before = everything(store, &workspace).await?;

    let mut taken_token = creation(&first);
    taken_token.events[0].id = seed::id(2);
    assert!(store.commit(taken_token).await.is_err());
    assert_eq!(everything(store, &workspace).await?, before);

    // Here the row would do, and the second of its events is what fails.
    let mut taken_event = creation(&second);
    taken_event.events.push(creation(&first).events.remove(0));
    assert!(store.commit(taken_event).await.is_err());
    assert_eq!(everything(store, &workspace).await?, before);
    assert_eq!(store.client_token(workspace.id, second.id).await?, None);

    applied(store, creation(&second)).await?;
    assert_eq!(
        everything(store, &workspace).await?.client_tokens.items,
        [first, second]
    );
    Ok(())
}

pub async fn a_failed_change_harms_none_of_its_neighbours(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let taken = seed::client_token(&workspace, 1_000);
    applied(&*fresh.store, creation(&taken)).await?;

    let neighbours: Vec<ClientToken> = (1..=50).map(|number| seed::client_token(&workspace, number)).collect();
    let mut changes: Vec<Change> = neighbours.iter().map(creation).collect();
    let mut failing = creation(&taken);
    failing.events[0].id = seed::id(1_001);
    changes.insert(25, failing.clone());
    let mut outcomes = steps::all_at_once(&fresh.store, changes).await;
    assert!(outcomes.remove(25).is_err());
    let mut places = Vec::new();
    for outcome in outcomes {
        match outcome? {
            Outcome::Applied { sequence } => places.push(sequence),
            other => panic!("{other:?}"),
        }
    }
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 50, "each at a place of its own");
    let stored = everything(&*fresh.store, &workspace).await?;
    assert_eq!(stored.client_tokens.items[..50], neighbours);
    assert_eq!(stored.client_tokens.items[50..], [taken]);
    assert!(stored.events.items.iter().all(|event| event.id != failing.events[0].id));
    Ok(())
}

pub async fn two_handles_racing_to_revoke_make_one_revocation(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let another = fresh.another().await?;
    for number in 1..=20 {
        let token = seed::client_token(&workspace, number);
        applied(&*fresh.store, creation(&token)).await?;
        let racers = [(&fresh.store, 1_000 + number), (&another, 2_000 + number)]
            .map(|(store, event)| (Arc::clone(store), revocation(&token, event)));
        assert_one_wins(steps::all_at_once_each(racers.into()).await)?;
    }
    assert_revoked_once_each(fresh, &workspace, 20).await
}

pub async fn many_racing_to_revoke_make_one_revocation(fresh: &Fresh) -> Verdict {
    let workspace = steps::workspace(&*fresh.store, 1).await?;
    let token = seed::client_token(&workspace, 1);
    applied(&*fresh.store, creation(&token)).await?;
    let racers = (0..32).map(|racer| revocation(&token, 1_000 + racer)).collect();
    assert_one_wins(steps::all_at_once(&fresh.store, racers).await)?;
    assert_revoked_once_each(fresh, &workspace, 1).await
}

/// One is applied; all others are told that they came too late.
fn assert_one_wins(outcomes: Vec<Result<Outcome, crate::StorageError>>) -> Verdict {
    let mut outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    let racers = outcomes.len();
    outcomes.retain(|outcome| *outcome == Outcome::Stale);
    assert_eq!(outcomes.len(), racers - 1);
    Ok(())
}

/// `tokens` are there, and each was revoked when its one event of it says.
async fn assert_revoked_once_each(
    fresh: &Fresh,
    workspace: &tollgate_domain::workspace::Workspace,
    tokens: usize,
) -> Verdict {
    let stored = everything(&*fresh.store, workspace).await?;
    assert_eq!(stored.client_tokens.items.len(), tokens);
    assert_eq!(stored.active, Some(0));
    let told: Vec<_> = stored.events.items[tokens..]
        .iter()
        .map(|event| Some(event.occurred_at))
        .collect();
    let mut revoked_at: Vec<_> = stored
        .client_tokens
        .items
        .iter()
        .map(|token| token.revoked_at)
        .collect();
    revoked_at.sort_unstable();
    assert_eq!(revoked_at, told);
    Ok(())
}

pub async fn commits_that_nobody_waits_for_any_more_are_whole_or_nothing(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    for number in 1..=100 {
        let mut commit = store.commit(creation(&seed::client_token(&workspace, number)));
        poll_fn(|context| {
            let _ = commit.as_mut().poll(context);
            Poll::Ready(())
        })
        .await; // begun, and dropped here
    }
    let last = seed::client_token(&workspace, 101);
    applied(store, creation(&last)).await?;

    // Some may still be under way: look until nothing happened between two looks.
    let mut before = store.sequence().await?;
    let stored = loop {
        let ids = whole_ids(fresh, &workspace).await?;
        let after = store.sequence().await?;
        if after == before {
            break ids;
        }
        before = after;
    };
    assert_eq!(
        stored.0, stored.1,
        "every token that is there has its event, and every event its token"
    );
    assert_eq!(stored.0.last(), Some(&seed::number(last.id)));
    Ok(())
}

/// The numbers of all active tokens and of all events.
async fn whole_ids(
    fresh: &Fresh,
    workspace: &tollgate_domain::workspace::Workspace,
) -> Result<(Vec<u64>, Vec<u64>), crate::StorageError> {
    let ascending = crate::Order::Ascending;
    let active = [ClientTokenStatus::Active];
    let tokens = steps::client_tokens(&*fresh.store, workspace, &active, steps::whole(ascending)).await?;
    let events = steps::events(&*fresh.store, workspace, None, steps::whole(ascending)).await?;
    Ok((
        tokens.items.iter().map(|token| seed::number::<_>(token.id)).collect(),
        events.items.iter().map(|event| seed::number(event.id)).collect(),
    ))
}

pub async fn the_same_id_in_two_workspaces_is_two_tokens(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let shared: ClientTokenId = seed::id(5);
    let (our_token, their_token) = (seed::client_token(&ours, 5), seed::client_token(&theirs, 5));
    applied(store, creation(&our_token)).await?;
    applied(store, creation(&their_token)).await?;
    applied(store, revocation(&their_token, 10)).await?;
    assert_eq!(store.client_token(ours.id, shared).await?, Some(our_token));
    assert_eq!(
        store.client_token(theirs.id, shared).await?,
        Some(revoked(&their_token, 10))
    );
    Ok(())
}
