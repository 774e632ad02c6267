//! Passkeys, as far as they need no device: challenges, answers that are none, and what becomes of those that are there.

use tollgate_domain::ambient::Clock;
use tollgate_domain::id::PasskeyId;
use tollgate_domain::passkey::{Ceremony, CeremonySecret, MOST_PASSKEYS, Passkey};
use tollgate_domain::role::Role;
use tollgate_storage::{PeopleWrite, Write};

use super::entrance::{kept, proof};
use crate::support::{Answer, Person, SeededEntropy, Store, TestApp, get, post};

const ALL: &str = "/dashboard/account/passkeys";
const SIGN_IN: &str = "/dashboard/sign-in/passkey";

/// Reached by a name, as passkeys need it.
async fn app(store: Store) -> TestApp {
    TestApp::with(store, |settings| {
        settings.public_url = Some("http://localhost:8787".to_owned());
    })
    .await
}

/// A passkey that no device has.
async fn put(app: &TestApp, person: &Person, number: u8, name: &str) -> PasskeyId {
    let now = app.clock.now();
    let secret = CeremonySecret::generate(&SeededEntropy::new(1_000 + u64::from(number)));
    let ceremony = Ceremony::begin(&secret, Some(person.id), Vec::new(), now);
    app.commit(Write::People(PeopleWrite::BeginCeremony(ceremony))).await;
    let passkey = Passkey {
        id: PasskeyId::parse(&format!("psk_01khqw72q437v2n2wtbrraaw{number:02}")).expect("an id"),
        user: person.id,
        credential: vec![number; 16],
        key: vec![1],
        state: vec![1],
        name: name.to_owned(),
        created_at: now,
        last_used_at: None,
    };
    let id = passkey.id;
    app.commit(Write::People(PeopleWrite::AddPasskey {
        ceremony: secret.digest(),
        now,
        passkey,
    }))
    .await;
    id
}

/// Sends a form of the entrance as somebody who isn't signed in, with one cookie more.
async fn as_stranger(app: &TestApp, target: &str, cookie: &str, fields: &str) -> Answer {
    let page = app.visit(get("/dashboard/sign-in")).await;
    let visitor = kept(&page, "tollgate-visitor").expect("a cookie").to_owned();
    let form = post(target).header("Cookie", format!("tollgate-visitor={visitor}; {cookie}"));
    app.visit(form.form(format!("proof={}&{fields}", proof(&page)))).await
}

pub(crate) async fn a_challenge_comes_with_its_state_in_a_cookie(store: Store) {
    let app = app(store).await;
    let asked = as_stranger(&app, &format!("{SIGN_IN}/challenge"), "", "").await;
    assert_eq!(asked.status, 200, "{}", asked.body_text());
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let options = &asked.json()["publicKey"];
    assert_eq!(
        (&options["rpId"], &options["userVerification"]),
        (&"localhost".into(), &"required".into())
    );
    let cookies = asked.all("set-cookie");
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("tollgate-passkey="));
    let cookie = cookie.expect("a cookie");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=300"),
        "{cookie}"
    );
    let person = app.person(Role::Viewer).await;
    let asked = app.visit(person.form(format!("{ALL}/challenge"), "name=Phone")).await;
    assert_eq!(asked.status, 200, "{}", asked.body_text());
    assert_eq!(asked.json()["publicKey"]["user"]["name"], "viewer@example.com");
    assert!(kept(&asked, "tollgate-passkey").is_some());
}

pub(crate) async fn an_answer_without_a_challenge_or_of_no_sense_is_refused(store: Store) {
    let app = app(store).await;
    let asked = as_stranger(&app, &format!("{SIGN_IN}/challenge"), "", "").await;
    let state = format!(
        "tollgate-passkey={}",
        kept(&asked, "tollgate-passkey").expect("a cookie")
    );
    for (cookie, fields, words) in [
        ("", "credential=%7B%7D", "This took too long, or was done already"),
        (
            "tollgate-passkey=guess",
            "credential=%7B%7D",
            "This took too long, or was done already",
        ),
        (&*state, "credential=%7B%7D", "The passkey was not accepted."),
        (&*state, "", "The passkey was not accepted."),
    ] {
        let answer = as_stranger(&app, SIGN_IN, cookie, fields).await;
        assert_eq!(answer.status, 422, "{}", answer.body_text());
        assert!(answer.body_text().contains(words), "{}", answer.body_text());
        assert_eq!(kept(&answer, "tollgate-session"), None);
        assert_eq!(kept(&answer, "tollgate-passkey"), Some(""), "forgotten");
    }
    let person = app.person(Role::Viewer).await;
    let answer = app.visit(person.form(ALL, "name=Phone&credential=%7B%7D")).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.body_text().contains("This took too long"),
        "{}",
        answer.body_text()
    );
}

