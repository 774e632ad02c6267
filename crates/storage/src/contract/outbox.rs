//! What the cases about notification settings and notifications write, and how they look at it.

use tollgate_domain::event::{Event, EventType};
use tollgate_domain::id::{NotificationKind, NotificationSettingId};
use tollgate_domain::notification::{self, DeliveryAttempt, Notification, NotificationOrigin, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;

use super::seed::{self, Dice, at, event};
use super::steps::{applied, whole};
use crate::{
    AttemptRecord, Change, NotificationPage, NotificationSettingPage, Order, Outcome, Page, SettingsSeen, Slice,
    Storage, StorageError, Write,
};

/// Setting `number`: a URL that wants the real events of client tokens.
pub(super) fn setting(workspace: &Workspace, number: u64) -> NotificationSetting {
    let names = ["client_token.created", "client_token.updated", "client_token.revoked"];
    NotificationSetting {
        workspace: workspace.id,
        id: seed::id(number),
        description: format!("Destination {number}"),
        destination_type: DestinationType::Url,
        destination: format!("https://receiver.example/{number}"),
        active: true,
        api_version: 1,
        include_sensitive_fields: false,
        traffic_source: TrafficSource::Platform,
        subscribed_events: names.map(str::to_owned).to_vec(),
        secret: EndpointSecret::generate(seed::id(number), &Dice::new(number)),
        previous_secret: None,
        failing_since: None,
        created_at: at(number),
        updated_at: at(number),
        version: 1,
    }
}

/// The setting's next version, changed by `change`.
pub(super) fn changed(
    setting: &NotificationSetting,
    change: impl FnOnce(&mut NotificationSetting),
) -> NotificationSetting {
    let mut next = NotificationSetting {
        version: setting.version + 1,
        ..setting.clone()
    };
    change(&mut next);
    next
}

/// All that is known of a setting, its secrets included, which neither show nor compare.
pub(super) fn told(setting: &NotificationSetting) -> String {
    let previous = setting.previous_secret.as_ref().map(|(secret, _)| secret.reveal());
    format!(
        "{setting:?}, signed with {}, before {previous:?}",
        setting.secret.reveal()
    )
}

/// As [`told`], of several.
pub(super) fn all_told<'a>(settings: impl IntoIterator<Item = &'a NotificationSetting>) -> Vec<String> {
    settings.into_iter().map(told).collect()
}

/// The audit trail's event about this version of a setting.
fn audit(setting: &NotificationSetting, event_type: EventType) -> Event {
    let version = u64::try_from(setting.version).expect("counts up from 1");
    Event {
        subject: setting.id.to_string(),
        occurred_at: setting.updated_at,
        ..event(
            setting.workspace,
            900_000_000 + seed::number(setting.id) * 100 + version,
            event_type,
        )
    }
}

/// What somebody who has just looked sees of the workspace's settings.
pub(super) async fn seen(store: &dyn Storage, setting: &NotificationSetting) -> Result<SettingsSeen, StorageError> {
    let all = store.all_notification_settings(setting.workspace).await?;
    Ok(SettingsSeen::of(&all))
}

/// The setting's creation, with its event.
pub(super) fn creation(setting: &NotificationSetting, seen: SettingsSeen) -> Change {
    Change {
        events: vec![audit(setting, EventType::NotificationSettingCreated)],
        ..Change::silent(Write::CreateNotificationSetting {
            setting: setting.clone(),
            seen,
        })
    }
}

/// The setting's next version, with its event.
pub(super) fn update(to: &NotificationSetting, seen: SettingsSeen) -> Change {
    Change {
        events: vec![audit(to, EventType::NotificationSettingUpdated)],
        ..Change::silent(Write::UpdateNotificationSetting { to: to.clone(), seen })
    }
}

/// The setting's end, with its event.
pub(super) fn deletion(setting: &NotificationSetting) -> Change {
    let last = changed(setting, |_| ());
    Change {
        events: vec![audit(&last, EventType::NotificationSettingDeleted)],
        ..Change::silent(Write::DeleteNotificationSetting {
            workspace: setting.workspace,
            id: setting.id,
        })
    }
}

