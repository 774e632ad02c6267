//! Members and links.

use std::time::Duration;

use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::id::UserId;
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::role::Role;
use tollgate_service::{ApiKeyError, Denied, NewApiKey, PeopleError};

use crate::place::{PASSWORD, Place, address, email, password, person, secret_of};

#[tokio::test]
async fn an_invitation_makes_a_member_once() {
    let place = Place::fresh().await;
    let link = place
        .service
        .invite(&place.operator(), email("ada"), Role::Owner)
        .await
        .unwrap();
    assert_eq!(link.path(), format!("/dashboard/invitation/{}", link.secret.reveal()));
    let secret = secret_of(&link);
    let invited = place.service.invitation(&secret).await.unwrap();
    assert_eq!(
        (invited.workspace, invited.role, invited.has_account),
        (place.workspace.clone(), Role::Owner, false)
    );
    let nameless = place.service.accept_invitation(&secret, None, None).await;
    assert!(matches!(nameless, Err(PeopleError::PersonNeeded)), "{nameless:?}");

    let before = place.place().await;
    let accept = || {
        place
            .service
            .accept_invitation(&secret, Some(person("Ada")), Some(address(9)))
    };
    let member = accept().await.unwrap();
    assert_eq!((member.name.as_str(), member.role), ("Ada", Role::Owner));
    assert_eq!(
        place.service.members(&place.operator()).await.unwrap(),
        std::slice::from_ref(&member)
    );
    let again = accept().await;
    assert!(matches!(again, Err(PeopleError::Link)), "{again:?}");
    assert!(matches!(
        place.service.invitation(&secret).await,
        Err(PeopleError::Link)
    ));

    let audit = place.audit(place.workspace.id, before).await;
    let [(event, data)] = &audit[..] else {
        panic!("one event: {audit:?}")
    };
    assert_eq!(
        (event.event_type, event.actor),
        (EventType::MemberJoined, Actor::Person(member.user))
    );
    assert_eq!(
        (
            event.subject.as_str(),
            data["email"].as_str(),
            data["role"].as_str(),
            event.address
        ),
        (
            member.user.to_string().as_str(),
            Some("ada@example.com"),
            Some("owner"),
            Some(address(9))
        )
    );
    place.sign_in("ada").await;
}

#[tokio::test]
async fn an_expired_invitation_is_refused() {
    let place = Place::fresh().await;
    let link = place
        .service
        .invite(&place.operator(), email("ada"), Role::Viewer)
        .await
        .unwrap();
    let lifetime = link.link.purpose.lifetime();
    place.clock.advance(lifetime.saturating_sub(Duration::from_micros(1)));
    assert!(place.service.invitation(&link.secret).await.is_ok());
    place.clock.advance(Duration::from_micros(1));
    let late = place
        .service
        .accept_invitation(&link.secret, Some(person("Ada")), None)
        .await;
    assert!(matches!(late, Err(PeopleError::Link)), "{late:?}");
    assert_eq!(place.service.members(&place.operator()).await.unwrap(), []);
}

#[tokio::test]
async fn an_invitation_leaves_an_account_that_is_there_as_it_is() {
    let place = Place::fresh().await;
    let elsewhere = place.another_workspace(2).await;
    let ada = place.join(&elsewhere, "ada", Role::Owner).await;
    let link = place
        .service
        .invite(&place.operator(), email("ADA"), Role::Viewer)
        .await
        .unwrap();
    assert!(place.service.invitation(&link.secret).await.unwrap().has_account);
    let impostor = tollgate_service::NewPerson {
        name: "Eve".to_owned(),
        password: Some(password("another password")),
    };
    let member = place
        .service
        .accept_invitation(&link.secret, Some(impostor), None)
        .await
        .unwrap();
    assert_eq!(
        (member.user, member.name.as_str(), member.role),
        (ada, "ada", Role::Viewer)
    );
    place.sign_in("ada").await;
    assert!(place.try_password("ada", "another password").await.is_err());
    let twice = place.service.invite(&place.operator(), email("Ada"), Role::Owner).await;
    assert!(matches!(twice, Err(PeopleError::AlreadyMember(_))), "{twice:?}");
}

