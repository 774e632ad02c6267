//! `GET /tollgate/authorize`: for proxies.

use std::time::Duration;

use serde_json::json;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::ClientTokenId;

use super::{check, restricted};
use crate::support::{HOUR, Store, TestApp, at, get, request};

pub(crate) async fn a_good_token_passes_and_it_is_told_whose_it_is(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let answer = app.send(check(&token)).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("tollgate-token-id"), Some(at(&token, "id")));
    assert_eq!(
        answer.header("tollgate-workspace-id"),
        Some(app.home.workspace.id.to_string().as_str())
    );
    assert_eq!(answer.header("tollgate-environment"), Some("sandbox"));
    assert_eq!(answer.header("tollgate-would-refuse"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let head = app.send(request("HEAD", "/tollgate/authorize").header("Tollgate-Client-Token", at(&token, "token")));
    assert_eq!(head.await.status, 204);
}

pub(crate) async fn a_live_token_is_told_as_live(store: Store) {
    let app = TestApp::start(store).await;
    let live = app.workspace("Live shop", Environment::Live).await;
    let token = app.token_by(&live.full_key().await, "Kiosk").await;
    assert_eq!(
        app.send(check(&token)).await.header("tollgate-environment"),
        Some("live")
    );
    let wanted = |environment: &str| {
        get(format!("/tollgate/authorize?environment={environment}"))
            .header("Tollgate-Client-Token", at(&token, "token"))
    };
    assert_eq!(app.send(wanted("live")).await.status, 204);
    app.send(wanted("sandbox"))
        .await
        .is_refused(403, "client_token_wrong_environment");
}

pub(crate) async fn a_token_may_come_in_each_of_the_documented_places(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let text = at(&token, "token");
    for (name, value) in [
        ("Tollgate-Client-Token", text.to_owned()),
        ("Paddle-Clienttoken", text.to_owned()),
        ("Authorization", format!("bearer {text}")),
        ("X-Original-URI", format!("/pay?a=b&client_token={text}")),
        (
            "X-Forwarded-Uri",
            format!("https://shop.example/pay?client_token={text}#top"),
        ),
    ] {
        let answer = app.send(get("/tollgate/authorize").header(name, &value)).await;
        assert_eq!(answer.status, 204, "{name}");
    }
    app.send(get(format!("/tollgate/authorize?client_token={text}")))
        .await
        .is_bad_request(&[("client_token", "Unknown parameter")]);
}

pub(crate) async fn what_is_no_good_token_is_refused_with_a_code_of_its_own(store: Store) {
    let app = TestApp::start(store).await;
    app.send(get("/tollgate/authorize"))
        .await
        .is_refused(401, "client_token_missing");
    let presented = |text: &str| get("/tollgate/authorize").header("Tollgate-Client-Token", text);
    app.send(presented("guess"))
        .await
        .is_refused(401, "client_token_malformed");
    app.send(presented("test_da3059212d9a85cee360c0488e1"))
        .await
        .is_refused(401, "client_token_bad_checksum");
    let revoked = app.revoked_token("Kiosk").await;
    let answer = app.send(check(&revoked)).await;
    answer.is_refused(401, "client_token_revoked");
    assert!(answer.header("www-authenticate").is_some_and(|challenge| {
        challenge.starts_with(r#"Bearer realm="tollgate", error="invalid_token", error_description=""#)
    }));
    let twice = check(&revoked).header("Tollgate-Client-Token", at(&app.token("Other").await, "token"));
    app.send(twice).await.is_refused(401, "client_token_malformed");
    // A token that another Tollgate has made: well-formed, never issued here.
    let elsewhere = TestApp::start(Store::Sqlite).await;
    app.token("Third").await;
    for _ in 0..3 {
        elsewhere.token("Kiosk").await;
    }
    let unknown = elsewhere.token("Unknown").await;
    app.send(check(&unknown)).await.is_refused(401, "client_token_unknown");
}

pub(crate) async fn a_change_is_seen_by_the_next_check(store: Store) {
    let app = TestApp::start(store).await;
    for number in 0..50 {
        let token = app.token(&format!("Kiosk {number}")).await;
        assert_eq!(app.send(check(&token)).await.status, 204);
        let target = format!("/client-tokens/{}", at(&token, "id"));
        app.patch(&target, &json!({ "status": "revoked" })).await.data(200);
        app.send(check(&token)).await.is_refused(401, "client_token_revoked");
    }
}

pub(crate) async fn a_change_of_another_process_is_seen_within_100_ms(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let other = app.service_of_another_process().await;
    let caller = tollgate_service::Caller::command_line(app.home.workspace.clone());
    let patch = tollgate_service::ClientTokenPatch {
        status: Some(tollgate_domain::client_token::ClientTokenStatus::Revoked),
        ..Default::default()
    };
    let id = ClientTokenId::parse(at(&token, "id")).expect("an id");
    let done = other.update_client_token(&caller, id, &patch).await;
    done.expect("it is revoked");
    let began = std::time::Instant::now();
    let mut changes = app.verification.changes();
    while app.send(check(&token)).await.status == 204 {
        tokio::time::timeout(Duration::from_secs(5), changes.changed())
            .await
            .expect("a change is told")
            .expect("the server runs");
    }
    // The promise is 100 ms; a busy machine gets ten times that before it is a failure.
    let waited = began.elapsed();
    println!("seen after {} ms", waited.as_millis());
    assert!(waited < Duration::from_secs(1), "{waited:?}");
}

pub(crate) async fn an_origin_must_be_among_the_tokens_own(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(
        &app,
        json!({ "allowed_origins": ["https://shop.example", "https://*.kiosk.example"] }),
    )
    .await;
    for origin in [
        "https://shop.example",
        "https://a.kiosk.example",
        "https://b.a.kiosk.example",
    ] {
        assert_eq!(
            app.send(check(&token).header("Origin", origin)).await.status,
            204,
            "{origin}"
        );
    }
    for origin in [
        "https://kiosk.example",
        "http://shop.example",
        "https://shop.example.evil.test",
        "null",
    ] {
        let answer = app.send(check(&token).header("Origin", origin)).await;
        answer.is_refused(403, "origin_not_allowed");
    }
    app.send(check(&token)).await.is_refused(403, "origin_not_allowed");
    let page = check(&token).header("Referer", "https://shop.example/cart?x=1");
    assert_eq!(app.send(page).await.status, 204);
    let null = check(&token)
        .header("Origin", "null")
        .header("Referer", "https://shop.example/");
    app.send(null).await.is_refused(403, "origin_not_allowed");
}

pub(crate) async fn a_client_address_is_believed_from_trusted_proxies_alone(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, json!({ "allowed_networks": ["192.0.2.0/24"] })).await;
    let from = |addresses: &str| check(&token).header("X-Forwarded-For", addresses);
    assert_eq!(app.send(from("192.0.2.7")).await.status, 204);
    assert_eq!(app.send(from("198.51.100.1, 192.0.2.7, 127.0.0.1")).await.status, 204);
    app.send(from("192.0.2.7, 198.51.100.1"))
        .await
        .is_refused(403, "network_not_allowed");
    app.send(check(&token)).await.is_refused(403, "network_not_allowed");

    let app = TestApp::with(store, |settings| settings.trusted_proxies.clear()).await;
    let token = restricted(&app, json!({ "allowed_networks": ["192.0.2.0/24"] })).await;
    let forged = check(&token).header("X-Forwarded-For", "192.0.2.7");
    app.send(forged).await.is_refused(403, "network_not_allowed");
}

pub(crate) async fn a_route_asks_for_a_scope(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, json!({ "scopes": ["reports", "pay"] })).await;
    let asking = |scope: &str| {
        get(format!("/tollgate/authorize?scope={scope}")).header("Tollgate-Client-Token", at(&token, "token"))
    };
    assert_eq!(app.send(asking("reports")).await.status, 204);
    assert_eq!(app.send(asking("pay")).await.status, 204);
    app.send(asking("admin")).await.is_refused(403, "scope_not_allowed");
    assert_eq!(app.send(check(&token)).await.status, 204);
}

