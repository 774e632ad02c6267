//! `GET /notifications`: order, pages, totals.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_domain::notification::NotificationStatus;

use crate::support::{Store, TestApp, at, get};

/// This many events, a millisecond apart, for two settings each.
async fn told(app: &TestApp, events: usize) -> [Value; 2] {
    let settings = [app.setting(&json!({})).await, app.setting(&json!({})).await];
    for number in 0..events {
        app.clock.advance(Duration::from_millis(1));
        app.token(&format!("Kiosk {number}")).await;
    }
    settings
}

pub(crate) async fn notifications_are_listed_newest_first_50_to_a_page(store: Store) {
    let app = TestApp::start(store).await;
    told(&app, 3).await;
    let answer = app.get("/notifications").await;
    let names: Vec<&Value> = answer
        .items()
        .iter()
        .map(|item| &item["payload"]["data"]["name"])
        .collect();
    assert_eq!(
        names,
        ["Kiosk 2", "Kiosk 2", "Kiosk 1", "Kiosk 1", "Kiosk 0", "Kiosk 0"]
    );
    let ids = answer.column("id");
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    let next = format!("{}/notifications?after={}", app.base(), ids[5]);
    let expected = format!(
        r#","meta":{{"request_id":"{}","pagination":{{"per_page":50,"next":"{next}","has_more":false,"estimated_total":6}}}}}}"#,
        answer.request_id()
    );
    assert!(answer.body_text().ends_with(&expected), "{}", answer.body_text());
    for (asked, given) in [("1", 1), ("200", 200), ("201", 200)] {
        let answer = app.get(&format!("/notifications?per_page={asked}")).await;
        assert_eq!(answer.pagination()["per_page"], given);
    }
}

pub(crate) async fn notifications_are_paged_both_ways_also_filtered(store: Store) {
    let app = TestApp::start(store).await;
    let [first, _] = told(&app, 30).await;
    let first = at(&first, "id");
    let all = app.get("/notifications?per_page=200").await;
    let falling: Vec<&str> = all.column("id");
    assert_eq!(falling.len(), 60);
    let rising: Vec<&str> = falling.iter().rev().copied().collect();
    let ours = all
        .items()
        .iter()
        .filter(|item| at(item, "notification_setting_id") == first);
    let ours: Vec<&str> = ours.map(|item| at(item, "id")).collect();
    let found: Vec<&str> = all
        .items()
        .iter()
        .filter(|item| at(item, "occurred_at") >= "2026-03-02T09:15:04.228733Z")
        .map(|item| at(item, "id"))
        .collect();
    assert_eq!((ours.len(), found.len()), (30, 42));
    for (query, expected, total) in [
        ("per_page=7".to_owned(), &falling, 60),
        ("per_page=60&order_by=id[asc]".to_owned(), &rising, 60),
        ("per_page=11&order_by=id%5BASC%5D".to_owned(), &rising, 60),
        (format!("per_page=4&notification_setting_id={first}"), &ours, 30),
        ("per_page=5&from=2026-03-02T09:15:04.228733Z".to_owned(), &found, -1),
    ] {
        let mut target = format!("/notifications?{query}");
        let mut seen: Vec<String> = Vec::new();
        loop {
            let answer = app.get(&target).await;
            seen.extend(answer.column("id").into_iter().map(str::to_owned));
            assert_eq!(answer.total(), total, "{query}");
            if !answer.has_more() {
                break;
            }
            answer
                .next()
                .strip_prefix(&app.base())
                .expect("the base")
                .clone_into(&mut target);
        }
        assert_eq!(&seen, expected, "{query}");
    }
}

pub(crate) async fn totals_follow_each_change(store: Store) {
    let app = TestApp::start(store).await;
    let [first, second] = told(&app, 3).await;
    let total = async |query: &str| app.get(&format!("/notifications?{query}")).await.total();
    let [first, second] = [&first, &second].map(|setting| format!("notification_setting_id={}", at(setting, "id")));
    assert_eq!(total("per_page=1").await, 6);
    assert_eq!((total(&first).await, total(&second).await), (3, 3));
    assert_eq!(total("status=not_attempted").await, 6);
    let notifications = app.notifications().await;
    for (notification, status) in notifications.iter().zip([
        NotificationStatus::Delivered,
        NotificationStatus::NeedsRetry,
        NotificationStatus::Failed,
        NotificationStatus::Delivered,
    ]) {
        app.attempted(notification, status).await;
    }
    for (query, expected) in [
        ("", 6),
        ("status=not_attempted", 2),
        ("status=delivered", 2),
        ("status=needs_retry", 1),
        ("status=failed", 1),
        ("status=failed,delivered", 3),
        ("status=delivered&per_page=1", 2),
    ] {
        assert_eq!(total(query).await, expected, "{query}");
    }
    app.send(crate::support::post(format!("/notifications/{}/replay", at(&notifications[0], "id"))).by(&app.key))
        .await
        .data(202);
    assert_eq!((total("").await, total("status=not_attempted").await), (7, 3));
}

/// No counter tells of these filters; the contract has a number for that.
pub(crate) async fn the_total_of_a_search_is_not_counted(store: Store) {
    let app = TestApp::start(store).await;
    told(&app, 1).await;
    for query in [
        "search=ntf_",
        "filter=ctkn_01kjpx8smt1jx21jct317jay33",
        "from=2026-03-02",
        "to=2026-03-02",
    ] {
        assert_eq!(app.get(&format!("/notifications?{query}")).await.total(), -1, "{query}");
    }
    let skipped = get("/notifications").by(&app.key).header("Skip-Count", "true");
    assert_eq!(app.send(skipped).await.total(), -1);
}

pub(crate) async fn the_query_is_held_to_the_rules_of_lists(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app
        .get("/notifications?status=sent&notification_setting_id=x&order_by=occurred_at[ASC]&per_page=0&after=y&search=%00")
        .await;
    assert_eq!(answer.status, 400);
    let problems = answer.json()["error"]["errors"].as_array().expect("problems");
    let fields: Vec<&str> = problems.iter().map(|problem| at(problem, "field")).collect();
    assert_eq!(
        fields,
        [
            "after",
            "per_page",
            "order_by",
            "notification_setting_id",
            "status",
            "search"
        ]
    );
    assert_eq!(
        at(&problems[0], "message"),
        r"Does not match pattern '^ntf_[a-z\d]{26}$'"
    );
    for (name, value) in [
        ("notification_setting_id", "ntfset_01kjpx8smt1jx21jct317jay33"),
        ("status", "failed"),
        ("search", "x"),
        ("filter", "x"),
        ("from", "2026-03-02"),
        ("to", "2026-03-02"),
    ] {
        let answer = app.get(&format!("/notifications?{name}={value}&{name}={value}")).await;
        answer.is_bad_request(&[(name, "Must be given once")]);
        let answer = app.get(&format!("/notifications?{name}=")).await;
        assert_eq!(answer.data(200), &json!([]), "an empty {name} is none");
    }
}
