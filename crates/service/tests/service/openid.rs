//! Signing in through an OpenID Connect provider.

use std::time::Duration;

use tollgate_domain::event::EventType;
use tollgate_domain::role::Role;
use tollgate_service::{
    Caller, OpenIdAnswer, OpenIdError, OpenIdSignedIn, OpenIdStart, SignInError, SignInMethods, SignedIn,
};

use crate::place::{PASSWORD, Place, address, email};
use crate::provider::{FakeProvider, ISSUER};

const RETURN: &str = "https://tollgate.example/dashboard/sign-in/openid/return";

/// A place whose provider vouches for this person.
async fn place_with(name: &str) -> (Place, FakeProvider) {
    let mut place = Place::fresh().await;
    let provider = FakeProvider::naming(email(name).as_str());
    let methods = SignInMethods {
        openid: Some("Example ID".to_owned()),
        ..SignInMethods::default()
    };
    place.service = place.service.with_sign_in(methods, Some(provider.registered()));
    (place, provider)
}

async fn place_with_ada() -> (Place, FakeProvider) {
    let (place, provider) = place_with("ada").await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    (place, provider)
}

async fn start(place: &Place) -> Result<OpenIdStart, OpenIdError> {
    place.service.openid_start("/dashboard/events", RETURN).await
}

async fn finish(place: &Place, start: &OpenIdStart, state: &str) -> Result<OpenIdSignedIn, OpenIdError> {
    let answer = OpenIdAnswer {
        code: Some("code"),
        state: Some(state),
        error: None,
    };
    let finished = place.service.openid_finish(&start.state, answer, Some(address(3)));
    finished.await
}

/// To the provider and back.
async fn sign_in(place: &Place, provider: &FakeProvider) -> Result<OpenIdSignedIn, OpenIdError> {
    let start = start(place).await?;
    let state = provider.visit(&start);
    finish(place, &start, &state).await
}

async fn who(place: &Place, signed_in: &OpenIdSignedIn) -> SignedIn {
    place.who(signed_in.secret.reveal()).await.unwrap()
}

