//! What is sent: the exact headers of both schemes, made when it is sent, and what a rotation changes.

use std::time::Duration;

use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::signature::EndpointSecret;

use crate::receiver::{Received, Receiver, Reply};
use crate::stage::Stage;

const DAY: Duration = Duration::from_hours(24);

fn is_signed_by(request: &Received, secret: &EndpointSecret, seconds: u64) -> bool {
    let header = request.header("paddle-signature");
    secret.check(header, request.body.as_bytes(), seconds).is_ok()
}

#[tokio::test]
async fn a_delivery_has_the_documented_headers_and_is_signed_when_it_is_sent() {
    let stage = Stage::sqlite(Environment::Live).await;
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let setting = stage.destination(&receiver.url("/hooks/a%20b?c=d&e=%2f")).await;
    stage.event().await;
    stage.advance(Duration::from_hours(3));
    let _worker = stage.deliver();
    let request = receiver.request(1).await;
    stage.attempted(1).await;
    let notification = stage.only().await;
    let seconds = stage.now().as_millis() / 1_000;

    assert_eq!(request.target, "/hooks/a%20b?c=d&e=%2f");
    let signature = setting.secret.paddle_signature(seconds, request.body.as_bytes());
    let standard =
        setting
            .secret
            .standard_signature(&notification.event.id.to_string(), seconds, request.body.as_bytes());
    let mut headers: Vec<(&str, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    headers.sort_unstable();
    let host = receiver.url("").replace("http://", "");
    assert_eq!(
        headers,
        [
            ("accept", "*/*"),
            ("content-length", request.body.len().to_string().as_str()),
            ("content-type", "application/json"),
            ("host", &host),
            ("paddle-signature", &signature),
            ("user-agent", "Paddle"),
            ("webhook-id", &notification.event.id.to_string()),
            ("webhook-signature", &standard),
            ("webhook-timestamp", &seconds.to_string()),
        ]
    );
    assert_eq!(signature.matches("h1=").count(), 1);
    assert!(signature.starts_with(&format!("ts={seconds};h1=")) && signature.len() == "ts=1772442904;h1=".len() + 64);
    assert!(standard.starts_with("v1,") && !standard.contains(' '));
    let body = format!(
        r#"{{"event_id":"{}","event_type":"client_token.created","occurred_at":"{}","notification_id":"{}","data":{}}}"#,
        notification.event.id, notification.event.occurred_at, notification.id, notification.event.data
    );
    assert_eq!(request.body, body);
}

/// A destination whose secret was just rotated, with a day's overlap; the old secret, and the new one.
async fn rotated(stage: &Stage, receiver: &Receiver) -> (EndpointSecret, EndpointSecret) {
    let before = stage.destination(&receiver.url("/")).await;
    let rotated = stage
        .service
        .rotate_notification_setting_secret(&stage.caller, before.id, DAY);
    let after = rotated.await.unwrap();
    (before.secret, after.secret)
}

#[tokio::test]
async fn while_a_secret_is_rotated_a_refusal_is_followed_by_the_old_one_at_once() {
    for refusal in [400, 401, 403] {
        let stage = Stage::sqlite(Environment::Sandbox).await;
        let receiver =
            Receiver::start(move |request| Reply::status(if request.number % 2 == 1 { refusal } else { 200 })).await;
        let (old, new) = rotated(&stage, &receiver).await;
        let worker = stage.deliver();
        stage.event().await;
        let (notification, log) = stage.attempted(1).await;
        let seconds = stage.now().as_millis() / 1_000;
        let (first, second) = (receiver.request(1).await, receiver.request(2).await);
        assert!(is_signed_by(&first, &new, seconds) && !is_signed_by(&first, &old, seconds));
        assert!(is_signed_by(&second, &old, seconds) && !is_signed_by(&second, &new, seconds));
        assert_eq!(first.body, second.body);
        for request in [&first, &second] {
            let sign = |secret: &EndpointSecret| {
                secret.standard_signature(request.header("webhook-id"), seconds, request.body.as_bytes())
            };
            let signatures: Vec<&str> = request.header("webhook-signature").split(' ').collect();
            assert_eq!(signatures.len(), 2);
            assert!(signatures.contains(&sign(&old).as_str()) && signatures.contains(&sign(&new).as_str()));
        }
        assert_eq!(
            (notification.status, notification.times_attempted),
            (NotificationStatus::Delivered, 1)
        );
        assert_eq!(
            log.iter().map(|row| row.response_code).collect::<Vec<_>>(),
            [refusal, 200]
        );

        // After the overlap, the old one is over.
        stage.advance(DAY);
        stage.event().await;
        let third = receiver.request(3).await;
        stage.until(|other| other.times_attempted == 1).await;
        let seconds = stage.now().as_millis() / 1_000;
        assert!(is_signed_by(&third, &new, seconds));
        assert!(!third.header("webhook-signature").contains(' '));
        let latest = stage.notifications().await.remove(0);
        assert_eq!(latest.status, NotificationStatus::NeedsRetry);
        assert_eq!(stage.log(latest.id).await.len(), 1);
        worker.stop().await;
        assert_eq!(receiver.received().len(), 3);
    }
}

#[tokio::test]
async fn a_receiver_with_the_new_secret_gets_one_request() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let (_, new) = rotated(&stage, &receiver).await;
    let worker = stage.deliver();
    stage.event().await;
    let (notification, log) = stage.attempted(1).await;
    assert_eq!((notification.status, log.len()), (NotificationStatus::Delivered, 1));
    worker.stop().await;
    let requests = receiver.received();
    assert_eq!(requests.len(), 1);
    assert!(is_signed_by(&requests[0], &new, stage.now().as_millis() / 1_000));
}

#[tokio::test]
async fn both_secrets_refused_count_as_one_attempt() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|_| Reply::status(401)).await;
    rotated(&stage, &receiver).await;
    let _worker = stage.deliver();
    stage.event().await;
    let (notification, log) = stage.attempted(1).await;
    assert_eq!(
        (notification.status, notification.times_attempted),
        (NotificationStatus::NeedsRetry, 1)
    );
    assert_eq!(log.iter().map(|row| row.response_code).collect::<Vec<_>>(), [401, 401]);
}

#[tokio::test]
async fn other_failures_say_nothing_of_the_secret() {
    for status in [404, 410, 429, 500] {
        let stage = Stage::sqlite(Environment::Sandbox).await;
        let receiver = Receiver::start(move |_| Reply::status(status)).await;
        rotated(&stage, &receiver).await;
        let _worker = stage.deliver();
        stage.event().await;
        let (_, log) = stage.attempted(1).await;
        assert_eq!(log.len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_attempt_begun_before_a_rotation_follows_it() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|request| match request.number {
        1 => Reply::HeldFor(401),
        _ => Reply::status(200),
    })
    .await;
    let before = stage.destination(&receiver.url("/")).await;
    let _worker = stage.deliver();
    stage.event().await;
    receiver.request(1).await;
    let rotated = stage
        .service
        .rotate_notification_setting_secret(&stage.caller, before.id, DAY);
    let after = rotated.await.unwrap();
    receiver.release(1);
    let (notification, log) = stage.attempted(1).await;
    assert_eq!((notification.status, log.len()), (NotificationStatus::Delivered, 2));
    let seconds = stage.now().as_millis() / 1_000;
    assert!(is_signed_by(&receiver.request(1).await, &before.secret, seconds));
    assert!(is_signed_by(&receiver.request(2).await, &after.secret, seconds));
}
