//! `GET /simulations`, runs and events: filters, orders and pages.

use serde_json::{Value, json};

use super::{path, run, setting, simulation};
use crate::support::{HOUR, NOWHERE, Store, TestApp, at};

pub(crate) async fn active_simulations_are_listed_newest_first(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let mut made = Vec::new();
    for number in 0..3 {
        app.clock.advance(HOUR);
        let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
        if number == 1 {
            app.patch(&path(&simulation, ""), &json!({ "status": "archived" }))
                .await
                .data(200);
        }
        made.push(at(&simulation, "id").to_owned());
    }
    let listed = app.get("/simulations").await;
    assert_eq!(listed.column("id"), [made[2].as_str(), &made[0]]);
    assert_eq!((listed.total(), listed.has_more()), (2, false));
    assert_eq!(listed.pagination()["per_page"], 50);
    let archived = app.get("/simulations?status=archived").await;
    assert_eq!(archived.column("id"), [made[1].as_str()]);
    let all = app
        .get("/simulations?status=active%2Carchived&order_by=id%5BASC%5D")
        .await;
    assert_eq!(all.column("id"), made);
}

pub(crate) async fn simulations_are_filtered_by_setting_and_id(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let (first, second) = (
        setting(&app, NOWHERE, "all").await,
        setting(&app, &format!("{NOWHERE}/2"), "all").await,
    );
    let mut made = Vec::new();
    for setting in [&first, &second, &first] {
        let simulation = simulation(&app, setting, "client_token.created", Value::Null).await;
        made.push(at(&simulation, "id").to_owned());
    }
    for (query, expected) in [
        (format!("notification_setting_id={first}"), vec![2, 0]),
        (format!("notification_setting_id={first},{second}"), vec![2, 1, 0]),
        (
            "notification_setting_id=ntfset_01kjpx8smt1jx21jct317jay33".to_owned(),
            vec![],
        ),
        (format!("id={},{}", made[0], made[1]), vec![1, 0]),
        (
            format!("id={},{}&notification_setting_id={second}", made[0], made[1]),
            vec![1],
        ),
        ("id=".to_owned(), vec![2, 1, 0]),
    ] {
        let listed = app.get(&format!("/simulations?{query}")).await;
        let expected: Vec<&str> = expected.into_iter().map(|place: usize| made[place].as_str()).collect();
        assert_eq!(listed.column("id"), expected, "{query}");
        assert_eq!(listed.total(), i64::try_from(expected.len()).expect("few"), "{query}");
    }
    app.get("/simulations?id=x")
        .await
        .is_bad_request(&[("id", r"Does not match pattern '^ntfsim_[a-z\d]{26}$'")]);
    app.get("/simulations?notification_setting_id=x")
        .await
        .is_bad_request(&[(
            "notification_setting_id",
            r"Does not match pattern '^ntfset_[a-z\d]{26}$'",
        )]);
    app.get("/simulations?status=gone")
        .await
        .is_bad_request(&[("status", r#"must be one of the following: "active", "archived""#)]);
}

/// Follows `next` until there is no more.
async fn walk(app: &TestApp, target: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut target = target.to_owned();
    loop {
        let page = app.get(&target).await;
        seen.extend(page.column("id").into_iter().map(str::to_owned));
        if !page.has_more() {
            return seen;
        }
        page.next().trim_start_matches(&app.base()).clone_into(&mut target);
    }
}

pub(crate) async fn simulations_runs_and_events_are_paged_both_ways(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let mut simulations = Vec::new();
    for _ in 0..5 {
        let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
        simulations.push(at(&simulation, "id").to_owned());
    }
    let last = json!({ "id": simulations[4] });
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(run(&app, &last).await);
        app.end_simulation_runs().await;
    }
    let events_of_last = path(&last, &format!("/runs/{}/events", runs[4]));
    let first = app.get(&events_of_last).await.column("id")[0].to_owned();
    let mut events = vec![first.clone()];
    for _ in 0..4 {
        let replay = app.post(&format!("{events_of_last}/{first}/replay"), &json!({})).await;
        events.push(at(replay.data(202), "id").to_owned());
    }
    for (target, mut expected) in [
        ("/simulations".to_owned(), simulations),
        (path(&last, "/runs"), runs.clone()),
        (events_of_last.clone(), events.clone()),
    ] {
        for per_page in [1, 2, 5, 50] {
            let ascending = walk(&app, &format!("{target}?order_by=id[asc]&per_page={per_page}")).await;
            assert_eq!(ascending, expected, "{target}");
        }
        expected.reverse();
        assert_eq!(walk(&app, &format!("{target}?per_page=2")).await, expected, "{target}");
        assert_eq!(app.get(&target).await.total(), 5);
        app.get(&format!("{target}?order_by=name[ASC]"))
            .await
            .is_bad_request(&[("order_by", r#"must be one of the following: "id[ASC]", "id[DESC]""#)]);
    }
    let two = format!("{}?id={},{}", path(&last, "/runs"), runs[3], runs[1]);
    assert_eq!(app.get(&two).await.column("id"), [runs[3].as_str(), &runs[1]]);
    let two = format!("{events_of_last}?id={},{}", events[3], events[1]);
    assert_eq!(app.get(&two).await.column("id"), [events[3].as_str(), &events[1]]);
}

pub(crate) async fn runs_come_with_their_events_when_asked_for(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let setting = setting(&app, NOWHERE, "all").await;
    let simulation = simulation(&app, &setting, "client_token.created", Value::Null).await;
    let mut events = Vec::new();
    for _ in 0..2 {
        let run = run(&app, &simulation).await;
        app.end_simulation_runs().await;
        let of_run = app.get(&path(&simulation, &format!("/runs/{run}/events"))).await;
        events.insert(0, json!(of_run.items()));
        let alone = app
            .get(&path(&simulation, &format!("/runs/{run}?include=events")))
            .await;
        assert_eq!(alone.data(200)["events"], events[0]);
        let without = app.get(&path(&simulation, &format!("/runs/{run}?include="))).await;
        assert!(without.data(200).get("events").is_none());
    }
    let listed = app.get(&path(&simulation, "/runs?include=events")).await;
    let included: Vec<Value> = listed.items().iter().map(|run| run["events"].clone()).collect();
    assert_eq!(included, events);
    assert!(listed.next().contains("include=events"));
    let message = r#"must be one of the following: "events""#;
    for rest in ["/runs", "/runs/ntfsimrun_01kjpx8smt1jx21jct317jay33"] {
        let answer = app.get(&path(&simulation, &format!("{rest}?include=logs"))).await;
        answer.is_bad_request(&[("include", message)]);
    }
}
