//! Adding passkeys and signing in with them.

use serde_json::Value;
use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::passkey::{CEREMONY, MOST_PASSKEYS, Passkey};
use tollgate_domain::role::Role;
use tollgate_domain::session::SessionSecret;
use tollgate_service::{PasskeyChallenge, PasskeyError, RelyingParty, SignInMethods, SignedIn};

use crate::authenticator::Device;
use crate::place::{Place, address, email, password, secret_of};

const ORIGIN: &str = "https://tollgate.example";

fn party() -> RelyingParty {
    RelyingParty::at(ORIGIN).unwrap()
}

async fn member(place: &Place, name: &str) -> SignedIn {
    place.join(&place.workspace, name, Role::Owner).await;
    place.who(&place.sign_in(name).await).await.unwrap()
}

async fn asked(place: &Place, person: &SignedIn) -> PasskeyChallenge {
    place.service.passkey_registration(person, &party()).await.unwrap()
}

async fn add(
    place: &Place,
    person: &SignedIn,
    challenge: &PasskeyChallenge,
    answer: &str,
) -> Result<Passkey, PasskeyError> {
    let (party, given) = (party(), (challenge.state.reveal(), answer));
    let added = place
        .service
        .add_passkey(person, &party, given, "Laptop", Some(address(5)));
    added.await
}

async fn added(place: &Place, person: &SignedIn, device: &mut Device) -> Passkey {
    let challenge = asked(place, person).await;
    let answer = device.create(&challenge.options);
    add(place, person, &challenge, &answer).await.unwrap()
}

async fn challenge(place: &Place) -> PasskeyChallenge {
    place.service.passkey_sign_in_challenge(&party()).await.unwrap()
}

async fn sign_in(place: &Place, challenge: &PasskeyChallenge, answer: &str) -> Result<SessionSecret, PasskeyError> {
    let given = (challenge.state.reveal(), answer);
    place
        .service
        .sign_in_by_passkey(&party(), given, Some(address(6)))
        .await
}

/// Asks, and has the device answer.
async fn signed_in(place: &Place, device: &mut Device) -> Result<SessionSecret, PasskeyError> {
    let challenge = challenge(place).await;
    let answer = device.get(&challenge.options);
    sign_in(place, &challenge, &answer).await
}

async fn place_with_passkey() -> (Place, SignedIn, Device) {
    let place = Place::fresh().await;
    let ada = member(&place, "ada").await;
    let mut device = Device::new(1, ORIGIN);
    added(&place, &ada, &mut device).await;
    (place, ada, device)
}

fn only<T>(found: &[T]) -> &T {
    assert_eq!(found.len(), 1);
    &found[0]
}

#[tokio::test]
async fn a_passkey_is_added_and_signs_in_and_both_are_told() {
    let place = Place::fresh().await;
    let ada = member(&place, "ada").await;
    let before = place.place().await;
    let mut device = Device::new(1, ORIGIN);
    let passkey = added(&place, &ada, &mut device).await;
    assert_eq!((passkey.name.as_str(), passkey.last_used_at), ("Laptop", None));
    assert_eq!(
        place.service.passkeys(&ada).await.unwrap(),
        std::slice::from_ref(&passkey)
    );
    let audit = place.audit(place.workspace.id, before).await;
    let (event, data) = only(&audit);
    let expected = (EventType::PasskeyAdded, Actor::Person(ada.user.id));
    assert_eq!((event.event_type, event.actor), expected);
    assert_eq!(data["passkey_id"], passkey.id.to_string());
    assert_eq!(data["passkey_name"], "Laptop");
    assert_eq!(event.address, Some("192.0.2.5".parse().unwrap()));

    let before = place.place().await;
    let secret = signed_in(&place, &mut device).await.unwrap();
    let who = place.who(secret.reveal()).await.unwrap();
    assert_eq!(who.user.id, ada.user.id);
    let audit = place.audit(place.workspace.id, before).await;
    let (event, data) = only(&audit);
    assert_eq!(event.event_type, EventType::SignedIn);
    assert_eq!(data["method"], "passkey");
    assert_eq!(event.address, Some("192.0.2.6".parse().unwrap()));
    let used = place.service.passkeys(&ada).await.unwrap();
    assert!(used[0].last_used_at.is_some());
    signed_in(&place, &mut device).await.unwrap();
}

#[tokio::test]
async fn a_browser_is_asked_for_a_passkey_that_names_its_person_and_verifies_them() {
    let (place, ada, _) = place_with_passkey().await;
    let options: Value = serde_json::from_str(&asked(&place, &ada).await.options).unwrap();
    assert_eq!(options["rp"]["id"], "tollgate.example");
    assert_eq!(options["user"]["name"], "ada@example.com");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(
        options["excludeCredentials"].as_array().unwrap().len(),
        1,
        "the one they have"
    );
    let options: Value = serde_json::from_str(&challenge(&place).await.options).unwrap();
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["rpId"], "tollgate.example");
}

