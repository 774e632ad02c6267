//! Retries to the last attempt, in both environments, by a clock that is moved.

use std::time::Duration;

use tollgate_domain::environment::Environment;
use tollgate_domain::notification::{NotificationOrigin, NotificationStatus};
use tollgate_domain::retry_schedule::RetrySchedule;

use crate::receiver::{Receiver, Reply};
use crate::stage::Stage;

#[tokio::test]
async fn sandbox_gives_up_after_three_retries() {
    to_the_end(Stage::sqlite(Environment::Sandbox).await, 4).await;
}

#[tokio::test]
async fn live_gives_up_after_sixty_retries() {
    to_the_end(Stage::sqlite(Environment::Live).await, 61).await;
}

#[tokio::test]
async fn sandbox_gives_up_after_three_retries_on_postgres() {
    to_the_end(Stage::postgres(Environment::Sandbox).await, 4).await;
}

#[tokio::test]
async fn live_gives_up_after_sixty_retries_on_postgres() {
    to_the_end(Stage::postgres(Environment::Live).await, 61).await;
}

/// Every attempt fails; each is due exactly when the schedule says, and one millisecond earlier nothing is.
async fn to_the_end(stage: Stage, attempts: u32) {
    let receiver =
        Receiver::start(|_| Reply::Answer(500, vec![("content-type", "text/plain".to_owned())], b"no".into())).await;
    stage.destination(&receiver.url("/hooks?a=b")).await;
    let worker = stage.deliver();
    stage.event().await;
    let schedule = RetrySchedule::documented(stage.caller.workspace().environment);
    let began = stage.now();
    for attempt in 1..=attempts {
        let (notification, log) = stage.attempted(attempt).await;
        assert_eq!(notification.times_attempted, attempt);
        assert_eq!(notification.last_attempt_at, Some(stage.now()));
        assert_eq!(log.len(), usize::try_from(attempt).unwrap());
        let last = log.last().unwrap();
        assert_eq!((last.response_code, last.response_body.as_str()), (500, "no"));
        assert_eq!(last.response_content_type.as_deref(), Some("text/plain"));
        assert_eq!((last.problem.as_deref(), last.attempted_at), (None, stage.now()));
        let Some(delay) = schedule.delay_after(attempt, None) else {
            assert_eq!(attempt, attempts);
            break;
        };
        assert_eq!(notification.status, NotificationStatus::NeedsRetry);
        assert_eq!(notification.retry_at, Some(stage.now().plus(delay)));
        stage.advance(delay.saturating_sub(Duration::from_millis(1)));
        let due = stage.store.due_notification_settings(stage.now()).await.unwrap();
        assert_eq!(due.len(), 0, "attempt {} comes early", attempt + 1);
        stage.advance(Duration::from_millis(1));
    }
    let failed = stage.only().await;
    assert_eq!(failed.status, NotificationStatus::Failed);
    assert_eq!((failed.retry_at, failed.delivered_at), (None, None));
    let took = Duration::from_micros((stage.now().as_micros() - began.as_micros()).unsigned_abs());
    println!("{attempts} attempts within {:.1} hours", took.as_secs_f64() / 3_600.0);

    // The same bytes each time, signed anew.
    let requests = receiver.received();
    assert_eq!(requests.len(), usize::try_from(attempts).unwrap());
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    assert_ne!(
        requests[0].header("paddle-signature"),
        requests[1].header("paddle-signature")
    );

    // Ten days later nothing more has come. A replay is a notification of its own.
    stage.advance(Duration::from_hours(240));
    assert!(
        stage
            .store
            .due_notification_settings(stage.now())
            .await
            .unwrap()
            .is_empty()
    );
    let replay = stage
        .service
        .replay_notification(&stage.caller, failed.id)
        .await
        .unwrap();
    stage
        .until(|notification| notification.id != replay || notification.times_attempted == 1)
        .await;
    let (replay, original) = (stage.notification(replay).await, stage.notification(failed.id).await);
    assert_eq!(
        (replay.origin, replay.event.id),
        (NotificationOrigin::Replay, failed.event.id)
    );
    assert_eq!(replay.status, NotificationStatus::NeedsRetry);
    assert_eq!(
        (original.status, original.times_attempted),
        (NotificationStatus::Failed, attempts)
    );
    assert_eq!(original.replayed_at, Some(stage.now()));
    let last = receiver.received().pop().unwrap();
    assert!(last.body.contains(&replay.id.to_string()) && !last.body.contains(&failed.id.to_string()));
    worker.stop().await;
}

#[tokio::test]
async fn a_failure_is_followed_by_a_success() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|request| Reply::status(if request.number == 1 { 500 } else { 204 })).await;
    let setting = stage.destination(&receiver.url("/")).await;
    let _worker = stage.deliver();
    stage.event().await;
    stage.attempted(1).await;
    assert_eq!(stage.setting(setting.id).await.failing_since, Some(stage.now()));
    stage.advance(Duration::from_mins(1));
    let (notification, log) = stage.attempted(2).await;
    assert_eq!(notification.status, NotificationStatus::Delivered);
    assert_eq!(notification.delivered_at, Some(stage.now()));
    assert_eq!((notification.retry_at, notification.times_attempted), (None, 2));
    assert_eq!(log.iter().map(|row| row.response_code).collect::<Vec<_>>(), [500, 204]);
    assert_eq!(stage.setting(setting.id).await.failing_since, None);
}

#[tokio::test]
async fn a_receiver_may_ask_for_more_time_and_not_for_less() {
    for (asked, waits) in [
        ("600", Duration::from_mins(10)),
        ("5", Duration::from_mins(1)),
        ("Mon, 02 Mar 2026 10:15:04 GMT", Duration::from_hours(1)),
        ("Mon, 02 Mar 2026 09:00:00 GMT", Duration::from_mins(1)),
        ("864000", Duration::from_hours(24)),
        ("99999999999999999999999", Duration::from_mins(1)),
        ("soon", Duration::from_mins(1)),
    ] {
        let stage = Stage::sqlite(Environment::Sandbox).await;
        let receiver = Receiver::start(move |_| Reply::with(503, "retry-after", asked)).await;
        stage.destination(&receiver.url("/")).await;
        let _worker = stage.deliver();
        stage.event().await;
        let (notification, _) = stage.attempted(1).await;
        // A date says seconds; ours have a fraction.
        let waited = Duration::from_micros(
            (notification.retry_at.unwrap().as_micros() - stage.now().as_micros()).unsigned_abs(),
        );
        assert!(waited.abs_diff(waits) < Duration::from_secs(1), "{asked}: {waited:?}");
    }
}
