//! `/dashboard/notifications/deliveries`, and replaying.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_domain::notification::NotificationStatus::{Delivered, Failed, NeedsRetry};
use tollgate_domain::role::Role;

use crate::support::{Person, Store, TestApp, at};

const LIST: &str = "/dashboard/notifications/deliveries";
const REPLAY: &str = "/dashboard/notifications/replay-failed";

/// A destination, and what came of the notifications of this many tokens: two failed, one delivered, one is retried.
async fn delivered(store: Store) -> (TestApp, Person, Value, Vec<Value>) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    let mut notifications = Vec::new();
    for status in [Failed, Failed, Delivered, NeedsRetry] {
        app.clock.advance(Duration::from_secs(1)); // so that the newest is the last one
        app.token("Kiosk").await;
        let newest = app.newest_notification().await;
        notifications.push(app.attempted(&newest, status).await);
    }
    let person = app.person(Role::Developer).await;
    (app, person, setting, notifications)
}

pub(crate) async fn deliveries_are_filtered_as_the_api_filters_them(store: Store) {
    let (app, person, setting, all) = delivered(store).await;
    let id = |number: usize| at(&all[number], "id");
    let other = app.setting(&json!({})).await;
    for (query, expected) in [
        ("", &[0, 1, 2, 3][..]),
        ("?status=failed", &[0, 1]),
        ("?status=delivered", &[2]),
        (
            &format!("?notification_setting_id={}", at(&setting, "id")),
            &[0, 1, 2, 3],
        ),
        (&format!("?notification_setting_id={}", at(&other, "id")), &[]),
        (&format!("?search={}", id(3)), &[3]),
        ("?from=2100-01-01T00%3A00", &[]),
        ("?to=2000-01-01T00%3A00&status=&search=", &[]),
        (&format!("?per_page=2&after={}", id(2)), &[0, 1]),
    ] {
        let answer = app.visit(person.page(format!("{LIST}{query}"))).await;
        assert_eq!(answer.status, 200, "{query}");
        for number in 0..all.len() {
            let link = format!("href=\"{LIST}/{}\"", id(number));
            let is_there = answer.body_text().contains(&link);
            assert_eq!(is_there, expected.contains(&number), "{query}: {number}");
        }
    }
    for query in [
        "?from=yesterday",
        "?status=lost",
        "?notification_setting_id=x",
        "?after=x",
    ] {
        let answer = app.visit(person.page(format!("{LIST}{query}"))).await;
        assert_eq!(answer.status, 422, "{query}");
    }
}

pub(crate) async fn a_delivery_shows_its_attempts_in_words_and_what_was_sent(store: Store) {
    let (app, person, _, all) = delivered(store).await;
    let place = format!("{LIST}/{}", at(&all[3], "id"));
    let shown = app.visit(person.page(&*place)).await;
    let shown = shown.body_text();
    for part in [
        "503 Service Unavailable",
        "The receiver had a problem of its own.",
        "took 7 ms",
        "Not taken in 1 attempt; the next one is in 1 hour.",
        "paddle-signature: ts=",
        at(&all[3]["payload"], "event_id"),
    ] {
        assert!(shown.contains(part), "{part}");
    }
    assert!(!shown.contains("/replay\""), "it isn't over yet");
    let file = app.visit(person.page(format!("{place}/payload.json"))).await;
    let sent: Value = serde_json::from_slice(&file.body).expect("JSON");
    assert_eq!(sent["notification_id"], all[3]["id"]);
    assert_eq!(file.header("content-type"), Some("application/json"));
    let disposition = format!("attachment; filename=\"{}.json\"", at(&all[3], "id"));
    assert_eq!(file.header("content-disposition"), Some(disposition.as_str()));
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
}

