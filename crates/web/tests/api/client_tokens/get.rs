//! `GET /client-tokens/{client_token_id}`.

use tollgate_domain::environment::Environment;

use crate::support::{SURFACES, Store, TestApp, at, get, shown_on};

pub(crate) async fn a_token_is_shown_as_it_was_answered_at_creation(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    for surface in SURFACES {
        let answer = app.get(&format!("{surface}/client-tokens/{}", at(&token, "id"))).await;
        assert_eq!(answer.data(200), &shown_on(surface, &token));
    }
}

pub(crate) async fn a_revoked_token_can_still_be_had(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.revoked_token("Kiosk").await;
    let answer = app.get(&format!("/client-tokens/{}", at(&token, "id"))).await;
    assert_eq!(answer.data(200), &token);
    assert_eq!(token["status"], "revoked");
}

pub(crate) async fn an_unknown_id_is_not_found(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        for id in ["ctkn_01kjpx8smt1jx21jct317jay33", "ctkn_zzzzzzzzzzzzzzzzzzzzzzzzzz"] {
            let answer = app.get(&format!("{surface}/client-tokens/{id}")).await;
            answer.is_error_saying("not_found", &format!("Client token {id} not found."));
        }
    }
}

pub(crate) async fn a_malformed_id_is_a_bad_request(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        for id in [
            "1",
            "ctkn_",
            "ctkn_01kjpx8smt1jx21jct317jay3",
            "ctkn_01kjpx8smt1jx21jct317jay333",
            "ctkn_01KJPX8SMT1JX21JCT317JAY33",
            "CTKN_01kjpx8smt1jx21jct317jay33",
            "evt_01kjpx8smt1jx21jct317jay33",
            "apikey_01kjpx8smt1jx21jct317jay33",
            "ctkn_01kjpx8smt1jx21jct317jay3%C3%A9",
            "ctkn_01kjpx8smt1jx21jct317jay33%20",
            "%00",
            "%ff%fe",
            "%2e%2e",
            "..",
            "%",
            "%zz",
            "a%2Fb",
            "'%20OR%201=1--",
        ] {
            let answer = app.get(&format!("{surface}/client-tokens/{id}")).await;
            answer.is_bad_request(&[("client_token_id", r"Does not match pattern '^ctkn_[a-z\d]{26}$'")]);
        }
    }
}

pub(crate) async fn an_id_may_be_percent_encoded(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let encoded = at(&token, "id").replace("ctkn", "%63%74kn").replace('_', "%5F");
    let answer = app.get(&format!("/client-tokens/{encoded}")).await;
    assert_eq!(answer.data(200), &token);
}

pub(crate) async fn another_workspaces_token_does_not_exist(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let id = at(&token, "id");
    for environment in Environment::ALL {
        let stranger = app.workspace("Another shop", environment).await.full_key().await;
        let answer = app.send(get(format!("/client-tokens/{id}")).by(&stranger)).await;
        answer.is_error_saying("not_found", &format!("Client token {id} not found."));
    }
}
