//! A secret is rotated under traffic; the receiver knows one secret at a time and switches half-way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::script::Script;
use super::{Stage, text};
use crate::client::Client;
use crate::support::On;

const EVENTS: usize = 300;

#[test]
fn a_rotation_under_traffic_loses_nothing_on_sqlite() {
    journey(On::Sqlite);
}

#[test]
fn a_rotation_under_traffic_loses_nothing_on_postgres() {
    journey(On::Postgres);
}

/// Rotated after the first third, switched after the second. An attempt that has the new secret refused just before the
/// receiver switches, and the old one just after, is made again: that is all the retries there are.
fn journey(on: On) {
    let mut receiver = Script::node("receiver.mjs");
    let stage = Stage::start(on, &["--sandbox-retries", "1,1"]);
    let setting = stage.destination(&format!("http://127.0.0.1:{}/", receiver.port));
    let id = text(&setting["id"]);
    let standard = |id: &str| {
        let secrets = stage.got(&format!("/tollgate/notification-settings/{id}/secrets"));
        secrets["standard_webhooks_secret"].clone()
    };
    receiver.tell(&json!({ "secret": setting["endpoint_secret_key"], "standard": standard(id) }));

    let mut new = Value::Null;
    for event in 0..EVENTS {
        stage.token("Rotation");
        if event == EVENTS / 3 {
            let (status, body) = stage
                .api
                .post(
                    &format!("/tollgate/notification-settings/{id}/rotate-secret"),
                    &json!({}),
                )
                .unwrap();
            assert_eq!(status, 200, "{body}");
            new = body["data"].clone();
            assert_ne!(new["endpoint_secret_key"], setting["endpoint_secret_key"]);
        }
        if event == 2 * EVENTS / 3 {
            // Lines of requests may come before the answer; they are told by what they hold.
            receiver
                .tell(&json!({ "secret": new["endpoint_secret_key"], "standard": new["standard_webhooks_secret"] }));
        }
    }
    let notifications = delivered(&stage.api);
    let events: BTreeSet<&str> = notifications
        .iter()
        .map(|one| text(&one["payload"]["event_id"]))
        .collect();
    assert_eq!(events.len(), EVENTS);
    let mut twice = 0;
    for notification in &notifications {
        let attempts = notification["times_attempted"].as_u64().unwrap();
        let log = stage.got(&format!("/notifications/{}/logs", text(&notification["id"])));
        let codes: Vec<u64> = log
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["response_code"].as_u64().unwrap())
            .collect();
        if codes == [200] {
            continue;
        }
        // At most the one attempt that met the switch in its middle is made again.
        let refused = codes.iter().filter(|code| **code == 401).count();
        assert_eq!(codes.len() - refused, 1, "{codes:?}");
        assert!(
            attempts == 1 && refused == 1 || attempts == 2 && (2..=3).contains(&refused),
            "{notification} {codes:?}"
        );
        twice += 1;
    }
    println!("{on:?}: {EVENTS} delivered, {twice} of them with the second secret tried, 0 lost");
    assert!(twice > 0, "the receiver kept the old secret for a while");
}

/// All notifications, once all are delivered.
fn delivered(api: &Client) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let all = api.all("/notifications?order_by=id[ASC]", "id");
        let waiting = all.iter().filter(|one| one["status"] != "delivered").count();
        if waiting == 0 {
            return all;
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{waiting} wait: {:?}",
            all.last()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
