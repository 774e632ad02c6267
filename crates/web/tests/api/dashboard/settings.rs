//! Settings at the dashboard: the workspace, members, invitations.

use tollgate_domain::role::Role;

use crate::support::{Answer, Person, Store, TestApp, get, mailer};

const SETTINGS: &str = "/dashboard/settings";
const INVITE: &str = "/dashboard/settings/invite";

fn link_on(answer: &Answer) -> String {
    let (_, rest) = answer.body_text().split_once(r#"<p class="secret">"#).expect("a link");
    rest.split_once("</p>").expect("its end").0.to_owned()
}

async fn settings(app: &TestApp, person: &Person) -> String {
    let page = app.visit(person.page(SETTINGS)).await;
    assert_eq!(page.status, 200);
    page.body_text().to_owned()
}

pub(crate) async fn an_admin_renames_the_workspace_and_a_viewer_sees_no_form(store: Store) {
    let app = TestApp::start(store).await;
    let (admin, viewer) = (app.person(Role::Admin).await, app.person(Role::Viewer).await);
    for bad in ["", "%20", &"a".repeat(151)] {
        let answer = app
            .visit(admin.form("/dashboard/settings/workspace", &format!("name={bad}")))
            .await;
        assert_eq!(answer.status, 422);
        assert!(answer.body_text().contains(r#"id="name-error""#));
    }
    let hostile = "name=%3Cscript%3E%22%3E%3Cimg%20src%3Dx%3E%E2%80%AE";
    let answer = app.visit(admin.form("/dashboard/settings/workspace", hostile)).await;
    assert_eq!(answer.header("location"), Some("/dashboard/settings?done=renamed"));
    let shown = settings(&app, &viewer).await;
    assert!(shown.contains("&#60;script&#62;&#34;&#62;&#60;img src=x&#62;\u{202e}"));
    assert!(!shown.contains("<script>\"") && !shown.contains("<img"));
    for form in ["/dashboard/settings/workspace", "/dashboard/settings/invite"] {
        assert!(!shown.contains(form), "{form}");
    }
}

pub(crate) async fn an_invitation_is_shown_once_listed_taken_or_withdrawn(store: Store) {
    let app = TestApp::start(store).await;
    let admin = app.person(Role::Admin).await;
    let answer = app
        .visit(admin.form(INVITE, "email=Ada@Example.com&role=developer"))
        .await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let link = link_on(&answer);
    let path = link.strip_prefix(&app.base()).expect("it leads here");
    let taken = app.visit(get(path)).await;
    assert!(taken.body_text().contains("Ada@example.com"));
    let listed = settings(&app, &admin).await;
    assert!(listed.contains("Ada@example.com") && listed.contains("admin@example.com"));
    assert!(!listed.contains(path), "a link is shown this once");

    let withdraw = || admin.form("/dashboard/settings/invitations/withdraw", "email=ada%40example.com");
    let answer = app.visit(withdraw()).await;
    assert_eq!(answer.header("location"), Some("/dashboard/settings?done=withdrawn"));
    assert_eq!(app.visit(get(path)).await.status, 410);
    assert!(!settings(&app, &admin).await.contains("Ada@example.com"));
    assert_eq!(app.visit(withdraw()).await.status, 404);
}

pub(crate) async fn an_invitation_that_is_wrong_is_corrected_in_the_form(store: Store) {
    let app = TestApp::start(store).await;
    let admin = app.person(Role::Admin).await;
    for (fields, told) in [
        ("email=&role=viewer", "email-error"),
        ("email=a%0d%0aBcc%3A%20eve%40example.com&role=viewer", "email-error"),
        ("email=admin%40example.com&role=viewer", "email-error"),
        ("email=ada%40example.com", "role-error"),
        ("email=ada%40example.com&role=root", "role-error"),
    ] {
        let answer = app.visit(admin.form(INVITE, fields)).await;
        assert_eq!(answer.status, 422, "{fields}");
        assert!(answer.body_text().contains(&format!(r#"id="{told}""#)), "{fields}");
    }
    let above = app
        .visit(admin.form(INVITE, "email=ada%40example.com&role=owner"))
        .await;
    assert_eq!(above.status, 403, "an admin makes no owner");
    let offered = app.visit(admin.page(INVITE)).await;
    assert!(!offered.body_text().contains("role-owner"));
}

pub(crate) async fn a_link_that_cannot_be_mailed_is_handed_on(store: Store) {
    let app = TestApp::with(store, |settings| settings.mailer = Some(mailer())).await;
    let owner = app.person(Role::Owner).await;
    let answer = app
        .visit(owner.form(INVITE, "email=ada%40example.com&role=viewer"))
        .await;
    assert_eq!(answer.status, 200);
    assert!(answer.body_text().contains("The mail server didn’t take the letter"));
    assert!(link_on(&answer).contains("/dashboard/invitation/"));
}

pub(crate) async fn members_are_managed_by_those_above_them(store: Store) {
    let app = TestApp::start(store).await;
    let (owner, admin) = (app.person(Role::Owner).await, app.person(Role::Admin).await);
    let viewer = app.person(Role::Viewer).await;
    let page = |person: &Person| format!("/dashboard/settings/members/{}", person.id);
    assert_eq!(app.visit(admin.page(page(&owner))).await.status, 403);
    let answer = app
        .visit(admin.form(format!("{}/role", page(&viewer)), "role=developer"))
        .await;
    assert_eq!(answer.header("location"), Some("/dashboard/settings?done=role"));
    let shown = app.visit(viewer.page("/dashboard/audit")).await;
    assert_eq!(shown.status, 200, "a developer reads the trail from the next click on");

    let reset = app.visit(admin.form(format!("{}/reset", page(&viewer)), "")).await;
    assert!(link_on(&reset).contains("/dashboard/reset/"));
    let out = app.visit(admin.form(format!("{}/sign-out", page(&viewer)), "")).await;
    assert_eq!(out.header("location"), Some("/dashboard/settings?done=signed-out"));
    assert_eq!(
        app.visit(viewer.page(SETTINGS)).await.status,
        303,
        "their session is over"
    );
    let confirmed = app.visit(admin.page(format!("{}/remove", page(&viewer)))).await;
    assert!(confirmed.body_text().contains("viewer@example.com"));
    let removed = app.visit(admin.form(format!("{}/remove", page(&viewer)), "")).await;
    assert_eq!(removed.header("location"), Some("/dashboard/settings?done=removed"));
    assert_eq!(app.visit(admin.page(page(&viewer))).await.status, 404);
}

pub(crate) async fn whoever_leaves_was_asked_and_the_last_owner_stays(store: Store) {
    let app = TestApp::start(store).await;
    let (owner, viewer) = (app.person(Role::Owner).await, app.person(Role::Viewer).await);
    let leave = "/dashboard/account/leave";
    let unasked = app.visit(viewer.form(leave, "")).await;
    assert_eq!(unasked.header("location"), Some(leave));
    assert_eq!(app.visit(viewer.form(leave, "sure=yes")).await.status, 303);
    let gone = app.visit(viewer.page(SETTINGS)).await;
    assert_eq!(gone.header("location"), Some("/dashboard/no-workspace"));
    let last = app.visit(owner.form(leave, "sure=yes")).await;
    assert_eq!(last.status, 409);
    assert!(last.body_text().contains("last owner"));
}