#[tokio::test]
async fn what_was_answered_wrongly_is_refused() {
    let (place, ada, mut device) = place_with_passkey().await;
    let right = challenge(&place).await;

    let another = device.get(&challenge(&place).await.options);
    let tried = sign_in(&place, &right, &another).await;
    assert!(
        matches!(tried, Err(PasskeyError::Refused)),
        "the answer to another challenge: {tried:?}"
    );

    for origin in [
        "https://tollgate.example.evil.example",
        "https://sub.tollgate.example",
        "http://tollgate.example",
        "https://tollgate.example:8443",
    ] {
        device.origin = origin;
        let tried = sign_in(&place, &right, &device.get(&right.options)).await;
        assert!(matches!(tried, Err(PasskeyError::Refused)), "{origin}: {tried:?}");
    }
    device.origin = ORIGIN;

    device.verifies = false;
    let tried = sign_in(&place, &right, &device.get(&right.options)).await;
    assert!(
        matches!(tried, Err(PasskeyError::Refused)),
        "nobody was verified: {tried:?}"
    );
    let unverified = asked(&place, &ada).await;
    let mut careless = Device::new(2, ORIGIN);
    careless.verifies = false;
    let answer = careless.create(&unverified.options);
    let tried = add(&place, &ada, &unverified, &answer).await;
    assert!(matches!(tried, Err(PasskeyError::Refused)), "nor here: {tried:?}");
    device.verifies = true;

    let tried = sign_in(&place, &right, &device.forged().get(&right.options)).await;
    assert!(matches!(tried, Err(PasskeyError::Refused)), "another key: {tried:?}");
    let tried = sign_in(&place, &right, &Device::new(9, ORIGIN).get(&right.options)).await;
    assert!(
        matches!(tried, Err(PasskeyError::Refused | PasskeyError::Unknown)),
        "{tried:?}"
    );
    for answer in ["", "{}", "[1]", "{\"id\":\"x\"}"] {
        let tried = sign_in(&place, &right, answer).await;
        assert!(matches!(tried, Err(PasskeyError::Refused)), "{answer}: {tried:?}");
    }
    sign_in(&place, &right, &device.get(&right.options)).await.unwrap();
}

#[tokio::test]
async fn an_answer_is_taken_once_and_in_time() {
    let (place, ada, mut device) = place_with_passkey().await;
    let challenge = challenge(&place).await;
    let answer = device.get(&challenge.options);
    sign_in(&place, &challenge, &answer).await.unwrap();
    let replayed = sign_in(&place, &challenge, &answer).await;
    assert!(matches!(replayed, Err(PasskeyError::Ceremony)), "{replayed:?}");

    let registration = asked(&place, &ada).await;
    let answer = Device::new(2, ORIGIN).create(&registration.options);
    add(&place, &ada, &registration, &answer).await.unwrap();
    let replayed = add(&place, &ada, &registration, &answer).await;
    assert!(matches!(replayed, Err(PasskeyError::Ceremony)), "{replayed:?}");

    let late = self::challenge(&place).await;
    let answer = device.get(&late.options);
    place.clock.advance(CEREMONY);
    let tried = sign_in(&place, &late, &answer).await;
    assert!(matches!(tried, Err(PasskeyError::Ceremony)), "{tried:?}");
    for state in ["", "not a state", &"a".repeat(32)] {
        let tried = place.service.sign_in_by_passkey(&party(), (state, &answer), None).await;
        assert!(matches!(tried, Err(PasskeyError::Ceremony)), "{tried:?}");
    }
}

#[tokio::test]
async fn of_two_who_hand_the_same_answer_in_at_once_one_is_signed_in() {
    let (place, _, mut device) = place_with_passkey().await;
    let challenge = challenge(&place).await;
    let answer = device.get(&challenge.options);
    let (one, other) = tokio::join!(
        sign_in(&place, &challenge, &answer),
        sign_in(&place, &challenge, &answer)
    );
    assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
}

#[tokio::test]
async fn a_counter_that_goes_back_is_a_copy_and_refused() {
    let (place, _, mut device) = place_with_passkey().await;
    device.counter = 7;
    signed_in(&place, &mut device).await.unwrap();
    for count in [7, 0] {
        device.counter = count;
        let tried = signed_in(&place, &mut device).await;
        let refused = matches!(tried, Err(PasskeyError::Refused));
        assert!(refused, "{}: {tried:?}", device.counter);
    }
    device.counter = 8;
    signed_in(&place, &mut device).await.unwrap();
}

