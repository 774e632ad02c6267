//! Walking `GET /client-tokens` page by page, and the address of the next page.

use serde_json::json;
use tollgate_web::Settings;

use crate::support::{Answer, SURFACES, Store, TestApp, at, get};

/// Follows `next` until nothing more follows; the ids in the order they came, and how many pages it took.
async fn walk(app: &TestApp, start: &str) -> (Vec<String>, usize) {
    let mut ids: Vec<String> = Vec::new();
    let mut target = start.to_owned();
    for pages in 1.. {
        let answer = app.get(&target).await;
        ids.extend(answer.column("id").into_iter().map(str::to_owned));
        assert_eq!(answer.total(), 120);
        if !answer.has_more() {
            return (ids, pages);
        }
        let next = answer.next().strip_prefix(&app.base());
        next.expect("begins with the base URL").clone_into(&mut target);
    }
    unreachable!("pages end")
}

pub(crate) async fn walks_over_120_tokens_meet_each_once_in_order(store: Store) {
    let app = TestApp::start(store).await;
    let mut rising = Vec::new();
    for number in 0..120 {
        rising.push(at(&app.token(&format!("Kiosk {number}")).await, "id").to_owned());
    }
    let falling: Vec<String> = rising.iter().rev().cloned().collect();
    for (query, pages) in [("", 3), ("?per_page=7", 18), ("?per_page=40", 3), ("?per_page=200", 1)] {
        for surface in SURFACES {
            assert_eq!(
                walk(&app, &format!("{surface}/client-tokens{query}")).await,
                (falling.clone(), pages)
            );
        }
    }
    for (query, pages) in [
        ("?order_by=id[asc]&per_page=50", 3),
        ("?per_page=119&order_by=id%5BASC%5D", 2),
    ] {
        assert_eq!(
            walk(&app, &format!("/client-tokens{query}")).await,
            (rising.clone(), pages)
        );
    }
}

