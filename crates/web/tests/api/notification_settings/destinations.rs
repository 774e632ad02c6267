//! Where deliveries may go: what is refused when a setting is made and when it is changed.

use serde_json::{Value, json};
use tollgate_delivery::Guard;
use tollgate_domain::environment::Environment;

use crate::support::{Answer, RECEIVER, Store, TestApp, at, mailer, new_setting, patch, path_of, post};

/// The answers to making a setting for this destination, and to changing one to it.
async fn tried(app: &TestApp, setting: &Value, destination: &str) -> [Answer; 2] {
    let wrong = json!({ "destination": destination });
    let made = app.post("/notification-settings", &new_setting(&wrong)).await;
    let changed = app.patch(&path_of(setting), &wrong).await;
    [made, changed]
}

/// Nothing is left of what was refused.
async fn is_alone(app: &TestApp, setting: &Value) {
    assert_eq!(app.get("/notification-settings").await.data(200), &json!([setting]));
}

pub(crate) async fn what_is_no_url_is_told_so(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for destination in [
        "hooks",
        "hooks.example.com/paddle",
        "//hooks.example.com/paddle",
        "https://",
        "https://hooks example/",
        "https://hooks.example.com:99999/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "mailto:ops@example.com",
        "ops@example.com",
        " ",
        "🔑",
    ] {
        for answer in tried(&app, &setting, destination).await {
            answer.is_error("url_notification_setting_incorrect");
        }
    }
    is_alone(&app, &setting).await;
}

pub(crate) async fn clear_text_is_for_sandboxes(store: Store) {
    let app = TestApp::start(store).await;
    let plain = "http://8.8.8.8/hooks";
    let made = app.setting(&json!({ "destination": plain })).await;
    assert_eq!(at(&made, "destination"), plain);

    let live = app.workspace("Paper and Ink", Environment::Live).await.full_key().await;
    let create = |destination: &str| {
        let body = new_setting(&json!({ "destination": destination }));
        post("/notification-settings").by(&live).json(&body)
    };
    let refusal = [("destination", "must begin with https://")];
    for destination in [plain, "HTTP://8.8.8.8/", "http://hooks.example.com/"] {
        let answer = app.send(create(destination)).await;
        answer.is_error_about("invalid_field", &refusal);
    }
    let setting = app.send(create(RECEIVER)).await.data(201).clone();
    let change = patch(path_of(&setting))
        .by(&live)
        .json(&json!({ "destination": plain }));
    app.send(change).await.is_error_about("invalid_field", &refusal);
}

pub(crate) async fn credentials_in_a_url_are_refused(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for destination in [
        "https://user@8.8.8.8/",
        "https://user:password@8.8.8.8/",
        "https://:password@8.8.8.8/",
    ] {
        for answer in tried(&app, &setting, destination).await {
            let message = "must not hold a user name or password";
            answer.is_error_about("invalid_field", &[("destination", message)]);
        }
    }
    is_alone(&app, &setting).await;
}

