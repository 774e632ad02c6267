//! Receivers that use the official SDKs' verifiers, and one that uses a Standard Webhooks library, all unchanged.

use std::collections::BTreeMap;

use serde_json::json;

use super::script::Script;
use super::{Stage, text};
use crate::support::On;

#[test]
fn the_node_sdk_and_a_standard_library_accept_webhooks_from_sqlite() {
    journey(On::Sqlite, Script::node("receiver.mjs"));
}

#[test]
fn the_node_sdk_and_a_standard_library_accept_webhooks_from_postgres() {
    journey(On::Postgres, Script::node("receiver.mjs"));
}

#[test]
fn the_python_sdk_accepts_webhooks_from_sqlite() {
    journey(On::Sqlite, Script::python("receiver.py"));
}

#[test]
fn the_python_sdk_accepts_webhooks_from_postgres() {
    journey(On::Postgres, Script::python("receiver.py"));
}

fn journey(on: On, mut receiver: Script) {
    let stage = Stage::start(on, &[]);
    let url = format!("http://127.0.0.1:{}/webhooks?from=tollgate", receiver.port);
    let setting = stage.destination(&url);
    let id = text(&setting["id"]);
    let secrets = stage.got(&format!("/tollgate/notification-settings/{id}/secrets"));
    receiver.tell(&json!({
        "secret": setting["endpoint_secret_key"],
        "standard": secrets["standard_webhooks_secret"],
    }));

    let token = stage.token("Journey");
    let subject = text(&token["id"]);
    let path = format!("/client-tokens/{subject}");
    // Tells that it was updated, and that it was revoked.
    let (status, body) = stage.api.patch(&path, &json!({ "status": "revoked" })).unwrap();
    assert_eq!(status, 200, "{body}");
    let mut found = BTreeMap::new();
    for _ in 0..3 {
        let line = receiver.next();
        println!("{on:?}: {line}");
        found.insert(text(&line["event_type"]).to_owned(), line);
    }

    for event in ["client_token.created", "client_token.updated", "client_token.revoked"] {
        let line = &found[event];
        assert_eq!(line["subject"], subject, "{line}");
        for (check, outcome) in line.as_object().unwrap() {
            let is_text = ["event_type", "event_id", "subject", "kind"].contains(&check.as_str());
            assert!(is_text || outcome == true, "{check} in {line}");
        }
    }
    assert_eq!(found.len(), 3);
}
