//! What a crash leaves behind on the embedded store, and when it goes on.

use std::time::Duration;

use tollgate_delivery::LEASE;
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;
use tollgate_storage::{Change, Outcome, Storage, Write};

use crate::receiver::{Receiver, Reply};
use crate::stage::Stage;

/// Three notifications whose attempts were under way when their deliverer crashed. Time stands still from here on, so no
/// lease ends by itself.
async fn crashed() -> (Stage, Receiver) {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|request| {
        if request.number <= 3 {
            Reply::Held
        } else {
            Reply::status(200)
        }
    })
    .await;
    stage.destination(&receiver.url("/")).await;
    stage.events(3).await;
    let worker = stage.deliver();
    receiver.request(3).await;
    drop(worker);
    (stage, receiver)
}

#[tokio::test]
async fn what_a_crash_cut_off_is_attempted_again_as_soon_as_a_server_starts() {
    let (stage, _receiver) = crashed().await;
    let server = stage.another_process();
    assert_eq!(server.begin_delivering(stage.now(), LEASE).unwrap(), 3);
    let _worker = stage.deliver();
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
}

#[tokio::test]
async fn what_another_process_has_under_way_is_left_to_it() {
    let (stage, _receiver) = crashed().await;
    let (first, second, third) = (
        stage.another_process(),
        stage.another_process(),
        stage.another_process(),
    );
    assert_eq!(first.begin_delivering(stage.now(), LEASE).unwrap(), 3);
    let lease = Write::LeaseNotifications {
        setting: stage.notifications().await[0].setting,
        now: stage.now(),
        until: stage.now().plus(LEASE),
        limit: 2,
    };
    let Ok(Outcome::Leased(leased)) = first.commit(Change::silent(lease)).await else {
        panic!("it can't lease");
    };
    assert_eq!(leased.len(), 2);
    assert_eq!(second.begin_delivering(stage.now(), LEASE).unwrap(), 0);
    drop(first);
    assert_eq!(
        third.begin_delivering(stage.now(), LEASE).unwrap(),
        0,
        "the second one may have leased them"
    );
    drop((second, third));
    assert_eq!(stage.another_process().begin_delivering(stage.now(), LEASE).unwrap(), 2);
}

#[tokio::test]
async fn a_retry_keeps_its_time_when_a_server_starts() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::status(503)).await;
    stage.destination(&receiver.url("/")).await;
    stage.event().await;
    let worker = stage.deliver();
    let (before, _) = stage.attempted(1).await;
    worker.stop().await;
    stage.advance(Duration::from_secs(50)); // of the minute before the first retry
    assert_eq!(stage.another_process().begin_delivering(stage.now(), LEASE).unwrap(), 0);
    assert_eq!(stage.only().await.retry_at, before.retry_at);
}
