//! `GET /notifications/{notification_id}/logs`, and the same of ours with what the contract doesn't show.

use serde_json::{Value, json};
use tollgate_domain::notification::{DeliveryAttempt, NotificationStatus};

use crate::support::{HOUR, SURFACES, Store, TestApp, at};

async fn notification(app: &TestApp) -> Value {
    app.setting(&json!({})).await;
    app.token("Kiosk").await;
    app.newest_notification().await
}

pub(crate) async fn an_attempt_is_shown_byte_for_byte_in_the_contracts_order(store: Store) {
    let app = TestApp::start(store).await;
    let notification = notification(&app).await;
    app.attempted(&notification, NotificationStatus::Delivered).await;
    for (surface, more) in [("", ""), ("/tollgate", r#","duration_ms":7,"problem":null"#)] {
        let path = format!("{surface}/notifications/{}/logs", at(&notification, "id"));
        let answer = app.get(&path).await;
        let id = at(&answer.items()[0], "id");
        assert!(id.starts_with("ntflog_") && id.len() == 33, "{id}");
        let expected = format!(
            concat!(
                r#"{{"data":[{{"id":"{}","response_code":200,"response_content_type":"text/plain; charset=UTF-8","#,
                r#""response_body":"","attempted_at":"2026-03-02T09:15:04.218733Z"{}}}],"meta":{{"request_id":"{}","#,
                r#""pagination":{{"per_page":50,"next":"{}{}?after={}","has_more":false,"estimated_total":1}}}}}}"#
            ),
            id,
            more,
            answer.request_id(),
            app.base(),
            path,
            id,
        );
        assert_eq!(answer.body_text(), expected);
    }
}

pub(crate) async fn an_attempt_without_an_answer_says_why_on_our_surface(store: Store) {
    let app = TestApp::start(store).await;
    let notification = notification(&app).await;
    app.attempted(&notification, NotificationStatus::Delivered).await;
    let silent = DeliveryAttempt {
        duration_ms: 5_000,
        problem: Some("no answer within 5 s".to_owned()),
        ..app.attempt(&notification, 0)
    };
    app.record(&notification, vec![silent], NotificationStatus::Delivered, None)
        .await;
    let path = format!("/notifications/{}/logs", at(&notification, "id"));
    let shown = app.get(&path).await.items()[0].clone();
    assert_eq!(shown["response_code"], 0);
    assert_eq!(shown["response_content_type"], json!(null));
    assert_eq!(shown["response_body"], "");
    assert!(shown.get("problem").is_none());
    let shown = app.get(&format!("/tollgate{path}")).await.items()[0].clone();
    assert_eq!(shown["duration_ms"], 5_000);
    assert_eq!(shown["problem"], "no answer within 5 s");
}

pub(crate) async fn what_a_receiver_answered_comes_back_untouched(store: Store) {
    let app = TestApp::start(store).await;
    let notification = notification(&app).await;
    for body in ["<h1>é 🔑 \"'\\</h1>\r\n\t\u{1}\u{2028}", &"🔑".repeat(8_192)] {
        let answered = DeliveryAttempt {
            response_content_type: Some("text/html; charset=\"utf-8\"".to_owned()),
            response_body: body.to_owned(),
            ..app.attempt(&notification, 599)
        };
        app.record(&notification, vec![answered], NotificationStatus::Failed, None)
            .await;
        let answer = app
            .get(&format!("/notifications/{}/logs?per_page=1", at(&notification, "id")))
            .await;
        let shown = &answer.items()[0];
        assert_eq!(shown["response_code"], 599);
        assert_eq!(at(shown, "response_body"), body);
        assert_eq!(at(shown, "response_content_type"), "text/html; charset=\"utf-8\"");
    }
}

pub(crate) async fn attempts_are_listed_newest_first_and_paged(store: Store) {
    let app = TestApp::start(store).await;
    let notification = notification(&app).await;
    for _ in 0..12 {
        app.clock.advance(HOUR);
        app.attempted(&notification, NotificationStatus::NeedsRetry).await;
    }
    for surface in SURFACES {
        let path = format!("{surface}/notifications/{}/logs", at(&notification, "id"));
        let all = app.get(&path).await;
        let falling = all.column("id");
        assert_eq!(falling.len(), 12);
        assert!(all.column("attempted_at").is_sorted_by(|newer, older| newer > older));
        let rising: Vec<&str> = falling.iter().rev().copied().collect();
        for (query, expected) in [
            ("per_page=5", &falling),
            ("per_page=12", &falling),
            ("per_page=7&order_by=id[asc]", &rising),
        ] {
            let mut target = format!("{path}?{query}");
            let mut seen: Vec<String> = Vec::new();
            loop {
                let answer = app.get(&target).await;
                seen.extend(answer.column("id").into_iter().map(str::to_owned));
                assert_eq!(answer.total(), 12);
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
        assert_eq!(
            app.get(&format!("{path}?per_page=999")).await.pagination()["per_page"],
            200
        );
        let answer = app
            .get(&format!("{path}?after=ntf_01kjpx8smt1jx21jct317jay33&per_page=x"))
            .await;
        answer.is_bad_request(&[
            ("after", r"Does not match pattern '^ntflog_[a-z\d]{26}$'"),
            ("per_page", "Invalid type. Expected: integer, given: string"),
        ]);
    }
}

pub(crate) async fn what_was_not_attempted_has_no_logs(store: Store) {
    let app = TestApp::start(store).await;
    let notification = notification(&app).await;
    for surface in SURFACES {
        let path = format!("{surface}/notifications/{}/logs", at(&notification, "id"));
        let answer = app.get(&path).await;
        assert_eq!((answer.data(200), answer.total()), (&json!([]), 0));
        assert_eq!(answer.next(), format!("{}{path}", app.base()));
    }
}

/// While a secret is being rotated, one attempt may be two requests.
pub(crate) async fn an_attempt_with_both_secrets_has_two_rows_and_counts_once(store: Store) {
    let app = TestApp::start(store).await;
    let notification = notification(&app).await;
    let rows = vec![app.attempt(&notification, 401), app.attempt(&notification, 200)];
    app.record(&notification, rows, NotificationStatus::Delivered, None)
        .await;
    let logs = app
        .get(&format!("/notifications/{}/logs", at(&notification, "id")))
        .await;
    let codes: Vec<&Value> = logs.items().iter().map(|log| &log["response_code"]).collect();
    assert_eq!(codes, [200, 401]);
    assert_eq!(app.newest_notification().await["times_attempted"], 1);
}
