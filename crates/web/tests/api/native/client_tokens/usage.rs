//! `GET /tollgate/client-tokens/{client_token_id}/usage`.

use serde_json::{Value, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::usage::{Hour, UsageCounts, UsageDelta};
use tollgate_storage::Write;

use super::{LIST, target, told};
use crate::support::{DAY, HOUR, Store, TestApp, at, get};

fn usage_of(token: &Value) -> String {
    format!("{}/usage", target(token))
}

/// What a node saw of the token now.
fn seen(app: &TestApp, token: &Value, counts: UsageCounts) -> UsageDelta {
    let now = app.clock.now();
    UsageDelta {
        workspace: app.home.workspace.id,
        id: ClientTokenId::parse(at(token, "id")).expect("an id"),
        hour: Hour::of(now),
        counts,
        last_used_at: (counts.allowed > 0).then_some(now),
        origins: Vec::new(),
    }
}

const fn counts(allowed: u64, refused: u64) -> UsageCounts {
    UsageCounts {
        allowed,
        refused,
        reported: [0; 5],
    }
}

async fn record(app: &TestApp, delta: UsageDelta) {
    app.commit(Write::RecordUsage(vec![delta])).await;
}

fn shown(allowed: u64, refused: u64) -> Value {
    json!({ "allowed": allowed, "refused": refused, "would_refuse": {} })
}

pub(crate) async fn a_token_that_nobody_used_says_so(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let none = shown(0, 0);
    let expected = json!({
        "last_used_at": null,
        "totals": { "last_hour": none, "last_24_hours": none, "last_7_days": none },
        "hours": [],
        "origins": [],
    });
    assert_eq!(app.get(&usage_of(&token)).await.data(200), &expected);
}

pub(crate) async fn uses_of_all_nodes_are_shown_by_hour_and_in_total(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    record(&app, seen(&app, &token, counts(3, 1))).await;
    record(&app, seen(&app, &token, counts(4, 0))).await;
    app.clock.advance(2 * DAY);
    record(&app, seen(&app, &token, counts(20, 0))).await;
    app.clock.advance(HOUR);
    record(&app, seen(&app, &token, counts(0, 5))).await;
    app.clock.advance(HOUR);
    record(&app, seen(&app, &token, counts(100, 0))).await;

    let answer = app.get(&usage_of(&token)).await;
    let usage = answer.data(200);
    let hour = |begins_at: &str, allowed, refused| json!({ "begins_at": begins_at, "allowed": allowed, "refused": refused, "would_refuse": {} });
    assert_eq!(
        usage["hours"],
        json!([
            hour("2026-03-02T09:00:00.000000Z", 7, 1),
            hour("2026-03-04T09:00:00.000000Z", 20, 0),
            hour("2026-03-04T10:00:00.000000Z", 0, 5),
            hour("2026-03-04T11:00:00.000000Z", 100, 0),
        ])
    );
    assert_eq!(
        usage["totals"],
        json!({ "last_hour": shown(100, 5), "last_24_hours": shown(120, 5), "last_7_days": shown(127, 6) })
    );
    assert_eq!(at(usage, "last_used_at"), "2026-03-04T11:15:04.218733Z");
}

pub(crate) async fn what_is_only_reported_is_counted_by_kind(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let reported = UsageCounts {
        reported: [5, 0, 1, 0, 2],
        ..counts(9, 0)
    };
    record(&app, seen(&app, &token, reported)).await;
    let answer = app.get(&usage_of(&token)).await;
    let expected = json!({ "allowed_origins": 5, "scopes": 1, "rate_limit": 2 });
    assert_eq!(answer.data(200)["hours"][0]["would_refuse"], expected);
    assert_eq!(answer.data(200)["totals"]["last_hour"]["would_refuse"], expected);
}

pub(crate) async fn origins_are_shown_most_frequent_first(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let from = |origins: &[(&str, u64)]| UsageDelta {
        origins: origins
            .iter()
            .map(|(origin, uses)| ((*origin).to_owned(), *uses))
            .collect(),
        ..seen(&app, &token, counts(1, 0))
    };
    record(&app, from(&[("https://a.example", 1), ("https://b.example", 7)])).await;
    app.clock.advance(3 * DAY);
    record(&app, from(&[("https://a.example", 3), ("http://localhost:3000", 5)])).await;
    let answer = app.get(&usage_of(&token)).await;
    assert_eq!(
        answer.data(200)["origins"],
        json!([
            { "origin": "https://b.example", "allowed": 7 },
            { "origin": "http://localhost:3000", "allowed": 5 },
            { "origin": "https://a.example", "allowed": 4 },
        ])
    );
}

pub(crate) async fn what_is_older_than_seven_days_is_not_shown_and_removed(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let old = seen(&app, &token, counts(1, 0));
    let (workspace, id) = (old.workspace, old.id);
    record(&app, old).await;
    app.clock.advance(7 * DAY);
    let kept = app.get(&usage_of(&token)).await;
    assert_eq!(kept.data(200)["totals"]["last_7_days"], shown(1, 0));
    let stored = async || {
        let usage = app.storage().client_token_usage(workspace, id, Hour(0)).await;
        usage.expect("the store answers").hours.len()
    };
    app.service.remove_old_usage().await.expect("the store answers");
    assert_eq!(stored().await, 1);

    app.clock.advance(HOUR);
    let answer = app.get(&usage_of(&token)).await;
    assert_eq!(answer.data(200)["hours"], json!([]));
    assert_eq!(
        at(answer.data(200), "last_used_at"),
        "2026-03-02T09:15:04.218733Z",
        "the last use stays"
    );
    assert_eq!(stored().await, 1);
    app.service.remove_old_usage().await.expect("the store answers");
    assert_eq!(stored().await, 0);
}

pub(crate) async fn the_last_use_is_shown_wherever_the_token_is(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    record(&app, seen(&app, &token, counts(1, 0))).await;
    let used_at = "2026-03-02T09:15:04.218733Z";
    app.clock.advance(HOUR);
    let changed = app.patch(&target(&token), &json!({ "name": "Stall" })).await;
    let alone = app.get(&target(&token)).await;
    for shown in [changed.data(200), alone.data(200), &app.get(LIST).await.items()[0]] {
        assert_eq!(at(shown, "last_used_at"), used_at);
    }
    let rotated = app.post(&format!("{}/rotate", target(&token)), &json!({})).await;
    assert_eq!(at(&rotated.data(201)["old"], "last_used_at"), used_at);
    assert_eq!(rotated.data(201)["successor"]["last_used_at"], json!(null));
    assert_eq!(
        told(&app, &token).await,
        ["client_token.updated"; 2],
        "uses are told to nobody"
    );
}

pub(crate) async fn another_workspaces_token_does_not_exist(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let another = app.workspace("Another shop", app.home.workspace.environment).await;
    let stranger = another.full_key().await;
    let answer = app.send(get(usage_of(&token)).by(&stranger)).await;
    answer.is_error_saying("not_found", &format!("Client token {} not found.", at(&token, "id")));
    let answer = app.get(&format!("{LIST}/x/usage")).await;
    answer.is_bad_request(&[("client_token_id", r"Does not match pattern '^ctkn_[a-z\d]{26}$'")]);
}
