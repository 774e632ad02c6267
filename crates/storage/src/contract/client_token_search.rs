//! Looking for client tokens: what fits, with which statuses, and where a search ends.

use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::workspace::Workspace;

use super::seed::{self, client_token, creation};
use super::steps::{self, applied};
use super::{Fresh, Verdict};
use crate::{Sought, Storage, StorageError, TokenSearch};

use ClientTokenStatus::{Active, Revoked};

/// More than any case has.
const FAR: usize = 1_000;

fn search(sought: Sought, limit: usize) -> TokenSearch {
    TokenSearch {
        sought,
        statuses: Vec::new(),
        after: None,
        limit,
    }
}

/// Tokens of ours with these names, numbered from 1 on, and as many of theirs.
async fn named(store: &dyn Storage, names: &[&str]) -> Result<(Workspace, Vec<ClientToken>), StorageError> {
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let mut tokens = Vec::new();
    for (number, name) in (1..).zip(names) {
        for workspace in [&ours, &theirs] {
            let foreign = u64::from(workspace.id == theirs.id) * 1_000;
            let token = ClientToken {
                name: (*name).to_owned(),
                ..client_token(workspace, number + foreign)
            };
            applied(store, creation(&token)).await?;
            tokens.push(token);
        }
    }
    tokens.retain(|token| token.workspace == ours.id);
    Ok((ours, tokens))
}

/// The numbers of all that is found, page after page.
async fn walked(
    store: &dyn Storage,
    workspace: &Workspace,
    mut asked: TokenSearch,
    look_through: usize,
) -> Result<Vec<u64>, StorageError> {
    let mut all = Vec::new();
    loop {
        let found = store.search_client_tokens(workspace.id, &asked, look_through).await?;
        assert!(found.items.len() <= asked.limit);
        all.extend(found.items.iter().map(|token| seed::number(token.id)));
        match found.next {
            Some(next) => asked.after = Some(next),
            None => return Ok(all),
        }
    }
}

pub async fn tokens_are_found_by_a_part_of_their_name_in_any_case(fresh: &Fresh) -> Verdict {
    let names = [
        "Checkout",
        "check-in",
        "KIOSK Ä",
        "100%_done",
        "50 percent",
        "\u{1f511} key",
        "o'clock \\",
    ];
    let (ours, _) = named(&*fresh.store, &names).await?;
    let store = &*fresh.another().await?;
    for (part, expected) in [
        ("check", &[2, 1][..]),
        ("CHECK", &[2, 1]),
        ("kiosk ä", &[3]),
        ("Ä", &[3]),
        ("%", &[4]),
        ("_", &[4]),
        ("\u{1f511}", &[6]),
        ("o'c", &[7]),
        ("\\", &[7]),
        ("checks", &[]),
        ("", &[7, 6, 5, 4, 3, 2, 1]),
        ("k", &[7, 6, 3, 2, 1]),
    ] {
        for (limit, look_through) in [(1, FAR), (2, 2), (10, 1), (10, FAR)] {
            let asked = search(Sought::named(part), limit);
            let found = walked(store, &ours, asked, look_through).await?;
            assert_eq!(found, expected, "{part:?}, {limit}, {look_through}");
        }
    }
    Ok(())
}

pub async fn a_token_is_found_by_itself_whole(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, tokens) = named(store, &["a", "b", "c"]).await?;
    let found = store
        .search_client_tokens(ours.id, &search(Sought::Token(tokens[1].token), 5), FAR)
        .await?;
    assert_eq!(found.items, [tokens[1].clone()]);
    let elsewhere = client_token(&ours, 77).token;
    let foreign = client_token(&seed::workspace(2), 1_001).token;
    for other in [elsewhere, foreign] {
        let found = walked(store, &ours, search(Sought::Token(other), 5), FAR).await?;
        assert!(found.is_empty(), "{found:?}");
    }
    Ok(())
}

pub async fn a_search_and_statuses_together_let_through_what_both_do(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let names: Vec<&str> = (0..12).map(|number| ["shop", "kiosk"][number % 2]).collect();
    let (ours, tokens) = named(store, &names).await?;
    for token in tokens.iter().filter(|token| seed::number(token.id) % 3 == 0) {
        let revoked = ClientToken {
            status: Revoked,
            revoked_at: Some(seed::at(99)),
            version: token.version + 1,
            ..token.clone()
        };
        applied(store, seed::update(token, &revoked, 500 + seed::number(token.id))).await?;
    }
    for (statuses, expected) in [
        (&[][..], &[11, 9, 7, 5, 3, 1][..]),
        (&[Active, Revoked][..], &[11, 9, 7, 5, 3, 1]),
        (&[Active], &[11, 7, 5, 1]),
        (&[Revoked], &[9, 3]),
        (&[Revoked, Revoked], &[9, 3]),
    ] {
        for (limit, look_through) in [(1, 2), (2, FAR), (9, 3)] {
            let asked = TokenSearch {
                statuses: statuses.to_vec(),
                ..search(Sought::named("Shop"), limit)
            };
            let found = walked(store, &ours, asked, look_through).await?;
            assert_eq!(found, expected, "{statuses:?}, {limit}, {look_through}");
        }
    }
    Ok(())
}

pub async fn a_search_of_tokens_ends_where_it_may_look_no_further(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let names: Vec<&str> = (0..9).map(|number| ["shop", "kiosk", "kiosk"][number % 3]).collect();
    let (ours, _) = named(store, &names).await?;
    // Of 9, 8, …, 1 the shops are 7, 4 and 1.
    for (limit, after, look_through, items, next, cut_short) in [
        (5, None, 2, &[][..], Some(8), true),
        (5, None, 3, &[7], Some(7), true),
        (5, None, 9, &[7, 4, 1], Some(1), true), // whether more follow wasn't looked at
        (5, None, 10, &[7, 4, 1], None, false),
        (1, None, 6, &[7], Some(7), false), // the next one was seen, so the page is full
        (1, None, 5, &[7], Some(5), true),
        (3, Some(1), 5, &[], None, false),
        (3, Some(5), 10, &[4, 1], None, false),
    ] {
        let asked = TokenSearch {
            after: after.map(seed::id),
            ..search(Sought::named("shop"), limit)
        };
        let found = store.search_client_tokens(ours.id, &asked, look_through).await?;
        let numbers: Vec<u64> = found.items.iter().map(|token| seed::number(token.id)).collect();
        assert_eq!(
            (numbers.as_slice(), found.next, found.cut_short),
            (items, next.map(seed::id), cut_short),
            "{limit}, {after:?}, {look_through}"
        );
    }
    Ok(())
}
