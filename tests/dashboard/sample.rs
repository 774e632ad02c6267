//! The past of a shop that sells paper and ink: what pages look like where Tollgate has been at work for weeks. Only times
//! differ between two runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::EventType;
use tollgate_domain::id::{Kind, NotificationLogId, NotificationSettingId};
use tollgate_domain::notification::{DeliveryAttempt, Notification, NotificationStatus};
use tollgate_domain::notification_setting::{DestinationType, NotificationSetting, TrafficSource};
use tollgate_domain::origin::OriginPattern;
use tollgate_domain::permission::Permission;
use tollgate_domain::restriction::RateLimit;
use tollgate_domain::role::Role;
use tollgate_domain::simulation::{SimulationEventStatus, SimulationResponse};
use tollgate_domain::usage::{Hour, UsageCounts, UsageDelta};
use tollgate_domain::workspace::Workspace;
use tollgate_service::ambient::SystemClock;
use tollgate_service::{
    Caller, ClientTokenPatch, NewApiKey, NewClientToken, NewNotificationSetting, NewSimulation, RestrictionsPatch,
    Service,
};
use tollgate_storage::{
    AttemptRecord, Change, ClientTokenPage, IdPage, Order, Outcome, Page, SimulationEventKey, SimulationRecord,
    Storage, Write,
};

use super::clock::{Dice, PastClock};
use super::people;

/// Who works there: address, role in the sandbox workspace, name. The first one owns both.
pub(super) const PEOPLE: [(&str, Role, &str); 4] = [
    ("owner@example.com", Role::Owner, "Shop owner"),
    ("admin@example.com", Role::Admin, "Administration"),
    ("developer@example.com", Role::Developer, "Web development"),
    ("viewer@example.com", Role::Viewer, "Customer service"),
];

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const ORDERS: &str = "https://orders.paper-and-ink.example/webhooks/tollgate";
const WAREHOUSE: &str = "https://warehouse.paper-and-ink.example/hooks";

/// The two workspaces; the sandbox one has it all.
pub(super) async fn paper_and_ink(storage: &Arc<dyn Storage>) -> (Workspace, Workspace) {
    let clock = Arc::new(PastClock::before_now(30 * DAY));
    let dice = Arc::new(Dice::new(1));
    let service = Service::new(Arc::clone(storage), clock.clone(), dice.clone());
    let name = || "Paper and Ink".to_owned();
    let sandbox = service.create_workspace(name(), Environment::Sandbox).await.unwrap();
    let live = service.create_workspace(name(), Environment::Live).await.unwrap();
    let mut callers = Vec::new();
    for (email, role, name) in PEOPLE {
        let both = [(&sandbox, role), (&live, role)];
        let places = if role == Role::Owner { &both[..] } else { &both[..1] };
        let member = people::join(&service, places, email, name).await;
        let cookie = people::session(&service, &sandbox, member.user).await;
        let signed_in = service.signed_in(&cookie).await.unwrap().unwrap();
        let address = Some("203.0.113.7".parse().unwrap());
        callers.push(
            service
                .caller_in(&signed_in, sandbox.id, address)
                .await
                .unwrap()
                .unwrap(),
        );
        clock.set_before_now(29 * DAY);
    }
    let shop = Shop {
        storage: Arc::clone(storage),
        service,
        clock,
        dice,
        owner: callers[0].clone(),
        developer: callers[2].clone(),
    };
    shop.destinations().await;
    shop.keys().await;
    shop.tokens().await;
    shop.simulations().await;
    (sandbox, live)
}

struct Shop {
    storage: Arc<dyn Storage>,
    service: Service,
    clock: Arc<PastClock>,
    dice: Arc<Dice>,
    owner: Caller,
    developer: Caller,
}

