//! A figure, printed: what a million waiting notifications take in memory. Rates are the benchmarks' matter.

use tollgate_domain::environment::Environment;

use crate::receiver::{Receiver, Reply};
use crate::stage::Stage;

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