/// Why nobody was signed in, of the provider's answer.
async fn invalid(place: &Place, provider: &FakeProvider) -> String {
    match sign_in(place, provider).await {
        Err(OpenIdError::Invalid(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_verified_address_opens_its_account_and_the_identity_from_then_on() {
    let (place, provider) = place_with_ada().await;
    let before = place.place().await;
    let signed_in = sign_in(&place, &provider).await.unwrap();
    assert_eq!(signed_in.return_to, "/dashboard/events");
    let ada = who(&place, &signed_in).await.user;
    assert_eq!(ada.email, email("ada"));
    let audit = place.audit(place.workspace.id, before).await;
    let [(event, data)] = &audit[..] else {
        panic!("one event: {audit:?}")
    };
    assert_eq!(event.event_type, EventType::SignedIn);
    assert_eq!(data["method"], "openid");
    assert_eq!(event.address, Some("192.0.2.3".parse().unwrap()));

    // Another address there, or none: they are who they were.
    provider.claim("email", "countess@elsewhere.example");
    provider.claim("email_verified", false);
    let again = sign_in(&place, &provider).await.unwrap();
    assert_eq!(who(&place, &again).await.user.id, ada.id);
    let identity = place.storage.identity(ISSUER, "subject-1").await.unwrap();
    assert_eq!(identity.unwrap().user, ada.id);
}

#[tokio::test]
async fn an_invitation_to_the_address_is_taken() {
    let (place, provider) = place_with("ada").await;
    let elsewhere = place.another_workspace(2).await;
    for (workspace, role) in [(&place.workspace, Role::Developer), (&elsewhere, Role::Viewer)] {
        let operator = Caller::command_line(workspace.clone());
        place.service.invite(&operator, email("ada"), role).await.unwrap();
    }
    let before = place.place().await;
    let signed_in = sign_in(&place, &provider).await.unwrap();
    let ada = who(&place, &signed_in).await;
    assert_eq!((ada.user.name.as_str(), &ada.user.password), ("Ada Lovelace", &None));
    let roles: Vec<_> = ada.memberships.iter().map(|member| member.role).collect();
    assert_eq!(roles, [Role::Developer, Role::Viewer]);
    for workspace in [place.workspace.id, elsewhere.id] {
        let audit = place.audit(workspace, before).await;
        let told: Vec<_> = audit.iter().map(|(event, _)| event.event_type).collect();
        assert_eq!(told, [EventType::MemberJoined, EventType::SignedIn]);
    }
    let again = sign_in(&place, &provider).await.unwrap();
    assert_eq!(who(&place, &again).await.user.id, ada.user.id);
}

#[tokio::test]
async fn whoever_has_neither_account_nor_invitation_stays_outside() {
    let (place, provider) = place_with("eve").await;
    place.join(&place.workspace, "ada", Role::Owner).await;
    let operator = place.operator();
    place
        .service
        .invite(&operator, email("bob"), Role::Viewer)
        .await
        .unwrap();
    let tried = sign_in(&place, &provider).await;
    assert!(
        matches!(&tried, Err(OpenIdError::NoAccount(who)) if *who == email("eve")),
        "{tried:?}"
    );
    assert!(place.storage.user_by_email(&email("eve")).await.unwrap().is_none());

    place
        .service
        .invite(&operator, email("eve"), Role::Viewer)
        .await
        .unwrap();
    place.clock.advance(Duration::from_hours(7 * 24));
    provider.claim("exp", 1_999_999_999);
    let tried = sign_in(&place, &provider).await;
    assert!(
        matches!(tried, Err(OpenIdError::NoAccount(_))),
        "the invitation is over: {tried:?}"
    );
}

#[tokio::test]
async fn an_address_that_nobody_vouches_for_opens_nothing() {
    let (place, provider) = place_with_ada().await;
    for verified in [serde_json::Value::Bool(false), serde_json::Value::Null] {
        provider.claim("email_verified", verified);
        let tried = sign_in(&place, &provider).await;
        assert!(matches!(tried, Err(OpenIdError::EmailUnverified)), "{tried:?}");
    }
    provider.claim("email_verified", true);
    provider.claim("email", "ada@example.com\u{202e}");
    let tried = sign_in(&place, &provider).await;
    assert!(matches!(tried, Err(OpenIdError::EmailUnverified)), "{tried:?}");
}

#[tokio::test]
async fn an_address_that_is_not_in_the_token_is_asked_for() {
    let (place, provider) = place_with_ada().await;
    provider.change(|manner| {
        manner.claims = serde_json::json!({});
        manner.user_info = serde_json::json!({ "sub": "another", "email": "ada@example.com", "email_verified": true });
    });
    let reason = invalid(&place, &provider).await;
    assert!(reason.contains("ubject"), "{reason}");
    provider.change(|manner| manner.user_info["sub"] = "subject-1".into());
    let signed_in = sign_in(&place, &provider).await.unwrap();
    assert_eq!(who(&place, &signed_in).await.user.email, email("ada"));
}

#[tokio::test]
async fn a_token_that_does_not_hold_signs_nobody_in() {
    let (place, provider) = place_with_ada().await;
    for (claim, value, told) in [
        ("nonce", serde_json::json!("another"), "nonce"),
        ("aud", serde_json::json!("another"), "audience"),
        ("aud", serde_json::json!(["tollgate", "another"]), "audience"),
        ("iss", serde_json::json!("https://evil.example"), "issuer"),
        ("exp", serde_json::json!(1_767_225_600), "expired"),
        ("sub", serde_json::json!("s".repeat(256)), "subject"),
        ("sub", serde_json::json!(""), "subject"),
    ] {
        let usual = provider.clone();
        let mut claims = serde_json::Value::Null;
        usual.change(|manner| claims = manner.claims.clone());
        provider.claim(claim, value);
        let reason = invalid(&place, &provider).await;
        assert!(reason.to_lowercase().contains(told), "{claim}: {reason}");
        provider.change(|manner| manner.claims = claims);
    }
    provider.change(|manner| manner.breaks_signature = true);
    let reason = invalid(&place, &provider).await;
    assert!(reason.contains("ignature"), "{reason}");
    provider.change(|manner| manner.breaks_signature = false);
    for algorithm in ["none", "HS256"] {
        provider.change(|manner| manner.algorithm = algorithm);
        invalid(&place, &provider).await;
    }
    provider.change(|manner| manner.algorithm = "RS256");
    sign_in(&place, &provider).await.unwrap();
}

#[tokio::test]
async fn whoever_comes_back_is_the_one_who_left() {
    let (place, provider) = place_with_ada().await;
    let one = start(&place).await.unwrap();
    let other = start(&place).await.unwrap();
    let state = provider.visit(&one);
    let tried = finish(&place, &other, &state).await;
    assert!(matches!(tried, Err(OpenIdError::State)), "another browser: {tried:?}");
    for (kept, answer) in [
        (
            one.state.as_str(),
            OpenIdAnswer {
                code: Some("code"),
                ..OpenIdAnswer::default()
            },
        ),
        (
            one.state.as_str(),
            OpenIdAnswer {
                state: Some(&state),
                ..OpenIdAnswer::default()
            },
        ),
        (
            "",
            OpenIdAnswer {
                code: Some("code"),
                state: Some(&state),
                error: None,
            },
        ),
        (
            &one.state[2..],
            OpenIdAnswer {
                code: Some("code"),
                state: Some(&state),
                error: None,
            },
        ),
    ] {
        let tried = place.service.openid_finish(kept, answer, None).await;
        assert!(matches!(tried, Err(OpenIdError::State)), "{answer:?}: {tried:?}");
    }
    place.clock.advance(Duration::from_mins(10));
    let tried = finish(&place, &one, &state).await;
    assert!(matches!(tried, Err(OpenIdError::State)), "too late: {tried:?}");
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_by_its_word() {
    let (place, provider) = place_with_ada().await;
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("<script>", "no known reason"),
        ("", "no known reason"),
    ] {
        let start = start(&place).await.unwrap();
        let state = provider.visit(&start);
        let answer = OpenIdAnswer {
            code: None,
            state: Some(&state),
            error: Some(error),
        };
        let tried = place.service.openid_finish(&start.state, answer, None).await;
        assert!(
            matches!(&tried, Err(OpenIdError::Refused(code)) if code == told),
            "{tried:?}"
        );
    }
    provider.change(|manner| manner.refusal = Some("invalid_grant"));
    let tried = sign_in(&place, &provider).await;
    assert!(
        matches!(&tried, Err(OpenIdError::Refused(code)) if code == "invalid_grant"),
        "{tried:?}"
    );
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_found_again() {
    let (place, provider) = place_with_ada().await;
    provider.change(|manner| manner.is_down = true);
    let tried = start(&place).await;
    assert!(matches!(tried, Err(OpenIdError::Unreachable(_))), "{tried:?}");
    provider.change(|manner| manner.is_down = false);
    let start = start(&place).await.unwrap();
    let state = provider.visit(&start);
    provider.change(|manner| manner.is_down = true);
    let tried = finish(&place, &start, &state).await;
    assert!(matches!(tried, Err(OpenIdError::Unreachable(_))), "{tried:?}");
    provider.change(|manner| manner.is_down = false);
    finish(&place, &start, &state).await.unwrap();
}

#[tokio::test]
async fn what_a_provider_says_of_itself_is_kept_for_an_hour_and_new_keys_are_found() {
    let (place, provider) = place_with_ada().await;
    provider.claim("exp", 1_999_999_999);
    let discovery = "/realm/.well-known/openid-configuration";
    sign_in(&place, &provider).await.unwrap();
    sign_in(&place, &provider).await.unwrap();
    assert_eq!((provider.asked(discovery), provider.asked("/realm/jwks")), (1, 1));

    provider.change(|manner| manner.key_id = "two");
    let reason = invalid(&place, &provider).await;
    assert!(reason.contains("key"), "asked a moment ago: {reason}");
    place.clock.advance(Duration::from_mins(1));
    sign_in(&place, &provider).await.unwrap();
    assert_eq!(provider.asked("/realm/jwks"), 2);

    place.clock.advance(Duration::from_hours(1));
    sign_in(&place, &provider).await.unwrap();
    assert_eq!((provider.asked(discovery), provider.asked("/realm/jwks")), (3, 3));
}

#[tokio::test]
async fn without_a_provider_there_is_no_such_way_and_passwords_can_be_switched_off() {
    let (mut place, provider) = place_with_ada().await;
    let methods = SignInMethods {
        passwords: false,
        ..place.service.sign_in_methods().clone()
    };
    place.service = place.service.with_sign_in(methods, Some(provider.registered()));
    let tried = place.try_password("ada", PASSWORD).await;
    assert!(matches!(tried, Err(SignInError::Off)), "{tried:?}");
    sign_in(&place, &provider).await.unwrap();
    place.service = place.service.with_sign_in(SignInMethods::default(), None);
    assert!(matches!(start(&place).await, Err(OpenIdError::Off)));
}
