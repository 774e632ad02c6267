//! `POST …/events/{simulation_event_id}/replay`.

use serde_json::{Value, json};

use super::{ended, path, run, setting, simulation};
use crate::support::{HOUR, Receiver, Store, TestApp, at};

pub(crate) async fn a_replay_is_a_new_event_of_the_same_run(store: Store) {
    let (app, receiver) = (TestApp::with_deliveries(store, |_| {}).await, Receiver::start().await);
    app.deliver();
    receiver.answer(500, "not yet");
    let setting = setting(&app, &receiver.url("/"), "all").await;
    let simulation = simulation(&app, &setting, "client_token.revoked", Value::Null).await;
    let run = run(&app, &simulation).await;
    let before = ended(&app, &simulation, &run).await;
    let original = before["events"][0].clone();
    app.clock.advance(HOUR);
    receiver.answer(200, "");
    let target = path(
        &simulation,
        &format!("/runs/{run}/events/{}/replay", at(&original, "id")),
    );
    let replay = app.post(&target, &json!({})).await.data(202).clone();
    assert_ne!(replay["id"], original["id"]);
    assert_eq!(replay["status"], "pending");
    assert_eq!((&replay["request"], &replay["response"]), (&Value::Null, &Value::Null));
    assert_eq!(replay["payload"], original["payload"]);
    assert_eq!(replay["created_at"], "2026-03-02T10:15:04.218733Z");

    let after = ended(&app, &simulation, &run).await;
    assert_eq!(after["events"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["events"][0]["id"], replay["id"], "newest first");
    assert_eq!(after["events"][0]["status"], "success");
    assert_eq!(after["events"][1], original, "it stays as it was");
    assert_eq!(
        (&after["status"], &after["updated_at"]),
        (&json!("completed"), &before["updated_at"])
    );

    let delivered = receiver.delivered();
    let body = |place: usize| serde_json::from_str::<Value>(&delivered[place].body).expect("JSON");
    let (first, second) = (body(0), body(1));
    assert_eq!(second["event_id"], replay["id"]);
    assert_ne!(
        (&first["event_id"], &first["notification_id"]),
        (&second["event_id"], &second["notification_id"])
    );
    assert_eq!(first["data"], second["data"]);
}
