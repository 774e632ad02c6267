//! `GET /api-keys`.

use tollgate_domain::environment::Environment;

use crate::support::{HOUR, Key, Store, TestApp, at, get};

fn ids(keys: &[&Key]) -> Vec<String> {
    keys.iter().map(|key| key.id.to_string()).collect()
}

pub(crate) async fn keys_are_listed_oldest_first_with_every_status(store: Store) {
    let app = TestApp::start(store).await;
    let revoked = app.home.key(&["client_token.read"]).await;
    let expired = app.home.key_for(&app, HOUR).await;
    let active = app.home.key(&["client_token.read"]).await;
    app.clock.advance(HOUR);
    app.service
        .revoke_api_key(&app.home.operator, revoked.id)
        .await
        .expect("revoked");
    app.service.expire_api_keys().await.expect("the store answers");

    let all = [&app.key, &revoked, &expired, &active];
    let answer = app.get("/api-keys").await;
    assert_eq!(answer.column("id"), ids(&all));
    assert_eq!(answer.column("status"), ["active", "revoked", "expired", "active"]);
    assert_eq!(answer.total(), 4);
    let next = format!("{}/api-keys?after={}", app.base(), active.id);
    assert_eq!((answer.next(), answer.has_more()), (&*next, false));
}

pub(crate) async fn keys_are_paged_both_ways(store: Store) {
    let app = TestApp::start(store).await;
    let second = app.home.key(&[]).await;
    let third = app.home.key(&[]).await;
    let fourth = app.home.key(&[]).await;
    let page = async |query: &str| {
        let answer = app.get(&format!("/api-keys?per_page=2{query}")).await;
        let ids: Vec<String> = answer.column("id").into_iter().map(str::to_owned).collect();
        assert_eq!(answer.total(), 4);
        (ids, answer.has_more())
    };
    assert_eq!(page("").await, (ids(&[&app.key, &second]), true));
    assert_eq!(
        page(&format!("&after={}", second.id)).await,
        (ids(&[&third, &fourth]), false)
    );
    assert_eq!(page("&order_by=id[desc]").await, (ids(&[&fourth, &third]), true));
    let after = format!("&order_by=id%5BDESC%5D&after={}", third.id);
    assert_eq!(page(&after).await, (ids(&[&second, &app.key]), false));
}

pub(crate) async fn the_query_is_held_to_the_rules_of_lists(store: Store) {
    let app = TestApp::start(store).await;
    let answer = app
        .get("/api-keys?per_page=0&order_by=name[ASC]&after=ctkn_01kjpx8smt1jx21jct317jay33")
        .await;
    answer.is_bad_request(&[
        ("after", r"Does not match pattern '^apikey_[a-z\d]{26}$'"),
        ("per_page", "Must be greater than or equal to 1"),
        ("order_by", r#"must be one of the following: "id[ASC]", "id[DESC]""#),
    ]);
    // The contract names no filter for this list, and unknown parameters are ignored.
    let answer = app.get("/api-keys?per_page=201&status=nonsense").await;
    assert_eq!(answer.pagination()["per_page"], 200);
    let skipped = get("/api-keys").by(&app.key).header("Skip-Count", "true");
    assert_eq!(app.send(skipped).await.total(), -1);
}

pub(crate) async fn a_list_holds_no_secret_and_nothing_of_another_workspace(store: Store) {
    let app = TestApp::start(store).await;
    let another = app.workspace("Another shop", Environment::Sandbox).await;
    let stranger = another.full_key().await;
    let answer = app.send(get("/api-keys").by(&stranger)).await;
    assert_eq!(answer.column("id"), ids(&[&stranger]));
    assert_eq!(answer.total(), 1);
    let shown = at(&answer.items()[0], "key");
    let secret = &stranger.secret[..26];
    assert_eq!(shown, format!("{secret}****"));
    assert!(!answer.body_text().contains(&stranger.secret[43..]));
}
