//! The whole server: a real store, the use-cases, the socket.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tollgate_delivery::{Delivery, Guard, Sender};
use tollgate_domain::ambient::Clock;
use tollgate_domain::environment::Environment;
use tollgate_domain::event::Event;
use tollgate_domain::simulation::SimulationEventStatus;
use tollgate_domain::verdict::TokenFacts;
use tollgate_service::{OpenIdProvider, Service, SignInMethods, Verification};
use tollgate_storage::{Change, EventPage, Order, Outcome, Page, SimulationEventKey, SimulationRecord, Storage, Write};
use tollgate_web::{App, Settings};

use super::ambient::{ManualClock, SeededEntropy};
use super::moody::{Mood, Moody};
use super::store::Database;
use super::{Answer, Key, Request, Store, Tenant, get, patch, post};

/// What comes before `/client-tokens` on the compatible and on the native surface.
pub(crate) const SURFACES: [&str; 2] = ["", "/tollgate"];

/// What the native surface shows of a client token behind the contract's fields, when it is as the compatible one made it.
pub(crate) const PLAIN: &str = r#","restrictions":null,"revoke_at":null,"last_used_at":null"#;

/// A client token of the compatible surface as this one shows it.
pub(crate) fn shown_on(surface: &str, token: &Value) -> Value {
    let mut shown = token.clone();
    if !surface.is_empty() {
        for ours in ["restrictions", "revoke_at", "last_used_at"] {
            shown[ours] = Value::Null;
        }
    }
    shown
}

/// The beginning of an answer that shows what this event's data do, on this surface.
pub(crate) fn shown_as_told(surface: &str, event: &Event) -> String {
    let ours = if surface.is_empty() { "" } else { PLAIN };
    let fields = event.data.strip_suffix('}').expect("an object");
    format!("{{\"data\":{fields}{ours}}},")
}

/// A running server with a sandbox workspace, and a key that may do everything there.
pub(crate) struct TestApp {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) service: Service,
    pub(crate) home: Tenant,
    pub(crate) key: Key,
    pub(crate) address: SocketAddr,
    pub(crate) verification: Arc<Verification>,
    storage: Arc<Moody>,
    database: Database,
    stop: CancellationToken,
    _stops_with_the_test: DropGuard,
}

impl TestApp {
    pub(crate) async fn start(store: Store) -> Self {
        Self::with(store, |_| {}).await
    }

    /// With other settings than those of most tests: no limit of requests, proxies on this machine trusted.
    pub(crate) async fn with(store: Store, adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::with_sign_in(store, SignInMethods::default(), None, adjust).await
    }

    /// With other ways to sign in, too.
    pub(crate) async fn with_sign_in(
        store: Store,
        methods: SignInMethods,
        openid: Option<OpenIdProvider>,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings {
            requests_per_minute: 0,
            ..Settings::default()
        };
        adjust(&mut settings);

        let database = store.fresh().await;
        let storage = Arc::new(Moody::new(database.open().await));
        let clock = Arc::new(ManualClock::at_start());
        let service = Service::new(
            Arc::clone(&storage) as Arc<dyn Storage>,
            Arc::clone(&clock) as Arc<_>,
            Arc::new(SeededEntropy::new(1)),
        )
        .with_sign_in(methods, openid);
        let verification = verification(&storage, &clock).await;
        let knowing = Arc::clone(&verification);
        let service = service.with_token_watch(Arc::new(move |_, facts: &TokenFacts| knowing.apply(facts)));
        let home = Tenant::new(&service, "Paper and Ink", Environment::Sandbox).await;
        let key = home.full_key().await;

        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let app = App::new(service.clone(), Arc::clone(&verification), settings);
        tokio::spawn(tollgate_web::serve(listener, app, stop.clone()));
        let follower = service.clone();
        let until = stop.clone();
        tokio::spawn(async move { follower.follow_api_keys(until).await });
        tokio::spawn(Arc::clone(&verification).run(stop.clone()));

        Self {
            clock,
            service,
            home,
            key,
            address,
            verification,
            storage,
            database,
            _stops_with_the_test: stop.clone().drop_guard(),
            stop,
        }
    }

    /// With other settings; webhooks may go to this machine.
    pub(crate) async fn with_deliveries(store: Store, adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::with(store, |settings| {
            settings.guard = loopback();
            adjust(settings);
        })
        .await
    }