#[tokio::test]
async fn a_passkey_signs_in_its_own_person_only() {
    let (place, ada, mut adas) = place_with_passkey().await;
    let bob = member(&place, "bob").await;
    let mut bobs = Device::new(2, ORIGIN);
    let passkey = added(&place, &bob, &mut bobs).await;
    bobs.claiming_to_be(&adas);
    let tried = signed_in(&place, &mut bobs).await;
    assert!(matches!(tried, Err(PasskeyError::Refused)), "{tried:?}");

    let adas_challenge = asked(&place, &ada).await;
    let answer = Device::new(3, ORIGIN).create(&adas_challenge.options);
    let tried = add(&place, &bob, &adas_challenge, &answer).await;
    assert!(matches!(tried, Err(PasskeyError::Ceremony)), "{tried:?}");
    let of_nobody = challenge(&place).await;
    let tried = add(&place, &bob, &of_nobody, &answer).await;
    assert!(matches!(tried, Err(PasskeyError::Ceremony)), "{tried:?}");

    let taken = asked(&place, &bob).await;
    let answer = adas.forged().create(&taken.options);
    let tried = add(&place, &bob, &taken, &answer).await;
    assert!(matches!(tried, Err(PasskeyError::Taken)), "{tried:?}");

    let tried = place.service.remove_passkey(&ada, passkey.id, None).await;
    assert!(matches!(tried, Err(PasskeyError::NotFound)), "{tried:?}");
    let tried = place.service.rename_passkey(&ada, passkey.id, "Mine").await;
    assert!(matches!(tried, Err(PasskeyError::NotFound)), "{tried:?}");
    signed_in(&place, &mut adas).await.unwrap();
}

#[tokio::test]
async fn a_removed_passkey_signs_nobody_in_and_the_removal_is_told() {
    let (place, ada, mut device) = place_with_passkey().await;
    let passkey = place.service.passkeys(&ada).await.unwrap().remove(0);
    place
        .service
        .rename_passkey(&ada, passkey.id, "Old laptop")
        .await
        .unwrap();
    let open = challenge(&place).await;
    let before = place.place().await;
    place
        .service
        .remove_passkey(&ada, passkey.id, Some(address(5)))
        .await
        .unwrap();
    let audit = place.audit(place.workspace.id, before).await;
    let (event, data) = only(&audit);
    assert_eq!(event.event_type, EventType::PasskeyRemoved);
    assert_eq!(data["passkey_name"], "Old laptop");
    let tried = sign_in(&place, &open, &device.get(&open.options)).await;
    assert!(matches!(tried, Err(PasskeyError::Unknown)), "{tried:?}");
    let again = place.service.remove_passkey(&ada, passkey.id, None).await;
    assert!(matches!(again, Err(PasskeyError::NotFound)));
}

#[tokio::test]
async fn a_reset_removes_passkeys_and_changing_ones_password_does_not() {
    let (place, ada, mut device) = place_with_passkey().await;
    let new = password("another good password");
    let changed = place.service.change_password(&ada, crate::place::PASSWORD, &new, None);
    changed.await.unwrap();
    signed_in(&place, &mut device).await.unwrap();
    let before = place.place().await;
    let link = place.service.issue_reset(&place.operator(), ada.user.id).await.unwrap();
    let secret = secret_of(&link);
    let reset = place.service.reset_password(&secret, &new, None);
    reset.await.unwrap();
    let audit = place.audit(place.workspace.id, before).await;
    let told: Vec<_> = audit.iter().map(|(event, _)| event.event_type).collect();
    assert_eq!(
        told,
        [
            EventType::PasswordResetIssued,
            EventType::PasswordChanged,
            EventType::PasskeyRemoved
        ]
    );
    let tried = signed_in(&place, &mut device).await;
    assert!(matches!(tried, Err(PasskeyError::Unknown)), "{tried:?}");
}

#[tokio::test]
async fn a_person_has_so_many_passkeys_and_no_more() {
    let (place, ada, _) = place_with_passkey().await;
    for number in 2..=u8::try_from(MOST_PASSKEYS).unwrap() {
        added(&place, &ada, &mut Device::new(number, ORIGIN)).await;
    }
    let tried = place.service.passkey_registration(&ada, &party()).await;
    assert!(matches!(tried, Err(PasskeyError::TooMany)), "{tried:?}");
}

#[tokio::test]
async fn passkeys_that_are_switched_off_do_nothing_but_go() {
    let (mut place, ada, mut device) = place_with_passkey().await;
    let open = challenge(&place).await;
    let methods = SignInMethods {
        passkeys: false,
        ..SignInMethods::default()
    };
    place.service = place.service.with_sign_in(methods, None);
    let tried = place.service.passkey_sign_in_challenge(&party()).await;
    assert!(matches!(tried, Err(PasskeyError::Off)));
    let tried = sign_in(&place, &open, &device.get(&open.options)).await;
    assert!(matches!(tried, Err(PasskeyError::Off)));
    let tried = place.service.passkey_registration(&ada, &party()).await;
    assert!(matches!(tried, Err(PasskeyError::Off)));
    let passkey = place.service.passkeys(&ada).await.unwrap().remove(0);
    place.service.remove_passkey(&ada, passkey.id, None).await.unwrap();
    assert_eq!(email("ada"), ada.user.email);
}