impl Shop {
    async fn destinations(&self) {
        let tokens = EventType::CLIENT_TOKEN.map(EventType::name).map(str::to_owned).to_vec();
        let all = EventType::ALL.map(EventType::name).map(str::to_owned).to_vec();
        for (days, description, kind, destination, traffic, events) in [
            (
                28,
                "Order service",
                DestinationType::Url,
                ORDERS,
                TrafficSource::All,
                tokens.clone(),
            ),
            (
                27,
                "Warehouse",
                DestinationType::Url,
                WAREHOUSE,
                TrafficSource::Platform,
                tokens,
            ),
            (
                26,
                "Mail to operations",
                DestinationType::Email,
                "operations@example.com",
                TrafficSource::Platform,
                all,
            ),
        ] {
            self.clock.set_before_now(days * DAY);
            let new = NewNotificationSetting {
                description: description.to_owned(),
                destination_type: kind,
                destination: destination.to_owned(),
                api_version: 1,
                include_sensitive_fields: false,
                traffic_source: traffic,
                subscribed_events: events,
            };
            let made = self.service.create_notification_setting(&self.owner, &new).await;
            made.unwrap();
        }
    }

    async fn keys(&self) {
        let read_only = Permission::all().filter(|permission| permission.name().rsplit('.').next() == Some("read"));
        let tokens = [Permission::CLIENT_TOKEN_READ, Permission::CLIENT_TOKEN_WRITE];
        for (days, name, description, permissions, left) in [
            (
                25,
                "Order service",
                "Makes a token for each new storefront",
                Permission::all().collect(),
                None,
            ),
            (
                20,
                "Newsletter tool",
                "Third-party integration: client-side tokens only",
                tokens.into_iter().collect(),
                Some(60),
            ),
            (
                18,
                "Reports",
                "Read-only, for the weekly figures",
                read_only.collect(),
                Some(5),
            ),
            (
                15,
                "Trial of a chat tool",
                "Ended after the trial",
                tokens.into_iter().collect(),
                None,
            ),
        ] {
            self.clock.set_before_now(days * DAY);
            let new = NewApiKey {
                name: name.to_owned(),
                description: Some(description.to_owned()),
                permissions,
                expires_at: left.map(|left: u32| SystemClock.now().plus(left * DAY)),
            };
            let (key, secret) = self.service.create_api_key(&self.owner, new).await.unwrap();
            self.drain().await;
            if name == "Trial of a chat tool" {
                self.clock.set_before_now(9 * DAY);
                self.service.revoke_api_key(&self.owner, key.id).await.unwrap();
            } else {
                self.clock.set_before_now(7 * MINUTE);
                self.service.authenticate(secret.reveal(), None).await.unwrap();
                let write = Write::TouchApiKey {
                    id: key.id,
                    used_at: self.clock.now(),
                };
                self.storage.commit(Change::silent(write)).await.unwrap();
            }
        }
        self.drain().await;
    }

    async fn tokens(&self) {
        let site = "https://paper-and-ink.example";
        let cards = "https://cards.paper-and-ink.example";
        // Made so many days ago; used so often in an hour of the day, from there, the last time so many hours ago.
        for (days, name, description, origins, busy, last) in [
            (24, "Old landing page", "The spring campaign", &[site][..], 9, 12 * 24),
            (
                16,
                "Newsletter sign-up",
                "The form at the foot of each page",
                &[site][..],
                14,
                70,
            ),
            (14, "Greeting cards", "The card designer", &[cards][..], 120, 1),
            (12, "Storefront", "Checkout and basket", &[site, cards][..], 900, 0),
            (10, "In-store kiosk", "The tablet beside the till", &[][..], 35, 2),
            (6, "Gift finder", "", &[site][..], 60, 5),
            (4, "Loyalty card app", "Phones of customers", &[][..], 210, 0),
            (1, "Autumn catalogue", "Not yet online", &[site][..], 0, 0),
        ] {
            self.clock.set_before_now(days * DAY + 3 * HOUR);
            let token = self.token(name, description, origins).await;
            self.drain().await;
            if busy > 0 {
                self.used(&token, origins, busy, last).await;
            }
        }
        self.rename("Storefront", "Storefront 2026", Duration::from_hours(50))
            .await;
        self.end("Old landing page", 3 * DAY).await;
        self.rotate("Newsletter sign-up").await;
    }

    async fn token(&self, name: &str, description: &str, origins: &[&str]) -> ClientToken {
        let mut restrictions = RestrictionsPatch::default();
        if !origins.is_empty() {
            let patterns = origins.iter().map(|origin| OriginPattern::parse(origin).unwrap());
            restrictions.allowed_origins = Some(Some(patterns.collect()));
        }
        if name == "Storefront" {
            restrictions.rate_limit = Some(Some(RateLimit {
                requests: 120.try_into().unwrap(),
                period_seconds: 60.try_into().unwrap(),
            }));
        }
        let new = NewClientToken {
            name: name.to_owned(),
            description: (!description.is_empty()).then(|| description.to_owned()),
            restrictions,
            revoke_at: None,
        };
        let created = self.service.create_client_token(&self.developer, new, None).await;
        created.unwrap().value
    }

