//! Restrictions: set, merged, taken away, only reported.

use serde_json::{Value, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::event::Actor;
use tollgate_domain::id::ClientTokenId;
use tollgate_domain::usage::{Hour, UsageCounts, UsageDelta};
use tollgate_storage::Write;

use super::{LIST, target, told};
use crate::support::{HOUR, Store, TestApp, at};

/// All that there is, two of it only reported.
fn all() -> Value {
    json!({
        "allowed_origins": ["https://shop.example", "https://*.shop.example.com"],
        "allowed_networks": ["10.0.0.0/8"],
        "scopes": ["read", "write:cart"],
        "expires_at": "2027-01-01T00:00:00.000000Z",
        "rate_limit": { "requests": 100, "period_seconds": 60 },
        "report_only": ["allowed_origins", "rate_limit"],
    })
}

/// These restrictions and nothing else.
fn only(restrictions: Value) -> Value {
    let mut whole = json!({
        "allowed_origins": null,
        "allowed_networks": null,
        "scopes": null,
        "expires_at": null,
        "rate_limit": null,
        "report_only": [],
    });
    let Value::Object(given) = restrictions else {
        panic!("an object")
    };
    for (name, value) in given {
        whole[name] = value;
    }
    whole
}

async fn restricted(app: &TestApp, restrictions: &Value) -> Value {
    let new = json!({ "name": "Kiosk", "restrictions": restrictions });
    app.post(LIST, &new).await.data(201).clone()
}

/// The restrictions after this patch of them; what is answered is what is found later.
async fn patched(app: &TestApp, token: &Value, patch: Value) -> Value {
    let answer = app.patch(&target(token), &json!({ "restrictions": patch })).await;
    let changed = answer.data(200).clone();
    assert_eq!(app.get(&target(token)).await.data(200), &changed);
    changed["restrictions"].clone()
}

pub(crate) async fn a_token_is_made_with_restrictions_and_shows_them(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, &all()).await;
    assert_eq!(token["restrictions"], all());
    assert_eq!(app.get(&target(&token)).await.data(200), &token);
    for none in [json!(null), json!({}), json!({ "scopes": null, "report_only": [] })] {
        assert_eq!(restricted(&app, &none).await["restrictions"], json!(null), "{none}");
    }
    let scoped = restricted(&app, &json!({ "scopes": ["read"] })).await;
    assert_eq!(scoped["restrictions"], only(json!({ "scopes": ["read"] })));
}

pub(crate) async fn restrictions_are_merged_field_by_field(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, &all()).await;
    let mut expected = all();
    for (name, value) in [
        ("allowed_origins", json!(["https://till.example"])),
        ("allowed_networks", json!(["::1/128", "127.0.0.0/8"])),
        ("scopes", json!(["admin"])),
        ("expires_at", json!("2028-06-01T12:00:00.000000Z")),
        ("rate_limit", json!({ "requests": 5, "period_seconds": 1 })),
    ] {
        expected[name].clone_from(&value);
        assert_eq!(patched(&app, &token, json!({ name: value })).await, expected);
    }
    let plain = app.token("Stall").await;
    assert_eq!(
        patched(&app, &plain, json!({ "scopes": ["read"] })).await,
        only(json!({ "scopes": ["read"] }))
    );
}

pub(crate) async fn null_takes_one_away_and_null_for_the_whole_all_of_them(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, &all()).await;
    let mut expected = all();
    expected["scopes"] = json!(null);
    assert_eq!(patched(&app, &token, json!({ "scopes": null })).await, expected);
    assert_eq!(patched(&app, &token, json!(null)).await, json!(null));
    let events = app.events_of(at(&token, "id")).await;
    assert_eq!(patched(&app, &token, json!(null)).await, json!(null));
    assert_eq!(app.events_of(at(&token, "id")).await, events, "there was nothing left");

    let token = restricted(&app, &json!({ "scopes": ["read"] })).await;
    let last = patched(&app, &token, json!({ "scopes": null })).await;
    assert_eq!(last, json!(null), "the last one leaves none");
}

pub(crate) async fn report_only_is_replaced_as_a_whole(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, &all()).await;
    let mut expected = all();
    for (given, kept) in [
        (json!(["scopes", "expires_at"]), json!(["scopes", "expires_at"])),
        (
            json!(["rate_limit", "scopes", "scopes"]),
            json!(["scopes", "rate_limit"]),
        ),
        (json!([]), json!([])),
    ] {
        expected["report_only"] = kept;
        assert_eq!(patched(&app, &token, json!({ "report_only": given })).await, expected);
    }
    let both = json!({ "allowed_networks": ["::1"], "report_only": ["allowed_networks"] });
    let answer = patched(&app, &token, both).await;
    assert_eq!(answer["report_only"], json!(["allowed_networks"]));
}

