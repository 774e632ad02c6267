//! A workspace that has one of everything, and a request to each endpoint that is right.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tollgate_domain::ambient::Clock;
use tollgate_domain::id::{Id, NotificationId, NotificationSettingId, SimulationId};
use tollgate_domain::notification::{DeliveryAttempt, NotificationStatus};
use tollgate_storage::{AttemptRecord, IdPage, Order, Page, Write};
use tollgate_web::Endpoint;

use super::{Key, Request, Store, TestApp, at, request};

/// Where nothing answers.
pub(crate) const NOWHERE: &str = "https://127.0.0.1:9";

/// A server with things in its first workspace to be asked for.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) token: Value,
    /// A key of the first workspace that asks for nothing.
    pub(crate) other_key: Key,
    pub(crate) setting: Value,
    /// One that has failed, so that it can be replayed.
    pub(crate) notification: String,
    pub(crate) simulation: Value,
    run: String,
    event: String,
    /// A setting that may be deleted.
    doomed: Mutex<String>,
    made: AtomicU32,
}

impl Scene {
    pub(crate) async fn set(store: Store) -> Self {
        let app = TestApp::with_deliveries(store, |_| {}).await;
        let made = AtomicU32::new(0);
        let setting = app.post("/notification-settings", &new_setting(&made)).await;
        let setting = setting.data(201).clone();
        let doomed = app.post("/notification-settings", &new_setting(&made)).await;
        let doomed = Mutex::new(at(doomed.data(201), "id").to_owned());
        let token = app.token("Kiosk").await;
        let other_key = app.home.key(&[]).await;
        let target = format!("/notifications?notification_setting_id={}", at(&setting, "id"));
        let notification = app.get(&target).await.column("id")[0].to_owned();
        fail(&app, &notification, at(&setting, "id")).await;

        let simulation = app.post("/simulations", &new_simulation(&setting)).await;
        let simulation = simulation.data(201).clone();
        let runs = format!("/simulations/{}/runs", at(&simulation, "id"));
        let run = at(app.post(&runs, &json!({})).await.data(201), "id").to_owned();
        let events = app.get(&format!("{runs}/{run}/events")).await;
        let event = events.column("id")[0].to_owned();
        Self {
            app,
            token,
            other_key,
            setting,
            notification,
            simulation,
            run,
            event,
            doomed,
            made,
        }
    }

    /// A request to this endpoint that is right in everything but, perhaps, who sends it.
    pub(crate) async fn request(&self, endpoint: &Endpoint) -> Request {
        let mut setting = at(&self.setting, "id").to_owned();
        if endpoint.method == "DELETE" {
            setting = self.doomed().await;
        }
        self.app.end_simulation_runs().await; // so that it can be run again
        let mut path = endpoint.path.to_owned();
        for (name, id) in [
            ("{client_token_id}", at(&self.token, "id")),
            ("{api_key_id}", &self.other_key.id.to_string()),
            ("{notification_setting_id}", &setting),
            ("{notification_id}", &self.notification),
            ("{simulation_id}", at(&self.simulation, "id")),
            ("{simulation_run_id}", &self.run),
            ("{simulation_event_id}", &self.event),
            ("{code}", "forbidden"),
        ] {
            path = path.replace(name, id);
        }
        let request = request(endpoint.method.as_str(), path);
        match self.body(endpoint) {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    fn body(&self, endpoint: &Endpoint) -> Option<Value> {
        let path = endpoint.path.trim_start_matches("/tollgate");
        Some(match (endpoint.method.as_str(), path) {
            ("POST", "/client-tokens") => json!({ "name": "Stall" }),
            ("PATCH", "/client-tokens/{client_token_id}") => json!({ "status": "revoked" }),
            ("POST", "/notification-settings") => new_setting(&self.made),
            ("PATCH", "/notification-settings/{notification_setting_id}") => json!({ "description": "Till" }),
            ("POST", "/simulations") => new_simulation(&self.setting),
            ("PATCH", "/simulations/{simulation_id}") => json!({ "name": "Till" }),
            ("POST", "/simulations/trigger") => json!({ "type": "client_token.revoked" }),
            _ => return None,
        })
    }

    /// A setting that is there to be deleted.
    async fn doomed(&self) -> String {
        let id = self.doomed.lock().clone();
        if self.app.get(&format!("/notification-settings/{id}")).await.status == 200 {
            return id;
        }
        let made = self.app.post("/notification-settings", &new_setting(&self.made)).await;
        let id = at(made.data(201), "id").to_owned();
        self.doomed.lock().clone_from(&id);
        id
    }

    /// The first workspace as its own key sees it.
    pub(crate) async fn state(&self) -> Vec<Value> {
        let mut state = Vec::new();
        for list in [
            "/client-tokens?status=active,revoked",
            "/events",
            "/notification-settings",
            "/notifications",
            "/simulations?status=active,archived",
        ] {
            state.push(self.app.get(list).await.data(200).clone());
        }
        let simulation = id::<tollgate_domain::id::SimulationKind>(at(&self.simulation, "id"));
        state.push(json!(self.runs(simulation).await));
        state
    }

    async fn runs(&self, simulation: SimulationId) -> usize {
        let page = Page {
            after: None,
            order: Order::Ascending,
            limit: 1_000,
            count: false,
        };
        let page = IdPage { page, ids: Vec::new() };
        let workspace = self.app.home.workspace.id;
        let runs = self.app.storage().simulation_runs(workspace, simulation, &page).await;
        runs.expect("the store answers").items.len()
    }

    /// Whatever names something of the first workspace.
    pub(crate) fn names(&self) -> Vec<String> {
        vec![
            at(&self.token, "id").to_owned(),
            at(&self.token, "token").to_owned(),
            self.other_key.id.to_string(),
            self.app.key.id.to_string(),
            self.app.home.workspace.id.to_string(),
            at(&self.setting, "id").to_owned(),
            at(&self.setting, "endpoint_secret_key").to_owned(),
            self.notification.clone(),
            at(&self.simulation, "id").to_owned(),
            self.run.clone(),
            self.event.clone(),
        ]
    }
}

/// Each to a destination of its own; all take everything.
fn new_setting(made: &AtomicU32) -> Value {
    let number = made.fetch_add(1, Ordering::Relaxed);
    json!({
        "description": "Shop backend",
        "type": "url",
        "destination": format!("{NOWHERE}/{number}"),
        "subscribed_events": ["client_token.created"],
        "traffic_source": "all",
    })
}

fn new_simulation(setting: &Value) -> Value {
    json!({ "notification_setting_id": setting["id"], "type": "client_token.created", "name": "Kiosk" })
}

fn id<K: tollgate_domain::id::Kind>(text: &str) -> Id<K> {
    Id::parse(text).expect("an id of ours")
}

/// The one attempt that the sandbox's schedule had left.
async fn fail(app: &TestApp, notification: &str, setting: &str) {
    let (notification, setting): (NotificationId, NotificationSettingId) = (id(notification), id(setting));
    let at = app.clock.now();
    let attempt = DeliveryAttempt {
        id: Id::from_tail(notification.tail()).expect("a tail"),
        notification,
        response_code: 500,
        response_content_type: None,
        response_body: String::new(),
        problem: None,
        attempted_at: at,
        duration_ms: 1,
    };
    app.commit(Write::RecordAttempt(AttemptRecord {
        workspace: app.home.workspace.id,
        setting,
        attempts: vec![attempt],
        status: NotificationStatus::Failed,
        retry_at: None,
        at,
    }))
    .await;
}