/// Stores a new setting; gives it back.
pub(super) async fn create(
    store: &dyn Storage,
    setting: NotificationSetting,
) -> Result<NotificationSetting, StorageError> {
    applied(store, creation(&setting, seen(store, &setting).await?)).await?;
    Ok(setting)
}

/// Stores a setting's next version; gives it back.
pub(super) async fn replace(store: &dyn Storage, to: NotificationSetting) -> Result<NotificationSetting, StorageError> {
    applied(store, update(&to, seen(store, &to).await?)).await?;
    Ok(to)
}

/// A page of settings without any filter.
pub(super) const fn settings_page(order: Order) -> NotificationSettingPage {
    NotificationSettingPage {
        page: whole(order),
        active: None,
        traffic_source: None,
    }
}

/// A page of notifications without any filter.
pub(super) const fn page(page: Page<NotificationKind>) -> NotificationPage {
    NotificationPage {
        page,
        settings: Vec::new(),
        statuses: Vec::new(),
        search: None,
        subject: None,
        from: None,
        to: None,
    }
}

/// All notifications of a workspace, oldest first.
pub(super) async fn notifications(
    store: &dyn Storage,
    workspace: &Workspace,
) -> Result<Slice<Notification>, StorageError> {
    store.notifications(workspace.id, &page(whole(Order::Ascending))).await
}

/// The notification that this event makes for this setting, as nobody has attempted it yet.
pub(super) fn fresh(event: &Event, setting: &NotificationSetting) -> Notification {
    Notification {
        workspace: event.workspace,
        id: notification::id_of(event.id, setting.id),
        setting: setting.id,
        event: event.clone(),
        origin: NotificationOrigin::Event,
        status: NotificationStatus::NotAttempted,
        times_attempted: 0,
        last_attempt_at: None,
        delivered_at: None,
        replayed_at: None,
        retry_at: None,
    }
}

/// One by one, a change for each of these numbers with an event of that number, time and type
/// `client_token.created`; the events.
pub(super) async fn tell(
    store: &dyn Storage,
    workspace: &Workspace,
    numbers: impl IntoIterator<Item = u64>,
) -> Result<Vec<Event>, StorageError> {
    let mut told = Vec::new();
    for number in numbers {
        let event = event(workspace.id, number, EventType::ClientTokenCreated);
        applied(store, seed::telling(vec![event.clone()])).await?;
        told.push(event);
    }
    Ok(told)
}

/// Leases what is due in a setting's queue.
pub(super) async fn lease(
    store: &dyn Storage,
    setting: NotificationSettingId,
    (now, until): (u64, u64),
    limit: usize,
) -> Result<Vec<Notification>, StorageError> {
    let write = Write::LeaseNotifications {
        setting,
        now: at(now),
        until: at(until),
        limit,
    };
    match store.commit(Change::silent(write)).await? {
        Outcome::Leased(leased) => Ok(leased),
        other => panic!("{other:?} instead of leased"),
    }
}

/// Row `number` of the log: an attempt at `at(seconds)`.
pub(super) fn attempt(notification: &Notification, number: u64, code: u16, seconds: u64) -> DeliveryAttempt {
    DeliveryAttempt {
        id: seed::id(number),
        notification: notification.id,
        response_code: code,
        response_content_type: (code != 0).then(|| "text/plain; charset=utf-8".to_owned()),
        response_body: if code == 0 {
            String::new()
        } else {
            format!("answer {number}")
        },
        problem: (code == 0).then(|| "connection refused".to_owned()),
        attempted_at: at(seconds),
        duration_ms: u32::try_from(number).expect("small"),
    }
}