pub(crate) async fn long_answers_are_cut_and_offered_whole(store: Store) {
    let (app, person, _, all) = delivered(store).await;
    let body = "<b>\"quoted\"</b>\u{202e}\n".repeat(1_600);
    let attempts: Vec<_> = (0..12)
        .map(|_| {
            let mut attempt = app.attempt(&all[3], 500);
            attempt.response_body.clone_from(&body);
            attempt
        })
        .collect();
    let wanted = attempts[11].id;
    for attempt in attempts {
        app.record(&all[3], vec![attempt], NeedsRetry, None).await;
    }
    let place = format!("{LIST}/{}", at(&all[3], "id"));
    let shown = app.visit(person.page(&*place)).await;
    assert!(shown.body.len() < 100 * 1024, "{} bytes", shown.body.len());
    let text = shown.body_text();
    assert!(text.contains("This is the first ") && !text.contains("<b>") && !text.contains('\u{202e}'));
    let file = format!("{place}/attempts/{wanted}/answer.txt");
    assert!(text.contains(&file), "{file}");
    let whole = app.visit(person.page(file)).await;
    assert_eq!(whole.body_text(), body);
    assert_eq!(whole.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(
        whole
            .header("content-disposition")
            .expect("a name")
            .starts_with("attachment")
    );
    // Of another delivery.
    let elsewhere = format!("{LIST}/{}/attempts/{wanted}/answer.txt", at(&all[0], "id"));
    assert_eq!(app.visit(person.page(elsewhere)).await.status, 404);
}

pub(crate) async fn one_is_replayed_as_a_delivery_of_its_own(store: Store) {
    let (app, person, _, all) = delivered(store).await;
    app.clock.advance(Duration::from_secs(1));
    let place = format!("{LIST}/{}", at(&all[2], "id"));
    assert!(app.visit(person.page(&*place)).await.body_text().contains("/replay\""));
    let replayed = app.visit(person.form(format!("{place}/replay"), "")).await;
    assert_eq!(replayed.status, 303);
    let replay = app.newest_notification().await;
    assert_eq!(replay["origin"], "replay");
    let to = replayed.header("location").expect("somewhere");
    assert_eq!(to, format!("{LIST}/{}?done=replayed", at(&replay, "id")));
    let shown = app.visit(person.page(to)).await;
    assert!(shown.body_text().contains(&place), "it leads to what it is a replay of");
    let again = app
        .visit(person.form(format!("{LIST}/{}/replay", at(&replay, "id")), ""))
        .await;
    assert_eq!(again.status, 400);
}

pub(crate) async fn all_that_failed_is_replayed_once(store: Store) {
    let (app, person, setting, all) = delivered(store).await;
    app.clock.advance(Duration::from_secs(1));
    let of = format!("notification_setting_id={}", at(&setting, "id"));
    let before = app.notifications().await.len();
    let shown = |query: String| app.visit(person.page(format!("{REPLAY}?{query}")));
    assert!(
        shown(of.clone())
            .await
            .body_text()
            .contains("Replay 2 failed deliveries")
    );
    assert!(
        shown(format!("{of}&from=2100-01-01"))
            .await
            .body_text()
            .contains("None that failed")
    );
    assert_eq!(app.notifications().await.len(), before, "asking replays nothing");
    for fields in ["", "from=soon", "notification_setting_id=x"] {
        assert_eq!(app.visit(person.form(REPLAY, fields)).await.status, 422, "{fields}");
    }
    let replayed = app.visit(person.form(REPLAY, &of)).await;
    assert_eq!(replayed.status, 303);
    let to = replayed.header("location").expect("somewhere").to_owned();
    assert!(
        app.visit(person.page(to))
            .await
            .body_text()
            .contains("2 failed deliveries made anew")
    );
    let after = app.notifications().await;
    assert_eq!(after.len(), before + 2);
    assert!(after[..2].iter().all(|one| one["origin"] == "replay"));
    let events = |notifications: &[Value]| -> Vec<Value> {
        notifications
            .iter()
            .map(|one| one["payload"]["event_id"].clone())
            .collect()
    };
    assert_eq!(
        events(&after[..2]),
        events(&[all[1].clone(), all[0].clone()]),
        "the oldest first"
    );
    assert!(shown(of.clone()).await.body_text().contains("None that failed"));
    assert!(
        shown(format!("{of}&again=yes"))
            .await
            .body_text()
            .contains("Replay 2 failed deliveries")
    );
    let viewer = app.person(Role::Viewer).await;
    assert_eq!(
        app.visit(viewer.form(REPLAY, &format!("{of}&again=yes"))).await.status,
        403
    );
    assert_eq!(app.notifications().await.len(), before + 2);
}