    /// An hour at night is quiet, one in the afternoon has `busy` uses.
    async fn used(&self, token: &ClientToken, origins: &[&str], busy: u64, hours_ago: u32) {
        let now = SystemClock.now();
        let this_hour = Hour::of(now);
        let mut deltas = Vec::new();
        for ago in hours_ago..(hours_ago + 1).max(160) {
            let hour = this_hour.minus(ago);
            if hour.begins_at() < token.created_at {
                break;
            }
            let of_day = u64::from(hour.0 % 24);
            let share = 4 + 96 * of_day.saturating_sub(6).min(22_u64.saturating_sub(of_day)) / 8;
            let allowed = busy * share * (80 + self.dice.below(40)) / 10_000;
            let used_at = hour.begins_at().plus(Duration::from_secs(60 + self.dice.below(3_000)));
            let main = allowed * 4 / 5;
            let each = [main, allowed - main];
            deltas.push(UsageDelta {
                workspace: token.workspace,
                id: token.id,
                hour,
                counts: UsageCounts {
                    allowed,
                    refused: if ago % 9 == 2 { 1 + allowed / 40 } else { 0 },
                    ..UsageCounts::default()
                },
                last_used_at: (allowed > 0).then(|| used_at.min(now)),
                origins: origins.iter().map(|origin| (*origin).to_owned()).zip(each).collect(),
            });
        }
        let written = self.storage.commit(Change::silent(Write::RecordUsage(deltas))).await;
        written.unwrap();
    }

    async fn named(&self, name: &str) -> ClientToken {
        let all = ClientTokenPage {
            page: first(),
            statuses: Vec::new(),
        };
        let found = self.service.client_tokens(&self.owner, &all).await.unwrap();
        found.items.into_iter().find(|token| token.name == name).unwrap()
    }

    async fn rename(&self, name: &str, to: &str, ago: Duration) {
        self.clock.set_before_now(ago);
        let patch = ClientTokenPatch {
            name: Some(to.to_owned()),
            ..ClientTokenPatch::default()
        };
        self.change(name, &patch).await;
    }

    async fn end(&self, name: &str, ago: Duration) {
        self.clock.set_before_now(ago);
        let patch = ClientTokenPatch {
            status: Some(ClientTokenStatus::Revoked),
            ..ClientTokenPatch::default()
        };
        self.change(name, &patch).await;
    }

    async fn change(&self, name: &str, patch: &ClientTokenPatch) {
        let token = self.named(name).await;
        let changed = self.service.update_client_token(&self.owner, token.id, patch).await;
        changed.unwrap();
        self.drain().await;
    }

    async fn rotate(&self, name: &str) {
        self.clock.set_before_now(20 * HOUR);
        let token = self.named(name).await;
        let rotated = self
            .service
            .rotate_client_token(&self.developer, token.id, None, None)
            .await;
        rotated.unwrap();
        self.drain().await;
    }

    /// Delivers what is due, as a worker would have: mostly at the first attempt.
    async fn drain(&self) {
        let all = self.storage.all_notification_settings(self.owner.workspace().id).await;
        for setting in all.unwrap() {
            let now = self.clock.now().plus(Duration::from_secs(1));
            let write = Write::LeaseNotifications {
                setting: setting.id,
                now,
                until: now.plus(MINUTE),
                limit: 100,
            };
            let leased = self.storage.commit(Change::silent(write)).await.unwrap();
            let Outcome::Leased(due) = leased else {
                panic!("{leased:?}")
            };
            for notification in due {
                self.attempt(&setting, &notification).await;
            }
        }
    }

