//! Receivers that misbehave: each leaves a clear line in the notification's log, and none takes the worker down.

use std::time::Duration;

use tollgate_delivery::{Guard, Sender};
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::{DeliveryAttempt, NotificationStatus};

use crate::connections::tls;
use crate::receiver::{Receiver, Reply};
use crate::stage::{Stage, quick};

/// The first attempt's line in the log, and where it leaves the notification; the worker then still delivers.
async fn line(receiver: &Receiver) -> (NotificationStatus, DeliveryAttempt) {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    stage.destination(&receiver.url("/hooks")).await;
    let worker = stage.deliver();
    stage.event().await;
    let (notification, mut log) = stage.attempted(1).await;
    assert_eq!(log.len(), 1);
    let good = Receiver::start(|_| Reply::status(200)).await;
    let setting = stage.destination(&good.url("/")).await;
    stage.event().await;
    stage
        .until(|other| other.setting != setting.id || other.status == NotificationStatus::Delivered)
        .await;
    assert!(worker.is_alive());
    (notification.status, log.remove(0))
}

/// Failed without an answer, for this reason.
fn assert_no_answer(line: &(NotificationStatus, DeliveryAttempt), reason: &str) {
    let (status, attempt) = line;
    println!("{:?} after {} ms", attempt.problem, attempt.duration_ms);
    assert_eq!(*status, NotificationStatus::NeedsRetry);
    assert_eq!((attempt.response_code, attempt.response_body.as_str()), (0, ""));
    assert_eq!(attempt.response_content_type, None);
    let problem = attempt.problem.as_deref().unwrap();
    assert!(problem.contains(reason), "{problem:?} doesn't say {reason:?}");
}

#[tokio::test]
async fn silence_ends_after_five_seconds() {
    let receiver = Receiver::start(|_| Reply::Never).await;
    let line = line(&receiver).await;
    assert_no_answer(&line, "no answer within 5 s");
    assert!((5_000..6_500).contains(&line.1.duration_ms));
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_none() {
    let receiver = Receiver::start(|_| Reply::SlowHead).await;
    assert_no_answer(&line(&receiver).await, "no answer within 5 s");
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let receiver = Receiver::start(|_| Reply::Endless).await;
    let (status, attempt) = line(&receiver).await;
    assert_eq!(status, NotificationStatus::Delivered, "the status was a success");
    assert_eq!(attempt.response_code, 200);
    assert_eq!(attempt.response_body.len(), 32 * 1024);
    assert_eq!(attempt.response_content_type.as_deref(), Some("text/plain"));
    assert_eq!(attempt.problem.as_deref(), Some("the answer's body was cut at 32 KiB"));
}

#[tokio::test]
async fn a_body_of_one_byte_a_second_is_left() {
    let receiver = Receiver::start(|_| Reply::Trickle).await;
    let (status, attempt) = line(&receiver).await;
    assert_eq!(status, NotificationStatus::Delivered);
    assert!(
        (4..=6).contains(&attempt.response_body.len()),
        "{}",
        attempt.response_body
    );
    assert_eq!(
        attempt.problem.as_deref(),
        Some("the answer's body did not end within 5 s")
    );
    assert!(attempt.duration_ms < 6_500);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told() {
    let receiver = Receiver::start(|_| Reply::Half).await;
    let (status, attempt) = line(&receiver).await;
    assert_eq!((status, attempt.response_code), (NotificationStatus::Delivered, 200));
    assert_eq!(attempt.response_body, "half.");
    assert!(attempt.problem.unwrap().starts_with("the answer's body broke off"));
}

#[tokio::test]
async fn no_text_is_kept_as_text() {
    let receiver = Receiver::start(|_| Reply::Answer(200, Vec::new(), b"a\0b\xff\xfec".into())).await;
    let (_, attempt) = line(&receiver).await;
    assert_eq!(attempt.response_body, "a\u{fffd}b\u{fffd}\u{fffd}c");
}

#[tokio::test]
async fn a_reset_is_told() {
    let receiver = Receiver::start(|_| Reply::Reset).await;
    assert_no_answer(&line(&receiver).await, "reset");
}

#[tokio::test]
async fn a_connection_that_is_closed_unanswered_is_told() {
    let receiver = Receiver::start(|_| Reply::Closed).await;
    assert_no_answer(&line(&receiver).await, "closed");
}

#[tokio::test]
async fn another_protocol_is_told() {
    let receiver = Receiver::start(|_| Reply::Nonsense).await;
    assert_no_answer(&line(&receiver).await, "invalid HTTP version");
}

#[tokio::test]
async fn a_closed_port_is_told() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    stage.destination(&format!("http://127.0.0.1:{port}/")).await;
    let _worker = stage.deliver();
    stage.event().await;
    let (notification, mut log) = stage.attempted(1).await;
    assert_no_answer(&(notification.status, log.remove(0)), "refused");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inner = Receiver::start(|_| Reply::status(200)).await;
    for status in [301, 302, 303, 307, 308] {
        let to = inner.url("/secret");
        let receiver = Receiver::start(move |_| Reply::with(status, "location", to.clone())).await;
        let (outcome, attempt) = line(&receiver).await;
        assert_eq!(
            (outcome, attempt.response_code),
            (NotificationStatus::NeedsRetry, status)
        );
        assert_eq!(attempt.problem.as_deref(), Some("redirects are not followed"));
    }
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn a_certificate_of_nobody_is_told() {
    let receiver = Receiver::with_tls(tls(&[]).0, |_| Reply::status(200)).await;
    assert_no_answer(&line(&receiver).await, "UnknownIssuer");
    assert_eq!(receiver.received().len(), 0, "nothing was sent");
}

#[tokio::test]
async fn clear_text_behind_https_is_told() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let stage = Stage::sqlite(Environment::Sandbox).await;
    stage.destination(&receiver.url("/").replace("http:", "https:")).await;
    let _worker = stage.deliver();
    stage.event().await;
    let (notification, mut log) = stage.attempted(1).await;
    assert_no_answer(&(notification.status, log.remove(0)), "no answer: ");
}

#[tokio::test]
async fn an_inner_address_is_refused_at_the_attempt_too() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let port = receiver.port();
    let sender = Sender::new(Guard::default()).unwrap();
    for host in ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]", "a.localhost"] {
        let stage = Stage::sqlite(Environment::Sandbox).await;
        stage.destination(&format!("http://{host}:{port}/")).await;
        let _worker = stage.deliver_with(sender.clone(), quick());
        stage.event().await;
        let (notification, mut log) = stage.attempted(1).await;
        assert_no_answer(&(notification.status, log.remove(0)), "must be a public address");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_burst_of_misbehaviour_leaves_the_worker_working() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|request| match request.number % 6 {
        0 => Reply::Reset,
        1 => Reply::Closed,
        2 => Reply::Nonsense,
        3 => Reply::Half,
        4 => Reply::ThenClosed,
        _ => Reply::status(500),
    })
    .await;
    stage.destination(&receiver.url("/")).await;
    let worker = stage.deliver();
    stage.events(120).await;
    stage.until(|notification| notification.times_attempted >= 1).await;
    assert!(worker.is_alive());
    tokio::time::timeout(Duration::from_secs(10), worker.stop())
        .await
        .unwrap();
}
