//! `Tollgate-Sequence`: where a change stands, so that a verifier can be asked for at least that.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use tollgate_domain::ambient::Clock;
use tollgate_domain::client_token::ClientTokenStatus;
use tollgate_service::{ClientTokenPatch, NewClientToken};

use super::{LIST, target};
use crate::support::{Answer, HOUR, Store, TestApp, at, post};

fn place(answer: &Answer) -> u64 {
    let place = answer.header("tollgate-sequence").expect("a place");
    place.parse().expect("a number")
}

async fn head(app: &TestApp) -> u64 {
    app.storage().sequence().await.expect("the store answers")
}

pub(crate) async fn a_change_is_answered_with_its_place(store: Store) {
    let app = TestApp::start(store).await;
    let made = app.post(LIST, &json!({ "name": "Kiosk" })).await;
    assert_eq!(place(&made), head(&app).await);
    let token = made.data(201).clone();
    let changed = app
        .patch(&target(&token), &json!({ "restrictions": { "scopes": ["read"] } }))
        .await;
    assert_eq!(place(&changed), place(&made) + 1);
    let rotated = app.post(&format!("{}/rotate", target(&token)), &json!({})).await;
    assert_eq!(place(&rotated), place(&changed) + 2, "of two events");
    let revoked = app.patch(&target(&token), &json!({ "status": "revoked" })).await;
    assert_eq!(place(&revoked), place(&rotated) + 2);
    assert_eq!(place(&revoked), head(&app).await);
}

pub(crate) async fn what_changes_nothing_is_answered_with_the_present_place(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    app.token("Stall").await;
    let same = app.patch(&target(&token), &json!({ "name": "Kiosk" })).await;
    assert_eq!(place(&same), head(&app).await);
    let create = || {
        let create = post(LIST).by(&app.key).json(&json!({ "name": "Till" }));
        create.header("Idempotency-Key", "till")
    };
    let first = app.send(create()).await;
    app.token("Another").await;
    let again = app.send(create()).await;
    assert_eq!(again.data(201), first.data(201));
    assert_eq!(place(&again), place(&first) + 1);
}

pub(crate) async fn the_compatible_surface_tells_no_place(store: Store) {
    let app = TestApp::start(store).await;
    let made = app.post("/client-tokens", &json!({ "name": "Kiosk" })).await;
    let target = format!("/client-tokens/{}", at(made.data(201), "id"));
    let revoked = app.patch(&target, &json!({ "status": "revoked" })).await;
    for answer in [made, revoked] {
        assert_eq!(answer.header("tollgate-sequence"), None);
    }
}

pub(crate) async fn whoever_watches_is_told_before_the_caller(store: Store) {
    let app = TestApp::start(store).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&heard);
    let watch = move |place: u64, facts: &tollgate_domain::verdict::TokenFacts| {
        into.lock().push((place, facts.clone()));
    };
    let service = app.service.clone().with_token_watch(Arc::new(watch));
    let (caller, told) = (&app.home.operator, || std::mem::take(&mut *heard.lock()));

    let new = NewClientToken {
        name: "Kiosk".to_owned(),
        revoke_at: Some(app.clock.now().plus(HOUR)),
        ..NewClientToken::default()
    };
    let made = service.create_client_token(caller, new, None).await.expect("made");
    let token = made.value;
    assert_eq!(told(), [(head(&app).await, token.facts())]);

    let rotated = service
        .rotate_client_token(caller, token.id, None, None)
        .await
        .expect("rotated");
    let place = head(&app).await;
    let (successor, old) = (rotated.value.successor, rotated.value.old);
    assert_eq!(told(), [(place, successor.facts()), (place, old.facts())]);

    let revoke = ClientTokenPatch {
        status: Some(ClientTokenStatus::Revoked),
        ..ClientTokenPatch::default()
    };
    let revoked = service.update_client_token(caller, successor.id, &revoke).await;
    let revoked = revoked.expect("revoked").value;
    assert_eq!(told(), [(head(&app).await, revoked.facts())]);
    assert!(revoked.facts().revoked);
    service
        .update_client_token(caller, successor.id, &revoke)
        .await
        .expect("nothing to do");
    assert_eq!(told(), []);

    app.clock.advance(HOUR);
    service.revoke_scheduled().await.expect("the store answers");
    let [(place, facts)] = &told()[..] else {
        panic!("the clock's change is told, too")
    };
    assert_eq!(*place, head(&app).await);
    assert_eq!((facts.id, facts.revoked, facts.revoke_at), (token.id, true, None));
}
