//! How many requests an address may send.

use std::net::SocketAddr;

use tollgate_web::Settings;

use crate::support::{Answer, Store, TestApp, get, post};

/// Three a minute, so that one is allowed again after twenty seconds.
async fn three_a_minute(store: Store, trusted: &'static [&'static str]) -> TestApp {
    TestApp::with(store, |settings| {
        settings.requests_per_minute = 3;
        settings.trusted_proxies = trusted.iter().map(|net| net.parse().expect("a network")).collect();
    })
    .await
}

fn is_refused(answer: &Answer) {
    answer.is_error("too_many_requests");
    let seconds = answer.header("retry-after").expect("says when to come back");
    assert!(
        seconds.bytes().all(|byte| byte.is_ascii_digit()),
        "a bare integer: {seconds:?}"
    );
    let seconds: u32 = seconds.parse().expect("a number");
    assert!((1..=20).contains(&seconds), "{seconds}");
    for name in answer.header_names() {
        assert!(
            !name.starts_with("ratelimit") && !name.starts_with("x-ratelimit"),
            "{name}"
        );
    }
}

pub(crate) async fn requests_past_the_limit_are_refused_with_the_seconds_to_wait(store: Store) {
    let app = three_a_minute(store, &[]).await;
    for _ in 0..3 {
        let answer = app.get("/client-tokens").await;
        answer.data(200);
        assert_eq!(answer.header("retry-after"), None);
    }
    is_refused(&app.get("/client-tokens").await);
    // The limit is of the address, whatever it asks for and whoever it says it is.
    is_refused(&app.send(get("/")).await);
    is_refused(&app.get("/tollgate/client-tokens").await);
    is_refused(&app.send(post("/client-tokens")).await);
    let stranger = app.home.full_key().await;
    is_refused(&app.send(get("/events").by(&stranger)).await);
}

pub(crate) async fn requests_that_are_refused_for_their_credential_count(store: Store) {
    let app = three_a_minute(store, &[]).await;
    for _ in 0..3 {
        let guess = get("/client-tokens").header("Authorization", "Bearer guess");
        app.send(guess).await.is_error("invalid_token");
    }
    is_refused(&app.get("/client-tokens").await);
}

pub(crate) async fn each_address_has_a_limit_of_its_own(store: Store) {
    let app = three_a_minute(store, &[]).await;
    for address in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
        for _ in 0..3 {
            app.send(get("/").from(address)).await.data(200);
        }
        is_refused(&app.send(get("/").from(address)).await);
    }
}

pub(crate) async fn behind_a_trusted_proxy_the_clients_address_counts(store: Store) {
    let app = three_a_minute(store, &["127.0.0.0/8", "10.0.0.0/8"]).await;
    let from = async |forwarded: &str| app.send(get("/").header("X-Forwarded-For", forwarded)).await;
    for client in ["203.0.113.7", "2001:db8::7"] {
        for _ in 0..3 {
            from(client).await.data(200);
        }
        is_refused(&from(client).await);
        // What a client claims stands before what the proxy saw, and isn't believed.
        is_refused(&from(&format!("198.51.100.1, {client}")).await);
        is_refused(&from(&format!("nonsense,{client} , 10.1.2.3")).await);
        is_refused(&from(&SocketAddr::new(client.parse().expect("an address"), 50_123).to_string()).await);
    }
    // The proxy's own requests are limited by its own address.
    app.send(get("/")).await.data(200);
}

pub(crate) async fn an_ipv6_customer_has_one_limit_for_all_addresses(store: Store) {
    let app = three_a_minute(store, &["127.0.0.0/8"]).await;
    let from = async |forwarded: &str| app.send(get("/").header("X-Forwarded-For", forwarded)).await;
    for client in ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"] {
        from(client).await.data(200);
    }
    is_refused(&from("2001:db8::4").await);
    from("2001:db8:0:1::1").await.data(200);
}

pub(crate) async fn another_machine_cannot_choose_its_address(store: Store) {
    let app = three_a_minute(store, &["127.0.0.1/32"]).await;
    for number in 0..5 {
        let request = get("/").from("127.0.0.2");
        let answer = app
            .send(request.header("X-Forwarded-For", format!("203.0.113.{number}")))
            .await;
        if number < 3 {
            answer.data(200);
        } else {
            is_refused(&answer);
        }
    }
}

pub(crate) async fn what_watches_the_server_is_not_limited(store: Store) {
    let app = three_a_minute(store, &[]).await;
    for _ in 0..10 {
        for path in ["/health/live", "/health/ready", "/openapi.json", "/tollgate/errors"] {
            assert_eq!(app.send(get(path)).await.status, 200);
        }
    }
}

pub(crate) async fn zero_is_no_limit_and_240_the_default(store: Store) {
    assert_eq!(Settings::default().requests_per_minute, 240);
    let app = TestApp::start(store).await;
    for _ in 0..300 {
        app.send(get("/")).await.data(200);
    }
}
