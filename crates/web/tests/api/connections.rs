//! Below the requests: connections that stay, that speak HTTP/2, that break, and the end of the server.

use std::time::Duration;

use futures_util::future::join_all;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Store, TestApp, at, exchange, get, post, request};

pub(crate) async fn requests_that_follow_each_other_on_a_connection_are_answered_in_order(store: Store) {
    let app = TestApp::start(store).await;
    let host = app.address.to_string();
    let mut bytes = Vec::new();
    for name in ["First", "Second"] {
        let create = post("/client-tokens").by(&app.key).header("Connection", "keep-alive");
        bytes.extend(create.text(format!(r#"{{"name":"{name}"}}"#)).to_bytes(&host));
    }
    bytes.extend(get("/client-tokens").by(&app.key).to_bytes(&host));
    let received = exchange(app.address, &bytes).await;

    let (first, rest) = Answer::parse("POST", "/client-tokens", &received).expect("an answer");
    let (second, rest) = Answer::parse("POST", "/client-tokens", rest).expect("an answer");
    let (list, rest) = Answer::parse("GET", "/client-tokens", rest).expect("an answer");
    assert!(rest.is_empty());
    assert_eq!(
        (&first.data(201)["name"], &second.data(201)["name"]),
        (&"First".into(), &"Second".into())
    );
    assert_eq!(list.column("name"), ["Second", "First"]);
    assert_ne!(first.request_id(), second.request_id());
}

pub(crate) async fn every_request_has_an_id_of_its_own(store: Store) {
    let app = TestApp::start(store).await;
    let answers = join_all((0..100).map(|_| app.send(get("/")))).await;
    let ids: std::collections::HashSet<&str> = answers.iter().map(Answer::request_id).collect();
    assert_eq!(ids.len(), 100);
}

pub(crate) async fn a_client_that_waits_for_leave_to_send_its_body_gets_it(store: Store) {
    let app = TestApp::start(store).await;
    let create = post("/client-tokens").by(&app.key).header("Expect", "100-continue");
    let bytes = create.text(r#"{"name":"Kiosk"}"#).to_bytes("tollgate.example");
    let (head, body) = bytes.split_at(bytes.len() - 16);
    let mut stream = TcpStream::connect(app.address).await.expect("the server accepts");
    stream.write_all(head).await.expect("sent");
    let mut leave = [0; 25];
    stream.read_exact(&mut leave).await.expect("an interim answer");
    assert_eq!(&leave, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body).await.expect("sent");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.expect("an answer");
    let (answer, _) = Answer::parse("POST", "/client-tokens", &received).expect("an answer");
    answer.data(201);
}

pub(crate) async fn a_request_that_is_refused_before_its_body_came_leaves_the_connection_open(store: Store) {
    let app = TestApp::start(store).await;
    let reader = app.home.key(&["client_token.read"]).await;
    let refused = post("/client-tokens").by(&reader).header("Connection", "keep-alive");
    let bytes = refused.text(r#"{"name":"Kiosk"}"#).to_bytes("tollgate.example");
    let (head, body) = bytes.split_at(bytes.len() - 16);
    let mut stream = TcpStream::connect(app.address).await.expect("the server accepts");
    stream.write_all(head).await.expect("sent");
    let early = tokio::time::timeout(Duration::from_millis(200), stream.readable()).await;
    assert!(early.is_err(), "no answer before the body");
    stream.write_all(body).await.expect("sent");
    let next = get("/client-tokens").by(&reader).to_bytes("tollgate.example");
    stream.write_all(&next).await.expect("sent");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.expect("answers");
    let (first, rest) = Answer::parse("POST", "/client-tokens", &received).expect("an answer");
    first.is_error("forbidden");
    let (second, _) = Answer::parse("GET", "/client-tokens", rest).expect("an answer");
    second.data(200);
}

pub(crate) async fn http_2_is_spoken_too(store: Store) {
    let app = TestApp::start(store).await;
    app.token("Kiosk").await;
    let stream = TcpStream::connect(app.address).await.expect("the server accepts");
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.expect("HTTP/2");
    tokio::spawn(connection);
    for path in ["/client-tokens", "//client-tokens"] {
        let list = hyper::Request::get(format!("http://tollgate.example{path}"))
            .header("Authorization", format!("Bearer {}", app.key.secret))
            .body(axum::body::Body::empty())
            .expect("a request");
        let answer = sender.send_request(list).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("request-id"));
        let body = axum::body::Body::new(answer.into_body());
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let next = body["meta"]["pagination"]["next"].as_str().expect("next");
        assert!(
            next.starts_with("http://tollgate.example/client-tokens?after=ctkn_"),
            "{next}"
        );
    }
}

pub(crate) async fn old_clients_that_name_no_host_are_answered(store: Store) {
    let app = TestApp::start(store).await;
    let bytes = format!(
        "GET /client-tokens HTTP/1.0\r\nAuthorization: Bearer {}\r\n\r\n",
        app.key.secret
    );
    let received = exchange(app.address, bytes.as_bytes()).await;
    let (answer, _) = Answer::parse("GET", "/client-tokens", &received).expect("an answer");
    answer.data(200);
}

pub(crate) async fn what_is_no_http_ends_its_own_connection_only(store: Store) {
    let app = TestApp::start(store).await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"POST /client-tokens HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /client-tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /client-tokens HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /client-tokens HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ] {
        let received = exchange(app.address, bytes).await;
        let (answer, _) = Answer::parse("GET", "/", &received).expect("an answer");
        assert!(
            (400..500).contains(&answer.status) || answer.status == 505,
            "{}",
            bytes.escape_ascii()
        );
    }
    let many = "X-Header: value\r\n".repeat(200);
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100_000));
    for request in [format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), long] {
        let received = exchange(app.address, request.as_bytes()).await;
        let (answer, _) = Answer::parse("GET", "/", &received).expect("an answer");
        assert!([414, 431].contains(&answer.status), "{}", answer.status);
    }
    app.get("/client-tokens").await.data(200);
}

