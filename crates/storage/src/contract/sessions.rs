//! Sessions, passwords, and failures to sign in.

use tollgate_domain::api_key::SecretDigest;
use tollgate_domain::one_time_link::LinkPurpose;
use tollgate_domain::role::Role;
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_domain::throttle::{AttemptKey, Attempts, FORGOTTEN_AFTER};
use tollgate_domain::user::{PasswordHash, User};

use super::people::{email, invitation, join, link, membership, silent, told, user, using};
use super::seed::{self, Dice, at};
use super::{Fresh, Verdict, steps};
use crate::{AttemptCount, LinkUse, Outcome, PasswordChange, PeopleWrite, SignInNames, Storage, StorageError};

/// Session `number` of person `user`, begun at `at(number)`.
fn session(number: u64, user: u64) -> Session {
    let secret = SessionSecret::generate(&Dice::new(number));
    Session::begin(&secret, seed::id(user), at(number))
}

pub(super) fn names(number: u64) -> SignInNames {
    SignInNames {
        email: AttemptKey::email(&email(number)),
        network: Some(AttemptKey::network(std::net::IpAddr::from([192, 0, 2, 1]))),
    }
}

fn begin(session: &Session, version: i64) -> PeopleWrite {
    PeopleWrite::BeginSession {
        session: session.clone(),
        version,
        counted: names(1),
    }
}

async fn begun(store: &dyn Storage, number: u64, user: u64) -> Result<Session, StorageError> {
    let session = session(number, user);
    steps::applied(store, silent(begin(&session, 1))).await?;
    Ok(session)
}

/// Persons 1 and 2 in workspace 1.
async fn two_people(store: &dyn Storage) -> Result<User, StorageError> {
    let workspace = steps::workspace(store, 1).await?;
    join(store, &workspace, 2, Role::Viewer).await?;
    join(store, &workspace, 1, Role::Owner).await
}

async fn live(store: &dyn Storage, sessions: &[Session]) -> Result<Vec<bool>, StorageError> {
    let mut live = Vec::new();
    for session in sessions {
        live.push(store.session(session.digest).await?.is_some());
    }
    Ok(live)
}

pub async fn a_session_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let session = begun(store, 5, 1).await?;
    let another = fresh.another().await?;
    assert_eq!(another.session(session.digest).await?, Some(session));
    assert_eq!(another.session(SecretDigest([7; 32])).await?, None);

    let by_link = self::session(6, 2);
    let link = link(6, LinkPurpose::SignIn(seed::id(2)));
    steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    let then = || LinkUse::BeginSession(by_link.clone());
    steps::applied(store, silent(using(&link, at(1), then()))).await?;
    assert_eq!(store.commit(silent(using(&link, at(1), then()))).await?, Outcome::Stale);
    assert_eq!(another.session(by_link.digest).await?, Some(by_link));
    Ok(())
}

pub async fn whoever_joins_signed_in_has_a_session_or_nothing(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let joining = |number: u64| {
        let invitation = invitation(&workspace, number);
        let person = User {
            password: None,
            ..user(number)
        };
        let then = LinkUse::JoinSignedIn {
            user: person,
            membership: membership(&workspace, number, Role::Viewer),
            session: session(number, number),
        };
        (invitation, then)
    };
    let (link, then) = joining(1);
    steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    steps::applied(store, told(&workspace, 1, using(&link, at(1), then.clone()))).await?;
    let session = session(1, 1);
    assert_eq!(store.session(session.digest).await?, Some(session));
    assert_eq!(store.members(workspace.id).await?.len(), 1);
    let again = store.commit(silent(using(&link, at(1), then))).await?;
    assert_eq!(again, Outcome::Stale, "the link is used up");

    join(store, &workspace, 2, Role::Viewer).await?;
    let (link, then) = joining(2);
    steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    let taken = store.commit(silent(using(&link, at(1), then))).await?;
    assert_eq!(taken, Outcome::Stale, "the address has an account");
    assert_eq!(live(store, &[self::session(2, 2)]).await?, [false]);
    Ok(())
}

pub async fn a_session_of_a_person_who_changed_does_not_begin(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let workspace = seed::workspace(1);
    for (session, version) in [(session(1, 1), 2), (session(2, 9), 1)] {
        let before = store.sequence().await?;
        assert_eq!(
            store.commit(told(&workspace, 1, begin(&session, version))).await?,
            Outcome::Stale
        );
        assert_eq!(store.session(session.digest).await?, None);
        assert_eq!(store.sequence().await?, before);
    }
    Ok(())
}

pub async fn a_sight_moves_a_session_forward_only_and_never_back_to_life(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let first = begun(store, 1, 1).await?;
    let [sooner, later] = [100, 200].map(|seconds| first.seen(at(seconds)).expect("due"));
    for (seen, expected) in [(&later, &later), (&sooner, &later)] {
        steps::applied(store, silent(PeopleWrite::SeeSession(seen.clone()))).await?;
        assert_eq!(store.session(first.digest).await?.as_ref(), Some(expected));
    }
    steps::applied(store, silent(PeopleWrite::EndSession(first.digest))).await?;
    let seen = store.commit(silent(PeopleWrite::SeeSession(later))).await?;
    assert_eq!((seen, store.session(first.digest).await?), (Outcome::Stale, None));
    Ok(())
}

