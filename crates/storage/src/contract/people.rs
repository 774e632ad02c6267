//! People, what they are members of, and the links that are made for them.

use std::sync::Arc;

use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::id::UserId;
use tollgate_domain::one_time_link::{LinkPurpose, LinkSecret, OneTimeLink};
use tollgate_domain::role::Role;
use tollgate_domain::time::Timestamp;
use tollgate_domain::user::{EmailAddress, Membership, PasswordHash, User};
use tollgate_domain::workspace::Workspace;

use super::seed::{self, Dice, at};
use super::{Fresh, Verdict, steps};
use crate::{Change, LinkUse, Outcome, PasswordChange, PeopleWrite, Storage, StorageError, Write};

/// A write with an event, which must be there exactly if the write is.
pub(super) fn told(workspace: &Workspace, number: u64, write: PeopleWrite) -> Change {
    Change {
        write: Write::People(write),
        events: vec![seed::event(workspace.id, number, EventType::MemberJoined)],
        idempotency: None,
    }
}

pub(super) fn silent(write: PeopleWrite) -> Change {
    Change::silent(Write::People(write))
}

pub(super) fn email(number: u64) -> EmailAddress {
    EmailAddress::parse(&format!("Person{number}@example.com")).expect("an address")
}

pub(super) fn user(number: u64) -> User {
    User {
        id: seed::id(number),
        email: email(number),
        name: format!("Pérson {number} <b>\"🔑\"</b>"),
        password: Some(PasswordHash::from_text(&format!("$argon2id$v=19$hash-{number}"))),
        created_at: at(number),
        version: 1,
    }
}

pub(super) fn membership(workspace: &Workspace, number: u64, role: Role) -> Membership {
    Membership {
        workspace: workspace.id,
        user: seed::id(number),
        role,
        created_at: at(number),
    }
}

/// Link `number`, good from `at(0)` for as long as its purpose says.
pub(super) fn link(number: u64, purpose: LinkPurpose) -> OneTimeLink {
    let actors = [Actor::CommandLine, Actor::Person(seed::id(number))];
    let made_by = actors[usize::from(number.is_multiple_of(2))];
    OneTimeLink::new(&LinkSecret::generate(&Dice::new(number)), purpose, made_by, at(0))
}

pub(super) fn invitation(workspace: &Workspace, number: u64) -> OneTimeLink {
    let purpose = LinkPurpose::Invitation {
        workspace: workspace.id,
        email: email(number),
        role: Role::Developer,
    };
    link(number, purpose)
}

pub(super) fn using(link: &OneTimeLink, now: Timestamp, then: LinkUse) -> PeopleWrite {
    PeopleWrite::UseLink {
        digest: link.digest,
        now,
        then,
    }
}

/// Person `number` becomes a member, by an invitation.
pub(super) async fn join(
    store: &dyn Storage,
    workspace: &Workspace,
    number: u64,
    role: Role,
) -> Result<User, StorageError> {
    let invitation = invitation(workspace, number);
    steps::applied(store, silent(PeopleWrite::CreateLink(invitation.clone()))).await?;
    let then = LinkUse::Join {
        user: user(number),
        membership: membership(workspace, number, role),
    };
    steps::applied(store, silent(using(&invitation, at(1), then))).await?;
    Ok(user(number))
}

async fn stale(store: &dyn Storage, workspace: &Workspace, write: PeopleWrite) -> Verdict {
    let before = store.sequence().await?;
    assert_eq!(
        store.commit(told(workspace, 900, write.clone())).await?,
        Outcome::Stale,
        "{write:?}"
    );
    assert_eq!(store.sequence().await?, before, "its event isn't there either");
    Ok(())
}

async fn roles(store: &dyn Storage, workspace: &Workspace) -> Result<Vec<(u64, Role)>, StorageError> {
    let members = store.members(workspace.id).await?;
    Ok(members
        .iter()
        .map(|(user, membership)| (seed::number(user.id), membership.role))
        .collect())
}

pub async fn a_person_who_joins_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    let invitation = invitation(&workspace, 7);
    assert_eq!(store.one_time_link(invitation.digest).await?, None);
    steps::applied(store, silent(PeopleWrite::CreateLink(invitation.clone()))).await?;
    assert_eq!(
        fresh.another().await?.one_time_link(invitation.digest).await?,
        Some(invitation.clone())
    );
    let person = User {
        password: None,
        ..user(7)
    };
    let then = LinkUse::Join {
        user: person.clone(),
        membership: membership(&workspace, 7, Role::Admin),
    };
    let place = steps::applied(store, told(&workspace, 1, using(&invitation, at(9), then))).await?;
    assert_eq!(place, 1, "with its event");
    let another = fresh.another().await?;
    assert_eq!(another.user(person.id).await?, Some(person.clone()));
    assert_eq!(another.user(seed::id(8)).await?, None);
    assert_eq!(
        another.members(workspace.id).await?,
        [(person, membership(&workspace, 7, Role::Admin))]
    );
    let known = join(store, &workspace, 8, Role::Viewer).await?;
    assert_eq!(store.user(known.id).await?, Some(known), "the password's hash included");
    Ok(())
}

