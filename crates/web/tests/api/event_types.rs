//! `GET /event-types`.

use serde_json::json;

use crate::support::{Store, TestApp, get};

/// The contract's list.
const KNOWN: &str = "address.{created,imported,updated} adjustment.{created,updated} \
    api_key.{created,expired,expiring,revoked,updated} api_key_exposure.{created} api_key_rotation.{created,updated} \
    business.{created,imported,updated} client_token.{created,revoked,updated} customer.{created,imported,updated} \
    discount.{created,imported,updated} discount_group.{created,updated} payment_method.{saved,deleted} \
    payout.{created,paid} price.{created,imported,updated} product.{created,imported,updated} \
    report.{created,updated} \
    subscription.{activated,canceled,created,imported,past_due,paused,resumed,trialing,updated} \
    transaction.{billed,canceled,completed,created,paid,past_due,payment_failed,ready,revised,updated} \
    invoice.{canceled,created,issued,overdue,paid,scheduled}";

pub(crate) async fn every_type_of_the_contract_is_listed_once(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.send(get("/event-types").by(&app.home.key(&[]).await)).await;
    let mut listed = answer.column("name");
    listed.sort_unstable();
    let mut expected: Vec<String> = Vec::new();
    for group in KNOWN.split(' ') {
        let (entity, verbs) = group.split_once('.').expect("entity and verbs");
        let verbs = verbs.trim_matches(['{', '}']).split(',');
        expected.extend(verbs.map(|verb| format!("{entity}.{verb}")));
    }
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert!(answer.json()["meta"].get("pagination").is_none(), "not paged");
}

pub(crate) async fn types_are_described_in_the_contracts_words_and_order(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app.get("/event-types").await;
    for (name, happens, group) in [
        ("client_token.created", "a client token is created", "Client Token"),
        ("client_token.updated", "a client token is updated", "Client Token"),
        ("client_token.revoked", "a client token is revoked", "Client Token"),
        ("api_key.created", "an API key is created", "API Key"),
        ("api_key.updated", "an API key is updated", "API Key"),
        ("api_key.expiring", "an API key is expiring", "API Key"),
        ("api_key.expired", "an API key has expired", "API Key"),
        ("api_key.revoked", "an API key is revoked", "API Key"),
    ] {
        let bytes = format!(
            r#"{{"name":"{name}","description":"Occurs when {happens}.","group":"{group}","available_versions":[1]}}"#
        );
        assert!(answer.body_text().contains(&bytes), "{bytes}");
    }
}

pub(crate) async fn parameters_of_lists_mean_nothing_here(store: Store) {
    let app = TestApp::start(store).await;
    let all = app.get("/event-types").await;
    let answer = app.get("/event-types?per_page=0&after=x&order_by=y").await;
    assert_eq!(answer.data(200), all.data(200));
    assert_ne!(answer.data(200), &json!([]));
}
