//! Databases and changes to test with.

use std::sync::atomic::{AtomicU64, Ordering};

use tollgate_domain::ambient::Entropy;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{ApiKeyId, Id, Kind, NotificationId, NotificationSettingId, WorkspaceId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::signature::EndpointSecret;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;
use tollgate_storage::{AttemptRecord, Change, IdempotencyKey, IdempotentAnswer, SettingsSeen, Write};

use crate::postgres::connect::Connector;

/// The URL of a new, empty schema on the test server.
pub(super) async fn fresh_schema() -> String {
    let url = std::env::var("TOLLGATE_TEST_POSTGRES")
        .expect("TOLLGATE_TEST_POSTGRES names no server to test on: run ./scripts/test, which starts one");
    let (client, _driver) = Connector::new(&url)
        .unwrap()
        .connect()
        .await
        .expect("the server answers");
    let name = "SELECT 'test_' || replace(gen_random_uuid()::text, '-', '')";
    let schema: String = client.query_one(name, &[]).await.unwrap().get(0);
    client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}options=-csearch_path%3D{schema}")
}

/// Runs SQL behind the store's back.
pub(super) async fn sql(url: &str, sql: &str) {
    let (client, _driver) = Connector::new(url).unwrap().connect().await.unwrap();
    client.batch_execute(sql).await.unwrap();
}

pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

/// Makes changes in one workspace; each number has ids of its own.
pub(super) struct Seed {
    pub(super) workspace: WorkspaceId,
    number: u64,
    made: AtomicU64,
}

impl Seed {
    pub(super) fn new(number: u64) -> Self {
        Self {
            workspace: Id::from_tail(&format!("{number:026}")).unwrap(),
            number,
            made: AtomicU64::new(0),
        }
    }

    fn next(&self) -> u64 {
        self.number * 1_000_000 + self.made.fetch_add(1, Ordering::Relaxed)
    }

    fn id<K: Kind>(&self) -> Id<K> {
        Id::from_tail(&format!("{:026}", self.next())).unwrap()
    }

    pub(super) fn api_key_id(&self) -> ApiKeyId {
        self.id()
    }

    pub(super) fn workspace(&self) -> Workspace {
        Workspace {
            id: self.workspace,
            name: "Tests".to_owned(),
            environment: Environment::Sandbox,
            created_at: at(1),
        }
    }

    /// A client token and the change that makes it.
    pub(super) fn new_token(&self) -> (ClientToken, Change) {
        let token = ClientToken {
            workspace: self.workspace,
            id: self.id(),
            token: TokenText::generate(Environment::Sandbox, &Counted(self.next())),
            name: "Checkout".to_owned(),
            description: None,
            status: ClientTokenStatus::Active,
            created_at: at(1_000),
            updated_at: at(1_000),
            revoked_at: None,
            restrictions: None,
            revoke_at: None,
            version: 1,
        };
        let change = Change {
            events: vec![self.event(EventType::ClientTokenCreated, &token)],
            ..Change::silent(Write::CreateClientToken(token.clone()))
        };
        (token, change)
    }

    /// The same under an idempotency key.
    pub(super) fn new_token_named(&self, key: &str) -> (ClientToken, Change) {
        let (token, mut change) = self.new_token();
        let key = IdempotencyKey {
            api_key: Id::from_tail(&"k".repeat(26)).unwrap(),
            key: key.to_owned(),
        };
        let answer = IdempotentAnswer {
            request_digest: [7; 32],
            answer: token.id.to_string(),
            expires_at: at(90_000_000_000),
        };
        change.idempotency = Some((key, answer));
        (token, change)
    }

    pub(super) fn revoke(&self, token: &ClientToken) -> Change {
        let revoked = ClientToken {
            status: ClientTokenStatus::Revoked,
            updated_at: at(2_000),
            revoked_at: Some(at(2_000)),
            version: token.version + 1,
            ..token.clone()
        };
        Change {
            events: vec![
                self.event(EventType::ClientTokenUpdated, &revoked),
                self.event(EventType::ClientTokenRevoked, &revoked),
            ],
            ..Change::silent(Write::UpdateClientToken {
                from: token.clone(),
                to: revoked,
            })
        }
    }

    /// An active setting for everything about client tokens.
    pub(super) fn setting(&self) -> NotificationSetting {
        let id = self.id();
        NotificationSetting {
            workspace: self.workspace,
            id,
            description: "Receiver".to_owned(),
            destination_type: DestinationType::Url,
            destination: "https://receiver.example/webhooks".to_owned(),
            active: true,
            api_version: 1,
            include_sensitive_fields: false,
            traffic_source: TrafficSource::Platform,
            subscribed_events: ["client_token.created", "client_token.updated", "client_token.revoked"]
                .map(str::to_owned)
                .to_vec(),
            secret: EndpointSecret::generate(id, &Counted(self.next())),
            previous_secret: None,
            failing_since: None,
            created_at: at(1),
            updated_at: at(1),
            version: 1,
        }
    }

    /// One attempt that leaves the notification so.
    pub(super) fn attempt(&self, notification: &Notification, status: NotificationStatus, seconds: i64) -> Change {
        let at = at(seconds * 1_000_000);
        let retry_at = (status == NotificationStatus::NeedsRetry).then_some(at);
        Change::silent(Write::RecordAttempt(AttemptRecord {
            workspace: notification.workspace,
            setting: notification.setting,
            attempts: vec![DeliveryAttempt {
                id: self.id(),
                notification: notification.id,
                response_code: if status == NotificationStatus::Delivered {
                    200
                } else {
                    500
                },
                response_content_type: Some("text/plain".to_owned()),
                response_body: "ok".to_owned(),
                problem: None,
                attempted_at: at,
                duration_ms: 12,
            }],
            status,
            retry_at,
            at,
        }))
    }

    pub(super) fn replay(&self, original: NotificationId, seconds: i64) -> Change {
        Change::silent(Write::ReplayNotification {
            workspace: self.workspace,
            original,
            id: self.id(),
            at: at(seconds * 1_000_000),
        })
    }

    fn event(&self, event_type: EventType, token: &ClientToken) -> Event {
        Event {
            workspace: self.workspace,
            id: self.id(),
            event_type,
            occurred_at: token.updated_at,
            subject: token.id.to_string(),
            data: format!("{{\"id\":\"{}\"}}", token.id),
            actor: Actor::CommandLine,
            address: None,
        }
    }
}

/// Makes `setting` beside `others`.
pub(super) fn create_setting(setting: &NotificationSetting, others: &[NotificationSetting]) -> Change {
    Change::silent(Write::CreateNotificationSetting {
        setting: setting.clone(),
        seen: SettingsSeen::of(others),
    })
}

/// Takes up to `limit` that are due at a second, until another.
pub(super) fn lease(setting: NotificationSettingId, (now, until): (i64, i64), limit: usize) -> Change {
    Change::silent(Write::LeaseNotifications {
        setting,
        now: at(now * 1_000_000),
        until: at(until * 1_000_000),
        limit,
    })
}

/// Bytes that differ by number.
struct Counted(u64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        let number = self.0.to_le_bytes();
        for (place, byte) in buffer.iter_mut().enumerate() {
            *byte = number[place % 8] % 248;
        }
    }
}
