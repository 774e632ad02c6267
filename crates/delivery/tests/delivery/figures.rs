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
