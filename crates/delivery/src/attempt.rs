//! One attempt to deliver a notification: what is sent, what came of it, and what follows from that.

use std::time::Instant;

use bytes::Bytes;
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::{self, DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting};
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::time::Timestamp;
use tollgate_storage::AttemptRecord;

use crate::sender::{Answer, Message};
use crate::worker::Delivery;

/// Tries once; during a rotation, at once a second time with the other secret when the first one may have been refused.
pub(crate) async fn attempt(
    delivery: &Delivery,
    setting: &NotificationSetting,
    environment: Environment,
    notification: &Notification,
) -> AttemptRecord {
    let payload = notification::payload(&notification.event, notification.id);
    let mut attempts = Vec::with_capacity(1);
    let answer = match setting.destination_type {
        DestinationType::Url => post(delivery, setting, notification, payload, &mut attempts).await,
        DestinationType::Email => {
            let at = delivery.clock.now();
            let answer = mail(delivery, setting, notification, &payload).await;
            attempts.push(logged(delivery, notification, at, &answer));
            answer
        }
    };
    let at = delivery.clock.now();
    let schedule = delivery.settings.schedule(environment);
    let (status, retry_at) = if answer.is_success() {
        (NotificationStatus::Delivered, None)
    } else {
        match schedule.delay_after(notification.times_attempted + 1, answer.retry_after) {
            Some(delay) => (NotificationStatus::NeedsRetry, Some(at.plus(delay))),
            None => (NotificationStatus::Failed, None),
        }
    };
    AttemptRecord {
        workspace: notification.workspace,
        setting: setting.id,
        attempts,
        status,
        retry_at,
        at,
    }
}

async fn post(
    delivery: &Delivery,
    setting: &NotificationSetting,
    notification: &Notification,
    payload: String,
    attempts: &mut Vec<DeliveryAttempt>,
) -> Answer {
    let now = delivery.clock.now();
    let first = Message {
        event_id: notification.event.id.to_string(),
        body: Bytes::from(payload),
        secret: &setting.secret,
        also: previous(setting, now),
    };
    let answer = delivery.sender.attempt(&setting.destination, &first, now).await;
    attempts.push(logged(delivery, notification, now, &answer));
    if !answer.may_refuse_signature() {
        return answer;
    }
    // The secret may have been rotated since the setting was read, so it is read again.
    let fresh = delivery
        .storage
        .notification_setting(setting.workspace, setting.id)
        .await;
    let fresh = fresh.ok().flatten();
    let now = delivery.clock.now();
    let Some(other) = other_secret(fresh.as_ref().unwrap_or(setting), &setting.secret, now) else {
        return answer;
    };
    let second = Message {
        secret: other,
        also: Some(&setting.secret),
        ..first
    };
    let answer = delivery.sender.attempt(&setting.destination, &second, now).await;
    attempts.push(logged(delivery, notification, now, &answer));
    answer
}

/// The secret before, while its receiver may still have it.
fn previous(setting: &NotificationSetting, now: Timestamp) -> Option<&EndpointSecret> {
    let (secret, until) = setting.previous_secret.as_ref()?;
    (now < *until).then_some(secret)
}

/// The newest secret that isn't `tried`, if there is another one.
fn other_secret<'a>(
    setting: &'a NotificationSetting,
    tried: &EndpointSecret,
    now: Timestamp,
) -> Option<&'a EndpointSecret> {
    [Some(&setting.secret), previous(setting, now)]
        .into_iter()
        .flatten()
        .find(|secret| secret.reveal() != tried.reveal())
}

async fn mail(
    delivery: &Delivery,
    setting: &NotificationSetting,
    notification: &Notification,
    payload: &str,
) -> Answer {
    let began = Instant::now();
    let Some(mailer) = &delivery.mailer else {
        return Answer::failed(
            "no mail server is configured: set smtp_url and smtp_from",
            began.elapsed(),
        );
    };
    match mailer.send(&setting.destination, notification, payload).await {
        Ok(body) => Answer {
            // SMTP's own word for "taken". RFC 5321, 4.2.3.
            status: 250,
            content_type: None,
            body,
            problem: None,
            retry_after: None,
            took: began.elapsed(),
        },
        Err(problem) => Answer::failed(&problem, began.elapsed()),
    }
}

fn logged(delivery: &Delivery, notification: &Notification, at: Timestamp, answer: &Answer) -> DeliveryAttempt {
    DeliveryAttempt {
        id: delivery.ids.next(at, delivery.entropy.as_ref()),
        notification: notification.id,
        response_code: answer.status,
        response_content_type: answer.content_type.clone(),
        response_body: answer.body.clone(),
        problem: answer.problem.clone(),
        attempted_at: at,
        duration_ms: u32::try_from(answer.took.as_millis()).unwrap_or(u32::MAX),
    }
}
