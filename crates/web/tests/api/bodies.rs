//! Bodies as bytes: what is JSON, what it is called, and how much of it is read.

use crate::support::{Answer, SURFACES, Store, TestApp, at, get, patch, post};

const MEBIBYTE: usize = 1024 * 1024;

async fn create(app: &TestApp, body: impl AsRef<[u8]>) -> Answer {
    app.send(post("/client-tokens").by(&app.key).text(body)).await
}

pub(crate) async fn what_is_no_json_is_told_so(store: Store) {
    let app = TestApp::start(store).await;
    let deep = "[".repeat(100_000);
    let deep_object = r#"{"name":"#.repeat(10_000);
    let closed = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let bodies: [&[u8]; 31] = [
        b"{",
        b"}",
        b" ",
        b"\n",
        b"\0",
        b"{\"name\":\"Kiosk\"",
        b"{\"name\":\"Kiosk\"}}",
        b"{\"name\":\"Kiosk\"} x",
        b"{\"name\":\"Kiosk\"}{\"name\":\"Kiosk\"}",
        b"{\"name\":\"Kiosk\"}\0",
        b"{\"name\":\"Kiosk\",}",
        b"{'name':'Kiosk'}",
        b"{name:\"Kiosk\"}",
        b"{\"name\":\"Ki\nosk\"}",
        b"{\"name\":\"Ki\0osk\"}",
        b"{\"name\":\"Ki\\xosk\"}",
        b"{\"name\":\"\xff\xfe\"}",
        b"{\"name\":\"\xed\xa0\x80\"}",
        b"{\"\xff\":1}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":\"\\udc00\\ud800\"}",
        b"{\"name\":1e999}",
        b"{\"name\":01}",
        b"{\"name\":NaN}",
        b"{\"name\":+1}",
        b"\xef\xbb\xbf{\"name\":\"Kiosk\"}",
        "{\"name\":\"Kiosk\"}".as_bytes().split_at(15).0,
        b"name=Kiosk",
        deep.as_bytes(),
        deep_object.as_bytes(),
        closed.as_bytes(),
    ];
    for body in bodies {
        create(&app, body).await.is_error("invalid_json");
    }
    for surface in SURFACES {
        let target = format!("{surface}/client-tokens/ctkn_01kjpx8smt1jx21jct317jay33");
        let answer = app.send(patch(target).by(&app.key).text("{")).await;
        answer.is_error("invalid_json");
    }
    assert_eq!(app.get("/client-tokens").await.total(), 0);
}

pub(crate) async fn json_may_be_spelled_in_every_way_it_allows(store: Store) {
    let app = TestApp::start(store).await;
    for body in [
        "\t\r\n {\"name\" :\t\"Kiosk\"\n}\r\n ",
        r#"{"n\u0061me":"\u004biosk"}"#,
        r#"{"description":null,"name":"Kiosk"}"#,
    ] {
        assert_eq!(at(create(&app, body).await.data(201), "name"), "Kiosk");
    }
    let answer = create(&app, r#"{"name":"\ud83d\udd11"}"#).await;
    assert_eq!(at(answer.data(201), "name"), "🔑");
}

pub(crate) async fn a_body_must_be_called_json(store: Store) {
    let app = TestApp::start(store).await;
    let create = || post("/client-tokens").by(&app.key).bytes(r#"{"name":"Kiosk"}"#);
    app.send(create()).await.is_error("unsupported_media_type");
    for media_type in [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/merge-patch+json",
        "application",
        "application/json2",
        "*/*",
        "; application/json",
        "application /json",
        "é",
    ] {
        for request in [create(), create().chunked()] {
            let answer = app.send(request.header("Content-Type", media_type)).await;
            answer.is_error("unsupported_media_type");
        }
    }
    for media_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "APPLICATION/JSON ; version=1",
        "Application/Json;",
    ] {
        for request in [create(), create().chunked()] {
            app.send(request.header("Content-Type", media_type)).await.data(201);
        }
    }
}

pub(crate) async fn a_media_type_without_a_body_means_nothing(store: Store) {
    let app = TestApp::start(store).await;
    for media_type in ["application/json", "application/json; charset=utf-8", "text/plain", "é"] {
        let list = get("/client-tokens").by(&app.key).header("Content-Type", media_type);
        app.send(list).await.data(200);
        let create = post("/client-tokens").by(&app.key).header("Content-Type", media_type);
        let empty = app.send(create.bytes("")).await;
        empty.is_bad_request(&[("(root)", "name is required")]);
    }
}

pub(crate) async fn a_body_of_a_mebibyte_is_read_and_one_byte_more_is_not(store: Store) {
    let app = TestApp::start(store).await;
    for surface in SURFACES {
        let body = r#"{"name":"Kiosk"}"#;
        let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
        let create = |body: String| post(format!("{surface}/client-tokens")).by(&app.key).text(body);
        app.send(create(padded(MEBIBYTE))).await.data(201);
        app.send(create(padded(MEBIBYTE)).chunked()).await.data(201);
        for length in [MEBIBYTE + 1, 4 * MEBIBYTE] {
            app.send(create(padded(length))).await.is_error("payload_too_large");
            app.send(create(padded(length)).chunked())
                .await
                .is_error("payload_too_large");
        }
    }
}

pub(crate) async fn a_body_that_is_announced_too_large_is_refused_unread(store: Store) {
    let app = TestApp::start(store).await;
    for length in ["1048577", "999999999999", "9223372036854775807"] {
        // Nothing of it is ever sent.
        let create = post("/client-tokens")
            .by(&app.key)
            .text("")
            .header("Content-Length", length);
        app.send(create).await.is_error("payload_too_large");
    }
}

pub(crate) async fn a_body_where_none_belongs_is_not_looked_at(store: Store) {
    let app = TestApp::start(store).await;
    for path in ["/", "/client-tokens", "/events", "/event-types", "/api-keys"] {
        let answer = app.send(get(path).by(&app.key).text("{")).await;
        answer.data(200);
    }
}
