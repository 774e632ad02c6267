//! Passkeys, and the ceremonies that add and use them.

use tollgate_domain::id::UserId;
use tollgate_domain::one_time_link::LinkPurpose;
use tollgate_domain::passkey::{CEREMONY, Ceremony, CeremonySecret, MOST_PASSKEYS, Passkey};
use tollgate_domain::role::Role;
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{PasswordHash, User};

use super::people::{join, link, silent, told, using};
use super::seed::{self, Dice, at};
use super::sessions::names;
use super::{Fresh, Verdict, steps};
use crate::{LinkUse, Outcome, PasswordChange, PeopleWrite, Storage, StorageError};

/// Passkey `number` of person `user`.
fn passkey(number: u64, user: u64) -> Passkey {
    Passkey {
        id: seed::id(number),
        user: seed::id(user),
        credential: format!("credential {number} \0\u{ff}").into_bytes(),
        key: vec![0, 255, 7],
        state: b"counter 0".to_vec(),
        name: format!("Pérson's key {number} <b>\"🔑\"</b>"),
        created_at: at(number),
        last_used_at: None,
    }
}

/// Ceremony `number`, begun at `at(0)` by person `user`, or by nobody yet.
async fn ceremony(store: &dyn Storage, number: u64, user: Option<u64>) -> Result<Ceremony, StorageError> {
    let secret = CeremonySecret::generate(&Dice::new(number));
    let ceremony = Ceremony::begin(&secret, user.map(seed::id), vec![0, 255, 8], at(0));
    steps::applied(store, silent(PeopleWrite::BeginCeremony(ceremony.clone()))).await?;
    Ok(ceremony)
}

fn add(ceremony: &Ceremony, now: Timestamp, passkey: &Passkey) -> PeopleWrite {
    PeopleWrite::AddPasskey {
        ceremony: ceremony.digest,
        now,
        passkey: passkey.clone(),
    }
}

/// Session `number` of the passkey's person, which leaves its state as `state`.
fn using_it(ceremony: &Ceremony, now: Timestamp, passkey: &Passkey, number: u64, state: &str) -> PeopleWrite {
    PeopleWrite::UsePasskey {
        ceremony: ceremony.digest,
        now,
        passkey: passkey.clone(),
        state: state.as_bytes().to_vec(),
        session: session(number, passkey.user),
    }
}

fn session(number: u64, user: UserId) -> Session {
    Session::begin(&SessionSecret::generate(&Dice::new(number)), user, at(1))
}

/// Persons 1 and 2 in workspace 1.
async fn two_people(store: &dyn Storage) -> Result<User, StorageError> {
    let workspace = steps::workspace(store, 1).await?;
    join(store, &workspace, 2, Role::Viewer).await?;
    join(store, &workspace, 1, Role::Owner).await
}

/// Passkey `number` of person `user`, added by ceremony `100 + number`.
async fn added(store: &dyn Storage, number: u64, user: u64) -> Result<Passkey, StorageError> {
    let (ceremony, passkey) = (ceremony(store, 100 + number, Some(user)).await?, passkey(number, user));
    steps::applied(store, silent(add(&ceremony, at(1), &passkey))).await?;
    Ok(passkey)
}

async fn stale(store: &dyn Storage, write: PeopleWrite) -> Verdict {
    let workspace = seed::workspace(1);
    let before = store.sequence().await?;
    assert_eq!(store.commit(told(&workspace, 999, write)).await?, Outcome::Stale);
    assert_eq!(store.sequence().await?, before, "nothing happened, and nobody is told");
    Ok(())
}

pub async fn a_passkey_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let (second, first) = (added(store, 6, 1).await?, added(store, 5, 1).await?);
    let theirs = added(store, 7, 2).await?;
    let another = fresh.another().await?;
    assert_eq!(another.passkeys(seed::id(1)).await?, [first.clone(), second], "by id");
    assert_eq!(another.passkeys(seed::id(2)).await?, [theirs]);
    assert_eq!(another.passkeys(seed::id(3)).await?, []);
    let found = another.passkey_by_credential(&first.credential).await?;
    assert_eq!(found.as_ref(), Some(&first));
    assert_eq!(another.passkey_by_credential(&first.credential[1..]).await?, None);
    let (of_somebody, of_nobody) = (ceremony(store, 1, Some(1)).await?, ceremony(store, 2, None).await?);
    for begun in [of_somebody, of_nobody] {
        assert_eq!(another.ceremony(begun.digest).await?, Some(begun));
    }
    Ok(())
}

