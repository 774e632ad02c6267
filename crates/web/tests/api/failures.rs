//! When the store fails or the program has a fault: the caller learns a request id, and no more.

use tollgate_web::{Access, endpoints};

use crate::support::{Mood, SECRET, Scene, Store, TestApp, at, get};

pub(crate) async fn a_failing_store_is_an_internal_error_that_tells_nothing(store: Store) {
    let scene = Scene::set(store).await;
    let app = &scene.app;
    let fresh = app.home.full_key().await; // not looked up yet
    for endpoint in endpoints() {
        // What is known already needs no store: event types, who is calling, and client tokens.
        if matches!(
            endpoint.access,
            Access::Open | Access::ClientToken | Access::AnyKey | Access::Optional
        ) || endpoint.path == "/tollgate/introspect"
        {
            continue;
        }
        for key in [&app.key, &fresh] {
            let wrong = scene.request(&endpoint).await.by(key);
            app.set_mood(Mood::Failing);
            let answer = app.send(wrong.clone()).await;
            app.set_mood(Mood::Sound);
            answer.is_error("internal_error");
            for part in SECRET.split(" at ") {
                assert!(!answer.body_text().contains(part), "{}", answer.body_text());
            }
            assert!(
                app.send(wrong).await.status < 300,
                "it works again with the store: {} {}",
                endpoint.method,
                endpoint.path
            );
        }
    }
}

pub(crate) async fn a_fault_of_the_program_is_an_internal_error_of_that_request_alone(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let target = format!("/client-tokens/{}", at(&token, "id"));
    app.set_mood(Mood::Panicking);
    let answer = app.get(&target).await;
    answer.is_error("internal_error");
    assert!(!answer.body_text().contains("hunter2"));
    app.get("/client-tokens").await.data(200);
    app.send(get("/health/ready")).await;
    app.set_mood(Mood::Sound);
    assert_eq!(app.get(&target).await.data(200), &token);
}
