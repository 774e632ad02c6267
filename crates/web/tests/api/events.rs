//! `GET /events`.

use serde_json::json;
use tollgate_domain::environment::Environment;

use crate::support::{HOUR, START, Store, TestApp, at, get, post};

pub(crate) async fn events_are_listed_newest_first(store: Store) {
    let app = TestApp::start(store).await;
    app.clock.advance(HOUR);
    app.revoked_token("Kiosk").await;
    let answer = app.get("/events").await;
    assert_eq!(
        answer.column("event_type"),
        [
            "client_token.revoked",
            "client_token.updated",
            "client_token.created",
            "api_key.created"
        ]
    );
    assert!(answer.column("event_id").is_sorted_by(|newer, older| newer > older));
    assert_eq!(answer.items()[0]["data"], answer.items()[1]["data"]);
    assert_eq!(
        answer.items()[0]["occurred_at"],
        answer.items()[0]["data"]["revoked_at"]
    );
    assert_eq!(answer.items()[0]["occurred_at"], answer.items()[1]["occurred_at"]);
    assert_eq!(answer.total(), 4);
}

pub(crate) async fn where_a_key_is_used_from_is_kept_and_never_shown(store: Store) {
    let app = TestApp::start(store).await;
    let create = |forwarded: &str| {
        let body = json!({ "name": "Kiosk" });
        app.send(
            post("/client-tokens")
                .by(&app.key)
                .json(&body)
                .header("X-Forwarded-For", forwarded),
        )
    };
    assert_eq!(create("198.51.100.1, 192.0.2.77").await.status, 201);
    assert_eq!(create("2001:db8::77").await.status, 201);
    let kept: Vec<_> = app.stored_events().await.iter().map(|event| event.address).collect();
    let addresses = ["192.0.2.77", "2001:db8::77"].map(|address| Some(address.parse().expect("an address")));
    assert_eq!(kept[1..], addresses);
    for target in ["/events", "/tollgate/events?after_sequence=0"] {
        let shown = app.get(target).await;
        assert_eq!(shown.status, 200);
        assert!(
            !shown.body_text().contains(":77") && !shown.body_text().contains("192.0.2"),
            "{target}"
        );
    }
}

pub(crate) async fn an_event_is_shown_byte_for_byte_in_the_contracts_order(store: Store) {
    let app = TestApp::start(store).await;
    let created = app.post("/client-tokens", &json!({ "name": "Kiosk \u{e9} <&>" })).await;
    let data = created.body_text().strip_prefix("{\"data\":").expect("an envelope");
    let data = data.split_once(",\"meta\":").expect("an envelope").0;
    let answer = app.get("/events?per_page=1").await;
    let id = at(&answer.items()[0], "event_id");
    let expected = format!(
        concat!(
            r#"{{"data":[{{"event_id":"{}","event_type":"client_token.created","occurred_at":"{}","data":{}}}],"#,
            r#""meta":{{"request_id":"{}","pagination":{{"per_page":1,"next":"{}/events?per_page=1&after={}","#,
            r#""has_more":true,"estimated_total":2}}}}}}"#
        ),
        id,
        START,
        data,
        answer.request_id(),
        app.base(),
        id
    );
    assert_eq!(answer.body_text(), expected);
}

pub(crate) async fn events_are_filtered_by_a_comma_list_of_types(store: Store) {
    let app = TestApp::start(store).await;
    app.revoked_token("Kiosk").await;
    for (query, expected) in [
        ("event_type=client_token.revoked", &["client_token.revoked"][..]),
        (
            "event_type=client_token.created%2Cclient_token.revoked",
            &["client_token.revoked", "client_token.created"],
        ),
        (
            "event_type=,client_token.created,,client_token.created,",
            &["client_token.created"],
        ),
        // The contract knows it, and it never happened.
        ("event_type=transaction.paid", &[]),
        ("event_type=transaction.paid,api_key.created", &["api_key.created"]),
        (
            "event_type=",
            &[
                "client_token.revoked",
                "client_token.updated",
                "client_token.created",
                "api_key.created",
            ],
        ),
    ] {
        let answer = app.get(&format!("/events?{query}")).await;
        assert_eq!(answer.column("event_type"), expected, "{query}");
        assert_eq!(answer.total(), i64::try_from(expected.len()).expect("few"), "{query}");
    }
}