pub(crate) async fn a_cursor_need_not_exist_nor_match_the_filter(store: Store) {
    let app = TestApp::start(store).await;
    let first = app.token("First").await;
    let gone = app.revoked_token("Gone").await;
    let last = app.token("Last").await;
    let ids = async |query: &str| {
        let answer = app.get(&format!("/client-tokens?{query}")).await;
        answer.column("id").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let gone = at(&gone, "id");
    assert_eq!(ids(&format!("after={gone}")).await, [at(&first, "id")]);
    assert_eq!(ids(&format!("after={gone}&order_by=id[ASC]")).await, [at(&last, "id")]);
    let (lowest, highest) = ("ctkn_00000000000000000000000000", "ctkn_zzzzzzzzzzzzzzzzzzzzzzzzzz");
    assert_eq!(ids(&format!("after={lowest}&order_by=id[ASC]")).await.len(), 2);
    assert_eq!(ids(&format!("after={highest}")).await.len(), 2);
    assert_eq!(ids(&format!("after={highest}&order_by=id[ASC]")).await.len(), 0);
    assert_eq!(ids(&format!("after={lowest}")).await.len(), 0);
}

pub(crate) async fn next_carries_the_query_and_is_there_on_the_last_page_too(store: Store) {
    let app = TestApp::start(store).await;
    let tokens = [app.token("First").await, app.token("Second").await];
    let [first, second] = tokens.each_ref().map(|token| at(token, "id"));
    let base = format!("{}/client-tokens", app.base());
    for (query, next, has_more) in [
        ("", format!("after={first}"), false),
        ("?", format!("after={first}"), false),
        ("?per_page=1", format!("per_page=1&after={second}"), true),
        (
            "?status=active%2Crevoked&order_by=id%5Basc%5D&per_page=1&colour=b%20c%26",
            format!("status=active%2Crevoked&order_by=id%5Basc%5D&per_page=1&colour=b+c%26&after={first}"),
            true,
        ),
        (
            &*format!("?after={second}&per_page=1"),
            format!("per_page=1&after={first}"),
            false,
        ),
    ] {
        let answer = app.get(&format!("/client-tokens{query}")).await;
        assert_eq!(answer.next(), format!("{base}?{next}"), "{query}");
        assert_eq!(answer.has_more(), has_more, "{query}");
    }
}

pub(crate) async fn next_of_an_empty_page_is_the_page_itself(store: Store) {
    let app = TestApp::start(store).await;
    let after = "after=ctkn_00000000000000000000000000";
    for query in [
        "",
        "?per_page=3",
        &format!("?{after}"),
        &format!("?{after}&order_by=id%5BDESC%5D"),
    ] {
        let answer = app.get(&format!("/client-tokens{query}")).await;
        assert_eq!(answer.data(200), &json!([]));
        assert_eq!(answer.next(), format!("{}/client-tokens{query}", app.base()));
        assert!(!answer.has_more());
        assert_eq!(answer.total(), 0);
    }
}

/// A list, asked for with these headers.
async fn list(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    let mut list = get("/client-tokens?per_page=1").by(&app.key);
    for (name, value) in headers {
        list = list.header(name, value);
    }
    app.send(list).await
}

pub(crate) async fn next_begins_with_the_host_that_the_caller_used(store: Store) {
    let app = TestApp::start(store).await;
    for host in ["tollgate.example", "tollgate.example:8443", "[::1]:9000"] {
        let answer = list(&app, &[("Host", host)]).await;
        assert_eq!(answer.next(), format!("http://{host}/client-tokens?per_page=1"));
    }
}

pub(crate) async fn what_is_no_host_is_in_no_address(store: Store) {
    let app = TestApp::start(store).await;
    for host in [
        "a b",
        "\"<>\"",
        "user:password@shop.example",
        "shop.example/path",
        "%20",
        "é",
        "",
    ] {
        let answer = list(&app, &[("Host", host)]).await;
        assert_eq!(answer.next(), "http://localhost/client-tokens?per_page=1", "{host:?}");
    }
}

pub(crate) async fn next_begins_with_what_a_trusted_proxy_says(store: Store) {
    let app = TestApp::start(store).await;
    for (headers, base) in [
        (
            &[("X-Forwarded-Host", "api.shop.example"), ("X-Forwarded-Proto", "https")][..],
            "https://api.shop.example",
        ),
        (
            &[("Host", "api.shop.example"), ("X-Forwarded-Proto", "https")],
            "https://api.shop.example",
        ),
        (
            &[
                ("Host", "inner:1"),
                ("X-Forwarded-Host", "outer.example, inner.example"),
            ],
            "http://outer.example",
        ),
        (
            &[("Host", "inner:1"), ("X-Forwarded-Proto", "https, http")],
            "https://inner:1",
        ),
        (
            &[("Host", "inner:1"), ("X-Forwarded-Proto", "HTTPS")],
            "https://inner:1",
        ),
        (
            &[("Host", "inner:1"), ("X-Forwarded-Proto", "gopher")],
            "http://inner:1",
        ),
        (&[("Host", "inner:1"), ("X-Forwarded-Host", "")], "http://inner:1"),
        (
            &[("Host", "inner:1"), ("X-Forwarded-Host", "\"<>\", x")],
            "http://inner:1",
        ),
    ] {
        let answer = list(&app, headers).await;
        assert_eq!(answer.next(), format!("{base}/client-tokens?per_page=1"), "{headers:?}");
    }
}

pub(crate) async fn a_proxy_that_is_not_trusted_is_not_believed(store: Store) {
    let untrusted = |settings: &mut Settings| {
        settings.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    };
    let app = TestApp::with(store, untrusted).await;
    let headers = [
        ("Host", "tollgate.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
    ];
    let answer = list(&app, &headers).await;
    assert_eq!(answer.next(), "http://tollgate.example/client-tokens?per_page=1");
}

pub(crate) async fn a_public_url_wins_over_everything_also_with_a_path(store: Store) {
    let public = |settings: &mut Settings| {
        settings.public_url = Some("https://shop.example/payments/api".to_owned());
    };
    let app = TestApp::with(store, public).await;
    let headers = [
        ("Host", "tollgate.example"),
        ("X-Forwarded-Host", "proxy.example"),
        ("X-Forwarded-Proto", "http"),
    ];
    let answer = list(&app, &headers).await;
    let next = "https://shop.example/payments/api/client-tokens?per_page=1";
    assert_eq!(answer.next(), next);
    for path in ["/events", "/api-keys", "/tollgate/client-tokens"] {
        let answer = app.get(path).await;
        let base = format!("https://shop.example/payments/api{path}");
        assert!(answer.next().starts_with(&base), "{}", answer.next());
    }
}
