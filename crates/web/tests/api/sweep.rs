//! Every endpoint as nobody, as a stranger from another workspace, and with each permission missing. A new endpoint
//! needs a row here; its handler can't be forgotten.

use std::collections::BTreeSet;

use tollgate_domain::environment::Environment;
use tollgate_domain::permission::Permission;
use tollgate_web::{Access, Endpoint, Surface, endpoints};

use crate::support::{Answer, Scene, Store, every_permission_but};

/// Who may ask, as the contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Anybody.
    Anybody,
    /// Whoever presents a client token: the verdict is the answer.
    Presenter,
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
    ("GET", "/simulation-types", Who::AnyKey),
    ("GET", "/simulations", Who::With("notification_simulation.read")),
    ("POST", "/simulations", Who::With("notification_simulation.write")),
    ("GET", "/simulations/{simulation_id}", Who::With("notification_simulation.read")),
    ("PATCH", "/simulations/{simulation_id}", Who::With("notification_simulation.write")),
    ("GET", "/simulations/{simulation_id}/runs", Who::With("notification_simulation.read")),
    ("POST", "/simulations/{simulation_id}/runs", Who::With("notification_simulation.write")),
    ("GET", "/simulations/{simulation_id}/runs/{simulation_run_id}", Who::With("notification_simulation.read")),
    ("GET", "/simulations/{simulation_id}/runs/{simulation_run_id}/events", Who::With("notification_simulation.read")),
    ("GET", "/simulations/{simulation_id}/runs/{simulation_run_id}/events/{simulation_event_id}", Who::With("notification_simulation.read")),
    ("POST", "/simulations/{simulation_id}/runs/{simulation_run_id}/events/{simulation_event_id}/replay", Who::With("notification_simulation.write")),
    ("GET", "/tollgate/client-tokens", Who::With("client_token.read")),
    ("POST", "/tollgate/client-tokens", Who::With("client_token.write")),
    ("GET", "/tollgate/client-tokens/{client_token_id}", Who::With("client_token.read")),
    ("PATCH", "/tollgate/client-tokens/{client_token_id}", Who::With("client_token.write")),
    ("GET", "/tollgate/client-tokens/{client_token_id}/usage", Who::With("client_token.read")),
    ("POST", "/tollgate/client-tokens/{client_token_id}/rotate", Who::With("client_token.write")),
    ("GET", "/tollgate/events", Who::With("notification.read")),
    ("GET", "/tollgate/notification-settings/{notification_setting_id}/secrets", Who::With("notification_setting.read")),
    ("POST", "/tollgate/notification-settings/{notification_setting_id}/rotate-secret", Who::With("notification_setting.write")),
    ("GET", "/tollgate/notifications/{notification_id}/logs", Who::With("notification.read")),
    ("POST", "/tollgate/simulations/trigger", Who::With("notification_simulation.write")),
    ("GET", "/tollgate/authorize", Who::Presenter),
    ("GET", "/tollgate/client", Who::Presenter),
    ("OPTIONS", "/tollgate/client", Who::Anybody),
    ("POST", "/tollgate/introspect", Who::With("client_token.read")),
    ("GET", "/tollgate/errors", Who::Anybody),
    ("GET", "/tollgate/errors/{code}", Who::Anybody),
    ("GET", "/health/live", Who::Anybody),
    ("GET", "/health/ready", Who::Anybody),
    ("GET", "/openapi.json", Who::Anybody),
    ("GET", "/js/v1/tollgate.js", Who::Anybody),
    ("GET", "/js/v1/manifest.json", Who::Anybody),
    ("GET", "/js/v1/{file}", Who::Anybody),
    ("GET", "/paddle/v2/paddle.js", Who::Anybody),
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

