//! Coming in and going out.

use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;

use crate::support::{Answer, DAY, Store, TestApp, get, post};

/// The value that an answer has the browser keep under this name.
pub(super) fn kept<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let cookies = answer.all("set-cookie").into_iter();
    let mut ours = cookies.filter_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
    ours.next().map(|value| value.split(';').next().unwrap_or_default())
}

/// The proof in a page's form.
pub(super) fn proof(answer: &Answer) -> String {
    let text = answer.body_text();
    let (_, rest) = text.split_once(r#"name="proof" value=""#).expect("a form");
    rest.split('"').next().expect("a value").to_owned()
}

/// Opens a page as a stranger, and sends its form with these fields.
pub(super) async fn fill(app: &TestApp, target: &str, fields: &str) -> Answer {
    let page = app.visit(get(target)).await;
    assert_eq!(page.status, 200, "{}", page.body_text());
    let visitor = kept(&page, "tollgate-visitor")
        .expect("what proves the form")
        .to_owned();
    let body = format!("proof={}&{fields}", proof(&page));
    let form = post(target).header("Cookie", format!("tollgate-visitor={visitor}"));
    app.visit(form.form(body)).await
}

async fn invite(app: &TestApp) -> String {
    let email = EmailAddress::parse("ada@example.com").expect("an address");
    let invited = app.service.invite(&app.home.operator, email, Role::Developer).await;
    invited.expect("an invitation").path()
}

const CHOSEN: &str = "name=Ada&password=correct+horse+battery&password_again=correct+horse+battery";

/// Whoever opens this as the session of this cookie.
async fn status_with(app: &TestApp, session: &str) -> u16 {
    let page = get("/dashboard/client-tokens").header("Cookie", format!("tollgate-session={session}"));
    app.visit(page).await.status
}

pub(crate) async fn an_invitation_makes_an_account_that_signs_in_with_its_password(store: Store) {
    let app = TestApp::start(store).await;
    let invitation = invite(&app).await;
    let joined = fill(&app, &invitation, CHOSEN).await;
    assert_eq!(joined.status, 303, "{}", joined.body_text());
    assert_eq!(joined.header("location"), Some("/dashboard/sign-in?done=joined"));

    let wrong = fill(&app, "/dashboard/sign-in", "email=ada@example.com&password=wrong").await;
    assert_eq!((wrong.status, kept(&wrong, "tollgate-session")), (422, None));
    assert!(
        wrong
            .body_text()
            .contains("The email address or the password is wrong.")
    );
    let fields = "email=ADA@example.com&password=correct+horse+battery&next=/dashboard/events";
    let signed_in = fill(&app, "/dashboard/sign-in", fields).await;
    assert_eq!(signed_in.header("location"), Some("/dashboard/events"));
    let session = kept(&signed_in, "tollgate-session").expect("a session").to_owned();
    assert_eq!(status_with(&app, &session).await, 200);

    app.clock.advance(DAY);
    assert_eq!(
        status_with(&app, &session).await,
        303,
        "it ends when it isn't used for a day"
    );
}

pub(crate) async fn a_one_time_link_works_once(store: Store) {
    let app = TestApp::start(store).await;
    let invitation = invite(&app).await;
    assert_eq!(fill(&app, &invitation, CHOSEN).await.status, 303);
    let again = app.visit(get(&*invitation)).await;
    assert_eq!(again.status, 410);
    assert!(again.body_text().contains("The link isn"), "{}", again.body_text());

    let members = app.service.members(&app.home.operator).await.expect("members");
    let link = app.service.issue_sign_in(&app.home.operator, members[0].user).await;
    let link = link.expect("a link").path();
    assert_eq!(app.visit(get(&*link)).await.status, 200, "looking does nothing");
    assert_eq!(fill(&app, &link, "").await.status, 303);
    let again = fill(&app, &link, "").await;
    assert_eq!((again.status, kept(&again, "tollgate-session")), (410, None));

    let reset = app.service.issue_reset(&app.home.operator, members[0].user).await;
    let reset = reset.expect("a link").path();
    let fields = "password=another+long+one&password_again=another+long+one";
    assert_eq!(fill(&app, &reset, fields).await.status, 303);
    assert_eq!(fill(&app, &reset, fields).await.status, 410);
    assert_eq!(app.visit(get("/dashboard/reset/guess")).await.status, 410);
}

pub(crate) async fn passwords_that_differ_or_are_short_are_refused_and_the_link_stays_good(store: Store) {
    let app = TestApp::start(store).await;
    let invitation = invite(&app).await;
    for (fields, told) in [
        ("name=Ada&password=short&password_again=short", "at least 12 characters"),
        ("name=Ada&password=correct+horse+battery&password_again=other", "same"),
        (
            "name=&password=correct+horse+battery&password_again=correct+horse+battery",
            "Name",
        ),
    ] {
        let answer = fill(&app, &invitation, fields).await;
        assert_eq!(answer.status, 422, "{fields}");
        assert!(answer.body_text().contains(told), "{}", answer.body_text());
    }
    assert_eq!(fill(&app, &invitation, CHOSEN).await.status, 303);
}

pub(crate) async fn a_session_is_nothing_after_signing_out_here_or_everywhere(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Viewer).await;
    let elsewhere = app.person_again(Role::Viewer).await;
    let out = app.visit(person.form("/dashboard/sign-out", "")).await;
    assert_eq!(out.header("location"), Some("/dashboard/sign-in?done=signed-out"));
    assert_eq!(kept(&out, "tollgate-session"), Some(""), "forgotten");
    assert_eq!(
        status_with(&app, person.session.reveal()).await,
        303,
        "a copy of it is worth nothing"
    );
    assert_eq!(status_with(&app, elsewhere.session.reveal()).await, 200);

    let here = app.person_again(Role::Viewer).await;
    assert_eq!(
        app.visit(here.form("/dashboard/sign-out-everywhere", "")).await.status,
        303
    );
    for session in [&here.session, &elsewhere.session] {
        assert_eq!(status_with(&app, session.reveal()).await, 303);
    }
    assert_eq!(app.visit(here.form("/dashboard/workspace", "")).await.status, 403);
}