pub(crate) async fn a_server_that_stops_finishes_what_it_began(store: Store) {
    let app = TestApp::start(store).await;
    let create = post("/client-tokens").by(&app.key).header("Expect", "100-continue");
    let bytes = create.text(r#"{"name":"Kiosk"}"#).to_bytes("tollgate.example");
    let (head, body) = bytes.split_at(bytes.len() - 16);
    let mut stream = TcpStream::connect(app.address).await.expect("the server accepts");
    stream.write_all(head).await.expect("sent");
    let mut leave = [0; 25];
    stream.read_exact(&mut leave).await.expect("the request has begun");

    app.stop();
    // It takes nobody new…
    let refused = async {
        while TcpStream::connect(app.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused)
        .await
        .expect("it stops listening");
    // …and answers who is there.
    stream.write_all(body).await.expect("sent");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.expect("an answer");
    let (answer, _) = Answer::parse("POST", "/client-tokens", &received).expect("an answer");
    answer.data(201);
    assert_eq!(app.stored_events().await.len(), 2, "the key's creation and the token's");
}

pub(crate) async fn checks_and_other_requests_share_a_connection(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let check = |method: &str| {
        request(method, "/tollgate/authorize")
            .header("Tollgate-Client-Token", at(&token, "token"))
            .header("Connection", "keep-alive")
    };
    let host = app.address.to_string();
    let mut bytes = check("GET").to_bytes(&host);
    bytes.extend(check("HEAD").to_bytes(&host));
    bytes.extend(check("GET").header("Tollgate-Client-Token", "guess").to_bytes(&host));
    // A check with a body, and one that has to wait, go the way of all others; from there on, so do all.
    bytes.extend(check("GET").bytes("body").to_bytes(&host));
    bytes.extend(
        get("/client-tokens")
            .by(&app.key)
            .header("Connection", "keep-alive")
            .to_bytes(&host),
    );
    bytes.extend(check("GET").to_bytes(&host));
    bytes.extend(get("/health/live").to_bytes(&host));
    let received = exchange(app.address, &bytes).await;
    let mut rest = &*received;
    let expected = [
        ("GET", "/tollgate/authorize", 204),
        ("HEAD", "/tollgate/authorize", 204),
        ("GET", "/tollgate/authorize", 401),
        ("GET", "/tollgate/authorize", 204),
        ("GET", "/client-tokens", 200),
        ("GET", "/tollgate/authorize", 204),
        ("GET", "/health/live", 200),
    ];
    for (method, target, status) in expected {
        let (answer, after) = Answer::parse(method, target, rest).expect("an answer to each");
        assert_eq!(answer.status, status, "{method} {target}");
        assert!(answer.header("date").is_some());
        rest = after;
    }
    assert!(rest.is_empty());
}

pub(crate) async fn a_check_may_come_in_pieces_and_a_thousand_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let token = app.token("Kiosk").await;
    let check = get("/tollgate/authorize")
        .header("Tollgate-Client-Token", at(&token, "token"))
        .header("Connection", "keep-alive");
    let bytes = check.to_bytes("tollgate.example");
    let mut stream = TcpStream::connect(app.address).await.expect("the server accepts");
    stream.set_nodelay(true).expect("a socket");
    for piece in bytes.chunks(7) {
        stream.write_all(piece).await.expect("sent");
        tokio::task::yield_now().await;
    }
    let mut many = bytes.repeat(1_000);
    many.extend(get("/health/live").to_bytes("tollgate.example"));
    let (mut reader, mut writer) = stream.into_split();
    let mut received = Vec::new();
    let (sent, read) = tokio::join!(writer.write_all(&many), reader.read_to_end(&mut received));
    sent.expect("sent");
    read.expect("answers");
    let mut rest = &*received;
    for _ in 0..=1_000 {
        let (answer, after) = Answer::parse("GET", "/tollgate/authorize", rest).expect("an answer to each");
        assert_eq!(answer.status, 204);
        rest = after;
    }
    assert_eq!(
        Answer::parse("GET", "/health/live", rest).expect("an answer").0.status,
        200
    );
}

pub(crate) async fn a_head_that_is_too_long_or_broken_is_refused_as_any_other(store: Store) {
    let app = TestApp::start(store).await;
    for (wrong, status) in [
        (
            format!(
                "GET /tollgate/authorize HTTP/1.1\r\nx: {}\r\n\r\n",
                "a".repeat(1_000_000)
            ),
            431,
        ),
        ("GET /tollgate/authorize HTTP/1.1\r\nbroken\r\n\r\n".to_owned(), 400),
        ("GET /tollgate/authorize HTTP/9.9\r\n\r\n".to_owned(), 400),
    ] {
        let received = exchange(app.address, wrong.as_bytes()).await;
        let line = String::from_utf8_lossy(&received);
        assert!(line.starts_with(&format!("HTTP/1.1 {status}")), "{line}");
    }
    let old = exchange(app.address, b"GET /tollgate/authorize HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with(b"HTTP/1.0 401"), "{}", String::from_utf8_lossy(&old));
}
