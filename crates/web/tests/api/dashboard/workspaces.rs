//! Which workspace a page shows, and in which one a form acts.

use tollgate_domain::environment::Environment;
use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;

use crate::support::{Person, Store, TestApp};

/// Somebody who is a member of a sandbox workspace and of a live one.
async fn of_two(app: &TestApp) -> (Person, Person) {
    let live = app.workspace("Paper and Ink, live", Environment::Live).await;
    let person = app.person(Role::Owner).await;
    let email = EmailAddress::parse("owner@example.com").expect("an address");
    let invited = app.service.invite(&live.operator, email, Role::Owner).await;
    let secret = invited.expect("an invitation").secret;
    app.service
        .accept_invitation(&secret, None, None)
        .await
        .expect("a member");
    let there = Person {
        workspace: live.workspace,
        ..person.clone()
    };
    (person, there)
}

pub(crate) async fn a_page_shows_the_workspace_that_was_looked_at_last(store: Store) {
    let app = TestApp::start(store).await;
    let (sandbox, live) = of_two(&app).await;
    let first = app.visit(sandbox.page("/dashboard/client-tokens")).await;
    assert!(first.body_text().contains(r#"<body class="sandbox""#));
    let switched = app.visit(live.form("/dashboard/workspace", "")).await;
    let cookie = format!("tollgate-workspace={}", live.workspace.id);
    let kept = switched.header("set-cookie").expect("it is kept");
    assert!(kept.starts_with(&cookie), "{kept}");
    let both = format!("{}; {cookie}", live.cookie());
    let page = crate::support::get("/dashboard/client-tokens").header("Cookie", both);
    let page = app.visit(page).await;
    assert!(page.body_text().contains(r#"<body class="live""#));
}

pub(crate) async fn another_workspace_in_the_cookie_is_passed_over(store: Store) {
    let app = TestApp::start(store).await;
    let other = app.workspace("Another shop", Environment::Live).await;
    let person = app.person(Role::Viewer).await;
    let cookies = format!("{}; tollgate-workspace={}", person.cookie(), other.workspace.id);
    let page = crate::support::get("/dashboard/client-tokens").header("Cookie", cookies);
    let page = app.visit(page).await;
    assert_eq!(page.status, 200);
    assert!(!page.body_text().contains(&other.workspace.id.to_string()));
}

pub(crate) async fn whoever_is_a_member_of_nothing_is_told_so(store: Store) {
    let app = TestApp::start(store).await;
    app.person(Role::Owner).await;
    let person = app.person(Role::Viewer).await;
    app.service
        .remove_member(&app.home.operator, person.id)
        .await
        .expect("removed");
    let page = app.visit(person.page("/dashboard/client-tokens")).await;
    assert_eq!(page.header("location"), Some("/dashboard/no-workspace"));
    let page = app.visit(person.page("/dashboard/no-workspace")).await;
    assert!(page.body_text().contains("No workspace yet"));
}
