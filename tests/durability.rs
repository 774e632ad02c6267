//! What was acknowledged survives `kill -9`: 64 clients create 10,000 tokens while the server is killed and started
//! again; then everything is there, once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::support::{On, Store, chance};

const CLIENTS: usize = 64;
const TOKENS: usize = 10_000;
const KILLS: usize = 3;

#[test]
fn acknowledged_tokens_survive_kill_9_on_sqlite() {
    journey(On::Sqlite);
}

#[test]
fn acknowledged_tokens_survive_kill_9_on_postgres() {
    journey(On::Postgres);
}

/// What the clients share.
struct Work {
    key: String,
    /// Where the server listens now; another place after each start.
    url: RwLock<String>,
    taken: AtomicUsize,
    acknowledged: AtomicUsize,
    unanswered: AtomicUsize,
}

fn journey(on: On) {
    let began = Instant::now();
    let store = Store::fresh(on);
    let key = store.full_key(&store.workspace("sandbox"));
    let mut server = store.serve(&[]);
    let work = Work {
        key,
        url: RwLock::new(server.url.clone()),
        taken: AtomicUsize::new(0),
        acknowledged: AtomicUsize::new(0),
        unanswered: AtomicUsize::new(0),
    };

    let acknowledged: Vec<(String, String)> = thread::scope(|scope| {
        let work = &work;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || create(work, client)))
            .collect();
        for kill in 0..KILLS {
            let moment = random_moment(kill);
            while work.acknowledged.load(Ordering::Relaxed) < moment {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(chance() % 20_000));
            server.kill();
            let at = work.acknowledged.load(Ordering::Relaxed);
            let restarting = Instant::now();
            server = store.serve(&[]);
            *work.url.write().unwrap() = server.url.clone();
            println!(
                "{on:?}: killed at {at} acknowledged tokens, ready again after {:?}",
                restarting.elapsed()
            );
        }
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });

    verify(on, &work, &acknowledged);
    println!("{on:?}: {:?} in all", began.elapsed());
}

/// Somewhere in the kill's own part of the way.
fn random_moment(kill: usize) -> usize {
    let part = TOKENS / (KILLS + 1);
    part * kill + part / 2 + usize::try_from(chance() % (part as u64)).unwrap()
}

/// Creates tokens until enough were taken on, each until it is acknowledged; gives their ids and texts.
fn create(work: &Work, client: usize) -> Vec<(String, String)> {
    let mut url = work.url.read().unwrap().clone();
    let mut http = Client::new(&url, &work.key);
    let mut made = Vec::new();
    let mut attempt = 0;
    while work.taken.fetch_add(1, Ordering::Relaxed) < TOKENS {
        loop {
            attempt += 1;
            match http.post("/client-tokens", &json!({ "name": format!("{client}-{attempt}") })) {
                Ok((201, body)) => {
                    made.push((text(&body["data"]["id"]), text(&body["data"]["token"])));
                    work.acknowledged.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok((status, body)) => panic!("{status} {body}"),
                Err(_) => {
                    work.unanswered.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(5));
                    let now = work.url.read().unwrap().clone();
                    if now != url {
                        url = now;
                        http = Client::new(&url, &work.key);
                    }
                }
            }
        }
    }
    made
}

fn verify(on: On, work: &Work, acknowledged: &[(String, String)]) {
    let http = Client::new(&work.url.read().unwrap(), &work.key);
    let stored = http.all("/client-tokens?status=active,revoked", "id");
    let events = http.all("/events?event_type=client_token.created", "event_id");

    let tokens: HashMap<String, String> = stored
        .iter()
        .map(|token| (text(&token["id"]), text(&token["token"])))
        .collect();
    let texts: BTreeSet<&String> = tokens.values().collect();
    let mut created: BTreeMap<String, usize> = BTreeMap::new();
    for event in &events {
        *created.entry(text(&event["data"]["id"])).or_default() += 1;
    }
    println!(
        "{on:?}: {} acknowledged, {} stored, {} events, {} requests without an answer",
        acknowledged.len(),
        stored.len(),
        events.len(),
        work.unanswered.load(Ordering::Relaxed),
    );

    assert_eq!(acknowledged.len(), TOKENS);
    assert_eq!(
        acknowledged.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len(),
        TOKENS,
        "acknowledged ids differ"
    );
    assert_eq!(
        acknowledged.iter().map(|(_, text)| text).collect::<BTreeSet<_>>().len(),
        TOKENS,
        "and texts"
    );
    assert_eq!(tokens.len(), stored.len(), "stored ids differ");
    assert_eq!(texts.len(), stored.len(), "and texts");
    for (id, text) in acknowledged {
        assert_eq!(tokens.get(id), Some(text), "{id} was acknowledged");
    }
    // Also of those that were stored when the kill came before the answer: a token and its event, or neither.
    assert_eq!(
        created.len(),
        tokens.len(),
        "every token has an event, and every event a token"
    );
    for (id, count) in created {
        assert!(tokens.contains_key(&id), "{id} has an event");
        assert_eq!(count, 1, "{id} has one event");
    }
    let counted = http.get("/client-tokens?per_page=1").unwrap().1["meta"]["pagination"]["estimated_total"].clone();
    assert_eq!(counted, json!(stored.len()), "the counter was committed with its rows");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
