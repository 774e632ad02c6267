//! A workspace that has one of everything, and a request to each endpoint that is right.

use parking_lot::Mutex;
use serde_json::{Value, json};
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::role::Role;
use tollgate_web::Endpoint;

use super::{Key, Person, Request, Store, TestApp, at, new_setting, path_of, request};

/// Where nothing answers.
pub(crate) const NOWHERE: &str = "https://127.0.0.1:9";

/// A server with things in its first workspace to be asked for.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) token: Value,
    /// One that isn't revoked.
    lasting: Value,
    /// A key of the first workspace that asks for nothing.
    pub(crate) other_key: Key,
    pub(crate) setting: Value,
    /// Delivered, so that it can be replayed.
    notification: Value,
    simulation: Value,
    run: String,
    event: String,
    /// A setting that may be deleted.
    doomed: Mutex<Value>,
    /// A member who does nothing.
    pub(crate) member: Person,
}

impl Scene {
    pub(crate) async fn set(store: Store) -> Self {
        let app = TestApp::start(store).await;
        let setting = app.setting(&json!({ "traffic_source": "all" })).await;
        let lasting = app.token("Stall").await;
        let token = app.token("Kiosk").await;
        let notification = app.newest_notification().await;
        let notification = app.attempted(&notification, NotificationStatus::Delivered).await;
        let other_key = app.home.key(&[]).await;
        let doomed = Mutex::new(app.setting(&json!({})).await);
        let member = Person::new(&app, &app.home, "member@example.com", Role::Viewer).await;

        let simulation = app.post("/simulations", &new_simulation(&setting)).await;
        let simulation = simulation.data(201).clone();
        let runs = format!("/simulations/{}/runs", at(&simulation, "id"));
        let run = at(app.post(&runs, &json!({})).await.data(201), "id").to_owned();
        let events = app.get(&format!("{runs}/{run}/events")).await;
        let event = events.column("id")[0].to_owned();
        app.end_simulation_runs().await;
        Self {
            app,
            token,
            lasting,
            other_key,
            setting,
            notification,
            simulation,
            run,
            event,
            doomed,
            member,
        }
    }

    /// A request to this endpoint that is right in everything but, perhaps, who sends it.
    pub(crate) async fn request(&self, endpoint: &Endpoint) -> Request {
        let setting = if endpoint.method == "DELETE" {
            self.doomed().await
        } else {
            self.setting.clone()
        };
        let token = if endpoint.path.ends_with("/rotate") {
            &self.lasting
        } else {
            &self.token
        };
        self.app.end_simulation_runs().await; // so that it can be run again
        let mut path = endpoint.path.to_owned();
        for (name, id) in [
            ("{client_token_id}", at(token, "id")),
            ("{api_key_id}", &self.other_key.id.to_string()),
            ("{notification_setting_id}", at(&setting, "id")),
            ("{notification_id}", at(&self.notification, "id")),
            ("{simulation_id}", at(&self.simulation, "id")),
            ("{simulation_run_id}", &self.run),
            ("{simulation_event_id}", &self.event),
            ("{code}", "forbidden"),
        ] {
            path = path.replace(name, id);
        }
        if path.contains("{file}") {
            let manifest = self.app.get("/js/v1/manifest.json").await;
            path = path.replace("{file}", at(manifest.json(), "file"));
        }
        let request = request(endpoint.method.as_str(), path);
        if endpoint.path == "/tollgate/introspect" {
            return request.form(format!("token={}", at(&self.token, "token")));
        }
        match self.body(endpoint) {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    /// The address of a page or form of the dashboard, with the first workspace's ids in it.
    pub(crate) fn place(&self, path: &str) -> String {
        let mut parts = path.split('/').skip(2);
        let id = match (parts.next(), parts.next()) {
            (Some("client-tokens"), _) => at(&self.token, "id").to_owned(),
            (Some("api-keys"), _) => self.other_key.id.to_string(),
            (Some("notifications"), Some("destinations")) => at(&self.setting, "id").to_owned(),
            (Some("notifications"), _) => at(&self.notification, "id").to_owned(),
            (Some("events"), _) => at(&self.notification["payload"], "event_id").to_owned(),
            (Some("settings"), _) => self.member.id.to_string(),
            (Some("account"), Some("passkeys")) => "psk_01khqw72q437v2n2wtbrraawbn".to_owned(),
            _ => String::new(),
        };
        path.replace("{id}", &id)
            .replace("{simulation}", at(&self.simulation, "id"))
            .replace("{run}", &self.run)
            .replace("{event}", &self.event)
            .replace("{attempt}", "ntflog_01khqw72q437v2n2wtbrraawbn")
            .replace("{secret}", "guess")
    }

    fn body(&self, endpoint: &Endpoint) -> Option<Value> {
        let path = endpoint.path.trim_start_matches("/tollgate");
        Some(match (endpoint.method.as_str(), path) {
            ("POST", "/client-tokens") => json!({ "name": "Stall" }),
            ("PATCH", "/client-tokens/{client_token_id}") => json!({ "status": "revoked" }),
            ("POST", "/notification-settings") => destination(),
            ("PATCH", "/notification-settings/{notification_setting_id}") => json!({ "description": "Till" }),
            ("POST", "/simulations") => new_simulation(&self.setting),
            ("PATCH", "/simulations/{simulation_id}") => json!({ "name": "Till" }),
            ("POST", "/simulations/trigger") => json!({ "type": "client_token.revoked" }),
            _ => return None,
        })
    }

    /// A setting that is there to be deleted.
    async fn doomed(&self) -> Value {
        let doomed = self.doomed.lock().clone();
        if self.app.get(&path_of(&doomed)).await.status == 200 {
            return doomed;
        }
        let next = self.app.setting(&json!({})).await;
        self.doomed.lock().clone_from(&next);
        next
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
        let runs = format!("/simulations/{}/runs?include=events", at(&self.simulation, "id"));
        state.push(self.app.get(&runs).await.data(200).clone());
        state
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
            at(&self.notification, "id").to_owned(),
            at(&self.simulation, "id").to_owned(),
            self.run.clone(),
            self.event.clone(),
            self.member.id.to_string(),
        ]
    }
}

/// Takes everything.
fn destination() -> Value {
    new_setting(&json!({ "traffic_source": "all" }))
}

fn new_simulation(setting: &Value) -> Value {
    json!({ "notification_setting_id": setting["id"], "type": "client_token.created", "name": "Kiosk" })
}
