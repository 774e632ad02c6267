//! `GET /notifications`: the filters, alone and together.

use serde_json::{Value, json};
use tollgate_domain::notification::NotificationStatus;

use crate::support::{HOUR, Store, TestApp, at};

/// Four notifications: of two tokens, for two settings; each in a status of its own. Oldest first.
async fn four(app: &TestApp) -> (Vec<Value>, [Value; 2]) {
    let created = app.setting(&json!({})).await;
    let revoked = app
        .setting(&json!({ "subscribed_events": ["client_token.revoked"] }))
        .await;
    for name in ["Kiosk", "Stall"] {
        let token = app.token(name).await;
        app.clock.advance(HOUR);
        let path = format!("/client-tokens/{}", at(&token, "id"));
        app.patch(&path, &json!({ "status": "revoked" })).await.data(200);
        app.clock.advance(HOUR);
    }
    let mut all = Vec::new();
    for (notification, status) in app.notifications().await.iter().rev().zip(NotificationStatus::ALL) {
        all.push(match status {
            NotificationStatus::NotAttempted => notification.clone(),
            status => app.attempted(notification, status).await,
        });
    }
    assert_eq!(all.len(), 4);
    (all, [created, revoked])
}

/// Which of the four an answer holds.
async fn numbers(app: &TestApp, all: &[Value], query: &str) -> Vec<usize> {
    let answer = app.get(&format!("/notifications?order_by=id[ASC]&{query}")).await;
    let place = |item: &Value| all.iter().position(|known| known == item).expect("one of the four");
    answer.items().iter().map(place).collect()
}

pub(crate) async fn notifications_are_filtered_by_setting_and_status(store: Store) {
    let app = TestApp::start(store).await;
    let (all, settings) = four(&app).await;
    let [created, revoked] = settings.each_ref().map(|setting| at(setting, "id"));
    let unknown = "ntfset_01kjpx8smt1jx21jct317jay33";
    for (query, expected) in [
        (String::new(), &[0, 1, 2, 3][..]),
        (format!("notification_setting_id={created}"), &[0, 2]),
        (format!("notification_setting_id={revoked}"), &[1, 3]),
        (format!("notification_setting_id={revoked}%2C{created}"), &[0, 1, 2, 3]),
        (format!("notification_setting_id=,{revoked},{revoked},"), &[1, 3]),
        (format!("notification_setting_id={unknown}"), &[]),
        (format!("notification_setting_id={unknown},{revoked}"), &[1, 3]),
        ("status=not_attempted".to_owned(), &[0]),
        ("status=needs_retry".to_owned(), &[1]),
        ("status=delivered".to_owned(), &[2]),
        ("status=failed".to_owned(), &[3]),
        ("status=failed%2Cnot_attempted".to_owned(), &[0, 3]),
        ("status=failed,failed,,delivered".to_owned(), &[2, 3]),
        ("status=,".to_owned(), &[0, 1, 2, 3]),
        (
            format!("notification_setting_id={revoked}&status=failed,delivered"),
            &[3],
        ),
        (format!("notification_setting_id={created}&status=failed"), &[]),
    ] {
        assert_eq!(numbers(&app, &all, &query).await, expected, "{query}");
        let total = app.get(&format!("/notifications?{query}")).await.total();
        assert_eq!(usize::try_from(total), Ok(expected.len()), "{query}");
    }
    for value in ["sent", "Delivered", "delivered%20", "x,delivered"] {
        let answer = app.get(&format!("/notifications?status={value}")).await;
        let message = r#"must be one of the following: "not_attempted", "needs_retry", "delivered", "failed""#;
        answer.is_bad_request(&[("status", message)]);
    }
}

pub(crate) async fn many_settings_can_be_asked_for_and_what_is_none_is_told_once(store: Store) {
    let app = TestApp::start(store).await;
    let (all, settings) = four(&app).await;
    let mut ids: Vec<String> = (0..500)
        .map(|number| format!("ntfset_01kjpx8smt{number:016}"))
        .collect();
    ids.push(at(&settings[0], "id").to_owned());
    let query = format!("notification_setting_id={}", ids.join(","));
    assert_eq!(numbers(&app, &all, &query).await, [0, 2]);

    let query = format!("notification_setting_id={}", "x,".repeat(2_000));
    let answer = app.get(&format!("/notifications?{query}")).await;
    let message = r"Does not match pattern '^ntfset_[a-z\d]{26}$'";
    answer.is_bad_request(&[("notification_setting_id", message)]);
}

pub(crate) async fn a_search_looks_into_ids_and_types_letter_for_letter(store: Store) {
    let app = TestApp::start(store).await;
    let (all, _) = four(&app).await;
    let id = at(&all[2], "id");
    for (search, expected) in [
        ("client_token.revoked", &[1, 3][..]),
        ("client_token", &[0, 1, 2, 3]),
        ("created", &[0, 2]),
        ("ntf_", &[0, 1, 2, 3]),
        ("Client_token", &[]),
        ("client%25", &[]), // neither of them stands for other letters
        ("client_token_created", &[]),
        ("cli%2A", &[]),
        ("evt_", &[]),
        ("Kiosk", &[]), // what the payload says isn't searched
        ("delivered", &[]),
        ("%27", &[]),
        ("%5C", &[]),
        (id, &[2]),
        (&id[8..], &[2]),
    ] {
        assert_eq!(
            numbers(&app, &all, &format!("search={search}")).await,
            expected,
            "{search}"
        );
    }
    app.get(&format!("/notifications?search={}", "x".repeat(100)))
        .await
        .data(200);
    app.get(&format!("/notifications?search={}", "%F0%9F%94%91".repeat(100)))
        .await
        .data(200);
    for search in ["x".repeat(101), "%F0%9F%94%91".repeat(101)] {
        let answer = app.get(&format!("/notifications?search={search}")).await;
        answer.is_bad_request(&[("search", "String length must be less than or equal to 100")]);
    }
}