pub async fn a_persons_sessions_come_newest_first_and_nobody_elses(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    assert!(store.sessions(seed::id(1)).await?.is_empty());
    let mut theirs = Vec::new();
    for number in [5, 3, 9, 4] {
        theirs.push(begun(store, number, 1).await?);
        begun(store, number + 10, 2).await?;
    }
    theirs.sort_by_key(|session| std::cmp::Reverse(session.created_at));
    assert_eq!(store.sessions(seed::id(1)).await?, theirs);
    steps::applied(store, silent(PeopleWrite::EndSession(theirs[1].digest))).await?;
    theirs.remove(1);
    assert_eq!(store.sessions(seed::id(1)).await?, theirs);
    assert!(store.sessions(seed::id(3)).await?.is_empty());
    Ok(())
}

pub async fn a_session_ends_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let sessions = [begun(store, 1, 1).await?, begun(store, 2, 1).await?];
    let end = || told(&seed::workspace(1), 1, PeopleWrite::EndSession(sessions[0].digest));
    steps::applied(store, end()).await?;
    assert_eq!(store.commit(end()).await?, Outcome::Stale);
    assert_eq!(live(store, &sessions).await?, [false, true]);
    Ok(())
}

pub async fn ending_all_sessions_leaves_those_of_others(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let sessions = [
        begun(store, 1, 1).await?,
        begun(store, 2, 2).await?,
        begun(store, 3, 1).await?,
    ];
    let links = [
        LinkPurpose::SignIn(seed::id(1)),
        LinkPurpose::Reset(seed::id(1)),
        LinkPurpose::SignIn(seed::id(2)),
    ];
    let links: Vec<_> = (1..)
        .zip(links)
        .map(|(number, purpose)| link(number, purpose))
        .collect();
    for link in &links {
        steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    }
    for _ in 0..2 {
        steps::applied(store, silent(PeopleWrite::EndSessions(seed::id(1)))).await?;
        assert_eq!(live(store, &sessions).await?, [false, true, false]);
    }
    for (link, left) in links.iter().zip([false, true, true]) {
        assert_eq!(store.one_time_link(link.digest).await?.is_some(), left, "{link:?}");
    }
    Ok(())
}

pub async fn a_new_password_ends_the_other_sessions_and_takes_links_back(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let person = two_people(store).await?;
    let sessions = [
        begun(store, 1, 1).await?,
        begun(store, 2, 1).await?,
        begun(store, 3, 2).await?,
    ];
    let links = [
        LinkPurpose::Reset(seed::id(1)),
        LinkPurpose::SignIn(seed::id(1)),
        LinkPurpose::Reset(seed::id(2)),
    ];
    let links: Vec<_> = (1..)
        .zip(links)
        .map(|(number, purpose)| link(number, purpose))
        .collect();
    for link in &links {
        steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    }
    let password = PasswordHash::from_text("$argon2id$another");
    let change = PasswordChange {
        user: person.id,
        version: 1,
        password: password.clone(),
    };
    let keep = sessions[1].digest;
    steps::applied(
        store,
        silent(PeopleWrite::SetPassword {
            change,
            keep,
            counted: names(1),
        }),
    )
    .await?;
    assert_eq!(live(store, &sessions).await?, [false, true, true]);
    for (link, left) in links.iter().zip([false, false, true]) {
        assert_eq!(store.one_time_link(link.digest).await?.is_some(), left, "{link:?}");
    }
    let changed = User {
        password: Some(password.clone()),
        version: 2,
        ..person
    };
    assert_eq!(store.user(changed.id).await?.as_ref(), Some(&changed));

    // By a link, which knows of no session, all are ended.
    let reset = link(9, LinkPurpose::Reset(seed::id(1)));
    steps::applied(store, silent(PeopleWrite::CreateLink(reset.clone()))).await?;
    let change = PasswordChange {
        user: changed.id,
        version: 2,
        password,
    };
    steps::applied(store, silent(using(&reset, at(1), LinkUse::SetPassword(change)))).await?;
    assert_eq!(live(store, &sessions).await?, [false, false, true]);
    assert_eq!(store.one_time_link(reset.digest).await?, None);
    Ok(())
}

pub async fn a_password_is_not_changed_on_top_of_another_change(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let person = two_people(store).await?;
    let session = begun(store, 1, 1).await?;
    let write = |version| PeopleWrite::SetPassword {
        change: PasswordChange {
            user: person.id,
            version,
            password: PasswordHash::from_text("another"),
        },
        keep: SecretDigest([0; 32]),
        counted: names(1),
    };
    assert_eq!(
        store.commit(told(&seed::workspace(1), 1, write(2))).await?,
        Outcome::Stale
    );
    assert_eq!(store.user(person.id).await?, Some(person.clone()));
    assert_eq!(store.session(session.digest).await?, Some(session));
    steps::applied(store, silent(write(1))).await?;
    assert_eq!(store.commit(silent(write(1))).await?, Outcome::Stale);
    Ok(())
}