pub(crate) async fn an_unknown_type_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    for name in [
        "client_token.deleted",
        "client_token",
        "CLIENT_TOKEN.CREATED",
        "client_token.created%2Cx",
        "*",
    ] {
        let answer = app.get(&format!("/events?event_type={name}")).await;
        assert_eq!(answer.status, 400);
        let problems = answer.json()["error"]["errors"].as_array().expect("problems");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0]["field"], "event_type");
        let message = at(&problems[0], "message");
        assert!(
            message.starts_with(r#"must be one of the following: "address.created", "#),
            "{message}"
        );
        assert!(message.contains(r#""client_token.revoked""#), "{message}");
    }
}

pub(crate) async fn events_are_paged_both_ways(store: Store) {
    let app = TestApp::start(store).await;
    for number in 0..7 {
        app.token(&format!("Kiosk {number}")).await;
    }
    let all = app.get("/events").await;
    let falling = all.column("event_id");
    let rising: Vec<&str> = falling.iter().rev().copied().collect();
    for (order, expected) in [("", &falling), ("&order_by=id%5Basc%5D", &rising)] {
        let mut target = format!("/events?per_page=3&event_type=client_token.created,api_key.created{order}");
        let mut seen: Vec<String> = Vec::new();
        loop {
            let answer = app.get(&target).await;
            seen.extend(answer.column("event_id").into_iter().map(str::to_owned));
            assert_eq!(answer.total(), 8);
            if !answer.has_more() {
                break;
            }
            answer
                .next()
                .strip_prefix(&app.base())
                .expect("the base")
                .clone_into(&mut target);
        }
        assert_eq!(&seen, expected);
    }
}

pub(crate) async fn the_query_is_held_to_the_rules_of_lists(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app
        .get("/events?event_type=x.y&per_page=-1&order_by=event_id[ASC]&after=ntf_01kjpx8smt1jx21jct317jay33")
        .await;
    assert_eq!(answer.status, 400);
    let problems = answer.json()["error"]["errors"].as_array().expect("problems");
    let fields: Vec<&str> = problems.iter().map(|problem| at(problem, "field")).collect();
    assert_eq!(fields, ["after", "per_page", "order_by", "event_type"]);
    assert_eq!(
        at(&problems[0], "message"),
        r"Does not match pattern '^evt_[a-z\d]{26}$'"
    );
    assert_eq!(app.get("/events?per_page=9999").await.pagination()["per_page"], 200);
    assert_eq!(app.get("/events").await.pagination()["per_page"], 50);
    let skipped = get("/events").by(&app.key).header("Skip-Count", "true");
    assert_eq!(app.send(skipped).await.total(), -1);
}

pub(crate) async fn events_tell_nothing_of_who_did_it(store: Store) {
    let app = TestApp::start(store).await;
    app.revoked_token("Kiosk").await;
    let answer = app
        .get("/events?event_type=client_token.created,client_token.updated,client_token.revoked")
        .await;
    for item in answer.items() {
        let names: Vec<&String> = item.as_object().expect("an event").keys().collect();
        assert_eq!(names.len(), 4, "{names:?}");
    }
    for word in ["actor", "apikey_", "workspace", "wsp_", "notification_id", "version"] {
        assert!(!answer.body_text().contains(word), "{word}");
    }
}

pub(crate) async fn events_of_another_workspace_are_not_listed(store: Store) {
    let app = TestApp::start(store).await;
    app.token("Kiosk").await;
    let another = app.workspace("Another shop", Environment::Live).await;
    let stranger = another.full_key().await;
    let answer = app.send(get("/events").by(&stranger)).await;
    assert_eq!(answer.column("event_type"), ["api_key.created"]);
    assert_eq!(at(&answer.items()[0]["data"], "id"), stranger.id.to_string());
    assert_eq!(answer.total(), 1);
}
