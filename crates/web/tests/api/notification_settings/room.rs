//! What the settings of a workspace are to each other: ten active at most, and no two alike.

use serde_json::{Value, json};
use tollgate_domain::environment::Environment;

use crate::support::{RECEIVER, Store, TestApp, at, new_setting, path_of, post};

const FULL: &str = "notification_maximum_active_settings_reached";
const DUPLICATE: &str = "notification_setting_cannot_be_duplicate";

/// Ten active settings.
async fn ten(app: &TestApp) -> Vec<Value> {
    let mut settings = Vec::new();
    for _ in 0..10 {
        settings.push(app.setting(&json!({})).await);
    }
    settings
}

pub(crate) async fn an_eleventh_active_setting_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let settings = ten(&app).await;
    let eleventh = new_setting(&json!({}));
    app.post("/notification-settings", &eleventh).await.is_error(FULL);
    assert_eq!(app.get("/notification-settings").await.total(), 10);
    // Those of another workspace take no room here.
    let live = app.workspace("Another shop", Environment::Live).await.full_key().await;
    app.send(post("/notification-settings").by(&live).json(&eleventh))
        .await
        .data(201);
    // Those that are active can be changed as before.
    for change in [
        json!({ "active": true }),
        json!({ "description": "Again", "active": true }),
    ] {
        app.patch(&path_of(&settings[3]), &change).await.data(200);
    }
    app.delete(&path_of(&settings[3])).await;
    app.post("/notification-settings", &eleventh).await.data(201);
}

pub(crate) async fn inactive_settings_take_no_room(store: Store) {
    let app = TestApp::start(store).await;
    let mut inactive = Vec::new();
    for _ in 0..12 {
        let setting = app.setting(&json!({})).await;
        let answer = app.patch(&path_of(&setting), &json!({ "active": false })).await;
        inactive.push(answer.data(200).clone());
    }
    ten(&app).await;
    assert_eq!(app.get("/notification-settings").await.total(), 22);
    for setting in &inactive {
        app.patch(&path_of(setting), &json!({ "description": "Kept" }))
            .await
            .data(200);
    }
}

pub(crate) async fn activating_an_eleventh_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let idle = app.setting(&json!({})).await;
    app.patch(&path_of(&idle), &json!({ "active": false })).await.data(200);
    let settings = ten(&app).await;
    for change in [
        json!({ "active": true }),
        json!({ "active": true, "description": "Again" }),
    ] {
        app.patch(&path_of(&idle), &change).await.is_error(FULL);
    }
    let answer = app.get(&path_of(&idle)).await;
    assert_eq!(answer.data(200)["active"], false);
    assert_eq!(answer.data(200)["description"], idle["description"]);
    app.patch(&path_of(&settings[0]), &json!({ "active": false }))
        .await
        .data(200);
    app.patch(&path_of(&idle), &json!({ "active": true })).await.data(200);
}

pub(crate) async fn settings_that_are_made_at_once_are_ten_at_most(store: Store) {
    let app = TestApp::start(store).await;
    let requests = (0..16).map(|_| {
        let body = new_setting(&json!({}));
        app.send(post("/notification-settings").by(&app.key).json(&body))
    });
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        match answer.status {
            201 => {}
            409 => answer.is_error("conflict"),
            _ => answer.is_error(FULL),
        }
    }
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((1..=10).contains(&made), "{made}");
    let total = app.get("/notification-settings?active=true").await.total();
    assert_eq!(usize::try_from(total), Ok(made));
}

/// A setting in every detail that counts.
fn original() -> Value {
    json!({
        "destination": RECEIVER,
        "subscribed_events": ["client_token.created", "client_token.revoked"],
        "traffic_source": "platform",
        "api_version": 1,
        "include_sensitive_fields": false,
    })
}

/// What makes it another one.
fn others() -> [Value; 6] {
    [
        json!({ "traffic_source": "all" }),
        json!({ "traffic_source": "simulation" }),
        json!({ "include_sensitive_fields": true }),
        json!({ "subscribed_events": ["client_token.created"] }),
        json!({ "subscribed_events": ["client_token.created", "client_token.revoked", "client_token.updated"] }),
        json!({ "destination": format!("{RECEIVER}?") }),
    ]
}

fn with(instead: &Value) -> Value {
    let mut body = original();
    for (name, value) in instead.as_object().expect("properties") {
        body[name] = value.clone();
    }
    body
}

pub(crate) async fn a_duplicate_is_refused_when_it_is_made(store: Store) {
    let app = TestApp::start(store).await;
    let first = app.setting(&original()).await;
    let duplicates = [
        json!({}),
        json!({ "description": "Another description" }),
        json!({ "subscribed_events": ["client_token.revoked", "client_token.created"] }),
        json!({ "subscribed_events": ["client_token.revoked", "client_token.created", "client_token.revoked"] }),
        json!({ "traffic_source": null, "api_version": null, "include_sensitive_fields": null }),
    ];
    for active in [true, false] {
        app.patch(&path_of(&first), &json!({ "active": active }))
            .await
            .data(200);
        for duplicate in &duplicates {
            let body = new_setting(&with(duplicate));
            app.post("/notification-settings", &body).await.is_error(DUPLICATE);
        }
    }
    for other in others() {
        app.setting(&with(&other)).await;
    }
    app.delete(&path_of(&first)).await;
    app.setting(&original()).await;
}

pub(crate) async fn a_change_into_a_duplicate_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    app.setting(&original()).await;
    for other in others() {
        let setting = app.setting(&with(&other)).await;
        let name = other
            .as_object()
            .and_then(|object| object.keys().next())
            .expect("a name");
        let back = json!({ name: original()[name], "description": "Again" });
        app.patch(&path_of(&setting), &back).await.is_error(DUPLICATE);
        assert_eq!(app.get(&path_of(&setting)).await.data(200), &setting, "nothing changed");
        if name == "destination" {
            continue;
        }
        // Elsewhere it is none.
        let on = json!({ "destination": format!("{RECEIVER}/{}", at(&setting, "id")) });
        app.patch(&path_of(&setting), &on).await.data(200);
        app.patch(&path_of(&setting), &back).await.data(200);
    }
}