pub async fn an_email_address_is_found_in_any_case_and_taken_once(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    let person = join(store, &workspace, 1, Role::Owner).await?;
    let shouted = EmailAddress::parse("PERSON1@EXAMPLE.COM").expect("an address");
    let found = store.user_by_email(&shouted).await?.expect("there is one");
    assert_eq!((found.id, found.email.as_str()), (person.id, "Person1@example.com"));
    assert_eq!(store.user_by_email(&email(2)).await?, None);

    let second = invitation(&workspace, 2);
    steps::applied(store, silent(PeopleWrite::CreateLink(second.clone()))).await?;
    let with_email_taken = LinkUse::Join {
        user: User {
            email: shouted,
            ..user(2)
        },
        membership: membership(&workspace, 2, Role::Viewer),
    };
    stale(store, &workspace, using(&second, at(1), with_email_taken)).await?;
    let with_id_taken = LinkUse::Join {
        user: User {
            id: person.id,
            ..user(2)
        },
        membership: membership(&workspace, 1, Role::Viewer),
    };
    stale(store, &workspace, using(&second, at(1), with_id_taken)).await?;
    assert_eq!(roles(store, &workspace).await?, [(1, Role::Owner)]);
    assert_eq!(store.user(person.id).await?, Some(person));
    Ok(())
}

pub async fn a_link_is_used_once(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    join(store, &workspace, 1, Role::Owner).await?;
    assert_eq!(
        store.one_time_link(invitation(&workspace, 1).digest).await?,
        None,
        "used up"
    );
    let then = LinkUse::Join {
        user: user(2),
        membership: membership(&workspace, 2, Role::Owner),
    };
    stale(store, &workspace, using(&invitation(&workspace, 1), at(2), then)).await?;
    assert_eq!(store.user(seed::id(2)).await?, None);
    Ok(())
}

pub async fn of_many_racing_to_use_a_link_one_does(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    let link = invitation(&workspace, 1);
    steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    let stores = [Arc::clone(&fresh.store), fresh.another().await?];
    let uses = (1..=16).zip(stores.iter().cycle()).map(|(number, store)| {
        let then = LinkUse::Join {
            user: user(number),
            membership: membership(&workspace, number, Role::Viewer),
        };
        (Arc::clone(store), told(&workspace, number, using(&link, at(1), then)))
    });
    let mut applied = 0;
    for outcome in steps::all_at_once_each(uses.collect()).await {
        match outcome? {
            Outcome::Applied { .. } => applied += 1,
            other => assert_eq!(other, Outcome::Stale),
        }
    }
    assert_eq!((applied, store.members(workspace.id).await?.len()), (1, 1));
    assert_eq!(store.sequence().await?, 1);
    Ok(())
}

pub async fn a_link_is_good_until_it_expires(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    let link = invitation(&workspace, 1);
    steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    let then = || LinkUse::Join {
        user: user(1),
        membership: membership(&workspace, 1, Role::Viewer),
    };
    stale(store, &workspace, using(&link, link.expires_at, then())).await?;
    let last_moment = Timestamp::from_micros(link.expires_at.as_micros() - 1).expect("a time");
    steps::applied(store, silent(using(&link, last_moment, then()))).await?;
    Ok(())
}

pub async fn a_new_link_takes_the_place_of_the_one_before(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    let user: UserId = seed::id(1);
    let first = link(1, LinkPurpose::Reset(user));
    let others = [
        link(2, LinkPurpose::SignIn(user)),
        link(3, LinkPurpose::Reset(seed::id(2))),
    ];
    let again = link(4, LinkPurpose::Reset(user));
    for link in [&first, &others[0], &others[1], &again, &invitation(&workspace, 5)] {
        steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    }
    assert_eq!(store.one_time_link(first.digest).await?, None);
    for link in [&others[0], &others[1], &again, &invitation(&workspace, 5)] {
        assert_eq!(store.one_time_link(link.digest).await?.as_ref(), Some(link));
    }
    Ok(())
}

pub async fn a_link_whose_use_cannot_be_stays(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    join(store, &workspace, 1, Role::Owner).await?;
    let invitation = invitation(&workspace, 2);
    let reset = link(3, LinkPurpose::Reset(seed::id(1)));
    for link in [&invitation, &reset] {
        steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    }
    let already = LinkUse::Add(membership(&workspace, 1, Role::Viewer));
    stale(store, &workspace, using(&invitation, at(1), already)).await?;
    let nobody = LinkUse::Add(membership(&workspace, 9, Role::Viewer));
    stale(store, &workspace, using(&invitation, at(1), nobody)).await?;
    let outdated = PasswordChange {
        user: seed::id(1),
        version: 2,
        password: PasswordHash::from_text("new"),
    };
    stale(store, &workspace, using(&reset, at(1), LinkUse::SetPassword(outdated))).await?;
    for link in [&invitation, &reset] {
        assert_eq!(store.one_time_link(link.digest).await?.as_ref(), Some(link));
    }
    assert_eq!(roles(store, &workspace).await?, [(1, Role::Owner)]);
    assert_eq!(store.user(seed::id(1)).await?, Some(user(1)));
    Ok(())
}