pub(crate) async fn every_endpoint_has_its_row_and_every_row_its_endpoint(_: Store) {
    let actual: BTreeSet<_> = endpoints()
        .iter()
        .map(|endpoint| {
            let who = match endpoint.access {
                Access::Open => Who::Anybody,
                Access::ClientToken => Who::Presenter,
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
        let is_keyed = !matches!(endpoint.access, Access::Open | Access::ClientToken);
        let native = endpoint.path.starts_with("/tollgate/") && is_keyed;
        assert_eq!(is_native(&endpoint), native, "{}", endpoint.path);
    }
}

pub(crate) async fn nobody_gets_what_needs_a_key(store: Store) {
    let scene = Scene::set(store).await;
    let before = scene.state().await;
    for endpoint in endpoints() {
        let request = scene.request(&endpoint).await;
        let without = scene.app.send(request.clone()).await;
        let with_invalid = scene.app.send(request.header("Authorization", "Bearer guess")).await;
        let keyed = match expected(&endpoint) {
            Who::Anybody => {
                assert_eq!(without.status / 100, 2, "{}", endpoint.path);
                assert_eq!(with_invalid.status, without.status, "{}", endpoint.path);
                continue;
            }
            Who::Presenter => {
                assert_eq!((without.status, with_invalid.status), (401, 401), "{}", endpoint.path);
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
            let answer = scene.app.send(scene.request(&endpoint).await.by(&stranger)).await;
            if endpoint.path.contains("_id}") {
                assert_eq!(answer.status, 404, "{} {}", endpoint.method, endpoint.path);
                continue;
            }
            for name in scene.names() {
                assert!(!answer.body_text().contains(&name), "{name} in {}", endpoint.path);
            }
            if (endpoint.method.as_str(), endpoint.path) == ("POST", "/simulations") {
                let message = "There is no such notification setting";
                answer.is_error_about("invalid_field", &[("notification_setting_id", message)]);
            } else {
                assert!(
                    is_answered(&endpoint, &answer),
                    "{} {}: {}",
                    endpoint.method,
                    endpoint.path,
                    answer.body_text()
                );
            }
        }
    }
    assert_eq!(scene.state().await, before, "nothing changed");
}

/// Whether the answer is one to somebody who was let in; whoever presents no client token is told so.
fn is_answered(endpoint: &Endpoint, answer: &Answer) -> bool {
    match expected(endpoint) {
        Who::Presenter => answer.status == 401,
        _ => answer.status < 300,
    }
}

/// Whether a key with these permissions is let in, as the contract's rules have it.
fn is_allowed(who: Who, granted: &[&str]) -> bool {
    match who {
        Who::Anybody | Who::Presenter | Who::AnybodyOrKey | Who::AnyKey => true,
        Who::Itself(needed) | Who::With(needed) => {
            granted.contains(&needed) || granted.contains(&&*needed.replace(".read", ".write"))
        }
    }
}

async fn ask_with(scene: &Scene, endpoint: &Endpoint, granted: &[&str]) -> Answer {
    let key = scene.app.home.key(granted).await;
    let answer = scene.app.send(scene.request(endpoint).await.by(&key)).await;
    if is_allowed(expected(endpoint), granted) {
        assert!(
            is_answered(endpoint, &answer),
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
            let answer = scene.app.send(scene.request(&endpoint).await.by(&key)).await;
            if is_allowed(expected(&endpoint), &[permission.name()]) {
                assert!(
                    is_answered(&endpoint, &answer),
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
    let mut forbidden = 0_usize;
    for endpoint in endpoints() {
        let answer = ask_with(&scene, &endpoint, &granted).await;
        let is_about_tokens = endpoint.path.contains("/client-tokens") || endpoint.path == "/tollgate/introspect";
        let is_free = !matches!(expected(&endpoint), Who::With(_) | Who::Itself(_));
        let answered = is_answered(&endpoint, &answer);
        assert_eq!(answered, is_about_tokens || is_free, "{}", endpoint.path);
        forbidden += usize::from(answer.status == 403);
    }
    let others = EXPECTED
        .iter()
        .filter(|(_, _, who)| matches!(who, Who::With(_) | Who::Itself(_)) && !is_allowed(*who, &granted));
    assert_eq!(forbidden, others.count());
    assert!(forbidden > 20, "all that isn't about client tokens");
}
