//! A store, the use-cases and the delivery plane, in a time that stands still unless it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tollgate_delivery::{Delivery, Guard, Sender, Settings};
use tollgate_domain::ambient::Clock;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{NotificationId, NotificationSettingId};
use tollgate_domain::notification::{DeliveryAttempt, Notification};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::time::Timestamp;
use tollgate_service::ambient::OsEntropy;
use tollgate_service::{Caller, NewClientToken, NewNotificationSetting, Service};
use tollgate_storage::{NotificationPage, Order, Page, Storage};
use tollgate_storage_sql::postgres::{PostgresOptions, PostgresStore};
use tollgate_storage_sql::sqlite::{SqliteOptions, SqliteStore};

use crate::receiver::PATIENCE;

/// A clock that stands still.
pub(crate) struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// What a test acts on.
pub(crate) struct Stage {
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) service: Service,
    pub(crate) caller: Caller,
    place: Where,
}

/// Where the store is; it goes with the stage, or with the tests' server.
enum Where {
    Sqlite(tempfile::TempDir),
    Postgres(String),
}

impl Where {
    async fn open(&self) -> Arc<dyn Storage> {
        match self {
            Self::Sqlite(dir) => Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap()),
            Self::Postgres(url) => {
                let options = PostgresOptions {
                    readers: 2, // many stages stand at once, and the server's connections are limited
                    ..PostgresOptions::default()
                };
                Arc::new(PostgresStore::open(url, options).await.unwrap())
            }
        }
    }
}

impl Stage {
    /// Over an embedded store of its own.
    pub(crate) async fn sqlite(environment: Environment) -> Self {
        Self::over(Where::Sqlite(tempfile::tempdir().unwrap()), environment).await
    }

    /// Over a schema of its own on the tests' server.
    pub(crate) async fn postgres(environment: Environment) -> Self {
        Self::over(Where::Postgres(fresh_schema().await), environment).await
    }

    async fn over(place: Where, environment: Environment) -> Self {
        let store = place.open().await;
        let start = Timestamp::parse("2026-03-02T09:15:04.218733Z").unwrap();
        let clock = Arc::new(StoppedClock(AtomicI64::new(start.as_micros())));
        let service = Service::new(Arc::clone(&store), Arc::clone(&clock) as _, Arc::new(OsEntropy));
        let workspace = service.create_workspace("Stage".to_owned(), environment).await.unwrap();
        Self {
            store,
            clock,
            service,
            caller: Caller::command_line(workspace),
            place,
        }
    }

    /// Delivers, with loopback open, until the worker is stopped or dropped.
    pub(crate) fn deliver(&self) -> Worker {
        self.deliver_with(open_loopback(), quick())
    }

    pub(crate) fn deliver_with(&self, sender: Sender, settings: Settings) -> Worker {
        self.deliver_over(Arc::clone(&self.store), sender, settings)
    }

    /// With another way to the store.
    pub(crate) fn deliver_over(&self, store: Arc<dyn Storage>, sender: Sender, settings: Settings) -> Worker {
        let ambient = (Arc::clone(&self.clock) as _, Arc::new(OsEntropy) as _);
        let delivery = Delivery::new(store, ambient, (sender, None), settings);
        let stop = CancellationToken::new();
        let task = tokio::spawn(delivery.run(stop.clone()));
        Worker { stop, task }
    }

    /// The same store, as another process opens it.
    pub(crate) async fn opened_again(&self) -> Arc<dyn Storage> {
        self.place.open().await
    }

    /// The embedded store's file, as somebody else reaches it.
    pub(crate) fn file(&self) -> rusqlite::Connection {
        let Where::Sqlite(dir) = &self.place else {
            panic!("it has no file");
        };
        let file = rusqlite::Connection::open(dir.path().join("tollgate.sqlite3")).unwrap();
        file.busy_timeout(PATIENCE).unwrap();
        file
    }