/// The record of these attempts, over half a second after the last of them began.
pub(super) fn record(
    notification: &Notification,
    attempts: Vec<DeliveryAttempt>,
    status: NotificationStatus,
    retry_at: Option<Timestamp>,
) -> Change {
    let last = attempts.last().expect("at least one").attempted_at;
    Change::silent(Write::RecordAttempt(AttemptRecord {
        workspace: notification.workspace,
        setting: notification.setting,
        attempts,
        status,
        retry_at,
        at: over(last),
    }))
}

/// When an attempt that began then is over.
pub(super) fn over(attempted_at: Timestamp) -> Timestamp {
    Timestamp::from_micros(attempted_at.as_micros() + 500_000).expect("within a few years")
}

/// Records attempt `number` at `at(seconds)`: delivered, or failed and tried again at `retry_at`, or for good.
pub(super) async fn attempted(
    store: &dyn Storage,
    notification: &Notification,
    (number, seconds): (u64, u64),
    status: NotificationStatus,
    retry_at: Option<u64>,
) -> Result<DeliveryAttempt, StorageError> {
    let code = if status == NotificationStatus::Delivered {
        200
    } else {
        500
    };
    let attempt = attempt(notification, number, code, seconds);
    applied(
        store,
        record(notification, vec![attempt.clone()], status, retry_at.map(at)),
    )
    .await?;
    Ok(attempt)
}

/// The log of a notification, oldest first.
pub(super) async fn log(
    store: &dyn Storage,
    notification: &Notification,
) -> Result<Vec<DeliveryAttempt>, StorageError> {
    let slice = store
        .delivery_attempts(notification.id, &whole(Order::Ascending))
        .await?;
    assert_eq!(slice.total, Some(super::steps::total(slice.items.len())));
    Ok(slice.items)
}

/// The notification of this id, which is there.
pub(super) async fn again(store: &dyn Storage, notification: &Notification) -> Result<Notification, StorageError> {
    let found = store.notification(notification.workspace, notification.id).await?;
    Ok(found.expect("the notification is there"))
}

/// Every total that a page can tell, by setting and status and altogether, is the plain count of what is there.
pub(super) async fn assert_totals(store: &dyn Storage, workspace: &Workspace) -> Result<(), StorageError> {
    let all = notifications(store, workspace).await?.items;
    let settings = store.all_notification_settings(workspace.id).await?;
    let mut settings: Vec<Vec<NotificationSettingId>> = settings.iter().map(|setting| vec![setting.id]).collect();
    settings.push(settings.concat());
    settings.push(Vec::new());
    let mut statuses: Vec<Vec<NotificationStatus>> = NotificationStatus::ALL.map(|status| vec![status]).to_vec();
    statuses.push(vec![NotificationStatus::Delivered, NotificationStatus::NeedsRetry]);
    statuses.push(Vec::new());
    for settings in &settings {
        for statuses in &statuses {
            let asked = NotificationPage {
                settings: settings.clone(),
                statuses: statuses.clone(),
                ..page(Page {
                    limit: 1,
                    ..whole(Order::Descending)
                })
            };
            let count = all.iter().filter(|found| {
                (settings.is_empty() || settings.contains(&found.setting))
                    && (statuses.is_empty() || statuses.contains(&found.status))
            });
            let slice = store.notifications(workspace.id, &asked).await?;
            assert_eq!(
                slice.total,
                Some(super::steps::total(count.count())),
                "{settings:?}, {statuses:?}"
            );
        }
    }
    Ok(())
}

/// Whether a page's filters let this notification through.
pub(super) fn lets_through(asked: &NotificationPage, row: &Notification) -> bool {
    let id = row.id.to_string();
    let found = |search: &String| id.contains(search) || row.event.event_type.name().contains(search);
    (asked.settings.is_empty() || asked.settings.contains(&row.setting))
        && (asked.statuses.is_empty() || asked.statuses.contains(&row.status))
        && asked.search.as_ref().is_none_or(found)
        && asked
            .subject
            .as_ref()
            .is_none_or(|subject| *subject == row.event.subject)
        && asked.from.is_none_or(|from| from <= row.event.occurred_at)
        && asked.to.is_none_or(|to| row.event.occurred_at <= to)
}
