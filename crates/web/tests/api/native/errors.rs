//! `/tollgate/errors`: the pages of the catalogue.

use serde_json::json;
use tollgate_web::CATALOGUE;

use crate::support::{ERRORS, OURS, Store, TestApp, at, category, get, post};

pub(crate) async fn every_error_has_a_page(store: Store) {
    let app = TestApp::start(store).await;
    let all = app.send(get("/tollgate/errors")).await;
    assert_eq!(
        (all.status, all.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    for entry in CATALOGUE {
        let page = app.send(get(format!("/tollgate/errors/{}", entry.code))).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, Some("text/plain; charset=utf-8"))
        );
        for part in [entry.code, entry.remedy, &entry.status.to_string()] {
            assert!(page.body_text().contains(part), "{part:?} in {}", page.body_text());
        }
        assert!(all.body_text().contains(page.body_text()));
    }
}

/// Two people wrote them down: one for the server, one for these cases.
pub(crate) async fn every_error_has_the_contracts_words(_: Store) {
    let codes: Vec<&str> = CATALOGUE.iter().map(|entry| entry.code).collect();
    for (code, ..) in ERRORS {
        assert!(codes.contains(&code), "{code} isn't the server's");
    }
    for entry in CATALOGUE {
        let known = ERRORS.iter().find(|(code, ..)| *code == entry.code);
        let (_, status, kind, detail) = *known.unwrap_or_else(|| panic!("{} isn't known here", entry.code));
        assert_eq!((entry.status, entry.kind), (status, kind), "{}", entry.code);
        assert_eq!(entry.detail.contains("{}"), detail.is_empty(), "{}", entry.code);
        assert!(detail.is_empty() || detail == entry.detail, "{}", entry.code);
        let category = (!OURS.contains(&entry.code)).then(|| category(entry.code));
        assert_eq!(entry.category, category, "{}", entry.code);
    }
}

pub(crate) async fn an_unknown_code_has_none(store: Store) {
    let app = TestApp::start(store).await;
    for code in ["nonsense", "BAD_REQUEST", "%ff", "%00", "bad_request%20"] {
        let answer = app.send(get(format!("/tollgate/errors/{code}"))).await;
        answer.is_error("invalid_url");
    }
}

pub(crate) async fn an_error_that_is_ours_leads_to_its_page(store: Store) {
    let app = TestApp::start(store).await;
    let create = || post("/client-tokens").by(&app.key).header("Idempotency-Key", "order-7");
    app.send(create().json(&json!({ "name": "Kiosk" }))).await.data(201);
    let answer = app.send(create().json(&json!({ "name": "Stall" }))).await;
    answer.is_error("idempotency_key_reused");
    let address = at(&answer.json()["error"], "documentation_url");
    let path = address.strip_prefix(&app.base()).expect("on this server");
    let page = app.send(get(path)).await;
    assert!(page.body_text().contains("Idempotency-Key"));
}

pub(crate) async fn pages_of_the_contracts_errors_are_where_the_setting_says(store: Store) {
    let app = TestApp::with(store, |settings| {
        "https://docs.shop.example/v1".clone_into(&mut settings.documentation_url);
    })
    .await;
    let answer = app.send(get("/client-tokens")).await;
    assert_eq!(
        at(&answer.json()["error"], "documentation_url"),
        "https://docs.shop.example/v1/errors/shared/authentication_missing"
    );
    let root = app.send(get("/")).await;
    assert_eq!(
        at(&root.data(200)["api"], "documentation_url"),
        "https://docs.shop.example/v1"
    );
}