pub(crate) async fn somebody_who_guesses_has_to_wait(store: Store) {
    let app = TestApp::start(store).await;
    for _ in 0..5 {
        let wrong = fill(&app, "/dashboard/sign-in", "email=ada@example.com&password=guess").await;
        assert!(wrong.body_text().contains("is wrong"));
    }
    let early = fill(&app, "/dashboard/sign-in", "email=ada@example.com&password=guess").await;
    assert_eq!(early.status, 422);
    assert!(
        early.body_text().contains("Too many failed attempts"),
        "{}",
        early.body_text()
    );
}

pub(crate) async fn the_forms_of_those_who_are_not_signed_in_have_the_rate_limit_of_the_api(store: Store) {
    let app = TestApp::with(store, |settings| settings.requests_per_minute = 2).await;
    for _ in 0..2 {
        let wrong = fill(&app, "/dashboard/sign-in", "email=ada@example.com&password=guess").await;
        assert_eq!(wrong.status, 422);
    }
    let limited = fill(&app, "/dashboard/sign-in", "email=ada@example.com&password=guess").await;
    assert_eq!(limited.status, 429);
    let wait: u64 = limited
        .header("retry-after")
        .expect("how long")
        .parse()
        .expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    let told = format!("Wait {wait} second");
    assert!(limited.body_text().contains(&told), "{}", limited.body_text());
    let person = app.person(Role::Owner).await;
    for _ in 0..4 {
        assert_eq!(app.visit(person.page("/dashboard/client-tokens")).await.status, 200);
    }
}

pub(crate) async fn what_was_typed_is_shown_as_text(store: Store) {
    let app = TestApp::start(store).await;
    let fields = "email=%22%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&password=x&next=%22%3E%3Cscript%3E";
    let answer = fill(&app, "/dashboard/sign-in", fields).await;
    assert!(!answer.body_text().contains("<img"), "{}", answer.body_text());
    assert!(!answer.body_text().contains("\"><script>"), "{}", answer.body_text());
    assert!(
        answer.body_text().contains("&#34;&#62;&#60;img"),
        "{}",
        answer.body_text()
    );
}