pub(crate) async fn a_token_ends_at_its_time_whether_written_down_or_not(store: Store) {
    let app = TestApp::start(store).await;
    let expiring = restricted(&app, json!({ "expires_at": "2026-03-02T10:00:00Z" })).await;
    let scheduled = app.token("Scheduled").await;
    let target = format!("/tollgate/client-tokens/{}", at(&scheduled, "id"));
    app.patch(&target, &json!({ "revoke_at": "2026-03-02T10:00:00Z" }))
        .await
        .data(200);
    for token in [&expiring, &scheduled] {
        assert_eq!(app.send(check(token)).await.status, 204);
    }
    app.clock.advance(HOUR);
    app.send(check(&expiring)).await.is_refused(401, "client_token_expired");
    app.send(check(&scheduled))
        .await
        .is_refused(401, "client_token_revoked");
}

pub(crate) async fn a_rate_limit_counts_each_address_for_itself(store: Store) {
    let app = TestApp::start(store).await;
    let token = restricted(&app, json!({ "rate_limit": { "requests": 2, "period_seconds": 3600 } })).await;
    let from = |address: &str| check(&token).header("X-Forwarded-For", address);
    for address in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(app.send(from(address)).await.status, 204);
        assert_eq!(app.send(from(address)).await.status, 204);
        let refused = app.send(from(address)).await;
        refused.is_refused(429, "client_token_rate_limited");
        let wait: u64 = refused
            .header("retry-after")
            .expect("it says how long")
            .parse()
            .expect("a number");
        assert!((1..=1_800).contains(&wait), "{wait}");
    }
    let forbidden = get("/tollgate/authorize?rate_limited_status=403")
        .header("Tollgate-Client-Token", at(&token, "token"))
        .header("X-Forwarded-For", "192.0.2.1");
    app.send(forbidden).await.is_refused(403, "client_token_rate_limited");
}

