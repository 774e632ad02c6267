//! Every endpoint as nobody, as a stranger from another workspace, and with each permission missing. A new endpoint
//! needs a row here; its handler can't be forgotten.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;
use tollgate_domain::permission::Permission;
use tollgate_web::{Access, Endpoint, Surface};

use crate::support::{Answer, Key, Request, Store, TestApp, at, every_permission_but, new_setting, path_of, request};

/// Who may ask, as the contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Anybody.
    Anybody,
    /// Anybody, or a valid key.
    AnybodyOrKey,
    /// Any valid key.
    AnyKey,
    /// A key with this permission, or the key itself.
    Itself(&'static str),
    /// A key with this permission.
    With(&'static str),
}

#[rustfmt::skip]
const EXPECTED: &[(&str, &str, Who)] = &[
    ("GET", "/", Who::AnybodyOrKey),
    ("GET", "/client-tokens", Who::With("client_token.read")),
    ("POST", "/client-tokens", Who::With("client_token.write")),
    ("GET", "/client-tokens/{client_token_id}", Who::With("client_token.read")),
    ("PATCH", "/client-tokens/{client_token_id}", Who::With("client_token.write")),
    ("GET", "/api-keys", Who::With("api_key.read")),
    ("GET", "/api-keys/{api_key_id}", Who::Itself("api_key.read")),
    ("GET", "/events", Who::With("notification.read")),
    ("GET", "/event-types", Who::AnyKey),
    ("GET", "/notification-settings", Who::With("notification_setting.read")),
    ("POST", "/notification-settings", Who::With("notification_setting.write")),
    ("GET", "/notification-settings/{notification_setting_id}", Who::With("notification_setting.read")),
    ("PATCH", "/notification-settings/{notification_setting_id}", Who::With("notification_setting.write")),
    ("DELETE", "/notification-settings/{notification_setting_id}", Who::With("notification_setting.write")),
    ("GET", "/notifications", Who::With("notification.read")),
    ("GET", "/notifications/{notification_id}", Who::With("notification.read")),
    ("GET", "/notifications/{notification_id}/logs", Who::With("notification.read")),
    ("POST", "/notifications/{notification_id}/replay", Who::With("notification.write")),
    ("GET", "/tollgate/client-tokens", Who::With("client_token.read")),
    ("POST", "/tollgate/client-tokens", Who::With("client_token.write")),
    ("GET", "/tollgate/client-tokens/{client_token_id}", Who::With("client_token.read")),
    ("PATCH", "/tollgate/client-tokens/{client_token_id}", Who::With("client_token.write")),
    ("GET", "/tollgate/notification-settings/{notification_setting_id}/secrets", Who::With("notification_setting.read")),
    ("POST", "/tollgate/notification-settings/{notification_setting_id}/rotate-secret", Who::With("notification_setting.write")),
    ("GET", "/tollgate/notifications/{notification_id}/logs", Who::With("notification.read")),
    ("GET", "/tollgate/events", Who::With("notification.read")),
    ("GET", "/tollgate/errors", Who::Anybody),
    ("GET", "/tollgate/errors/{code}", Who::Anybody),
    ("GET", "/health/live", Who::Anybody),
    ("GET", "/health/ready", Who::Anybody),
    ("GET", "/openapi.json", Who::Anybody),
];

fn expected(endpoint: &Endpoint) -> Who {
    let row = EXPECTED
        .iter()
        .find(|(method, path, _)| *method == endpoint.method.as_str() && *path == endpoint.path);
    row.unwrap_or_else(|| panic!("{} {} has no row in this sweep", endpoint.method, endpoint.path))
        .2
}

fn is_native(endpoint: &Endpoint) -> bool {
    endpoint.surface == Surface::Native
}

/// The table but for simulations, whose cases are their own.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let all = tollgate_web::endpoints().into_iter();
    all.filter(|endpoint| !endpoint.path.contains("simulation")).collect()
}

/// A server with things in its first workspace to be asked for.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    token: Value,
    /// A key of the first workspace that asks for nothing.
    other_key: Key,
    pub(crate) setting: Value,
    /// Delivered, so that it can be replayed.
    notification: Value,
}

impl Scene {
    pub(crate) async fn set(store: Store) -> Self {
        let app = TestApp::start(store).await;
        let setting = app.setting(&json!({})).await;
        let token = app.token("Kiosk").await;
        let notification = app.newest_notification().await;
        let notification = app.attempted(&notification, NotificationStatus::Delivered).await;
        let other_key = app.home.key(&[]).await;
        Self {
            app,
            token,
            other_key,
            setting,
            notification,
        }
    }