pub(crate) async fn what_is_not_public_is_refused_however_it_is_spelled(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app.setting(&json!({})).await;
    for (destination, host) in [
        ("https://127.0.0.1/", "127.0.0.1"),
        ("https://127.1:8443/hooks", "127.0.0.1"),
        ("https://2130706433/", "127.0.0.1"),
        ("https://0x7f.1/", "127.0.0.1"),
        ("https://0177.0.0.1/", "127.0.0.1"),
        ("https://localhost/", "localhost"),
        ("https://shop.LOCALHOST./", "shop.localhost."),
        ("https://[::1]/", "[::1]"),
        ("https://[::ffff:10.0.0.1]/", "[::ffff:a00:1]"),
        ("https://[64:ff9b::169.254.169.254]/", "[64:ff9b::a9fe:a9fe]"),
        ("https://10.1.2.3/", "10.1.2.3"),
        ("https://172.16.0.1/", "172.16.0.1"),
        ("https://192.168.0.1/", "192.168.0.1"),
        ("https://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ("https://100.64.0.1/", "100.64.0.1"),
        ("https://224.0.0.1/", "224.0.0.1"),
        ("https://0.0.0.0/", "0.0.0.0"),
        ("https://[fd00::1]/", "[fd00::1]"),
        ("https://[fe80::1]/", "[fe80::1]"),
    ] {
        let message = format!("must be a public address; {host} is not. `--allow-network` opens a range");
        for answer in tried(&app, &setting, destination).await {
            answer.is_error_about("invalid_field", &[("destination", &message)]);
        }
    }
    is_alone(&app, &setting).await;
}

pub(crate) async fn an_opened_network_is_open_and_nothing_beside_it(store: Store) {
    let app = TestApp::with(store, |settings| {
        settings.guard = Guard::new(vec!["127.0.0.0/8".parse().expect("a network")]);
    })
    .await;
    for destination in [
        "http://127.0.0.1:9/hooks",
        "http://127.8.8.8/",
        "https://[::ffff:127.0.0.1]/",
    ] {
        let setting = app.setting(&json!({ "destination": destination })).await;
        assert_eq!(at(&setting, "destination"), destination);
    }
    let setting = app.setting(&json!({})).await;
    let changed = app
        .patch(&path_of(&setting), &json!({ "destination": "http://127.0.0.1:3000/" }))
        .await;
    assert_eq!(at(changed.data(200), "destination"), "http://127.0.0.1:3000/");
    for destination in ["http://10.0.0.1/", "http://169.254.169.254/", "http://[::1]:9/"] {
        for answer in tried(&app, &setting, destination).await {
            assert_eq!(answer.status, 400, "{destination}");
            assert_eq!(answer.json()["error"]["code"], "invalid_field");
        }
    }
}

/// A receiver may be made ready later; each attempt looks again.
pub(crate) async fn a_name_need_not_resolve_yet(store: Store) {
    let app = TestApp::start(store).await;
    let setting = app
        .setting(&json!({ "destination": "https://hooks.invalid/paddle?a=b#c" }))
        .await;
    assert_eq!(
        at(&setting, "destination"),
        "https://hooks.invalid/paddle?a=b#c",
        "as it was given"
    );
}

pub(crate) async fn email_needs_a_mail_server(store: Store) {
    let app = TestApp::start(store).await;
    for destination in ["ops@example.com", "no address"] {
        let body = new_setting(&json!({ "type": "email", "destination": destination }));
        let answer = app.post("/notification-settings", &body).await;
        let message = "Email needs a mail server: set smtp_url and smtp_from in Tollgate's settings";
        answer.is_error_about("invalid_field", &[("type", message)]);
    }
    assert_eq!(app.get("/notification-settings").await.total(), 0);
}

pub(crate) async fn email_goes_to_addresses(store: Store) {
    let app = TestApp::with(store, |settings| settings.mailer = Some(mailer())).await;
    let email = |address: &str| json!({ "type": "email", "destination": address });
    let setting = app.setting(&email("ops@example.com")).await;
    assert_eq!(
        (at(&setting, "type"), at(&setting, "destination")),
        ("email", "ops@example.com")
    );
    assert!(at(&setting, "endpoint_secret_key").starts_with("pdl_ntfset_"));
    let changed = app
        .patch(&path_of(&setting), &json!({ "destination": "o.p+s@sub.example.com" }))
        .await;
    assert_eq!(at(changed.data(200), "destination"), "o.p+s@sub.example.com");
    for wrong in [
        "ops",
        "@example.com",
        "ops@",
        "ops@@example.com",
        "ops@example.com, more@example.com",
        "Ops <ops@example.com>",
        "mailto:ops@example.com",
        "ops@example.com ",
        "https://8.8.8.8/hooks",
        " ",
    ] {
        let made = app.post("/notification-settings", &new_setting(&email(wrong))).await;
        made.is_error("email_notification_setting_incorrect");
        let changed = app.patch(&path_of(&setting), &json!({ "destination": wrong })).await;
        changed.is_error("email_notification_setting_incorrect");
    }
    // Nor does mail open what URLs may not reach.
    let url = new_setting(&json!({ "destination": "ops@example.com" }));
    let answer = app.post("/notification-settings", &url).await;
    answer.is_error("url_notification_setting_incorrect");
}