pub(crate) async fn what_is_only_reported_passes_and_is_named(store: Store) {
    let app = TestApp::start(store).await;
    let restrictions = json!({
        "allowed_origins": ["https://shop.example"], "scopes": ["pay"], "report_only": ["allowed_origins", "scopes"],
    });
    let token = restricted(&app, restrictions).await;
    let other = get("/tollgate/authorize?scope=reports")
        .header("Tollgate-Client-Token", at(&token, "token"))
        .header("Origin", "https://elsewhere.example");
    let answer = app.send(other.clone()).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("tollgate-would-refuse"), Some("allowed_origins, scopes"));
    // One call enforces it.
    let target = format!("/tollgate/client-tokens/{}", at(&token, "id"));
    app.patch(&target, &json!({ "restrictions": { "report_only": [] } }))
        .await
        .data(200);
    app.send(other).await.is_refused(403, "origin_not_allowed");
}

pub(crate) async fn a_verdict_names_its_place_and_waits_for_the_one_asked_for(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let target = format!("/tollgate/client-tokens/{}", at(&token, "id"));
    let changed = app.patch(&target, &json!({ "name": "Stall" })).await;
    let place: u64 = changed
        .header("tollgate-sequence")
        .expect("ours tell it")
        .parse()
        .expect("a number");
    let at_least = |place: u64| {
        get(format!("/tollgate/authorize?min_seq={place}")).header("Tollgate-Client-Token", at(&token, "token"))
    };
    let answer = app.send(at_least(place)).await;
    assert_eq!(answer.status, 204);
    let told: u64 = answer
        .header("tollgate-sequence")
        .expect("every verdict tells it")
        .parse()
        .expect("a number");
    assert!(told >= place, "{told} < {place}");
    let behind = app.send(at_least(place + 1_000_000)).await;
    behind.is_refused(503, "index_behind");
    assert_eq!(behind.header("retry-after"), Some("1"));
}

pub(crate) async fn parameters_that_are_wrong_are_told_in_one_answer(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let query = "scop=pay&scope=No&environment=prod&min_seq=-1&rate_limited_status=500&scope=b";
    let request = get(format!("/tollgate/authorize?{query}")).header("Tollgate-Client-Token", at(&token, "token"));
    let answer = app.send(request).await;
    answer.is_bad_request(&[
        ("scop", "Unknown parameter"),
        ("scope", "Does not match pattern '^[a-z0-9_.:-]{1,64}$'"),
        ("environment", r#"must be one of the following: "sandbox", "live""#),
        ("min_seq", "Must be a whole number from 0 to 18446744073709551615"),
        ("rate_limited_status", r#"must be one of the following: "403", "429""#),
        ("scope", "Given more than once"),
    ]);
}

pub(crate) async fn what_was_let_in_and_refused_is_counted_by_hour_and_origin(store: Store) {
    let app = TestApp::start(store).await;
    let restrictions =
        json!({ "allowed_origins": ["https://shop.example"], "scopes": ["pay"], "report_only": ["scopes"] });
    let token = restricted(&app, restrictions).await;
    let asking = |scope: &str, origin: &str| {
        get(format!("/tollgate/authorize?scope={scope}"))
            .header("Tollgate-Client-Token", at(&token, "token"))
            .header("Origin", origin)
    };
    for _ in 0..3 {
        assert_eq!(app.send(asking("pay", "https://shop.example")).await.status, 204);
    }
    assert_eq!(app.send(asking("reports", "https://shop.example")).await.status, 204);
    app.clock.advance(HOUR);
    app.send(asking("pay", "https://elsewhere.example"))
        .await
        .is_refused(403, "origin_not_allowed");
    app.verification.write_usage_down().await;

    let target = format!("/tollgate/client-tokens/{}", at(&token, "id"));
    let answer = app.get(&format!("{target}/usage")).await;
    let usage = answer.data(200);
    assert_eq!(usage["last_used_at"], "2026-03-02T09:15:04.218733Z");
    let hours = usage["hours"].as_array().expect("a list");
    let counted: Vec<_> = hours
        .iter()
        .map(|hour| (at(hour, "begins_at"), hour["allowed"].clone(), hour["refused"].clone()))
        .collect();
    assert_eq!(
        counted,
        [
            ("2026-03-02T09:00:00.000000Z", json!(4), json!(0)),
            ("2026-03-02T10:00:00.000000Z", json!(0), json!(1)),
        ]
    );
    assert_eq!(hours[0]["would_refuse"]["scopes"], 1);
    let origins = usage["origins"].as_array().expect("a list");
    assert_eq!(origins.len(), 1);
    assert_eq!(origins[0]["origin"], "https://shop.example");
    assert_eq!(app.get(&target).await.data(200)["last_used_at"], usage["last_used_at"]);
}
