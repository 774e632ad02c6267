//! How deliveries went, for a chart.

use std::time::Duration;

use tollgate_domain::ambient::Clock;
use tollgate_domain::id::{NotificationId, NotificationLogId};
use tollgate_domain::notification::{DeliveryAttempt, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, TrafficSource};
use tollgate_domain::permission::PermissionSet;
use tollgate_domain::role::Role;
use tollgate_service::{Caller, NewApiKey, NewNotificationSetting, NotificationError};
use tollgate_storage::{AttemptRecord, Change, NotificationPage, Order, Page, Write};

use crate::place::Place;

async fn attempted(place: &Place, notification: NotificationId, number: u128, status: NotificationStatus) {
    let stored = place.storage.notification(place.workspace.id, notification).await;
    let stored = stored.unwrap().unwrap();
    let now = place.clock.now();
    let attempt = DeliveryAttempt {
        id: NotificationLogId::from_bits(number),
        notification,
        response_code: 500,
        response_content_type: None,
        response_body: String::new(),
        problem: None,
        attempted_at: now,
        duration_ms: 1,
    };
    let record = AttemptRecord {
        workspace: place.workspace.id,
        setting: stored.setting,
        attempts: vec![attempt],
        status,
        retry_at: Some(now),
        at: now,
    };
    let change = Change::silent(Write::RecordAttempt(record));
    place.storage.commit(change).await.unwrap();
}

#[tokio::test]
async fn a_chart_has_every_hour_up_to_the_present_one() {
    let place = Place::fresh().await;
    let operator = place.operator();
    let new = NewNotificationSetting {
        description: "Receiver".to_owned(),
        destination_type: DestinationType::Url,
        destination: "https://receiver.example".to_owned(),
        api_version: 1,
        include_sensitive_fields: false,
        traffic_source: TrafficSource::All,
        subscribed_events: vec!["api_key.created".to_owned()],
    };
    let setting = place
        .service
        .create_notification_setting(&operator, &new)
        .await
        .unwrap();
    let key = NewApiKey {
        name: "Key".to_owned(),
        description: None,
        permissions: PermissionSet::NONE,
        expires_at: None,
    };
    let (_, secret) = place.service.create_api_key(&operator, key).await.unwrap();
    let page = NotificationPage {
        page: Page {
            after: None,
            order: Order::Ascending,
            limit: 10,
            count: false,
        },
        settings: Vec::new(),
        statuses: Vec::new(),
        search: None,
        subject: None,
        from: None,
        to: None,
    };
    let notifications = place.service.notifications(&operator, &page).await.unwrap();
    let notification = notifications.items[0].id;
    attempted(&place, notification, 1, NotificationStatus::NeedsRetry).await;
    attempted(&place, notification, 2, NotificationStatus::NeedsRetry).await;
    place.clock.advance(Duration::from_hours(2));
    attempted(&place, notification, 3, NotificationStatus::Delivered).await;

    let chart = async |caller: &Caller, setting, hours| {
        let counts = place.service.delivery_counts(caller, setting, hours).await?;
        let counts = counts.iter().map(|count| (count.delivered, count.failed));
        Ok::<_, NotificationError>(counts.collect::<Vec<_>>())
    };
    let expected = [(0, 0), (0, 2), (0, 0), (1, 0)];
    assert_eq!(chart(&operator, None, 4).await.unwrap(), expected);
    assert_eq!(chart(&operator, Some(setting.id), 4).await.unwrap(), expected);
    assert_eq!(chart(&operator, None, 2).await.unwrap(), expected[2..]);
    assert_eq!(
        chart(&operator, None, 0).await.unwrap(),
        expected[3..],
        "the present one at least"
    );
    assert_eq!(chart(&operator, None, u32::MAX).await.unwrap().len(), 31 * 24);
    place.join(&place.workspace, "viewer", Role::Viewer).await;
    let viewer = place.caller("viewer").await;
    assert_eq!(chart(&viewer, None, 4).await.unwrap(), expected);
    let without = place.service.authenticate(secret.reveal(), None).await.unwrap();
    let refused = chart(&without, None, 4).await;
    assert!(matches!(refused, Err(NotificationError::Denied(_))), "{refused:?}");
}