pub async fn members_and_memberships_are_those_of_one_workspace_and_one_person(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    for (workspace, number) in [(&theirs, 3), (&ours, 2), (&ours, 1)] {
        join(store, workspace, number, Role::Owner).await?;
    }
    let link = invitation(&theirs, 1);
    steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    let then = LinkUse::Add(membership(&theirs, 1, Role::Viewer));
    steps::applied(store, silent(using(&link, at(1), then))).await?;

    assert_eq!(roles(store, &ours).await?, [(1, Role::Owner), (2, Role::Owner)]);
    assert_eq!(roles(store, &theirs).await?, [(1, Role::Viewer), (3, Role::Owner)]);
    assert_eq!(
        store.memberships(seed::id(1)).await?,
        [membership(&ours, 1, Role::Owner), membership(&theirs, 1, Role::Viewer)]
    );
    assert_eq!(store.memberships(seed::id(9)).await?, []);
    let leave = PeopleWrite::RemoveMember {
        workspace: theirs.id,
        user: seed::id(1),
        role: Role::Viewer,
    };
    steps::applied(store, silent(leave)).await?;
    assert_eq!(
        store.memberships(seed::id(1)).await?,
        [membership(&ours, 1, Role::Owner)]
    );
    assert_eq!(store.user(seed::id(1)).await?, Some(user(1)), "the account stays");
    Ok(())
}

fn set_role(workspace: &Workspace, number: u64, from: Role, to: Role) -> PeopleWrite {
    PeopleWrite::SetRole {
        workspace: workspace.id,
        user: seed::id(number),
        from,
        to,
    }
}

fn remove(workspace: &Workspace, number: u64, role: Role) -> PeopleWrite {
    PeopleWrite::RemoveMember {
        workspace: workspace.id,
        user: seed::id(number),
        role,
    }
}

pub async fn a_role_changes_from_what_it_was_only(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    join(store, &ours, 1, Role::Owner).await?;
    join(store, &ours, 2, Role::Viewer).await?;
    stale(store, &ours, set_role(&ours, 2, Role::Admin, Role::Developer)).await?;
    stale(store, &ours, set_role(&theirs, 2, Role::Viewer, Role::Developer)).await?;
    stale(store, &ours, remove(&ours, 2, Role::Admin)).await?;
    stale(store, &ours, remove(&theirs, 2, Role::Viewer)).await?;
    steps::applied(store, told(&ours, 1, set_role(&ours, 2, Role::Viewer, Role::Developer))).await?;
    assert_eq!(roles(store, &ours).await?, [(1, Role::Owner), (2, Role::Developer)]);
    steps::applied(store, told(&ours, 2, remove(&ours, 2, Role::Developer))).await?;
    stale(store, &ours, remove(&ours, 2, Role::Developer)).await?;
    assert_eq!(roles(store, &ours).await?, [(1, Role::Owner)]);
    Ok(())
}

pub async fn the_last_owner_stays_an_owner(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    join(store, &ours, 1, Role::Owner).await?;
    join(store, &ours, 2, Role::Admin).await?;
    join(store, &theirs, 3, Role::Owner).await?; // doesn't count here
    stale(store, &ours, set_role(&ours, 1, Role::Owner, Role::Admin)).await?;
    stale(store, &ours, remove(&ours, 1, Role::Owner)).await?;
    steps::applied(store, silent(set_role(&ours, 1, Role::Owner, Role::Owner))).await?;
    steps::applied(store, silent(set_role(&ours, 2, Role::Admin, Role::Owner))).await?;
    steps::applied(store, silent(remove(&ours, 1, Role::Owner))).await?;
    assert_eq!(roles(store, &ours).await?, [(2, Role::Owner)]);
    Ok(())
}

pub async fn of_two_owners_racing_to_leave_one_stays(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let another = fresh.another().await?;
    for round in 0..8 {
        let workspace = steps::workspace(store, round + 1).await?;
        let [one, two] = [round * 2 + 1, round * 2 + 2];
        join(store, &workspace, one, Role::Owner).await?;
        join(store, &workspace, two, Role::Owner).await?;
        let leaving = vec![
            (Arc::clone(&fresh.store), silent(remove(&workspace, one, Role::Owner))),
            (
                Arc::clone(&another),
                silent(set_role(&workspace, two, Role::Owner, Role::Viewer)),
            ),
        ];
        let mut left = 0;
        for outcome in steps::all_at_once_each(leaving).await {
            left += usize::from(outcome? != Outcome::Stale);
        }
        let owners = roles(store, &workspace).await?;
        let owners = owners.iter().filter(|(_, role)| *role == Role::Owner).count();
        assert_eq!((left, owners), (1, 1));
    }
    Ok(())
}
