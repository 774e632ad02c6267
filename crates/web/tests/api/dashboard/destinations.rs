//! `/dashboard/notifications` and the destinations under it.

use serde_json::json;
use tollgate_domain::role::Role;
use tollgate_domain::signature::EndpointSecret;
use tollgate_web::dashboard::table;

use crate::support::{NOWHERE, Person, Scene, Store, TestApp, at};

const LIST: &str = "/dashboard/notifications";

async fn text(app: &TestApp, person: &Person, target: &str) -> String {
    let answer = app.visit(person.page(target)).await;
    assert_eq!(answer.status, 200, "{target}");
    answer.body_text().to_owned()
}

pub(crate) async fn a_destination_is_made_changed_switched_and_deleted_by_forms(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let person = app.person(Role::Developer).await;
    assert!(text(&app, &person, LIST).await.contains("No destinations yet"));
    let fields = format!(
        "description=Shop+%3Cb%3E&type=url&destination={NOWHERE}&traffic_source=all&subscribed_events=client_token.created"
    );
    let new = app
        .visit(person.form(format!("{LIST}/destinations/new"), &fields))
        .await;
    assert_eq!(new.status, 303);
    let place = new.header("location").expect("somewhere").to_owned();
    let shown = text(&app, &person, &place).await;
    assert!(
        shown.contains("Shop &#60;b&#62;") && shown.contains("made and active"),
        "{shown}"
    );
    let place = place.split('?').next().expect("a path").to_owned();

    let fields = "description=Till&destination=https%3A%2F%2F127.0.0.1%3A9%2Ftill&traffic_source=platform\
                  &subscribed_events=client_token.revoked&subscribed_events=api_key.revoked";
    let changed = app.visit(person.form(format!("{place}/edit"), fields)).await;
    assert_eq!(changed.status, 303);
    for (verb, active) in [("deactivate", false), ("activate", true)] {
        let switched = app.visit(person.form(format!("{place}/{verb}"), "")).await;
        assert_eq!(switched.status, 303);
        let settings = app.get("/notification-settings").await;
        assert_eq!(settings.items()[0]["active"], active);
    }
    let setting = app.get("/notification-settings").await.items()[0].clone();
    assert_eq!(
        (&setting["description"], &setting["traffic_source"]),
        (&json!("Till"), &json!("platform"))
    );
    assert_eq!(setting["subscribed_events"].as_array().map(Vec::len), Some(2));
    // Asking changes nothing.
    assert!(text(&app, &person, &format!("{place}/delete")).await.contains("undone"));
    let deleted = app.visit(person.form(format!("{place}/delete"), "")).await;
    assert_eq!(
        deleted.header("location"),
        Some("/dashboard/notifications?done=deleted")
    );
    assert_eq!(app.visit(person.page(place)).await.status, 404);
}

pub(crate) async fn what_is_wrong_is_told_at_its_field_and_comes_back_as_it_was_typed(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Owner).await;
    let new = format!("{LIST}/destinations/new");
    for (fields, name) in [
        (
            "type=url&destination=https%3A%2F%2F8.8.8.8&subscribed_events=api_key.created",
            "description",
        ),
        (
            "description=x&type=url&subscribed_events=api_key.created",
            "destination",
        ),
        (
            "description=x&type=url&destination=ftp%3A%2F%2Fx&subscribed_events=api_key.created",
            "destination",
        ),
        (
            "description=x&type=url&destination=https%3A%2F%2F8.8.8.8",
            "subscribed_events",
        ),
        (
            "description=x&type=url&destination=https%3A%2F%2F8.8.8.8&subscribed_events=nonsense",
            "subscribed_events",
        ),
        // Inward: refused as the API refuses it.
        (
            "description=x&type=url&destination=https%3A%2F%2F127.0.0.1&subscribed_events=api_key.created",
            "destination",
        ),
    ] {
        let answer = app
            .visit(person.form(new.as_str(), &format!("{fields}&kept=%22%3E")))
            .await;
        assert_eq!(answer.status, 422, "{fields}");
        let error = format!("id=\"{name}-error\"");
        assert!(answer.body_text().contains(&error), "{fields}: {}", answer.body_text());
    }
    let long = "%22".repeat(60_000);
    let fields = format!("description={long}&destination={long}&type=url");
    let answer = app.visit(person.form(new.as_str(), &fields)).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.len() < 100 * 1024, "{} bytes", answer.body.len());
    assert_eq!(
        app.get("/notification-settings").await.items(),
        [] as [serde_json::Value; 0]
    );
}

pub(crate) async fn the_secret_is_on_no_page_of_a_viewer(store: Store) {
    let scene = Scene::set(store).await;
    let secret = at(&scene.setting, "endpoint_secret_key");
    let standard = EndpointSecret::from_text(secret).standard_webhooks();
    let viewer = scene.app.person(Role::Viewer).await;
    let developer = scene.app.person(Role::Developer).await;
    let mut seen_by_developer = false;
    for row in table()
        .iter()
        .filter(|row| row.method == "GET" && row.path != "/dashboard/live")
    {
        let place = scene.place(row.path);
        let shown = scene.app.visit(viewer.page(&*place)).await;
        let shown = String::from_utf8_lossy(&shown.body).into_owned();
        assert!(!shown.contains(secret) && !shown.contains(&standard), "{place}");
        let shown = scene.app.visit(developer.page(&*place)).await;
        seen_by_developer |= String::from_utf8_lossy(&shown.body).contains(secret);
    }
    assert!(seen_by_developer, "who changes a destination gets its secret");
}

pub(crate) async fn a_new_secret_leaves_the_old_one_for_the_time_chosen(store: Store) {
    let scene = Scene::set(store).await;
    let person = scene.app.person(Role::Developer).await;
    let place = scene.place("/dashboard/notifications/destinations/{id}/rotate-secret");
    let before = at(&scene.setting, "endpoint_secret_key").to_owned();
    let wrong = scene.app.visit(person.form(&*place, "overlap_seconds=soon")).await;
    assert_eq!(wrong.status, 422);
    let wrong = scene.app.visit(person.form(&*place, "overlap_seconds=99999999")).await;
    assert_eq!(wrong.status, 422);
    let secrets = format!("/tollgate{}/secrets", crate::support::path_of(&scene.setting));
    assert_eq!(scene.app.get(&secrets).await.data(200)["endpoint_secret_key"], before);
    let rotated = scene.app.visit(person.form(&*place, "overlap_seconds=3600")).await;
    assert_eq!(rotated.status, 303);
    let after = scene.app.get(&secrets).await.data(200).clone();
    assert_ne!(after["endpoint_secret_key"], before);
    assert!(after["previous_secret_until"].is_string());
    let shown = scene
        .app
        .visit(person.page(rotated.header("location").expect("somewhere")))
        .await;
    assert!(shown.body_text().contains(at(&after, "endpoint_secret_key")));
    assert!(!shown.body_text().contains(&before));
}
