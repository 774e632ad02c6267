//! Who people are at OpenID Connect providers, and the invitations that wait for an address.

use tollgate_domain::id::UserId;
use tollgate_domain::identity::Identity;
use tollgate_domain::one_time_link::LinkPurpose;
use tollgate_domain::role::Role;
use tollgate_domain::session::{Session, SessionSecret};
use tollgate_domain::user::EmailAddress;

use super::people::{email, join, link, silent, told};
use super::seed::{self, Dice, at};
use super::{Fresh, Verdict, steps};
use crate::{Outcome, PeopleWrite};

fn identity(issuer: &str, subject: &str, user: u64) -> Identity {
    Identity {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        user: seed::id(user),
        created_at: at(3),
    }
}

fn begin(identity: &Identity, number: u64) -> PeopleWrite {
    PeopleWrite::BeginSessionAs {
        identity: identity.clone(),
        session: session(number, identity.user),
    }
}

fn session(number: u64, user: UserId) -> Session {
    Session::begin(&SessionSecret::generate(&Dice::new(number)), user, at(1))
}

pub async fn an_identity_is_linked_by_the_first_session_and_there_at_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    join(store, &workspace, 1, Role::Owner).await?;
    let theirs = identity("https://id.example/ä", "Sübject", 1);
    steps::applied(store, told(&workspace, 50, begin(&theirs, 1))).await?;
    let another = fresh.another().await?;
    assert_eq!(another.identity(&theirs.issuer, "Sübject").await?, Some(theirs.clone()));
    let began = session(1, theirs.user);
    assert_eq!(another.session(began.digest).await?, Some(began));
    for (issuer, subject) in [
        ("https://id.example/ä", "sübject"),
        ("https://id.example/Ä", "Sübject"),
        ("https://id.example", "Sübject"),
        ("https://id.example/ä", ""),
    ] {
        assert_eq!(another.identity(issuer, subject).await?, None, "{issuer} {subject}");
    }
    let again = Identity {
        created_at: at(77),
        ..theirs.clone()
    };
    steps::applied(store, silent(begin(&again, 2))).await?;
    assert!(store.session(session(2, theirs.user).digest).await?.is_some());
    let linked = store.identity(&theirs.issuer, &theirs.subject).await?;
    assert_eq!(linked, Some(theirs), "since the first time");
    Ok(())
}

pub async fn an_identity_signs_in_one_person_only(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    join(store, &workspace, 1, Role::Owner).await?;
    join(store, &workspace, 2, Role::Owner).await?;
    let (ours, claimed) = (
        identity("https://id.example", "s", 1),
        identity("https://id.example", "s", 2),
    );
    steps::applied(store, silent(begin(&ours, 1))).await?;
    let claim = told(&workspace, 50, begin(&claimed, 2));
    assert_eq!(store.commit(claim).await?, Outcome::Stale);
    assert_eq!(store.session(session(2, claimed.user).digest).await?, None);
    assert_eq!(store.identity("https://id.example", "s").await?, Some(ours));
    let elsewhere = identity("https://di.example", "s", 2);
    steps::applied(store, silent(begin(&elsewhere, 3))).await?;
    let another_of_ours = identity("https://id.example", "t", 1);
    steps::applied(store, silent(begin(&another_of_ours, 4))).await?;
    Ok(())
}

pub async fn an_identity_of_nobody_is_not_linked(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let nobodys = identity("https://id.example", "s", 1);
    let claim = told(&workspace, 50, begin(&nobodys, 1));
    assert_eq!(store.commit(claim).await?, Outcome::Stale);
    assert_eq!(store.identity("https://id.example", "s").await?, None);
    assert_eq!(store.session(session(1, nobodys.user).digest).await?, None);
    Ok(())
}

pub async fn invitations_are_found_by_their_address_in_any_case(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (first, second) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let [there, here, to_another] = [(&second, 1, 7), (&first, 2, 7), (&first, 3, 8)].map(|(workspace, number, to)| {
        let purpose = LinkPurpose::Invitation {
            workspace: workspace.id,
            email: email(to),
            role: Role::Viewer,
        };
        link(number, purpose)
    });
    for link in [&there, &here, &to_another] {
        steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    }
    let another = fresh.another().await?;
    let to = EmailAddress::parse(&email(7).as_str().to_uppercase()).expect("an address");
    assert_eq!(another.invitations_to(&to).await?, [here, there], "by workspace");
    assert_eq!(another.invitations_to(&email(9)).await?, []);
    Ok(())
}