fn count(key: &AttemptKey, from: Option<u32>, to: u32) -> AttemptCount {
    let attempts = |failures| Attempts {
        failures,
        last_at: at(u64::from(failures)),
    };
    AttemptCount {
        key: key.clone(),
        from: from.map(attempts),
        to: attempts(to),
    }
}

async fn counted(store: &dyn Storage, keys: &[&AttemptKey]) -> Result<Vec<Option<u32>>, StorageError> {
    let keys: Vec<AttemptKey> = keys.iter().map(|key| (*key).clone()).collect();
    let attempts = store.sign_in_attempts(&keys).await?;
    Ok(attempts
        .iter()
        .map(|found| found.map(|attempts| attempts.failures))
        .collect())
}

pub async fn failures_are_counted_on_top_of_what_was_seen_only(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let SignInNames { email, network } = names(1);
    let network = network.expect("named");
    let counting = |counts: Vec<AttemptCount>| silent(PeopleWrite::CountAttempts(counts));
    assert_eq!(counted(store, &[&email, &network]).await?, [None, None]);
    steps::applied(store, counting(vec![count(&email, None, 1), count(&network, None, 1)])).await?;
    steps::applied(store, counting(vec![count(&network, Some(1), 2)])).await?;
    assert_eq!(
        counted(store, &[&network, &email]).await?,
        [Some(2), Some(1)],
        "in the order asked for"
    );
    for wrong in [
        vec![count(&email, None, 1)],
        vec![count(&email, Some(2), 3)],
        vec![count(&email, Some(1), 2), count(&network, Some(1), 2)],
    ] {
        assert_eq!(store.commit(counting(wrong)).await?, Outcome::Stale);
    }
    assert_eq!(counted(store, &[&email, &network]).await?, [Some(1), Some(2)]);

    let racing = (0..8).map(|_| counting(vec![count(&email, Some(1), 2)])).collect();
    let mut applied = 0;
    for outcome in steps::all_at_once(&fresh.store, racing).await {
        applied += usize::from(outcome? != Outcome::Stale);
    }
    assert_eq!((applied, counted(store, &[&email]).await?), (1, vec![Some(2)]));
    Ok(())
}

pub async fn a_right_password_forgets_the_failures_of_the_email_and_one_of_the_network(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let (ours, theirs) = (names(1), names(2));
    let network = ours.network.clone().expect("named");
    let counts = vec![
        count(&ours.email, None, 3),
        count(&theirs.email, None, 3),
        count(&network, None, 6),
    ];
    steps::applied(store, silent(PeopleWrite::CountAttempts(counts))).await?;
    begun(store, 1, 1).await?;
    let all = [&ours.email, &theirs.email, &network];
    assert_eq!(counted(store, &all).await?, [None, Some(3), Some(5)]);

    let change = PasswordChange {
        user: seed::id(2),
        version: 1,
        password: PasswordHash::from_text("another"),
    };
    let (keep, counted_as) = (SecretDigest([0; 32]), theirs.clone());
    let write = PeopleWrite::SetPassword {
        change,
        keep,
        counted: counted_as,
    };
    steps::applied(store, silent(write)).await?;
    assert_eq!(counted(store, &all).await?, [None, None, Some(4)]);
    Ok(())
}

pub async fn pruning_people_removes_what_is_over_and_at_most_the_limit(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    two_people(store).await?;
    let mut sessions = Vec::new();
    for number in 1..=4 {
        sessions.push(begun(store, number, 1).await?);
    }
    let reset = link(1, LinkPurpose::Reset(seed::id(1)));
    steps::applied(store, silent(PeopleWrite::CreateLink(reset.clone()))).await?;
    let email = names(1).email;
    steps::applied(store, silent(PeopleWrite::CountAttempts(vec![count(&email, None, 1)]))).await?;

    let prune = |now, limit| silent(PeopleWrite::PrunePeople { now, limit });
    steps::applied(store, prune(at(0).plus(FORGOTTEN_AFTER), 9)).await?;
    assert_eq!(counted(store, &[&email]).await?, [Some(1)]);
    assert_eq!(
        store.one_time_link(reset.digest).await?,
        None,
        "an hour later it is over"
    );
    steps::applied(store, prune(at(1).plus(FORGOTTEN_AFTER), 9)).await?;
    assert_eq!(counted(store, &[&email]).await?, [None]);

    let now = sessions[2].expires_at; // the first three are over
    for expected in [
        [false, false, true, true],
        [false, false, false, true],
        [false, false, false, true],
    ] {
        steps::applied(store, prune(now, 2)).await?;
        assert_eq!(live(store, &sessions).await?, expected);
    }
    Ok(())
}
