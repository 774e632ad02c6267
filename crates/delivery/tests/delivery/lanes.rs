//! Destinations beside each other, and what happens to them and to workers while deliveries are under way.

use std::sync::Arc;
use std::time::Duration;

use tollgate_delivery::Settings;
use tollgate_domain::environment::Environment;
use tollgate_domain::event::EventType;
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::notification_setting::NotificationSetting;
use tollgate_service::NotificationSettingPatch;
use tollgate_storage::{EventPage, Order, Page};

use crate::receiver::{Receiver, Reply};
use crate::stage::{Stage, Worker, open_loopback, quick};

/// How long a setting may be remembered, and a little.
const REMEMBERED: Duration = Duration::from_millis(150);

fn one_at_a_time() -> Settings {
    Settings {
        per_destination: 1,
        ..quick()
    }
}

/// So many deliveries go well and quickly; from then on more than one is leased ahead.
const WARM: usize = 60;

/// A receiver that holds what comes after the first deliveries, and its destination. Of the five events that are left,
/// the first is under way, the others are leased.
async fn five_held(stage: &Stage) -> (Receiver, NotificationSetting, Worker) {
    let receiver = Receiver::start(|request| match request.number {
        0..=WARM => Reply::status(200),
        _ => Reply::Held,
    })
    .await;
    let setting = stage.destination(&receiver.url("/")).await;
    stage.events(WARM + 5).await;
    let worker = stage.deliver_with(open_loopback(), one_at_a_time());
    receiver.request(WARM + 1).await;
    stage.until_nothing_is_due().await;
    (receiver, setting, worker)
}

#[tokio::test]
async fn a_destination_has_a_bounded_number_of_attempts_under_way() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::Held).await;
    stage.destination(&receiver.url("/")).await;
    let settings = Settings {
        per_destination: 3,
        ..quick()
    };
    let _worker = stage.deliver_with(open_loopback(), settings);
    stage.events(20).await;
    for number in 3..20 {
        receiver.request(number).await;
        receiver.release(1);
    }
    receiver.release(3);
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
    assert_eq!(receiver.most_at_once(), 3);
}

#[tokio::test]
async fn whoever_hangs_leaves_a_share_to_the_next() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let hanging = Receiver::start(|_| Reply::Held).await;
    stage.destination(&hanging.url("/")).await;
    let settings = Settings {
        per_destination: 8,
        in_all: 8,
        ..quick()
    };
    let _worker = stage.deliver_with(open_loopback(), settings);
    stage.events(20).await;
    hanging.request(4).await;
    let healthy = Receiver::start(|_| Reply::status(200)).await;
    let setting = stage.destination(&healthy.url("/")).await;
    stage.events(20).await;
    stage
        .until(|other| other.setting != setting.id || other.status == NotificationStatus::Delivered)
        .await;
    assert_eq!((hanging.most_at_once(), hanging.received().len()), (4, 4));
    hanging.release(1_000);
    stage.until(|other| other.status == NotificationStatus::Delivered).await;
}

#[tokio::test]
async fn a_destination_deleted_with_deliveries_under_way_gets_no_more() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let (receiver, setting, worker) = five_held(&stage).await;
    let id = stage.notifications().await[0].id;
    stage
        .service
        .delete_notification_setting(&stage.caller, setting.id)
        .await
        .unwrap();
    tokio::time::sleep(REMEMBERED).await;
    receiver.release(5);
    // Another one's delivery ends after whatever this one would have had sent.
    let other = Receiver::start(|_| Reply::status(200)).await;
    stage.destination(&other.url("/")).await;
    stage.events(5).await;
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
    worker.stop().await;
    assert_eq!(receiver.received().len(), WARM + 1);
    assert!(stage.service.notification(&stage.caller, id).await.is_err());
    stage.service.remove_old(Duration::from_hours(1)).await.unwrap();
    assert_eq!(stage.notifications().await.len(), 5);
}

#[tokio::test]
async fn a_deactivated_destination_waits_until_it_is_active_again() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let (receiver, setting, worker) = five_held(&stage).await;
    let switch = async |active| {
        let patch = NotificationSettingPatch {
            active: Some(active),
            ..NotificationSettingPatch::default()
        };
        let switched = stage
            .service
            .update_notification_setting(&stage.caller, setting.id, &patch);
        switched.await.unwrap();
    };
    switch(false).await;
    tokio::time::sleep(REMEMBERED).await;
    receiver.release(1);
    // The one under way is recorded.
    stage
        .until_some(WARM + 1, |notification| {
            notification.status == NotificationStatus::Delivered
        })
        .await;
    stage.advance(Duration::from_hours(1));
    assert!(
        stage
            .store
            .due_notification_settings(stage.now())
            .await
            .unwrap()
            .is_empty()
    );
    let waiting = stage
        .notifications()
        .await
        .into_iter()
        .filter(|one| one.times_attempted == 0);
    assert_eq!((waiting.count(), receiver.received().len()), (4, WARM + 1));
    receiver.release(4);
    switch(true).await;
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
    worker.stop().await;
    assert_eq!(receiver.received().len(), WARM + 5);
}

#[tokio::test]
async fn another_worker_takes_over_when_a_lease_ends() {
    takeover(Stage::sqlite(Environment::Sandbox).await).await;
}

#[tokio::test]
async fn another_worker_takes_over_when_a_lease_ends_on_postgres() {
    takeover(Stage::postgres(Environment::Sandbox).await).await;
}