pub async fn a_ceremony_is_used_once_by_its_person_and_in_time(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let (ours, nobodys) = (ceremony(store, 1, Some(1)).await?, ceremony(store, 2, None).await?);
    let over = at(0).plus(CEREMONY);
    stale(store, add(&ours, over, &passkey(5, 1))).await?;
    stale(store, add(&ours, at(1), &passkey(5, 2))).await?;
    stale(store, add(&nobodys, at(1), &passkey(5, 1))).await?;
    assert_eq!(store.passkeys(seed::id(1)).await?, []);
    steps::applied(store, silent(add(&ours, at(1), &passkey(5, 1)))).await?;
    assert_eq!(store.ceremony(ours.digest).await?, None);
    stale(store, add(&ours, at(1), &passkey(6, 1))).await?;
    let unknown = ceremony(store, 3, Some(9)).await?;
    stale(store, add(&unknown, at(1), &passkey(7, 9))).await?;
    assert!(store.ceremony(unknown.digest).await?.is_some(), "it stays");
    Ok(())
}

pub async fn of_many_racing_to_answer_a_ceremony_one_does(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let ceremony = ceremony(store, 1, Some(1)).await?;
    let mut racing = Vec::new();
    for number in 0..8 {
        let write = add(&ceremony, at(1), &passkey(number, 1));
        racing.push((fresh.another().await?, silent(write)));
    }
    let outcomes = steps::all_at_once_each(racing).await;
    let stale = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Stale)));
    assert_eq!(stale.count(), 7, "{outcomes:?}");
    assert_eq!(store.passkeys(seed::id(1)).await?.len(), 1);
    Ok(())
}

pub async fn a_credential_is_taken_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let first = added(store, 5, 1).await?;
    let ceremony = ceremony(store, 1, Some(2)).await?;
    let same = Passkey {
        credential: first.credential.clone(),
        ..passkey(6, 2)
    };
    stale(store, add(&ceremony, at(1), &same)).await?;
    assert!(store.ceremony(ceremony.digest).await?.is_some(), "the ceremony stays");
    assert_eq!(store.passkey_by_credential(&first.credential).await?, Some(first));
    Ok(())
}

pub async fn a_person_has_so_many_passkeys_and_no_more(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let most = MOST_PASSKEYS as u64;
    for number in 0..most {
        added(store, number, 1).await?;
    }
    let one_more = ceremony(store, 99, Some(1)).await?;
    stale(store, add(&one_more, at(1), &passkey(most, 1))).await?;
    added(store, most + 1, 2).await?;
    Ok(())
}

pub async fn a_passkey_is_renamed_and_removed_by_its_person_only(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let key = added(store, 5, 1).await?;
    let rename = |user: u64| PeopleWrite::RenamePasskey {
        user: seed::id(user),
        id: key.id,
        name: "Another name".to_owned(),
    };
    let remove = |user: u64| PeopleWrite::RemovePasskey {
        user: seed::id(user),
        id: key.id,
    };
    stale(store, rename(2)).await?;
    stale(store, remove(2)).await?;
    steps::applied(store, silent(rename(1))).await?;
    let renamed = Passkey {
        name: "Another name".to_owned(),
        ..key.clone()
    };
    assert_eq!(store.passkeys(seed::id(1)).await?, [renamed]);
    steps::applied(store, silent(remove(1))).await?;
    assert_eq!(store.passkeys(seed::id(1)).await?, []);
    stale(store, remove(1)).await?;
    stale(store, rename(1)).await
}

