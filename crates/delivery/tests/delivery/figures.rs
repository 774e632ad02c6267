//! Figures, printed: how fast a backlog goes out, and what hanging destinations take from a healthy one.

use std::time::{Duration, Instant};

use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;
use tollgate_storage::{NotificationPage, Order, Page};

use crate::receiver::{Receiver, Reply};
use crate::stage::Stage;

/// How many notifications of the stage's settings are delivered: told by counters.
async fn delivered(stage: &Stage) -> u64 {
    let page = NotificationPage {
        page: Page {
            after: None,
            order: Order::Ascending,
            limit: 1,
            count: true,
        },
        settings: Vec::new(),
        statuses: vec![NotificationStatus::Delivered],
        search: None,
        subject: None,
        from: None,
        to: None,
    };
    let page = stage.service.notifications(&stage.caller, &page).await.unwrap();
    page.total.unwrap()
}

/// Waits until so many are delivered and recorded.
async fn until_delivered(stage: &Stage, count: u64) {
    let mut pulse = stage.store.pulse();
    while delivered(stage).await < count {
        // Looking takes its part of the machine, so not at every commit.
        let _ = tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>()).await;
        pulse.changed().await.unwrap();
    }
}

async fn backlog(stage: &Stage, count: u32) {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    stage.destination(&receiver.url("/")).await;
    for _ in 0..count.div_ceil(500) {
        stage.events(500).await;
    }
    let began = Instant::now();
    let _worker = stage.deliver();
    until_delivered(stage, u64::from(count)).await;
    let rate = f64::from(count) / began.elapsed().as_secs_f64();
    println!(
        "{count} deliveries, {rate:.0} a second, over {} connections, {} at once",
        receiver.connections(),
        receiver.most_at_once()
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a figure for release builds"]
async fn a_backlog_on_sqlite() {
    backlog(&Stage::sqlite(Environment::Sandbox).await, 50_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a figure for release builds"]
async fn a_backlog_on_postgres() {
    backlog(&Stage::postgres(Environment::Sandbox).await, 50_000).await;
}

/// Memory, with a receiver that is far slower than what waits.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a figure for release builds"]
async fn a_million_waiting() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    stage.destination(&receiver.url("/")).await;
    stage.event().await;
    let copies = "WITH RECURSIVE copy (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < 1000000) \
                  INSERT INTO notifications SELECT workspace_id, 'ntf_01kjpx8smt' || format('%016d', number), setting_id, \
                  event_sequence, type, origin, status, times_attempted, occurred_at, last_attempt_at, delivered_at, \
                  replayed_at, retry_at, due_at FROM notifications, copy";
    stage.file().execute_batch(copies).unwrap();
    let before = resident_mib();
    let worker = stage.deliver();
    receiver.arrived(50_000).await;
    println!(
        "a million waiting: {before} MiB before, {} MiB after 50,000 deliveries",
        resident_mib()
    );
    worker.stop().await;
}

/// What this process has in memory.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}