#[tokio::test]
async fn a_reset_chooses_a_new_password_once_and_ends_all_sessions() {
    let place = Place::fresh().await;
    let ada = place.join(&place.workspace, "ada", Role::Owner).await;
    let cookie = place.sign_in("ada").await;
    let superseded = place.service.issue_reset(&place.operator(), ada).await.unwrap();
    let link = place.service.issue_reset(&place.operator(), ada).await.unwrap();
    let reset = async |secret, text| place.service.reset_password(secret, &password(text), None).await;
    assert!(matches!(
        reset(&superseded.secret, "one too many").await,
        Err(PeopleError::Link)
    ));

    place.clock.advance(Duration::from_mins(59));
    reset(&link.secret, "a quite new password").await.unwrap();
    assert!(place.who(&cookie).await.is_none(), "the session ended");
    assert!(place.try_password("ada", PASSWORD).await.is_err());
    place.try_password("ada", "a quite new password").await.unwrap();
    assert!(matches!(
        reset(&link.secret, "another new password").await,
        Err(PeopleError::Link)
    ));

    let late = place.service.issue_reset(&place.operator(), ada).await.unwrap();
    place.clock.advance(Duration::from_hours(1));
    assert!(matches!(
        reset(&late.secret, "another new password").await,
        Err(PeopleError::Link)
    ));
}

#[tokio::test]
async fn a_link_is_good_for_what_it_was_made_for_only() {
    let place = Place::fresh().await;
    let ada = place.join(&place.workspace, "ada", Role::Owner).await;
    let (service, operator) = (&place.service, place.operator());
    let invitation = service.invite(&operator, email("bob"), Role::Viewer).await.unwrap();
    let reset = service.issue_reset(&operator, ada).await.unwrap();
    let sign_in = service.issue_sign_in(&operator, ada).await.unwrap();
    for wrong in [&reset, &sign_in] {
        let used = service
            .accept_invitation(&wrong.secret, Some(person("Eve")), None)
            .await;
        assert!(matches!(used, Err(PeopleError::Link)), "{used:?}");
    }
    for wrong in [&invitation, &sign_in] {
        let used = service
            .reset_password(&wrong.secret, &password("another password"), None)
            .await;
        assert!(matches!(used, Err(PeopleError::Link)), "{used:?}");
    }
    for wrong in [&invitation, &reset] {
        let used = service.sign_in_by_link(&wrong.secret, None).await;
        assert!(matches!(used, Err(PeopleError::Link)), "{used:?}");
    }
    let cookie = service.sign_in_by_link(&sign_in.secret, None).await.unwrap();
    assert_eq!(place.who(cookie.reveal()).await.unwrap().user.id, ada);
    let again = service.sign_in_by_link(&sign_in.secret, None).await;
    assert!(matches!(again, Err(PeopleError::Link)), "{again:?}");
}

#[tokio::test]
async fn the_last_owner_is_neither_demoted_nor_removed() {
    let place = Place::fresh().await;
    let ada = place.join(&place.workspace, "ada", Role::Owner).await;
    let bob = place.join(&place.workspace, "bob", Role::Admin).await;
    let (service, operator) = (&place.service, place.operator());
    for caller in [operator.clone(), place.caller("ada").await] {
        let demoted = service.change_role(&caller, ada, Role::Admin).await;
        assert!(matches!(demoted, Err(PeopleError::LastOwner)), "{demoted:?}");
        let removed = service.remove_member(&caller, ada).await;
        assert!(matches!(removed, Err(PeopleError::LastOwner)), "{removed:?}");
    }
    let before = place.place().await;
    service.change_role(&operator, bob, Role::Owner).await.unwrap();
    service.remove_member(&place.caller("ada").await, ada).await.unwrap();
    let removed = service.remove_member(&operator, bob).await;
    assert!(matches!(removed, Err(PeopleError::LastOwner)), "{removed:?}");

    let audit = place.audit(place.workspace.id, before).await;
    let told: Vec<_> = audit.iter().map(|(event, _)| (event.event_type, event.actor)).collect();
    assert_eq!(
        told,
        [
            (EventType::MemberRoleChanged, Actor::CommandLine),
            (EventType::SignedIn, Actor::Person(ada)),
            (EventType::MemberRemoved, Actor::Person(ada)),
        ]
    );
    let (_, changed) = &audit[0];
    assert_eq!(
        (&changed["previous_role"], &changed["role"]),
        (&"admin".into(), &"owner".into())
    );
    assert_eq!(audit[2].0.address, Some(address(7)));
}