async fn takeover(stage: Stage) {
    let receiver = Receiver::start(|request| match request.number {
        1 => Reply::Never,
        _ => Reply::status(200),
    })
    .await;
    stage.destination(&receiver.url("/")).await;
    let first = stage.deliver();
    stage.event().await;
    let begun = receiver.request(1).await;
    drop(first); // as in a crash, with the attempt under way
    let _second = stage.deliver_over(stage.opened_again().await, open_loopback(), quick());
    stage.advance(Duration::from_millis(24_999));
    assert!(
        stage
            .store
            .due_notification_settings(stage.now())
            .await
            .unwrap()
            .is_empty()
    );
    stage.advance(Duration::from_millis(1));
    let again = receiver.request(2).await;
    assert_eq!(begun.body, again.body);
    let (notification, log) = stage.attempted(1).await;
    assert_eq!((notification.status, log.len()), (NotificationStatus::Delivered, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_beside_each_other_deliver_once() {
    beside_each_other(Stage::sqlite(Environment::Sandbox).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_beside_each_other_deliver_once_on_postgres() {
    beside_each_other(Stage::postgres(Environment::Sandbox).await).await;
}

async fn beside_each_other(stage: Stage) {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    stage.destination(&receiver.url("/")).await;
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(stage.deliver_over(stage.opened_again().await, open_loopback(), quick()));
    }
    stage.events(200).await;
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(receiver.received().len(), 200);
}

#[tokio::test]
async fn a_worker_that_is_stopped_finishes_what_it_has_begun_and_what_it_has_leased() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let (receiver, _, worker) = five_held(&stage).await;
    tokio::join!(worker.stop(), async { receiver.release(5) });
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
    assert_eq!(receiver.received().len(), WARM + 5);
}

#[tokio::test]
async fn five_days_without_a_success_deactivate_a_destination_and_the_audit_trail_tells() {
    const FIVE_DAYS: Duration = Duration::from_hours(5 * 24);
    let stage = Stage::sqlite(Environment::Live).await;
    let receiver = Receiver::start(|_| Reply::status(500)).await;
    let setting = stage.destination(&receiver.url("/")).await;
    let _worker = stage.deliver();
    stage.event().await;
    stage.attempted(1).await;
    let began = stage.now();
    let audit = async || {
        let page = EventPage {
            page: Page {
                after: None,
                order: Order::Ascending,
                limit: 10,
                count: false,
            },
            types: Some(vec![EventType::NotificationSettingDeactivated]),
        };
        let events = stage.store.events(stage.caller.workspace().id, &page).await;
        events.unwrap().items
    };
    let look = async || stage.service.deactivate_failing(FIVE_DAYS).await.unwrap();

    stage.advance(FIVE_DAYS.saturating_sub(Duration::from_secs(1)));
    stage.event().await;
    stage
        .until(|notification| notification.last_attempt_at == Some(stage.now()))
        .await;
    look().await;
    let failing = stage.setting(setting.id).await;
    assert_eq!((failing.active, failing.failing_since), (true, Some(began)));
    assert_eq!(audit().await.len(), 0);

    stage.advance(Duration::from_secs(1));
    look().await;
    assert!(
        stage.setting(setting.id).await.active,
        "no attempt has failed five days after the first"
    );
    stage.event().await;
    stage
        .until_some(1, |notification| notification.last_attempt_at == Some(stage.now()))
        .await;
    look().await;
    look().await;
    assert!(!stage.setting(setting.id).await.active);
    let told = audit().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].subject, setting.id.to_string());
    assert_eq!(told[0].occurred_at, stage.now());
    let before = stage.notifications().await.len();
    stage.event().await;
    assert_eq!(stage.notifications().await.len(), before, "it is subscribed to nothing");
}

#[tokio::test]
async fn a_destination_that_failed_once_and_got_nothing_since_stays_active() {
    const FIVE_DAYS: Duration = Duration::from_hours(5 * 24);
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::status(500)).await;
    let setting = stage.destination(&receiver.url("/")).await;
    let worker = stage.deliver();
    stage.event().await;
    stage.attempted(1).await;
    worker.stop().await;
    stage.advance(FIVE_DAYS + Duration::from_hours(24));
    stage.service.deactivate_failing(FIVE_DAYS).await.unwrap();
    let quiet = stage.setting(setting.id).await;
    assert!(quiet.active && quiet.failing_since.is_some());

    let _worker = stage.deliver();
    stage.attempted(2).await; // the retry that was due, and fails as well
    stage.service.deactivate_failing(FIVE_DAYS).await.unwrap();
    assert!(!stage.setting(setting.id).await.active);
}

#[tokio::test]
async fn a_success_begins_the_five_days_anew() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|request| Reply::status(if request.number == 2 { 200 } else { 500 })).await;
    let setting = stage.destination(&receiver.url("/")).await;
    let _worker = stage.deliver();
    stage.event().await;
    stage.attempted(1).await;
    stage.advance(Duration::from_hours(100));
    stage.attempted(2).await;
    assert_eq!(stage.setting(setting.id).await.failing_since, None);
    stage.event().await;
    stage.until(|notification| notification.times_attempted >= 1).await;
    stage.advance(Duration::from_hours(100));
    stage
        .service
        .deactivate_failing(Duration::from_hours(120))
        .await
        .unwrap();
    assert!(stage.setting(setting.id).await.active);
}

/// Sharing doesn't keep a destination from all that there is to have when it is alone.
#[tokio::test]
async fn alone_a_destination_has_all_its_places() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Arc::new(Receiver::start(|_| Reply::Held).await);
    stage.destination(&receiver.url("/")).await;
    stage.events(100).await;
    let _worker = stage.deliver();
    receiver.request(64).await;
    assert_eq!(receiver.most_at_once(), 64);
    receiver.release(100);
    stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
}
