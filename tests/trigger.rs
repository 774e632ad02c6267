//! `tollgate trigger`: an event that didn't happen, and how its destinations took it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};

use crate::client::Client;
use crate::support::{On, Server, Store, run, tollgate};

struct Shop {
    key: String,
    server: Server,
    store: Store,
}

impl Shop {
    fn open() -> Self {
        let store = Store::fresh(On::Sqlite);
        let key = store.full_key(&store.workspace("sandbox"));
        let server = store.serve(&["--allow-network", "127.0.0.0/8"]);
        Self { key, server, store }
    }

    fn trigger(&self, words: &[&str]) -> Command {
        let mut command = tollgate(&[&["trigger"], words].concat());
        command
            .env("TOLLGATE_API_KEY", &self.key)
            .env("TOLLGATE_API_URL", &self.server.url)
            .current_dir(self.store.scratch());
        command
    }

    /// A destination that answers each request with this status; its id.
    fn destination(&self, status: u16) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                // The body is one object, and ends with two brackets.
                while !request.ends_with(b"}}") {
                    match stream.read(&mut buffer) {
                        Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                        _ => break,
                    }
                }
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let setting = json!({
            "description": "Trigger",
            "type": "url",
            "destination": url,
            "subscribed_events": ["client_token.revoked"],
            "traffic_source": "simulation",
        });
        let (status, made) = Client::new(&self.server.url, &self.key)
            .post("/notification-settings", &setting)
            .unwrap();
        assert_eq!(status, 201, "{made}");
        made["data"]["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_simulated_event_is_sent_and_its_outcome_told() {
    let shop = Shop::open();
    let error = run(&mut shop.trigger(&["client_token.revoked"])).failure(1);
    assert!(error.contains("simulat"), "nothing takes simulated events: {error}");

    let takes = shop.destination(200);
    let said = run(&mut shop.trigger(&["client_token.revoked"])).success();
    let line = said.lines().find(|line| line.starts_with(&takes)).unwrap();
    assert!(line.contains("success") && line.contains("200"), "{said}");

    std::fs::write(shop.store.scratch().join("payload.json"), r#"{"name":"Summer sale"}"#).unwrap();
    let words = [
        "client_token.created",
        "--to",
        &takes,
        "--payload",
        "payload.json",
        "--json",
    ];
    let runs = run(&mut shop.trigger(&words)).json();
    let event = &runs[0]["run"]["events"][0];
    assert_eq!(
        (&runs[0]["notification_setting_id"], &event["status"]),
        (&json!(takes), &json!("success"))
    );
    let sent: Value = serde_json::from_str(event["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(sent["data"]["name"], "Summer sale");

    let refuses = shop.destination(500);
    let done = run(&mut shop.trigger(&["client_token.revoked"]));
    assert_eq!(done.code, Some(1), "{done:?}");
    let line = done.out.lines().find(|line| line.starts_with(&refuses)).unwrap();
    assert!(line.contains("failed") && line.contains("500"), "{done:?}");
    assert!(
        done.out.lines().any(|line| line.starts_with(&takes)),
        "each destination: {done:?}"
    );
}

#[test]
fn what_can_not_be_triggered_is_told() {
    let shop = Shop::open();
    let error = run(&mut shop.trigger(&["client_token.deleted"])).failure(2);
    assert!(error.contains("client_token.revoked"), "the events are listed: {error}");
    run(&mut shop.trigger(&["client_token.revoked", "--to", "ntf_1"])).failure(2);
    let words = ["client_token.revoked", "--to", "ntfset_00000000000000000000000000"];
    run(&mut shop.trigger(&words)).failure(1);
    std::fs::write(shop.store.scratch().join("payload.json"), "[]").unwrap();
    let words = ["client_token.revoked", "--payload", "payload.json"];
    let error = run(&mut shop.trigger(&words)).failure(2);
    assert!(error.contains("must hold a JSON object"), "{error}");
}