#[tokio::test]
async fn who_was_removed_is_out_at_once_and_keeps_the_account() {
    let place = Place::fresh().await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    let bob = place.join(&place.workspace, "bob", Role::Admin).await;
    let cookie = place.sign_in("bob").await;
    place.service.remove_member(&place.operator(), bob).await.unwrap();
    let signed_in = place.who(&cookie).await.unwrap();
    let caller = signed_in.caller_in(&place.workspace, None);
    assert!(caller.is_none(), "{caller:?}");
    let gone = place.service.change_role(&place.operator(), bob, Role::Viewer).await;
    assert!(matches!(gone, Err(PeopleError::NotFound)), "{gone:?}");
}

#[tokio::test]
async fn each_role_manages_those_that_it_may() {
    let place = Place::fresh().await;
    let service = &place.service;
    let owner = place.join(&place.workspace, "owner", Role::Owner).await;
    for role in [Role::Admin, Role::Developer, Role::Viewer] {
        place.join(&place.workspace, role.name(), role).await;
    }
    let denied = |done: Result<(), PeopleError>| matches!(done, Err(PeopleError::Denied(Denied(None))));
    for role in Role::ALL {
        let caller = place.caller(role.name()).await;
        assert_eq!((caller.role(), caller.permissions()), (Some(role), role.permissions()));
        assert_eq!(service.members(&caller).await.unwrap().len(), 4);
        for other in Role::ALL {
            let invited = service.invite(&caller, email("new"), other).await.map(drop);
            assert_eq!(denied(invited), !role.manages(other), "{role} invites {other}");
        }
        let subject: UserId = place.service.members(&caller).await.unwrap()[3].user; // the viewer
        let reset = service.issue_reset(&caller, subject).await.map(drop);
        assert_eq!(denied(reset), !role.manages(Role::Viewer), "{role} resets");
        let above = service.issue_reset(&caller, owner).await.map(drop);
        assert_eq!(denied(above), role != Role::Owner, "{role} resets an owner");
        let promoted = service.change_role(&caller, subject, Role::Owner).await.map(drop);
        assert_eq!(denied(promoted), role != Role::Owner, "{role} makes an owner");
        if role == Role::Owner {
            service.change_role(&caller, subject, Role::Viewer).await.unwrap();
        }
        let signed = service.issue_sign_in(&caller, subject).await.map(drop);
        assert!(denied(signed), "a sign-in link is the operator's only");
        let key = NewApiKey {
            name: "Key".to_owned(),
            description: None,
            permissions: PermissionSet::NONE,
            expires_at: None,
        };
        let made = service.create_api_key(&caller, key).await;
        let refused = matches!(made, Err(ApiKeyError::Denied(_)));
        assert_eq!(refused, role < Role::Admin, "{role} makes a key");
        let writes = caller.require(Permission::CLIENT_TOKEN_WRITE);
        assert_eq!(writes.is_err(), role == Role::Viewer);
    }
}

#[tokio::test]
async fn nobody_resets_the_password_of_who_is_a_member_elsewhere_too() {
    let place = Place::fresh().await;
    let elsewhere = place.another_workspace(2).await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    let bob = place.join(&elsewhere, "bob", Role::Owner).await;
    let link = place
        .service
        .invite(&place.operator(), email("bob"), Role::Viewer)
        .await
        .unwrap();
    place.service.accept_invitation(&link.secret, None, None).await.unwrap();
    let reset = place.service.issue_reset(&place.caller("ada").await, bob).await;
    assert!(matches!(reset, Err(PeopleError::Denied(_))), "{reset:?}");
    assert!(place.service.issue_reset(&place.operator(), bob).await.is_ok());
}