pub(crate) async fn a_passkey_is_renamed_and_removed_by_its_person(store: Store) {
    let app = app(store).await;
    let person = app.person(Role::Viewer).await;
    let id = put(&app, &person, 11, "<b>Laptop</b>").await;
    let page = app.visit(person.page("/dashboard/account")).await;
    assert!(page.body_text().contains("&#60;b&#62;Laptop"), "{}", page.body_text());
    assert!(page.body_text().contains("never"));

    let one = format!("{ALL}/{id}");
    let refused = app.visit(person.form(&*one, "name=+")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body_text().contains("Name: "), "{}", refused.body_text());
    let renamed = app.visit(person.form(&*one, "name=Old+laptop")).await;
    assert_eq!(
        renamed.header("location"),
        Some("/dashboard/account?done=passkey-renamed")
    );
    assert!(app.visit(person.page(&*one)).await.body_text().contains("Old laptop"));

    let asked = app.visit(person.page(format!("{one}/remove"))).await;
    assert_eq!(asked.status, 200);
    let removed = app.visit(person.form(format!("{one}/remove"), "")).await;
    assert_eq!(
        removed.header("location"),
        Some("/dashboard/account?done=passkey-removed")
    );
    assert_eq!(app.visit(person.page(&*one)).await.status, 404);
}

pub(crate) async fn a_passkey_of_somebody_else_does_not_exist(store: Store) {
    let app = app(store).await;
    let ada = app.person(Role::Viewer).await;
    let owner = app.person(Role::Owner).await;
    let id = put(&app, &ada, 12, "Laptop").await;
    for path in [format!("{ALL}/{id}"), format!("{ALL}/{id}/remove")] {
        assert_eq!(app.visit(owner.page(&*path)).await.status, 404, "{path}");
        assert_eq!(app.visit(owner.form(&*path, "name=Mine")).await.status, 404, "{path}");
    }
    let kept = app.storage().passkeys(ada.id).await.expect("the store answers");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].name, "Laptop");
}

pub(crate) async fn a_name_is_looked_at_before_the_device_is_asked(store: Store) {
    let app = app(store).await;
    let person = app.person(Role::Viewer).await;
    let long = format!("name={}", "x".repeat(151));
    for fields in ["", "name=++", &long] {
        let asked = app.visit(person.form(format!("{ALL}/challenge"), fields)).await;
        assert_eq!(asked.status, 422);
        let problem = asked.json()["problem"].as_str().unwrap_or_default().to_owned();
        assert!(problem.starts_with("Name: "), "{problem}");
        assert_eq!(kept(&asked, "tollgate-passkey"), None);
    }
}

pub(crate) async fn whoever_has_no_other_way_in_is_warned(store: Store) {
    let app = app(store).await;
    let person = app.person(Role::Viewer).await;
    let id = put(&app, &person, 13, "Laptop").await;
    let warning = "You have no other way to sign in";
    let page = app.visit(person.page(format!("{ALL}/{id}/remove"))).await;
    assert!(page.body_text().contains(warning), "{}", page.body_text());
    put(&app, &person, 14, "Phone").await;
    let page = app.visit(person.page(format!("{ALL}/{id}/remove"))).await;
    assert!(!page.body_text().contains(warning), "{}", page.body_text());
}

pub(crate) async fn as_many_as_there_can_be_are_enough(store: Store) {
    let app = app(store).await;
    let person = app.person(Role::Viewer).await;
    for number in 0..u8::try_from(MOST_PASSKEYS).expect("few") {
        put(&app, &person, 20 + number, "Key").await;
    }
    let page = app.visit(person.page("/dashboard/account")).await;
    assert!(
        page.body_text().contains("as many as there can be"),
        "{}",
        page.body_text()
    );
    assert!(!page.body_text().contains("data-passkey="));
    let asked = app
        .visit(person.form(format!("{ALL}/challenge"), "name=One+more"))
        .await;
    assert_eq!(asked.status, 422);
    assert_eq!(
        asked.json()["problem"],
        "There are 20 passkeys already; remove one first."
    );
}
