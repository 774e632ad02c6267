//! A store that fails for a while: the worker goes on when it can, and loses and doubles nothing needlessly.

use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;

use crate::receiver::{Receiver, Reply};
use crate::stage::Stage;

#[tokio::test]
async fn what_cant_be_leased_goes_out_when_it_can() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let (stuck, other) = (
        Receiver::start(|_| Reply::status(200)).await,
        Receiver::start(|_| Reply::status(200)).await,
    );
    let setting = stage.destination(&stuck.url("/")).await;
    stage.destination(&other.url("/")).await;
    let file = stage.file();
    let trouble = format!(
        "CREATE TRIGGER trouble BEFORE UPDATE ON notifications WHEN new.setting_id = '{}' BEGIN SELECT RAISE(ABORT, \
         'trouble'); END",
        setting.id
    );
    file.execute_batch(&trouble).unwrap();
    let worker = stage.deliver();
    stage.event().await;
    // Both are looked for at the same time; one can be had.
    other.request(1).await;
    stage.event().await;
    other.request(2).await;
    assert_eq!(stuck.received().len(), 0);
    assert!(worker.is_alive());
    file.execute_batch("DROP TRIGGER trouble").unwrap();
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
    assert_eq!((stuck.received().len(), other.received().len()), (2, 2));
}

#[tokio::test]
async fn what_cant_be_looked_for_goes_out_when_it_can() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    stage.destination(&receiver.url("/")).await;
    stage.event().await;
    let file = stage.file();
    file.execute_batch("ALTER TABLE workspaces RENAME TO gone").unwrap();
    let worker = stage.deliver();
    // The first look fails, whenever it is.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(worker.is_alive() && receiver.received().is_empty());
    file.execute_batch("ALTER TABLE gone RENAME TO workspaces").unwrap();
    receiver.request(1).await;
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
}

#[tokio::test]
async fn an_outcome_that_cant_be_recorded_is_recorded_when_it_can() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::Held).await;
    stage.destination(&receiver.url("/")).await;
    let worker = stage.deliver();
    stage.event().await;
    receiver.request(1).await;
    let file = stage.file();
    let trouble = "CREATE TRIGGER trouble BEFORE INSERT ON delivery_attempts BEGIN SELECT RAISE(ABORT, 'trouble'); END";
    file.execute_batch(trouble).unwrap();
    receiver.release(1);
    // The answer is there, and can't be written down.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(stage.only().await.times_attempted, 0);
    file.execute_batch("DROP TRIGGER trouble").unwrap();
    let (notification, log) = stage.attempted(1).await;
    assert_eq!((notification.status, log.len()), (NotificationStatus::Delivered, 1));
    worker.stop().await;
    assert_eq!(receiver.received().len(), 1, "it wasn't sent again");
}
