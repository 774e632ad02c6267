//! Replaying all that failed at a destination.

use tokio::task::JoinSet;
use tollgate_domain::ambient::Clock;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{ApiKeyId, EventId, NotificationLogId, NotificationSettingId};
use tollgate_domain::notification::{self, DeliveryAttempt, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, TrafficSource};
use tollgate_domain::role::Role;
use tollgate_service::{FailedNotifications, MOST_REPLAYED, NewNotificationSetting, NotificationError, ToReplay};
use tollgate_storage::{AttemptRecord, Change, Write};

use crate::place::Place;

/// A destination at which this many notifications have failed.
async fn failed(place: &Place, count: u128) -> NotificationSettingId {
    let new = NewNotificationSetting {
        description: "Receiver".to_owned(),
        destination_type: DestinationType::Url,
        destination: "https://receiver.example".to_owned(),
        api_version: 1,
        include_sensitive_fields: false,
        traffic_source: TrafficSource::All,
        subscribed_events: vec!["api_key.created".to_owned()],
    };
    let setting = place.service.create_notification_setting(&place.operator(), &new).await;
    let setting = setting.unwrap().id;
    let now = place.clock.now();
    let events: Vec<Event> = (1..=count)
        .map(|number| Event {
            workspace: place.workspace.id,
            id: EventId::from_bits(number),
            event_type: EventType::ApiKeyCreated,
            occurred_at: now,
            subject: "apikey_01khqw72q437v2n2wtbrraawbn".to_owned(),
            data: "{}".to_owned(),
            actor: Actor::Clock,
            address: None,
        })
        .collect();
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let telling = Change {
        events,
        ..Change::silent(Write::TouchApiKey {
            id: ApiKeyId::from_bits(1),
            used_at: now,
        })
    };
    place.storage.commit(telling).await.unwrap();
    let mut recording = JoinSet::new();
    for (number, event) in (1..).zip(ids) {
        let attempt = DeliveryAttempt {
            id: NotificationLogId::from_bits(number),
            notification: notification::id_of(event, setting),
            response_code: 503,
            response_content_type: None,
            response_body: String::new(),
            problem: None,
            attempted_at: now,
            duration_ms: 1,
        };
        let record = AttemptRecord {
            workspace: place.workspace.id,
            setting,
            attempts: vec![attempt],
            status: NotificationStatus::Failed,
            retry_at: None,
            at: now,
        };
        let storage = place.storage.clone();
        recording.spawn(async move { storage.commit(Change::silent(Write::RecordAttempt(record))).await });
    }
    for recorded in recording.join_all().await {
        recorded.unwrap();
    }
    setting
}

#[tokio::test]
async fn so_many_are_replayed_at_once_and_asking_again_goes_on_with_the_rest() {
    let place = Place::fresh().await;
    let operator = place.operator();
    let which = FailedNotifications {
        setting: failed(&place, MOST_REPLAYED as u128 + 3).await,
        from: None,
        to: None,
        again: false,
    };
    let told = |count, has_more| ToReplay { count, has_more };
    let found = || place.service.failed_notifications(&operator, &which);
    let replay = || place.service.replay_failed_notifications(&operator, &which);
    assert_eq!(found().await.unwrap(), told(MOST_REPLAYED, true));
    assert_eq!(replay().await.unwrap(), told(MOST_REPLAYED, true));
    assert_eq!(found().await.unwrap(), told(3, false));
    assert_eq!(replay().await.unwrap(), told(3, false));
    assert_eq!(replay().await.unwrap(), told(0, false));
    let again = FailedNotifications { again: true, ..which };
    let found = place.service.failed_notifications(&operator, &again).await;
    assert_eq!(found.unwrap(), told(MOST_REPLAYED, true));
}

#[tokio::test]
async fn whoever_only_reads_sees_how_many_failed_and_replays_none() {
    let place = Place::fresh().await;
    let which = FailedNotifications {
        setting: failed(&place, 2).await,
        from: None,
        to: None,
        again: false,
    };
    place.join(&place.workspace, "viewer", Role::Viewer).await;
    let viewer = place.caller("viewer").await;
    let refused = place.service.replay_failed_notifications(&viewer, &which).await;
    assert!(matches!(refused, Err(NotificationError::Denied(_))), "{refused:?}");
    let found = place.service.failed_notifications(&viewer, &which).await.unwrap();
    assert_eq!((found.count, found.has_more), (2, false));
}