pub(crate) async fn what_is_not_restricted_cannot_only_be_reported(store: Store) {
    let app = TestApp::start(store).await;
    let message = "rate_limit isn't restricted: set it, or leave it out of report_only";
    let problem = [("restrictions.report_only", message)];
    let wrong = json!({ "scopes": ["read"], "report_only": ["scopes", "rate_limit"] });
    let answer = app.post(LIST, &json!({ "name": "Kiosk", "restrictions": wrong })).await;
    answer.is_error_about("invalid_field", &problem);

    let token = restricted(&app, &all()).await;
    for wrong in [
        json!({ "rate_limit": null, "report_only": ["rate_limit"] }),
        json!({ "rate_limit": null, "report_only": ["scopes", "rate_limit"] }),
    ] {
        let answer = app
            .patch(&target(&token), &json!({ "restrictions": wrong, "name": "Stall" }))
            .await;
        answer.is_error_about("invalid_field", &problem);
    }
    assert_eq!(app.get(&target(&token)).await.data(200), &token);
}

pub(crate) async fn what_is_taken_away_is_no_longer_reported(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, &all()).await;
    let left = patched(&app, &token, json!({ "rate_limit": null })).await;
    assert_eq!(left["report_only"], json!(["allowed_origins"]));
    let back = json!({ "rate_limit": { "requests": 1, "period_seconds": 1 } });
    let back = patched(&app, &token, back).await;
    assert_eq!(
        back["report_only"],
        json!(["allowed_origins"]),
        "what comes anew is enforced"
    );
}

pub(crate) async fn a_change_is_told_as_updated_without_what_is_ours(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, &all()).await;
    app.clock.advance(HOUR);
    let answer = app
        .patch(
            &target(&token),
            &json!({ "restrictions": null, "revoke_at": "2027-01-01T00:00:00Z" }),
        )
        .await;
    let changed = answer.data(200);
    assert_eq!(at(changed, "updated_at"), "2026-03-02T10:15:04.218733Z");
    let events = app.events_of(at(&token, "id")).await;
    assert_eq!(told(&app, &token).await, ["client_token.updated"]);
    assert_eq!(events[1].actor, Actor::ApiKey(app.key.id));
    let compatible = app.get(&format!("/client-tokens/{}", at(&token, "id"))).await;
    let expected = format!("{{\"data\":{},", events[1].data);
    assert!(compatible.body_text().starts_with(&expected), "{expected}");
}

pub(crate) async fn what_changes_nothing_is_told_to_nobody(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, &all()).await;
    app.clock.advance(HOUR);
    let mut spelled = all();
    spelled["allowed_origins"] = json!(["HTTPS://shop.example:443", "https://*.SHOP.example.com/"]);
    spelled["expires_at"] = json!("2027-01-01T01:00:00+01:00");
    for same in [
        json!({}),
        all(),
        spelled,
        json!({ "report_only": ["rate_limit", "allowed_origins"] }),
    ] {
        let answer = app.patch(&target(&token), &json!({ "restrictions": same })).await;
        assert_eq!(answer.data(200), &token, "{same}");
    }
    assert!(told(&app, &token).await.is_empty());
}

/// Each changes another field: none is lost.
pub(crate) async fn changes_at_once_all_count(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let target = target(&token);
    let restrict = async |restrictions: Value| {
        let answer = app.patch(&target, &json!({ "restrictions": restrictions })).await;
        assert_eq!(answer.status, 200, "{}", answer.body_text());
    };
    let parts = all();
    tokio::join!(
        restrict(json!({ "allowed_origins": parts["allowed_origins"] })),
        restrict(json!({ "allowed_networks": parts["allowed_networks"] })),
        restrict(json!({ "scopes": parts["scopes"] })),
        restrict(json!({ "expires_at": parts["expires_at"] })),
        restrict(json!({ "rate_limit": parts["rate_limit"] })),
    );
    let mut expected = all();
    expected["report_only"] = json!([]);
    assert_eq!(app.get(&target).await.data(200)["restrictions"], expected);
    assert_eq!(told(&app, &token).await.len(), 5);
}

pub(crate) async fn a_list_shows_restrictions_and_last_uses(store: Store) {
    let app = TestApp::start(store).await;
    let restricted = restricted(&app, &all()).await;
    let plain = app.token("Stall").await;
    let now = app.clock.now();
    let used = UsageDelta {
        workspace: app.home.workspace.id,
        id: ClientTokenId::parse(at(&plain, "id")).expect("an id"),
        hour: Hour::of(now),
        counts: UsageCounts::default(),
        last_used_at: Some(now),
        origins: Vec::new(),
    };
    app.commit(Write::RecordUsage(vec![used])).await;
    let list = app.get(LIST).await;
    let [first, second] = list.items() else {
        panic!("two tokens")
    };
    assert_eq!((&first["id"], &first["last_used_at"]), (&plain["id"], &json!(now)));
    assert_eq!(first["restrictions"], json!(null));
    assert_eq!(second, &restricted);
}

pub(crate) async fn a_revoked_tokens_restrictions_can_still_be_changed(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.revoked_token("Kiosk").await;
    let changed = patched(&app, &token, json!({ "scopes": ["read"] })).await;
    assert_eq!(changed, only(json!({ "scopes": ["read"] })));
    assert_eq!(app.get(&target(&token)).await.data(200)["status"], "revoked");
}