    /// Delivers from now on, until the test ends.
    pub(crate) fn deliver(&self) {
        let delivery = Delivery::new(
            Arc::clone(&self.storage) as Arc<dyn Storage>,
            (Arc::clone(&self.clock) as Arc<_>, Arc::new(SeededEntropy::new(3))),
            (Sender::new(loopback()).expect("certificates"), None),
            tollgate_delivery::Settings::default(),
        );
        tokio::spawn(delivery.run(self.stop.clone()));
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Writes what nothing stands against.
    pub(crate) async fn commit(&self, write: Write) {
        let outcome = self.storage.commit(Change::silent(write)).await;
        assert!(matches!(outcome, Ok(Outcome::Applied { .. })), "{outcome:?}");
    }

    /// Where nothing is delivered: ends what would be sent.
    pub(crate) async fn end_simulation_runs(&self) {
        let due = self.storage.simulation_events_due(self.clock.now(), 100).await;
        for event in due.expect("the store answers") {
            self.commit(Write::RecordSimulationEvent(SimulationRecord {
                event: SimulationEventKey::of(&event),
                status: SimulationEventStatus::Failed,
                request: None,
                response: None,
                problem: None,
                at: self.clock.now(),
            }))
            .await;
        }
    }

    /// As another process on the same database would have them.
    pub(crate) async fn service_of_another_process(&self) -> Service {
        Service::new(
            self.database.open().await,
            Arc::clone(&self.clock) as Arc<_>,
            Arc::new(SeededEntropy::new(2)),
        )
    }

    /// One more workspace.
    pub(crate) async fn workspace(&self, name: &str, environment: Environment) -> Tenant {
        Tenant::new(&self.service, name, environment).await
    }

    pub(crate) fn store(&self) -> &dyn Storage {
        self.storage.as_ref()
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.storage.set(mood);
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// `http://127.0.0.1:…`
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends, and checks the answer against the server's own description.
    pub(crate) async fn send(&self, request: Request) -> Answer {
        let answer = request.send_to(self.address).await;
        super::described::check(self.address, &answer).await;
        answer
    }

    /// Sends in the background, and gives up the turn until the server has surely got it.
    pub(crate) async fn begun(&self, request: Request) -> JoinHandle<Answer> {
        let asking = tokio::spawn(request.send_to(self.address));
        for _ in 0..20 {
            self.send(get("/health/live")).await;
        }
        assert!(!asking.is_finished(), "it waits");
        asking
    }

    /// `GET`, with the key that may do everything.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(get(target).by(&self.key)).await
    }

    /// `POST`, with the key that may do everything.
    pub(crate) async fn post(&self, target: &str, body: &Value) -> Answer {
        self.send(post(target).by(&self.key).json(body)).await
    }

    /// `PATCH`, with the key that may do everything.
    pub(crate) async fn patch(&self, target: &str, body: &Value) -> Answer {
        self.send(patch(target).by(&self.key).json(body)).await
    }

    /// A client token by its name.
    pub(crate) async fn token(&self, name: &str) -> Value {
        self.token_by(&self.key, name).await
    }

    pub(crate) async fn token_by(&self, key: &Key, name: &str) -> Value {
        let create = post("/client-tokens").by(key).json(&json!({ "name": name }));
        self.send(create).await.data(201).clone()
    }

    /// A client token that is revoked, as it is after that.
    pub(crate) async fn revoked_token(&self, name: &str) -> Value {
        let token = self.token(name).await;
        let target = format!("/client-tokens/{}", super::at(&token, "id"));
        self.patch(&target, &json!({ "status": "revoked" }))
            .await
            .data(200)
            .clone()
    }

    /// What the store holds of the home workspace's events, oldest first.
    pub(crate) async fn stored_events(&self) -> Vec<Event> {
        let page = Page {
            after: None,
            order: Order::Ascending,
            limit: 1_000,
            count: false,
        };
        let page = EventPage { page, types: None };
        let events = self.storage.events(self.home.workspace.id, &page).await;
        events.expect("the store answers").items
    }

    /// The names and data of the home workspace's events about one entity, oldest first.
    pub(crate) async fn events_of(&self, id: &str) -> Vec<Event> {
        let mut events = self.stored_events().await;
        events.retain(|event| event.subject == id);
        events
    }
}

async fn verification(storage: &Arc<Moody>, clock: &Arc<ManualClock>) -> Arc<Verification> {
    let storage = Arc::clone(storage) as Arc<dyn Storage>;
    let entropy = SeededEntropy::new(4);
    let settings = tollgate_verifier::Settings::default();
    let loading = Verification::load(storage, Arc::clone(clock) as Arc<_>, &entropy, settings);
    loading.await.expect("the store answers")
}

fn loopback() -> Guard {
    Guard::new(vec!["127.0.0.0/8".parse().expect("a network")])
}
