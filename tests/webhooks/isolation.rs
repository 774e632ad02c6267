//! What destinations that hang take from a healthy one.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::receiver::{Receiver, Reply};
use super::{Stage, destination};
use crate::client::Client;
use crate::support::On;

const EVENTS: usize = 1_000;
const HANGING: usize = 10;
/// For each of those that hang: more than they can have under way.
const STUCK: usize = 200;
const CLIENTS: usize = 8;

#[test]
fn a_healthy_destination_is_done_long_before_those_that_hang() {
    let alone = deliver(0);
    let beside = deliver(HANGING);
    println!(
        "{EVENTS} events to a healthy destination: {alone:?} alone, {beside:?} beside {HANGING} that hang ({:.0} %)",
        100.0 * alone.as_secs_f64() / beside.as_secs_f64()
    );
    assert!(beside < Duration::from_secs(15));
}

/// From the first event until the healthy destination has them all. Those that hang belong to another workspace, which
/// can have ten beside the healthy one, and each has its fill of attempts under way by then.
fn deliver(hanging: usize) -> Duration {
    let stage = Stage::start(On::Sqlite, &[]);
    let silent: Vec<_> = (0..hanging).map(|_| Receiver::start(|| Reply::Never)).collect();
    let others = stage.another();
    for receiver in &silent {
        destination(&others, "url", receiver.url()).unwrap();
    }
    create(&others, if hanging == 0 { 0 } else { STUCK });
    let healthy = Receiver::start(|| Reply::Status(200));
    stage.destination(healthy.url());
    let began = Instant::now();
    create(&stage.api, EVENTS);
    healthy.until(EVENTS, Duration::from_mins(1));
    let took = began.elapsed();
    let stuck = others.all("/notifications?order_by=id[ASC]", "id");
    assert_eq!(stuck.len(), hanging * STUCK);
    assert!(stuck.iter().all(|one| one["status"] != "delivered"));
    took
}

fn create(api: &Client, events: usize) {
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let api = api.again();
                for _ in 0..events / CLIENTS {
                    let (status, body) = api.post("/client-tokens", &json!({ "name": "Isolation" })).unwrap();
                    assert_eq!(status, 201, "{body}");
                }
            });
        }
    });
}
