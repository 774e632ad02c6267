//! One's own account: the password, and where one is signed in.

use tollgate_domain::role::Role;
use tollgate_domain::user::{EmailAddress, Password};
use tollgate_service::NewPerson;

use crate::support::{Person, Store, TestApp};

const ACCOUNT: &str = "/dashboard/account";
const PASSWORD: &str = "correct horse battery";

/// Somebody with a password, in two browsers.
async fn with_password(app: &TestApp) -> (Person, Person) {
    let email = EmailAddress::parse("ada@example.com").expect("an address");
    let link = app.service.invite(&app.home.operator, email, Role::Viewer).await;
    let person = NewPerson {
        name: "Ada".to_owned(),
        password: Some(Password::choose(PASSWORD).expect("long enough")),
    };
    let secret = link.expect("an invitation").secret;
    let member = app.service.accept_invitation(&secret, Some(person), None).await;
    let id = member.expect("a member").user;
    let mut browsers = Vec::new();
    for _ in 0..2 {
        let session = app.service.sign_in("ada@example.com", PASSWORD, None).await;
        browsers.push(Person {
            id,
            session: session.expect("signed in"),
            workspace: app.home.workspace.clone(),
        });
    }
    let other = browsers.pop().expect("two");
    (browsers.pop().expect("two"), other)
}

pub(crate) async fn a_password_is_changed_by_whoever_knows_it_and_ends_other_sessions(store: Store) {
    let app = TestApp::start(store).await;
    let (here, there) = with_password(&app).await;
    let change = |current: &str, new: &str, again: &str| {
        let fields = format!("current={current}&password={new}&password_again={again}");
        here.form("/dashboard/account/password", &fields)
    };
    let new = "another+horse+battery";
    for wrong in [
        change("guess", new, new),
        change("correct+horse+battery", new, "different"),
        change("correct+horse+battery", "short", "short"),
    ] {
        let answer = app.visit(wrong).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body_text().contains("password-problem") && !answer.body_text().contains(PASSWORD));
    }
    assert_eq!(app.visit(there.page(ACCOUNT)).await.status, 200);
    let answer = app.visit(change("correct+horse+battery", new, new)).await;
    assert_eq!(answer.header("location"), Some("/dashboard/account?done=password"));
    assert_eq!(app.visit(here.page(ACCOUNT)).await.status, 200);
    assert_eq!(app.visit(there.page(ACCOUNT)).await.status, 303, "signed out");
    let again = app
        .service
        .sign_in("ada@example.com", "another horse battery", None)
        .await;
    assert!(again.is_ok());
}

pub(crate) async fn a_session_elsewhere_is_ended_and_nobody_elses(store: Store) {
    let app = TestApp::start(store).await;
    let (here, there) = with_password(&app).await;
    let owner = app.person(Role::Owner).await;
    let page = app.visit(here.page(ACCOUNT)).await;
    assert_eq!(page.body_text().matches("this one").count(), 1);
    assert_eq!(page.body_text().matches(r#"name="session""#).count(), 1);
    let end = |session: String| here.form("/dashboard/account/sessions/end", &format!("session={session}"));
    let digest = |person: &Person| hex::encode(person.session.digest().0);
    for (theirs, status) in [(digest(&owner), 303), ("guess".to_owned(), 404), (digest(&there), 303)] {
        assert_eq!(app.visit(end(theirs)).await.status, status);
    }
    assert_eq!(app.visit(owner.page(ACCOUNT)).await.status, 200, "not theirs to end");
    assert_eq!(app.visit(there.page(ACCOUNT)).await.status, 303);
    assert_eq!(app.visit(here.page(ACCOUNT)).await.status, 200);
}

pub(crate) async fn an_account_without_a_workspace_has_its_page(store: Store) {
    let app = TestApp::start(store).await;
    app.person(Role::Owner).await;
    let viewer = app.person(Role::Viewer).await;
    let page = app.visit(viewer.page(ACCOUNT)).await;
    assert!(
        page.body_text().contains("aria-label=\"Dashboard\""),
        "in the frame of the workspace"
    );
    let removed = app.service.remove_member(&app.home.operator, viewer.id).await;
    removed.expect("removed");
    let page = app.visit(viewer.page(ACCOUNT)).await;
    assert_eq!(page.status, 200);
    assert!(page.body_text().contains("viewer@example.com") && !page.body_text().contains("aria-label=\"Dashboard\""));
}