    async fn attempt(&self, setting: &NotificationSetting, notification: &Notification) {
        let began = self.clock.now().plus(Duration::from_millis(40 + self.dice.below(900)));
        let (code, body, problem) = match (setting.description.as_str(), self.dice.below(10)) {
            ("Warehouse", 0..6) => (503, "{\"error\":\"stocktaking, back at six\"}", None),
            ("Warehouse", 6..8) => (0, "", Some("the receiver didn't answer within 5 seconds")),
            _ => (200, "{\"received\":true}", None),
        };
        let delivered = code == 200;
        let attempt = DeliveryAttempt {
            id: self.log_id(),
            notification: notification.id,
            response_code: code,
            response_content_type: (!body.is_empty()).then(|| "application/json".to_owned()),
            response_body: body.to_owned(),
            problem: problem.map(str::to_owned),
            attempted_at: began,
            duration_ms: if code == 0 {
                5_000
            } else {
                u32::try_from(30 + self.dice.below(200)).unwrap()
            },
        };
        let waits = self.clock.now() > SystemClock.now().minus(DAY);
        let record = AttemptRecord {
            workspace: setting.workspace,
            setting: setting.id,
            attempts: vec![attempt],
            status: match (delivered, waits) {
                (true, _) => NotificationStatus::Delivered,
                (false, true) => NotificationStatus::NeedsRetry,
                (false, false) => NotificationStatus::Failed,
            },
            retry_at: (!delivered && waits).then(|| SystemClock.now().plus(6 * HOUR)),
            at: began.plus(Duration::from_millis(200)),
        };
        let recorded = self.storage.commit(Change::silent(Write::RecordAttempt(record))).await;
        recorded.unwrap();
    }

    fn log_id(&self) -> NotificationLogId {
        let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
        let letter = |_| char::from(alphabet[usize::try_from(self.dice.below(32)).unwrap()]);
        let tail: String = (0..23).map(letter).collect();
        NotificationLogId::from_tail(&format!("01k{tail}")).unwrap()
    }

    async fn simulations(&self) {
        let all = self.storage.all_notification_settings(self.owner.workspace().id).await;
        let orders = all
            .unwrap()
            .into_iter()
            .find(|setting| setting.destination == ORDERS)
            .unwrap();
        for (days, name, event_type, status) in [
            (
                5,
                "A token is made",
                EventType::ClientTokenCreated,
                SimulationEventStatus::Success,
            ),
            (
                2,
                "A token is revoked",
                EventType::ClientTokenRevoked,
                SimulationEventStatus::Failed,
            ),
            (
                1,
                "A key is about to expire",
                EventType::ApiKeyExpiring,
                SimulationEventStatus::Success,
            ),
        ] {
            self.clock.set_before_now(days * DAY + 90 * MINUTE);
            self.simulation(orders.id, name, event_type, status).await;
        }
    }

    async fn simulation(
        &self,
        setting: NotificationSettingId,
        name: &str,
        event_type: EventType,
        status: SimulationEventStatus,
    ) {
        let payload = json!({ "name": "Storefront" }).as_object().cloned();
        let new = NewSimulation {
            setting,
            event_type,
            name: name.to_owned(),
            payload,
        };
        let simulation = self.service.create_simulation(&self.developer, new).await.unwrap();
        let run = self
            .service
            .run_simulation(&self.developer, simulation.id)
            .await
            .unwrap();
        let page = IdPage {
            page: first(),
            ids: Vec::new(),
        };
        let events = self
            .service
            .simulation_events(&self.developer, (simulation.id, run.id), &page)
            .await;
        for event in events.unwrap().items {
            let key = SimulationEventKey::of(&event);
            let at = self.clock.now();
            let claim = Write::ClaimSimulationEvent { event: key, at };
            self.storage.commit(Change::silent(claim)).await.unwrap();
            let answer = match status {
                SimulationEventStatus::Success => (200, json!({ "received": true })),
                _ => (500, json!({ "error": "no such storefront" })),
            };
            let record = SimulationRecord {
                event: key,
                status,
                request: Some(event.body()),
                response: Some(response(answer)),
                problem: None,
                at,
            };
            let write = Write::RecordSimulationEvent(record);
            self.storage.commit(Change::silent(write)).await.unwrap();
        }
    }
}

fn response((status_code, body): (u16, Value)) -> SimulationResponse {
    SimulationResponse {
        status_code,
        body: body.to_string(),
    }
}

const fn first<K: Kind>() -> Page<K> {
    Page {
        after: None,
        order: Order::Ascending,
        limit: 100,
        count: false,
    }
}
