//! Signing in and out.

use std::time::Duration;

use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::role::Role;
use tollgate_domain::session::{ABSOLUTE, IDLE};
use tollgate_service::SignInError;

use crate::place::{PASSWORD, Place, address, email, password};

async fn place_with_ada() -> Place {
    let place = Place::fresh().await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    place
}

/// Seconds to wait; 0 when the try was looked at and wrong.
async fn failed(place: &Place, name: &str, network: u8) -> u64 {
    let email = email(name);
    let tried = place
        .service
        .sign_in(email.as_str(), "a wrong password", Some(address(network)));
    match tried.await {
        Err(SignInError::Wrong) => 0,
        Err(SignInError::Wait(wait)) => wait.as_secs(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_right_password_signs_in_and_is_told_everywhere() {
    let place = place_with_ada().await;
    let elsewhere = place.another_workspace(2).await;
    let link = place
        .service
        .invite(
            &tollgate_service::Caller::command_line(elsewhere.clone()),
            email("ada"),
            Role::Viewer,
        )
        .await
        .unwrap();
    place.service.accept_invitation(&link.secret, None, None).await.unwrap();
    let before = place.place().await;
    let cookie = place
        .service
        .sign_in(" ADA@Example.com ", PASSWORD, Some(address(3)))
        .await
        .unwrap();
    let signed_in = place.who(cookie.reveal()).await.unwrap();
    assert_eq!(signed_in.memberships.len(), 2);
    assert!(signed_in.secret.is_form_proof(&cookie.form_proof()));
    for workspace in [place.workspace.id, elsewhere.id] {
        let audit = place.audit(workspace, before).await;
        let [(event, _)] = &audit[..] else {
            panic!("one event: {audit:?}")
        };
        let expected = (EventType::SignedIn, Actor::Person(signed_in.user.id));
        assert_eq!((event.event_type, event.actor), expected);
        assert_eq!(event.address, Some(address(3)));
        assert!(!event.data.contains("192.0.2.3"), "{}", event.data);
        assert!(!event.data.contains("argon2") && !event.data.contains(cookie.reveal()));
    }
    assert!(!format!("{signed_in:?}").contains(cookie.reveal()), "{signed_in:?}");
    assert!(!format!("{signed_in:?}").contains("argon2"), "{signed_in:?}");
}

#[tokio::test]
async fn whoever_fails_learns_nothing() {
    let place = place_with_ada().await;
    let link = place
        .service
        .invite(&place.operator(), email("without"), Role::Viewer)
        .await
        .unwrap();
    let without_password = tollgate_service::NewPerson {
        name: "Without".to_owned(),
        password: None,
    };
    place
        .service
        .accept_invitation(&link.secret, Some(without_password), None)
        .await
        .unwrap();
    let long = "x".repeat(1_000_000);
    for (given, presented) in [
        ("ada@example.com", "a wrong password"),
        ("ada@example.com", ""),
        ("ada@example.com", &long),
        ("nobody@example.com", PASSWORD),
        ("without@example.com", PASSWORD),
        ("no address", PASSWORD),
    ] {
        let tried = place.service.sign_in(given, presented, None).await;
        assert!(matches!(tried, Err(SignInError::Wrong)), "{given}: {tried:?}");
    }
}

#[tokio::test]
async fn failures_are_throttled_by_email_and_the_throttle_recovers() {
    let place = place_with_ada().await;
    for network in 1..=5 {
        assert_eq!(failed(&place, "ada", network).await, 0);
    }
    assert_eq!(
        failed(&place, "ada", 6).await,
        15,
        "the sixth waits, wherever it comes from"
    );
    assert_eq!(
        failed(&place, "Ada", 6).await,
        15,
        "in any case, and waiting didn't count"
    );
    assert!(
        matches!(place.try_password("ada", PASSWORD).await, Err(SignInError::Wait(_))),
        "also the right one"
    );
    assert_eq!(failed(&place, "nobody", 6).await, 0, "others aren't held up");

    place.clock.advance(Duration::from_secs(15));
    assert_eq!(failed(&place, "ada", 7).await, 0);
    assert_eq!(failed(&place, "ada", 7).await, 30, "the next wait is longer");
    place.clock.advance(Duration::from_secs(30));
    place.sign_in("ada").await;
    assert_eq!(failed(&place, "ada", 7).await, 0, "all is forgotten");
}

#[tokio::test]
async fn nobody_is_locked_out_for_good() {
    let place = place_with_ada().await;
    for _ in 0..30 {
        let wait = failed(&place, "ada", 1).await;
        assert!(wait <= 15 * 60, "{wait} s");
        place.clock.advance(Duration::from_secs(wait));
    }
    place.clock.advance(Duration::from_mins(15));
    place.sign_in("ada").await;
}

#[tokio::test]
async fn failures_are_throttled_by_network_whomever_they_are_for() {
    let place = place_with_ada().await;
    for number in 0..20 {
        assert_eq!(failed(&place, &format!("nobody{number}"), 9).await, 0);
    }
    assert_eq!(failed(&place, "somebody", 9).await, 15);
    assert_eq!(failed(&place, "somebody", 10).await, 0, "another network isn't held up");
    place.sign_in("ada").await;
}

#[tokio::test]
async fn tries_at_once_are_no_way_around_the_throttle() {
    let place = place_with_ada().await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let service = place.service.clone();
        racing.spawn(async move { service.sign_in("ada@example.com", "a wrong password", None).await });
    }
    let tried = racing.join_all().await;
    let looked_at = tried
        .iter()
        .filter(|tried| matches!(tried, Err(SignInError::Wrong)))
        .count();
    assert!(looked_at <= 5, "{looked_at} of them were looked at");
}

#[tokio::test]
async fn a_stolen_session_is_refused_after_sign_out() {
    let place = place_with_ada().await;
    let (stolen, other) = (place.sign_in("ada").await, place.sign_in("ada").await);
    let signed_in = place.who(&stolen).await.unwrap();
    let before = place.place().await;
    for _ in 0..2 {
        place.service.sign_out(&signed_in, Some(address(2))).await.unwrap();
        assert!(place.who(&stolen).await.is_none());
    }
    assert!(place.who(&other).await.is_some());
    let audit = place.audit(place.workspace.id, before).await;
    let told: Vec<_> = audit.iter().map(|(event, _)| event.event_type).collect();
    assert_eq!(told, [EventType::SignedOut], "once");
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sessions_of_one_person() {
    let place = place_with_ada().await;
    let bob = place.join(&place.workspace, "bob", Role::Viewer).await;
    let (one, two, theirs) = (
        place.sign_in("ada").await,
        place.sign_in("ada").await,
        place.sign_in("bob").await,
    );
    place
        .service
        .sign_out_everywhere(&place.who(&one).await.unwrap(), None)
        .await
        .unwrap();
    assert!(place.who(&one).await.is_none() && place.who(&two).await.is_none());
    assert!(place.who(&theirs).await.is_some());
    place.service.sign_member_out(&place.operator(), bob).await.unwrap();
    assert!(place.who(&theirs).await.is_none());
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let place = place_with_ada().await;
    let (here, there) = (place.sign_in("ada").await, place.sign_in("ada").await);
    let signed_in = place.who(&here).await.unwrap();
    let new = password("a quite new password");
    let wrong = place
        .service
        .change_password(&signed_in, "not the current one", &new, None)
        .await;
    assert!(matches!(wrong, Err(SignInError::Wrong)), "{wrong:?}");
    assert!(place.who(&there).await.is_some());
    place
        .service
        .change_password(&signed_in, PASSWORD, &new, None)
        .await
        .unwrap();
    assert!(place.who(&here).await.is_some() && place.who(&there).await.is_none());
    assert!(matches!(
        place.try_password("ada", PASSWORD).await,
        Err(SignInError::Wrong)
    ));
    place.try_password("ada", "a quite new password").await.unwrap();
    for _ in 0..6 {
        let same = place
            .service
            .change_password(&signed_in, "a quite new password", &new, None);
        same.await.unwrap(); // being right isn't counted
    }
}

#[tokio::test]
async fn a_session_ends_when_idle_and_after_two_weeks_anyway() {
    let place = place_with_ada().await;
    let cookie = place.sign_in("ada").await;
    let almost = IDLE.saturating_sub(Duration::from_secs(1));
    let mut age = Duration::ZERO;
    while age + almost < ABSOLUTE {
        place.clock.advance(almost);
        age += almost;
        assert!(place.who(&cookie).await.is_some(), "after {age:?}");
    }
    place.clock.advance(ABSOLUTE.saturating_sub(age));
    assert!(place.who(&cookie).await.is_none());

    let idle = place.sign_in("ada").await;
    place.clock.advance(IDLE);
    assert!(place.who(&idle).await.is_none());
    place.service.remove_old_sessions().await.unwrap();
    let digest = tollgate_domain::session::SessionSecret::parse(&idle).unwrap().digest();
    assert_eq!(place.storage.session(digest).await.unwrap(), None, "removed");
}

#[tokio::test]
async fn a_sight_is_written_down_once_a_minute() {
    let place = place_with_ada().await;
    let cookie = place.sign_in("ada").await;
    let digest = tollgate_domain::session::SessionSecret::parse(&cookie)
        .unwrap()
        .digest();
    let begun = place.storage.session(digest).await.unwrap().unwrap();
    place.clock.advance(Duration::from_secs(59));
    assert!(place.who(&cookie).await.is_some());
    assert_eq!(place.storage.session(digest).await.unwrap(), Some(begun.clone()));
    place.clock.advance(Duration::from_secs(1));
    assert!(place.who(&cookie).await.is_some());
    let seen = place.storage.session(digest).await.unwrap().unwrap();
    assert_eq!(seen.last_seen_at, begun.last_seen_at.plus(Duration::from_mins(1)));
}

#[tokio::test]
async fn what_is_no_cookie_of_ours_is_nobody() {
    let place = place_with_ada().await;
    let cookie = place.sign_in("ada").await;
    for wrong in [
        "",
        "x",
        &cookie[1..],
        &"0".repeat(32),
        &cookie.to_ascii_uppercase(),
        &format!("{cookie} "),
    ] {
        assert!(place.who(wrong).await.is_none(), "{wrong}");
    }
}
