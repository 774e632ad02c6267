//! `/dashboard/events`.

use serde_json::{Value, json};
use tollgate_domain::role::Role;

use crate::support::{Store, TestApp, at};

const LIST: &str = "/dashboard/events";

pub(crate) async fn events_are_listed_by_type_and_those_of_the_audit_trail_are_not(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Viewer).await;
    let none = app
        .visit(person.page(format!("{LIST}?event_type=client_token.revoked")))
        .await;
    assert!(none.body_text().contains("No such event"));
    let token = app.revoked_token("<script>\u{202e}").await;
    app.setting(&json!({})).await;
    let events = app.get("/events").await;
    let of_type = |wanted: &str| {
        let all = events.items().iter();
        let found: Vec<&str> = all
            .filter(|event| event["event_type"] == wanted)
            .map(|event| at(event, "event_id"))
            .collect();
        found.first().map(|id| format!("{LIST}/{id}")).expect("such an event")
    };
    let (created, revoked) = (of_type("client_token.created"), of_type("client_token.revoked"));
    for (query, expected) in [
        ("", [true, true]),
        ("?event_type=client_token.revoked", [false, true]),
        ("?event_type=api_key.revoked", [false, false]),
    ] {
        let shown = app.visit(person.page(format!("{LIST}{query}"))).await;
        let shown = shown.body_text();
        assert_eq!(
            [&created, &revoked].map(|link| shown.contains(link.as_str())),
            expected,
            "{query}"
        );
        assert!(!shown.contains("<script>\u{202e}") && !shown.contains("notification_setting.created"));
    }
    let shown = app.visit(person.page(&*revoked)).await;
    assert!(shown.body_text().contains(at(&token, "id")));
    let audited = app.audit_trail().await;
    for event in audited {
        let answer = app.visit(person.page(format!("{LIST}/{}", event.id))).await;
        assert_eq!(answer.status, 404, "{}", event.event_type.name());
    }
}

pub(crate) async fn an_event_is_shown_laid_out_with_where_it_went_and_as_a_file(store: Store) {
    let app = TestApp::start(store).await;
    app.setting(&json!({ "description": "Shop backend" })).await;
    app.token("a\u{202e}\"b").await;
    let event = app.get("/events").await.items()[0].clone();
    let notification = app.newest_notification().await;
    let person = app.person(Role::Viewer).await;
    let place = format!("{LIST}/{}", at(&event, "event_id"));
    let shown = app.visit(person.page(&*place)).await;
    let text = shown.body_text();
    assert!(
        text.contains("  &#34;event_type&#34;: &#34;client_token.created&#34;"),
        "{text}"
    );
    assert!(text.contains(r"a\u202e\&#34;b"), "{text}");
    assert!(text.contains("Shop backend") && text.contains(at(&notification, "id")));
    let file = app.visit(person.page(format!("{place}/payload.json"))).await;
    assert_eq!(serde_json::from_slice::<Value>(&file.body).expect("JSON"), event);
    assert!(
        file.header("content-disposition")
            .expect("a name")
            .starts_with("attachment")
    );
}