    /// A request to this endpoint that is right in everything but, perhaps, who sends it; about this setting.
    pub(crate) fn request(&self, endpoint: &Endpoint, setting: &Value) -> Request {
        let path = endpoint.path.replace("{client_token_id}", at(&self.token, "id"));
        let path = path.replace("{api_key_id}", &self.other_key.id.to_string());
        let path = path.replace("{notification_setting_id}", at(setting, "id"));
        let path = path.replace("{notification_id}", at(&self.notification, "id"));
        let path = path.replace("{code}", "forbidden");
        let request = request(endpoint.method.as_str(), path);
        match (endpoint.method.as_str(), endpoint.path) {
            ("POST", "/notification-settings") => request.json(&new_setting(&json!({}))),
            ("POST", path) if path.ends_with("/client-tokens") => request.text(r#"{"name":"Stall"}"#),
            ("PATCH", path) if path.ends_with("{client_token_id}") => request.text(r#"{"status":"revoked"}"#),
            ("PATCH", _) => request.text(r#"{"description":"Again"}"#),
            _ => request,
        }
    }

    /// Asks this endpoint, and takes care that the next one can be asked as well: what is deleted is a setting made for
    /// it, and a setting that was created goes again, since few can be active.
    pub(crate) async fn ask(&self, endpoint: &Endpoint, sender: impl Fn(Request) -> Request) -> Answer {
        let deletes = endpoint.method == "DELETE";
        let spare = if deletes {
            Some(self.app.setting(&json!({})).await)
        } else {
            None
        };
        let request = self.request(endpoint, spare.as_ref().unwrap_or(&self.setting));
        let answer = self.app.send(sender(request)).await;
        if let Some(spare) = spare {
            let again = self.app.delete(&path_of(&spare)).await;
            assert_eq!(again.status, if answer.status == 204 { 404 } else { 204 });
        }
        if endpoint.path == "/notification-settings" && answer.status == 201 {
            let delete = request_to_delete(&answer);
            assert_eq!(self.app.send(sender(delete)).await.status, 204);
        }
        answer
    }

    /// The first workspace as its own key sees it.
    async fn state(&self) -> Vec<Value> {
        let mut state = Vec::new();
        for list in [
            "/client-tokens?status=active,revoked",
            "/events",
            "/notification-settings",
            "/notifications",
        ] {
            state.push(self.app.get(list).await.data(200).clone());
        }
        state
    }

    /// Whatever names something of the first workspace.
    fn names(&self) -> [String; 8] {
        [
            at(&self.token, "id").to_owned(),
            at(&self.token, "token").to_owned(),
            self.other_key.id.to_string(),
            self.app.key.id.to_string(),
            self.app.home.workspace.id.to_string(),
            at(&self.setting, "id").to_owned(),
            at(&self.setting, "endpoint_secret_key").to_owned(),
            at(&self.notification, "id").to_owned(),
        ]
    }
}

fn request_to_delete(created: &Answer) -> Request {
    request("DELETE", path_of(created.data(201)))
}

pub(crate) async fn every_endpoint_has_its_row_and_every_row_its_endpoint(_: Store) {
    let actual: BTreeSet<_> = endpoints()
        .iter()
        .map(|endpoint| {
            let who = match endpoint.access {
                Access::Open => Who::Anybody,
                Access::Optional => Who::AnybodyOrKey,
                Access::AnyKey => Who::AnyKey,
                Access::Itself(permission) => Who::Itself(permission.name()),
                Access::Needs(permission) => Who::With(permission.name()),
            };
            (endpoint.method.to_string(), endpoint.path, who)
        })
        .collect();
    let expected: BTreeSet<_> = EXPECTED
        .iter()
        .map(|(method, path, who)| ((*method).to_owned(), *path, *who))
        .collect();
    assert_eq!(actual, expected);
    for endpoint in endpoints() {
        let native = endpoint.path.starts_with("/tollgate/") && endpoint.access != Access::Open;
        assert_eq!(is_native(&endpoint), native, "{}", endpoint.path);
    }
}

pub(crate) async fn nobody_gets_what_needs_a_key(store: Store) {
    let scene = Scene::set(store).await;
    let before = scene.state().await;
    for endpoint in endpoints() {
        let without = scene.ask(&endpoint, |request| request).await;
        let with_invalid = scene
            .ask(&endpoint, |request| request.header("Authorization", "Bearer guess"))
            .await;
        let keyed = match expected(&endpoint) {
            Who::Anybody => {
                assert_eq!((without.status, with_invalid.status), (200, 200), "{}", endpoint.path);
                continue;
            }
            Who::AnybodyOrKey => {
                assert_eq!(without.status, 200, "{}", endpoint.path);
                false
            }
            _ => true,
        };
        if is_native(&endpoint) {
            without.is_unauthorized("authentication_missing", r#"Bearer realm="tollgate""#);
            with_invalid.is_unauthorized("invalid_token", r#"Bearer realm="tollgate", error="invalid_token""#);
        } else {
            with_invalid.is_error("invalid_token");
            if keyed {
                without.is_error("authentication_missing");
            }
        }
    }
    assert_eq!(scene.state().await, before, "nothing changed");
}

pub(crate) async fn a_stranger_sees_and_changes_nothing_of_another_workspace(store: Store) {
    let scene = Scene::set(store).await;
    let before = scene.state().await;
    for environment in Environment::ALL {
        let stranger = scene.app.workspace("Another shop", environment).await.full_key().await;
        for endpoint in endpoints() {
            let answer = scene.ask(&endpoint, |request| request.by(&stranger)).await;
            if endpoint.path.contains("_id}") {
                assert_eq!(answer.status, 404, "{} {}", endpoint.method, endpoint.path);
            } else {
                assert!(
                    answer.status < 300,
                    "{} {}: {}",
                    endpoint.method,
                    endpoint.path,
                    answer.body_text()
                );
                for name in scene.names() {
                    assert!(!answer.body_text().contains(&name), "{name} in {}", endpoint.path);
                }
            }
        }
    }
    assert_eq!(scene.state().await, before, "nothing changed");
}

/// Whether a key with these permissions is let in, as the contract's rules have it.
fn is_allowed(who: Who, granted: &[&str]) -> bool {
    match who {
        Who::Anybody | Who::AnybodyOrKey | Who::AnyKey => true,
        Who::Itself(needed) | Who::With(needed) => {
            granted.contains(&needed) || granted.contains(&&*needed.replace(".read", ".write"))
        }
    }
}

async fn ask_with(scene: &Scene, endpoint: &Endpoint, granted: &[&str]) -> Answer {
    let key = scene.app.home.key(granted).await;
    let answer = scene.ask(endpoint, |request| request.by(&key)).await;
    if is_allowed(expected(endpoint), granted) {
        assert!(
            answer.status < 300,
            "{} {} with {granted:?}",
            endpoint.method,
            endpoint.path
        );
    } else {
        answer.is_error("forbidden");
    }
    answer
}

pub(crate) async fn each_permission_is_needed_and_no_other_stands_for_it(store: Store) {
    let scene = Scene::set(store).await;
    for endpoint in endpoints() {
        ask_with(&scene, &endpoint, &[]).await;
        if let Who::With(needed) | Who::Itself(needed) = expected(&endpoint) {
            let answer = ask_with(&scene, &endpoint, &every_permission_but(needed)).await;
            assert_eq!(answer.status, 403);
            let answer = ask_with(&scene, &endpoint, &[needed]).await;
            assert!(answer.status < 300);
        }
    }
}

pub(crate) async fn every_single_permission_opens_exactly_what_it_should(store: Store) {
    let scene = Scene::set(store).await;
    for permission in Permission::all() {
        let key = scene.app.home.key(&[permission.name()]).await;
        for endpoint in endpoints() {
            let answer = scene.ask(&endpoint, |request| request.by(&key)).await;
            if is_allowed(expected(&endpoint), &[permission.name()]) {
                assert!(
                    answer.status < 300,
                    "{} {} with {permission}",
                    endpoint.method,
                    endpoint.path
                );
            } else {
                answer.is_error("forbidden");
            }
        }
    }
}

/// What a third-party integration is given.
pub(crate) async fn a_key_for_client_tokens_alone_is_forbidden_everything_else(store: Store) {
    let scene = Scene::set(store).await;
    let granted = ["client_token.read", "client_token.write"];
    let mut forbidden = 0;
    for endpoint in endpoints() {
        let answer = ask_with(&scene, &endpoint, &granted).await;
        let is_about_tokens = endpoint.path.contains("/client-tokens");
        let is_free = matches!(expected(&endpoint), Who::Anybody | Who::AnybodyOrKey | Who::AnyKey);
        assert_eq!(answer.status < 300, is_about_tokens || is_free, "{}", endpoint.path);
        forbidden += usize::from(answer.status == 403);
    }
    let others = EXPECTED.iter().filter(|(_, path, who)| {
        let is_free = matches!(who, Who::Anybody | Who::AnybodyOrKey | Who::AnyKey);
        !is_free && !path.contains("/client-tokens")
    });
    assert_eq!(forbidden, others.count(), "keys, events, settings, notifications");
}