#[tokio::test]
async fn members_of_another_workspace_are_not_found() {
    let place = Place::fresh().await;
    let elsewhere = place.another_workspace(2).await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    let bob = place.join(&elsewhere, "bob", Role::Viewer).await;
    let (service, ada) = (&place.service, place.caller("ada").await);
    assert!(matches!(
        service.change_role(&ada, bob, Role::Admin).await,
        Err(PeopleError::NotFound)
    ));
    assert!(matches!(
        service.remove_member(&ada, bob).await,
        Err(PeopleError::NotFound)
    ));
    assert!(matches!(
        service.issue_reset(&ada, bob).await,
        Err(PeopleError::NotFound)
    ));
    assert!(matches!(
        service.sign_member_out(&ada, bob).await,
        Err(PeopleError::NotFound)
    ));
    let signed_in = place.who(&place.sign_in("ada").await).await.unwrap();
    assert!(signed_in.caller_in(&elsewhere, None).is_none());
}

#[tokio::test]
async fn open_invitations_are_listed_with_who_made_them_until_their_time_is_over() {
    let place = Place::fresh().await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    let ada = place.caller("ada").await;
    place
        .service
        .invite(&place.operator(), email("zoe"), Role::Viewer)
        .await
        .unwrap();
    place.clock.advance(Duration::from_hours(1));
    place.service.invite(&ada, email("Bob"), Role::Admin).await.unwrap();
    let elsewhere = place.another_workspace(2).await;
    assert_eq!(
        place
            .service
            .invitations(&tollgate_service::Caller::command_line(elsewhere))
            .await
            .unwrap(),
        []
    );
    place.join(&place.workspace, "viewer", Role::Viewer).await;
    let viewer = place.caller("viewer").await;
    let listed = async || {
        let open = place.service.invitations(&viewer).await.unwrap();
        let open = open.into_iter();
        open.map(|open| (open.email.as_str().to_owned(), open.role, open.invited_by))
            .collect::<Vec<_>>()
    };
    let bob = (
        "Bob@example.com".to_owned(),
        Role::Admin,
        Some("ada <ada@example.com>".to_owned()),
    );
    let zoe = ("zoe@example.com".to_owned(), Role::Viewer, None);
    assert_eq!(listed().await, [bob.clone(), zoe]);
    place.clock.advance(Duration::from_hours(7 * 24 - 1));
    let open = place.service.invitations(&ada).await.unwrap();
    assert_eq!(open.len(), 1, "the one of an hour before is over");
    assert_eq!(open[0].email, email("bob"));
}

#[tokio::test]
async fn an_invitation_is_withdrawn_by_who_manages_its_role_and_is_good_for_nothing_then() {
    let place = Place::fresh().await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    for (name, role) in [("admin", Role::Admin), ("developer", Role::Developer)] {
        place.join(&place.workspace, name, role).await;
    }
    let (admin, developer) = (place.caller("admin").await, place.caller("developer").await);
    let service = &place.service;
    let owner = service
        .invite(&place.operator(), email("bob"), Role::Owner)
        .await
        .unwrap();
    let viewer = service
        .invite(&place.operator(), email("eve"), Role::Viewer)
        .await
        .unwrap();
    for (caller, name) in [
        (&admin, "bob"),
        (&developer, "bob"),
        (&developer, "eve"),
        (&developer, "nobody"),
    ] {
        let refused = service.withdraw_invitation(caller, &email(name)).await;
        assert!(matches!(refused, Err(PeopleError::Denied(_))), "{name}: {refused:?}");
    }
    assert!(service.invitation(&owner.secret).await.is_ok());

    let before = place.place().await;
    assert_eq!(
        service.withdraw_invitation(&admin, &email("EVE")).await.unwrap(),
        Role::Viewer
    );
    let used = service
        .accept_invitation(&viewer.secret, Some(person("Eve")), None)
        .await;
    assert!(matches!(used, Err(PeopleError::Link)), "{used:?}");
    for name in ["eve", "nobody", "ada"] {
        let again = service.withdraw_invitation(&admin, &email(name)).await;
        assert!(matches!(again, Err(PeopleError::NotFound)), "{name}: {again:?}");
    }
    let audit = place.audit(place.workspace.id, before).await;
    let [(event, data)] = &audit[..] else {
        panic!("one event: {audit:?}")
    };
    assert_eq!(
        (event.event_type, event.actor, event.address),
        (
            EventType::InvitationWithdrawn,
            Actor::Person(admin.user_id().unwrap()),
            Some(address(7))
        )
    );
    assert_eq!(
        (event.subject.as_str(), &data["role"]),
        ("eve@example.com", &"viewer".into())
    );
}