    /// The embedded store, as another process opens it.
    pub(crate) fn another_process(&self) -> SqliteStore {
        let Where::Sqlite(dir) = &self.place else {
            panic!("it has no file");
        };
        SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// A URL destination that wants everything that happens to client tokens.
    pub(crate) async fn destination(&self, url: &str) -> NotificationSetting {
        let new = NewNotificationSetting {
            description: "Stage".to_owned(),
            destination_type: DestinationType::Url,
            destination: url.to_owned(),
            api_version: 1,
            include_sensitive_fields: false,
            traffic_source: TrafficSource::Platform,
            subscribed_events: ["client_token.created", "client_token.updated", "client_token.revoked"]
                .map(str::to_owned)
                .to_vec(),
        };
        let made = self.service.create_notification_setting(&self.caller, &new).await;
        made.unwrap()
    }

    pub(crate) async fn setting(&self, id: NotificationSettingId) -> NotificationSetting {
        self.service.notification_setting(&self.caller, id).await.unwrap()
    }

    /// Makes something happen: a token is created.
    pub(crate) async fn event(&self) {
        let new = NewClientToken {
            name: "Stage".to_owned(),
            ..NewClientToken::default()
        };
        self.service.create_client_token(&self.caller, new, None).await.unwrap();
    }

    /// This many events, all at once.
    pub(crate) async fn events(&self, count: usize) {
        let events: Vec<_> = (0..count).map(|_| self.event()).collect();
        futures_util::future::join_all(events).await;
    }

    /// The latest notifications, up to 200.
    pub(crate) async fn notifications(&self) -> Vec<Notification> {
        let page = NotificationPage {
            page: Page {
                after: None,
                order: Order::Descending,
                limit: 200,
                count: false,
            },
            settings: Vec::new(),
            statuses: Vec::new(),
            search: None,
            subject: None,
            from: None,
            to: None,
        };
        self.service.notifications(&self.caller, &page).await.unwrap().items
    }

    /// The one that there is.
    pub(crate) async fn only(&self) -> Notification {
        let all = self.notifications().await;
        let [one] = <[Notification; 1]>::try_from(all).expect("one notification");
        one
    }

    pub(crate) async fn notification(&self, id: NotificationId) -> Notification {
        self.service.notification(&self.caller, id).await.unwrap()
    }

    /// The log of a notification, oldest first.
    pub(crate) async fn log(&self, id: NotificationId) -> Vec<DeliveryAttempt> {
        let page = Page {
            after: None,
            order: Order::Ascending,
            limit: 200,
            count: false,
        };
        let log = self.service.delivery_attempts(&self.caller, id, &page).await;
        log.unwrap().items
    }

    /// Waits until all notifications are as `fits` says.
    pub(crate) async fn until(&self, fits: impl Fn(&Notification) -> bool) -> Vec<Notification> {
        self.until_all(|all| all.iter().all(&fits)).await
    }

    /// Waits until so many notifications are as `fits` says.
    pub(crate) async fn until_some(&self, count: usize, fits: impl Fn(&Notification) -> bool) {
        self.until_all(|all| all.iter().filter(|one| fits(one)).count() == count)
            .await;
    }

    async fn until_all(&self, fit: impl Fn(&[Notification]) -> bool) -> Vec<Notification> {
        let look = async || {
            let all = self.notifications().await;
            fit(&all).then_some(all)
        };
        match self.until_there_is(look).await {
            Some(all) => all,
            None => panic!("it doesn't come to that: {:#?}", self.notifications().await),
        }
    }

    /// Waits until all that is due is leased.
    pub(crate) async fn until_nothing_is_due(&self) {
        let look = async || {
            let due = self.store.due_notification_settings(self.now()).await.unwrap();
            due.is_empty().then_some(())
        };
        self.until_there_is(look).await.expect("it is leased");
    }

    async fn until_there_is<T>(&self, look: impl AsyncFn() -> Option<T>) -> Option<T> {
        let mut pulse = self.store.pulse();
        let wait = async {
            loop {
                pulse.borrow_and_update();
                if let Some(found) = look().await {
                    return found;
                }
                // A store needn't ring at once for what has no event.
                let _ = tokio::time::timeout(Duration::from_millis(20), pulse.changed()).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.ok()
    }

    /// Waits until the one notification was attempted so often; gives it and its log.
    pub(crate) async fn attempted(&self, times: u32) -> (Notification, Vec<DeliveryAttempt>) {
        self.until(|notification| notification.times_attempted >= times).await;
        let notification = self.only().await;
        let log = self.log(notification.id).await;
        (notification, log)
    }
}

/// A delivery plane at work; cut off when dropped, as by a crash.
pub(crate) struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    /// Asks it to stop, and waits for the attempts under way.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, &mut self.task).await.unwrap().unwrap();
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.task.is_finished()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Looks often, for time moves in leaps here.
pub(crate) fn quick() -> Settings {
    Settings {
        look_every: Duration::from_millis(5),
        ..Settings::default()
    }
}

pub(crate) fn open_loopback() -> Sender {
    Sender::new(Guard::new(vec!["127.0.0.0/8".parse().unwrap()])).unwrap()
}

async fn fresh_schema() -> String {
    let server = std::env::var("TOLLGATE_TEST_POSTGRES")
        .expect("TOLLGATE_TEST_POSTGRES names no PostgreSQL server: run ./scripts/test, which starts one");
    let mut name = [0; 8];
    tollgate_domain::ambient::Entropy::fill(&OsEntropy, &mut name);
    let schema = format!("delivery_{:016x}", u64::from_be_bytes(name));
    let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    format!("{server}{separator}options=-csearch_path%3D{schema}")
}