pub async fn a_passkey_signs_in_once_for_each_ceremony(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let key = added(store, 5, 1).await?;
    let ours = ceremony(store, 1, Some(1)).await?;
    stale(store, using_it(&ours, at(1), &key, 1, "counter 1")).await?;
    let nobodys = ceremony(store, 2, None).await?;
    stale(store, using_it(&nobodys, at(0).plus(CEREMONY), &key, 1, "counter 1")).await?;
    let sign_in = using_it(&nobodys, at(9), &key, 1, "counter 1");
    steps::applied(store, told(&seed::workspace(1), 50, sign_in.clone())).await?;
    let another = fresh.another().await?;
    let began = session(1, key.user);
    assert_eq!(another.session(began.digest).await?, Some(began));
    let used = Passkey {
        state: b"counter 1".to_vec(),
        last_used_at: Some(at(9)),
        ..key
    };
    assert_eq!(another.passkeys(used.user).await?, std::slice::from_ref(&used));
    stale(store, sign_in).await?;
    let next = ceremony(store, 3, None).await?;
    steps::applied(store, silent(using_it(&next, at(8), &used, 2, "counter 2"))).await?;
    let last_used = store.passkeys(used.user).await?[0].last_used_at;
    assert_eq!(last_used, Some(at(9)), "never back");
    Ok(())
}

pub async fn a_passkey_that_was_used_or_removed_meanwhile_signs_nobody_in(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let key = added(store, 5, 1).await?;
    let (one, two) = (ceremony(store, 1, None).await?, ceremony(store, 2, None).await?);
    steps::applied(store, silent(using_it(&one, at(2), &key, 1, "counter 1"))).await?;
    stale(store, using_it(&two, at(2), &key, 2, "counter 1")).await?;
    assert!(store.ceremony(two.digest).await?.is_some(), "the ceremony stays");
    let as_it_is = store.passkeys(key.user).await?.remove(0);
    let remove = PeopleWrite::RemovePasskey {
        user: key.user,
        id: key.id,
    };
    steps::applied(store, silent(remove)).await?;
    stale(store, using_it(&two, at(2), &as_it_is, 2, "counter 2")).await?;
    assert_eq!(store.session(session(2, key.user).digest).await?, None);
    Ok(())
}

pub async fn a_reset_removes_passkeys_and_a_change_of_ones_own_does_not(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let (ours, theirs) = (added(store, 5, 1).await?, added(store, 6, 2).await?);
    let change = |version| PasswordChange {
        user: ours.user,
        version,
        password: PasswordHash::from_text("$argon2id$v=19$another"),
    };
    let by_oneself = PeopleWrite::SetPassword {
        change: change(1),
        keep: session(1, ours.user).digest,
        counted: names(1),
    };
    steps::applied(store, silent(by_oneself)).await?;
    assert_eq!(store.passkeys(ours.user).await?.len(), 1);
    let reset = link(6, LinkPurpose::Reset(ours.user));
    steps::applied(store, silent(PeopleWrite::CreateLink(reset.clone()))).await?;
    stale(store, using(&reset, at(1), LinkUse::SetPassword(change(1)))).await?;
    assert_eq!(store.passkeys(ours.user).await?.len(), 1);
    let then = LinkUse::SetPassword(change(2));
    steps::applied(store, silent(using(&reset, at(1), then))).await?;
    assert_eq!(store.passkeys(ours.user).await?, []);
    assert_eq!(store.passkeys(theirs.user).await?, [theirs]);
    Ok(())
}

pub async fn pruning_removes_ceremonies_that_are_over(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let over = at(0).plus(CEREMONY);
    let ceremonies = [
        ceremony(store, 1, None).await?,
        ceremony(store, 2, Some(1)).await?,
        ceremony(store, 3, None).await?,
    ];
    let left = async || {
        let mut left = 0;
        for ceremony in &ceremonies {
            left += u32::from(store.ceremony(ceremony.digest).await?.is_some());
        }
        Ok::<_, StorageError>(left)
    };
    let just_before = Timestamp::from_micros(over.as_micros() - 1).expect("a time");
    for (now, limit, expected) in [(just_before, 9, 3), (over, 2, 1), (over, 2, 0)] {
        steps::applied(store, silent(PeopleWrite::PrunePeople { now, limit })).await?;
        assert_eq!(left().await?, expected);
    }
    Ok(())
}
