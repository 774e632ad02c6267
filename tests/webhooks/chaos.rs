//! The server is killed again and again while tokens are created and the receiver fails: every event arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::receiver::{Receiver, Reply};
use super::{destination, text};
use crate::client::Client;
use crate::support::{On, Server, Store, chance};

const TOKENS: usize = 2_000;
const KILLS: usize = 20;
const CLIENTS: usize = 8;
/// A second between attempts, and enough of them: of a hundred thousand notifications one fails all, by chance alone.
const RETRIES: &str = "1,1,1,1,1,1,1,1,1,1";

#[test]
fn every_event_arrives_though_the_server_is_killed_twenty_times_on_sqlite() {
    journey(On::Sqlite);
}

#[test]
fn every_event_arrives_though_the_server_is_killed_twenty_times_on_postgres() {
    journey(On::Postgres);
}

fn start(store: &Store) -> Server {
    store.serve(&["--allow-network", "127.0.0.0/8", "--sandbox-retries", RETRIES])
}

fn journey(on: On) {
    let began = Instant::now();
    let receiver = Receiver::start(|| match chance() % 100 {
        0..20 => Reply::Status(500),
        20..30 => Reply::Closed,
        _ => Reply::Status(200),
    });
    let store = Store::fresh(on);
    let key = store.full_key(&store.workspace("sandbox"));
    let mut server = start(&store);
    destination(&Client::new(&server.url, &key), "url", receiver.url()).unwrap();
    let url = RwLock::new(server.url.clone());
    let (taken, created) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| create(&key, &url, &taken, &created));
        }
        for kill in 0..KILLS {
            let moment = TOKENS / (KILLS + 1) * (kill + 1);
            while created.load(Ordering::Relaxed) < moment {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(chance() % 20_000));
            server.kill();
            server = start(&store);
            url.write().unwrap().clone_from(&server.url);
        }
    });
    let killed = began.elapsed();

    let api = Client::new(&server.url, &key);
    let events: BTreeSet<String> = api
        .all("/events?event_type=client_token.created", "event_id")
        .iter()
        .map(|event| text(&event["event_id"]).to_owned())
        .collect();
    assert!(events.len() >= TOKENS, "each acknowledged token has its event");
    // What was leased when the last kill came is sent again when the lease ends, after 25 seconds.
    receiver.until(events.len(), Duration::from_secs(50));
    let notifications = loop {
        let all = api.all("/notifications?order_by=id[ASC]", "id");
        let waiting = all.iter().filter(|one| one["status"] != "delivered").count();
        if waiting == 0 {
            break all;
        }
        assert!(began.elapsed() < Duration::from_mins(2), "{waiting} aren't delivered");
        thread::sleep(Duration::from_millis(100));
    };

    let accepted: BTreeMap<String, usize> = receiver.accepted().into_iter().collect();
    let duplicates: usize = accepted.values().map(|times| times - 1).sum();
    let lost = events.iter().filter(|event| !accepted.contains_key(*event)).count();
    println!(
        "{on:?}: {} created, {} delivered, {duplicates} duplicates, {lost} lost; killed {KILLS} times within {killed:?}, \
         {:?} in all",
        events.len(),
        accepted.len(),
        began.elapsed()
    );
    assert_eq!(lost, 0);
    assert_eq!(accepted.len(), events.len());
    assert_eq!(notifications.len(), events.len(), "each event has one notification");
    let told: BTreeSet<&str> = notifications
        .iter()
        .map(|one| text(&one["payload"]["event_id"]))
        .collect();
    assert!(
        events.iter().all(|event| told.contains(event.as_str())),
        "and each its own"
    );
    let unlogged = notifications
        .iter()
        .filter(|one| {
            let log = api.get(&format!("/notifications/{}/logs", text(&one["id"]))).unwrap().1;
            let rows = log["data"].as_array().unwrap();
            let attempts = one["times_attempted"].as_u64().unwrap();
            u64::try_from(rows.len()).unwrap() != attempts || !rows.iter().any(|row| row["response_code"] == 200)
        })
        .count();
    assert_eq!(unlogged, 0, "each has its log");
}

/// Creates tokens until enough were taken on, each until it is acknowledged.
fn create(key: &str, url: &RwLock<String>, taken: &AtomicUsize, created: &AtomicUsize) {
    let mut at = url.read().unwrap().clone();
    let mut http = Client::new(&at, key);
    while taken.fetch_add(1, Ordering::Relaxed) < TOKENS {
        loop {
            match http.post("/client-tokens", &json!({ "name": "Chaos" })) {
                Ok((201, _)) => {
                    created.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok((status, body)) => panic!("{status} {body}"),
                Err(_) => {
                    thread::sleep(Duration::from_millis(2));
                    let now = url.read().unwrap().clone();
                    if now != at {
                        http = Client::new(&now, key);
                        at = now;
                    }
                }
            }
        }
    }
}
