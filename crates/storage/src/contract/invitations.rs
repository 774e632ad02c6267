//! Invitations: listed, found by whom they are for, and taken back.

use tollgate_domain::event::Actor;
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::one_time_link::{LinkPurpose, OneTimeLink};
use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;
use tollgate_domain::workspace::Workspace;

use super::people::{join, link, membership, silent, told, user, using};
use super::seed::{self, at};
use super::{Fresh, Verdict, steps};
use crate::{LinkUse, Outcome, PeopleWrite, Storage, StorageError};

/// Link `number`, which invites this address as a viewer.
fn invitation_to(workspace: &Workspace, number: u64, email: &str) -> OneTimeLink {
    let purpose = LinkPurpose::Invitation {
        workspace: workspace.id,
        email: EmailAddress::parse(email).expect("an address"),
        role: Role::Viewer,
    };
    link(number, purpose)
}

async fn create(store: &dyn Storage, link: &OneTimeLink) -> Result<(), StorageError> {
    steps::applied(store, silent(PeopleWrite::CreateLink(link.clone()))).await?;
    Ok(())
}

pub async fn invitations_are_listed_by_workspace_and_found_by_address(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let member = join(store, &ours, 9, Role::Owner).await?;
    let (zoe, ada) = (
        invitation_to(&ours, 1, "zoe@example.com"),
        invitation_to(&ours, 2, "Ada@example.com"),
    );
    let elsewhere = invitation_to(&theirs, 3, "ADA@EXAMPLE.com");
    for link in [
        &zoe,
        &ada,
        &elsewhere,
        &link(4, LinkPurpose::Reset(member.id)),
        &link(5, LinkPurpose::SignIn(member.id)),
    ] {
        create(store, link).await?;
    }
    let another = fresh.another().await?;
    assert_eq!(another.invitations(ours.id).await?, [ada.clone(), zoe.clone()]);
    assert_eq!(another.invitations(theirs.id).await?, std::slice::from_ref(&elsewhere));
    assert_eq!(another.invitations(seed::id(3)).await?, []);
    assert_eq!(
        [zoe.made_by, ada.made_by],
        [Some(Actor::CommandLine), Some(Actor::Person(seed::id(2)))],
        "both kinds came back"
    );
    for (asked, expected) in [
        ("ada@Example.COM", vec![ada, elsewhere]),
        ("zoe@example.com", vec![zoe]),
        ("ad@example.com", vec![]),
        ("da@example.com", vec![]),
    ] {
        let email = EmailAddress::parse(asked).expect("an address");
        assert_eq!(another.invitations_to(&email).await?, expected, "{asked}");
    }
    Ok(())
}

pub async fn an_invitation_that_was_used_or_replaced_is_not_listed(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    let (used, replaced) = (
        invitation_to(&workspace, 1, "ada@example.com"),
        invitation_to(&workspace, 2, "bob@example.com"),
    );
    create(store, &used).await?;
    create(store, &replaced).await?;
    let then = LinkUse::Join {
        user: user(7),
        membership: membership(&workspace, 7, Role::Viewer),
    };
    steps::applied(store, silent(using(&used, at(1), then))).await?;
    let newer = invitation_to(&workspace, 3, "BOB@example.com");
    create(store, &newer).await?;
    assert_eq!(store.invitations(workspace.id).await?, [newer]);
    Ok(())
}

pub async fn an_invitation_is_taken_back_once(fresh: &Fresh) -> Verdict {
    let (store, workspace) = (&*fresh.store, steps::workspace(&*fresh.store, 1).await?);
    let (kept, withdrawn) = (
        invitation_to(&workspace, 1, "ada@example.com"),
        invitation_to(&workspace, 2, "bob@example.com"),
    );
    create(store, &kept).await?;
    create(store, &withdrawn).await?;
    let withdraw = || told(&workspace, 1, PeopleWrite::TakeLinkBack(withdrawn.digest));
    assert_eq!(steps::applied(store, withdraw()).await?, 1, "with its event");
    assert_eq!(store.one_time_link(withdrawn.digest).await?, None);
    assert_eq!(listed(store, workspace.id).await?, [kept.digest.0]);
    assert_eq!(store.commit(withdraw()).await?, Outcome::Stale);
    assert_eq!(store.sequence().await?, 1, "its event isn't there a second time");
    Ok(())
}

async fn listed(store: &dyn Storage, workspace: WorkspaceId) -> Result<Vec<[u8; 32]>, StorageError> {
    let links = store.invitations(workspace).await?;
    Ok(links.iter().map(|link| link.digest.0).collect())
}