pub(crate) async fn a_filter_is_the_id_of_the_entity(store: Store) {
    let app = TestApp::start(store).await;
    let (all, _) = four(&app).await;
    let kiosk = at(&all[0]["payload"]["data"], "id");
    for (filter, expected) in [
        (kiosk, &[0, 1][..]),
        (&kiosk[..20], &[]),
        (&kiosk.to_uppercase(), &[]),
        ("ctkn_01kjpx8smt1jx21jct317jay33", &[]),
        ("txn_01kjpx8smt1jx21jct317jay33", &[]),
        ("%25", &[]),
    ] {
        assert_eq!(
            numbers(&app, &all, &format!("filter={filter}")).await,
            expected,
            "{filter}"
        );
    }
}

pub(crate) async fn times_are_of_the_event_and_both_ends_count(store: Store) {
    let app = TestApp::start(store).await;
    let (all, _) = four(&app).await;
    let [_, second, third, _] = [0, 1, 2, 3].map(|number| at(&all[number], "occurred_at").to_owned());
    assert_eq!(second, "2026-03-02T10:15:04.218733Z");
    for (query, expected) in [
        (format!("from={second}"), &[1, 2, 3][..]),
        (format!("to={second}"), &[0, 1]),
        (format!("from={second}&to={third}"), &[1, 2]),
        (format!("from={third}&to={second}"), &[]),
        ("from=2026-03-02T10:15:04.218734Z".to_owned(), &[2, 3]),
        ("to=2026-03-02T10:15:04.218732Z".to_owned(), &[0]),
        ("from=2026-03-02T11:15:04".to_owned(), &[2, 3]), // without a zone it is UTC
        ("from=2026-03-02T12:15:05%2B01:00".to_owned(), &[3]),
        ("to=2026-03-02T05:15:05-05:00".to_owned(), &[0, 1]),
        ("from=2026-03-02".to_owned(), &[0, 1, 2, 3]),
        ("to=2026-03-02".to_owned(), &[]), // its midnight
        ("to=2026-03-03".to_owned(), &[0, 1, 2, 3]),
        ("from=1970-01-01&to=9998-12-31".to_owned(), &[0, 1, 2, 3]),
    ] {
        assert_eq!(numbers(&app, &all, &query).await, expected, "{query}");
    }
}

pub(crate) async fn what_is_no_time_is_told_so(store: Store) {
    let app = TestApp::start(store).await;
    let message = "not a time: write it as 2026-03-02T09:15:04Z, 2026-03-02T09:15:04 (read as UTC) or 2026-03-02, \
                   from 1970 to 9998";
    for value in [
        "x",
        "1",
        "1772442904",
        "2026-3-2",
        "2026-13-02",
        "2026-02-30",
        "2026-03-02T25:00:00Z",
        "2026-03-02T09:15:04+01:00", // a plus in a query is a blank
        "2026-03-02%2009:15:04Z",
        "02.03.2026",
        "2026-03-02T09:15:04Z[UTC]",
        "1969-12-31",
        "yesterday",
        "%00",
        "%ff",
    ] {
        for name in ["from", "to"] {
            let answer = app.get(&format!("/notifications?{name}={value}")).await;
            answer.is_error_about("invalid_time_query_parameter", &[(name, message)]);
        }
    }
    let answer = app.get("/notifications?to=x&from=y").await;
    answer.is_error_about("invalid_time_query_parameter", &[("from", message), ("to", message)]);
    // Other parameters have an error of their own, which is told first.
    let answer = app.get("/notifications?from=y&per_page=0").await;
    answer.is_bad_request(&[("per_page", "Must be greater than or equal to 1")]);
}

pub(crate) async fn filters_hold_together(store: Store) {
    let app = TestApp::start(store).await;
    let (all, settings) = four(&app).await;
    let [created, revoked] = settings.each_ref().map(|setting| at(setting, "id"));
    let kiosk = at(&all[0]["payload"]["data"], "id");
    for (query, expected) in [
        (format!("filter={kiosk}&notification_setting_id={revoked}"), &[1][..]),
        (format!("filter={kiosk}&status=needs_retry,delivered"), &[1]),
        (format!("filter={kiosk}&status=delivered"), &[]),
        ("search=revoked&from=2026-03-02T11:00:00Z".to_owned(), &[3]),
        (
            format!("search=created&to=2026-03-02T11:00:00&notification_setting_id={created}"),
            &[0],
        ),
        (
            format!(
                "search=client_token&filter={kiosk}&from=2026-03-02&to=2026-03-03&status=needs_retry&notification_setting_id={revoked},{created}"
            ),
            &[1],
        ),
    ] {
        assert_eq!(numbers(&app, &all, &query).await, expected, "{query}");
    }
}
