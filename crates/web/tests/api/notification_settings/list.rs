//! `GET /notification-settings`.

use serde_json::{Value, json};

use crate::support::{RECEIVER, Store, TestApp, at, get, path_of};

fn id(setting: &Value) -> &str {
    at(setting, "id")
}

pub(crate) async fn settings_are_listed_newest_first_200_to_a_page(store: Store) {
    let app = TestApp::start(store).await;
    let (first, second) = (app.setting(&json!({})).await, app.setting(&json!({})).await);
    let answer = app.get("/notification-settings").await;
    assert_eq!(answer.data(200), &json!([second, first]));
    let next = format!("{}/notification-settings?after={}", app.base(), id(&first));
    let expected = format!(
        r#","meta":{{"request_id":"{}","pagination":{{"per_page":200,"next":"{next}","has_more":false,"estimated_total":2}}}}}}"#,
        answer.request_id()
    );
    assert!(answer.body_text().ends_with(&expected), "{}", answer.body_text());
    for (asked, given) in [("1", 1), ("50", 50), ("200", 200), ("201", 200), ("99999", 200)] {
        let answer = app.get(&format!("/notification-settings?per_page={asked}")).await;
        assert_eq!(answer.pagination()["per_page"], given);
    }
}

pub(crate) async fn settings_are_filtered_by_activity_and_source(store: Store) {
    let app = TestApp::start(store).await;
    let mut made = Vec::new();
    for active in [true, false] {
        for source in ["platform", "simulation", "all"] {
            let setting = app.setting(&json!({ "traffic_source": source })).await;
            app.patch(&path_of(&setting), &json!({ "active": active }))
                .await
                .data(200);
            made.push((active, source, id(&setting).to_owned()));
        }
    }
    made.reverse();
    for (query, active, source) in [
        ("", None, None),
        ("active=true", Some(true), None),
        ("active=false", Some(false), None),
        ("active=", None, None),
        ("active=true,false", None, None),
        ("traffic_source=platform", None, Some("platform")),
        ("traffic_source=simulation", None, Some("simulation")),
        ("traffic_source=all", None, Some("all")),
        ("traffic_source=", None, None),
        ("traffic_source=all&active=false", Some(false), Some("all")),
        (
            "active=true&traffic_source=platform&per_page=9",
            Some(true),
            Some("platform"),
        ),
    ] {
        let expected: Vec<&str> = made
            .iter()
            .filter(|(is_active, of, _)| {
                active.is_none_or(|active| active == *is_active) && source.is_none_or(|source| source == *of)
            })
            .map(|(_, _, id)| id.as_str())
            .collect();
        let answer = app.get(&format!("/notification-settings?{query}")).await;
        assert_eq!(answer.column("id"), expected, "{query}");
        assert_eq!(answer.total(), i64::try_from(expected.len()).expect("few"), "{query}");
    }
}

pub(crate) async fn a_filter_that_is_wrong_is_told(store: Store) {
    let app = TestApp::start(store).await;
    for value in ["yes", "1", "TRUE", "True", "true%20"] {
        let answer = app.get(&format!("/notification-settings?active={value}")).await;
        answer.is_bad_request(&[("active", r#"must be one of the following: "true", "false""#)]);
    }
    // One source or all of them: what takes both kinds of traffic has a name of its own.
    for value in ["live", "Platform", "platform,simulation", "all,platform", "%00"] {
        let answer = app.get(&format!("/notification-settings?traffic_source={value}")).await;
        let message = r#"must be one of the following: "platform", "simulation", "all""#;
        answer.is_bad_request(&[("traffic_source", message)]);
    }
    let query = "?traffic_source=x&active=x&order_by=name&per_page=0&after=y";
    let answer = app.get(&format!("/notification-settings{query}")).await;
    let problems = answer.json()["error"]["errors"].as_array().expect("problems");
    let fields: Vec<&str> = problems.iter().map(|problem| at(problem, "field")).collect();
    assert_eq!(fields, ["after", "per_page", "order_by", "active", "traffic_source"]);
    assert_eq!(
        at(&problems[0], "message"),
        r"Does not match pattern '^ntfset_[a-z\d]{26}$'"
    );
}

pub(crate) async fn settings_are_paged_both_ways(store: Store) {
    let app = TestApp::start(store).await;
    let mut rising = Vec::new();
    for number in 0..23 {
        let setting = app
            .setting(&json!({ "destination": format!("{RECEIVER}/page/{number}") }))
            .await;
        app.patch(&path_of(&setting), &json!({ "active": number % 3 == 0 }))
            .await
            .data(200);
        rising.push(id(&setting).to_owned());
    }
    let falling: Vec<String> = rising.iter().rev().cloned().collect();
    let idle: Vec<String> = (0..23)
        .filter(|number| number % 3 != 0)
        .map(|number: usize| rising[number].clone())
        .collect();
    for (query, expected, pages) in [
        ("?", &falling, 1),
        ("?per_page=5", &falling, 5),
        ("?per_page=23&order_by=id%5Bdesc%5D", &falling, 1),
        ("?per_page=7&order_by=id[asc]", &rising, 4),
        ("?per_page=4&order_by=id[asc]&active=false", &idle, 4),
    ] {
        let mut target = format!("/notification-settings{query}");
        let (mut seen, mut walked): (Vec<String>, usize) = (Vec::new(), 0);
        loop {
            let answer = app.get(&target).await;
            walked += 1;
            seen.extend(answer.column("id").into_iter().map(str::to_owned));
            assert_eq!(usize::try_from(answer.total()), Ok(expected.len()));
            if !answer.has_more() {
                break;
            }
            answer
                .next()
                .strip_prefix(&app.base())
                .expect("the base")
                .clone_into(&mut target);
        }
        assert_eq!((&seen, walked), (expected, pages), "{query}");
    }
}

pub(crate) async fn the_total_can_be_skipped(store: Store) {
    let app = TestApp::start(store).await;
    app.setting(&json!({})).await;
    let list = get("/notification-settings").by(&app.key).header("Skip-Count", "true");
    let answer = app.send(list).await;
    assert_eq!((answer.total(), answer.items().len()), (-1, 1));
}
