//! The audit trail at the dashboard, and as a file.

use tollgate_domain::role::Role;

use crate::support::{Answer, HOUR, Mood, Store, TestApp};

const TRAIL: &str = "/dashboard/audit";

fn rows(answer: &Answer) -> usize {
    answer.body_text().matches("data-label=\"When\"").count()
}

pub(crate) async fn the_trail_says_who_did_what_and_is_filtered(store: Store) {
    let app = TestApp::start(store).await;
    let owner = app.person(Role::Owner).await;
    let name = "name=%3Cscript%3E%22%3E%3Cimg%20src%3Dx%3E%E2%80%AE";
    let made = app.visit(owner.form("/dashboard/client-tokens/new", name)).await;
    assert_eq!(made.status, 303, "{}", made.body_text());
    let token = app.token("By a key").await;
    let id = token["id"].as_str().expect("an id");

    let all = app.visit(owner.page(TRAIL)).await;
    assert_eq!(all.status, 200);
    let text = all.body_text();
    assert!(text.contains("&#60;owner@example.com&#62;") || text.contains("&lt;owner@example.com&gt;"));
    assert!(text.contains("Billing backend") && text.contains("127.0.0.1"));
    assert!(!text.contains("<script>\"") && !text.contains("<img"), "names are text");
    for (query, expected) in [
        (format!("who=person:{}&type=client_token.created", owner.id), 1),
        (format!("who=api_key:{}", app.key.id), 1),
        (format!("subject={id}"), 1),
        ("type=api_key.revoked".to_owned(), 0),
        ("from=2027-01-01".to_owned(), 0),
        ("to=2026-03-01".to_owned(), 0),
        ("from=2026-03-02&to=2026-03-02&type=client_token.created".to_owned(), 2),
    ] {
        let page = app.visit(owner.page(format!("{TRAIL}?{query}"))).await;
        assert_eq!((page.status, rows(&page)), (200, expected), "{query}");
    }
    let unclear = app.visit(owner.page(format!("{TRAIL}?from=soon&who=me"))).await;
    assert!(unclear.body_text().contains("Not understood, and left out: who, from."));
    assert_eq!(rows(&unclear), rows(&all));
}

pub(crate) async fn the_trail_goes_on_page_by_page(store: Store) {
    let app = TestApp::start(store).await;
    let owner = app.person(Role::Owner).await;
    for number in 0..40 {
        app.token(&format!("Token {number}")).await;
    }
    let query = "?type=client_token.created";
    let first = app.visit(owner.page(format!("{TRAIL}{query}"))).await;
    assert_eq!(rows(&first), 30);
    let older = first.body_text().split("href=\"?").find(|part| part.contains("after="));
    let older = older.and_then(|part| part.split('"').next()).expect("an older page");
    let older = older.replace("&#38;", "&").replace("&amp;", "&");
    let second = app.visit(owner.page(format!("{TRAIL}?{older}"))).await;
    assert_eq!(rows(&second), 10);
    assert!(!second.body_text().contains(">Older</a>"));
}

pub(crate) async fn the_file_has_what_the_filter_lets_through_and_no_formula(store: Store) {
    let app = TestApp::start(store).await;
    let owner = app.person(Role::Owner).await;
    let renamed = owner.form("/dashboard/settings/workspace", "name=%3D1%2B1");
    assert_eq!(app.visit(renamed).await.status, 303);
    for _ in 0..3 {
        app.token("=cmd|' /C calc'!A0").await;
    }
    let file = app
        .visit(owner.page("/dashboard/audit.csv?type=client_token.created"))
        .await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"tollgate-audit-2026-03-02.csv\"")
    );
    let lines: Vec<&str> = file.body_text().split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("\"occurred_at\",\"event_id\""));
    let all = app.visit(owner.page("/dashboard/audit.csv")).await;
    assert!(all.body_text().split_terminator("\r\n").count() > 4);
    assert!(!all.body_text().contains(",\"=") && !all.body_text().contains("\n\"="));
}

pub(crate) async fn a_viewer_finds_no_trail_and_a_store_that_fails_makes_no_file(store: Store) {
    let app = TestApp::start(store).await;
    let (viewer, developer) = (app.person(Role::Viewer).await, app.person(Role::Developer).await);
    let page = app.visit(viewer.page("/dashboard/client-tokens")).await;
    assert!(!page.body_text().contains(TRAIL), "it isn't in the navigation");
    let page = app.visit(developer.page("/dashboard/client-tokens")).await;
    assert!(page.body_text().contains(TRAIL));
    app.clock.advance(HOUR);
    app.set_mood(Mood::Failing);
    let file = app.visit(developer.page("/dashboard/audit.csv")).await;
    assert_eq!(file.status, 500);
    assert_eq!(file.header("content-disposition"), None);
}
