//! `tollgate serve`: readiness, settings, and a graceful end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::client::Client;
use crate::support::{On, Store, run, tollgate};

#[test]
fn a_server_is_ready_when_it_says_so() {
    let store = Store::fresh(On::Sqlite);
    let server = store.serve(&[]);
    for path in ["/health/live", "/health/ready"] {
        let answer = ureq::get(format!("{}{path}", server.url)).call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    assert!(
        !store.scratch().join("data/dev-key").exists(),
        "only dev writes a key down"
    );
}

#[test]
fn a_request_in_flight_is_finished_before_the_end() {
    let store = Store::fresh(On::Sqlite);
    let key = store.full_key(&store.workspace("live"));
    for signal in ["TERM", "INT"] {
        let mut server = store.serve(&[]);
        let body = json!({ "name": format!("Asked before {signal}") }).to_string();
        let mut connection = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let length = body.len();
        write!(
            connection,
            "POST /client-tokens HTTP/1.1\r\nHost: tollgate\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
        .unwrap();
        // The server has the head of this request for sure when it has answered a later one.
        assert_eq!(Client::new(&server.url, &key).get("/client-tokens").unwrap().0, 200);
        server.signal(signal);
        while !server.log().contains("stopping") {
            std::thread::sleep(Duration::from_millis(2));
        }
        connection.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    }
}

#[test]
fn the_settings_of_the_file_and_of_the_environment_hold() {
    let store = Store::fresh(On::Sqlite);
    let key = store.full_key(&store.workspace("sandbox"));
    let file = store.scratch().join("tollgate.toml");
    let content = "listen = '127.0.0.1:0'\npublic_url = 'https://file.example'\nrequests_per_minute = 1\n\
                   documentation_url = 'https://docs.example'\n";
    std::fs::write(&file, content).unwrap();
    let mut command = store.tollgate(&["serve", "--json", "--config", file.to_str().unwrap()]);
    command.env("TOLLGATE_PUBLIC_URL", "https://variable.example/");
    let server = crate::support::Server::start(command);
    let client = Client::new(&server.url, &key);
    let (_, listed) = client.get("/client-tokens").unwrap();
    let next = listed["meta"]["pagination"]["next"].as_str().unwrap();
    assert!(next.starts_with("https://variable.example/client-tokens"), "{next}");
    let (status, refused) = client.get("/client-tokens").unwrap();
    assert_eq!(status, 429, "one request a minute");
    let documentation = refused["error"]["documentation_url"].as_str().unwrap();
    assert!(
        documentation.starts_with("https://docs.example/errors/"),
        "{documentation}"
    );
}

#[test]
fn an_unknown_setting_is_an_error_that_names_it_and_its_place() {
    let store = Store::fresh(On::Sqlite);
    let file = store.scratch().join("tollgate.toml");
    std::fs::write(&file, "# comment\nlisten = '127.0.0.1:0'\nrequest_per_minute = 1\n").unwrap();
    let error = run(&mut store.tollgate(&["serve", "--config", file.to_str().unwrap()])).failure(2);
    assert!(
        error.contains("\"request_per_minute\"") && error.contains("tollgate.toml, line 3"),
        "{error}"
    );

    let error = run(store.tollgate(&["serve"]).env("TOLLGATE_LISTEN_ON", "127.0.0.1:0")).failure(2);
    assert!(error.contains("TOLLGATE_LISTEN_ON in the environment"), "{error}");

    let error = run(&mut store.tollgate(&["serve", "--listen-on", "127.0.0.1:0"])).failure(2);
    assert!(error.contains("--listen-on"), "{error}");
    assert!(!store.scratch().join("data").exists(), "nothing was made");
}

#[test]
fn the_settings_of_deliveries_and_mail_hold_or_are_refused() {
    let store = Store::fresh(On::Sqlite);
    let key = store.full_key(&store.workspace("sandbox"));
    let email = json!({
        "description": "Mail",
        "type": "email",
        "destination": "shop@shop.example",
        "subscribed_events": ["client_token.revoked"],
    });
    let mail_to_shop =
        |server: &crate::support::Server| Client::new(&server.url, &key).post("/notification-settings", &email);
    let (status, refused) = mail_to_shop(&store.serve(&[])).unwrap();
    assert_eq!(status, 400, "{refused}");
    let flags = [
        "--sandbox-retries",
        "1,2",
        "--live-retries",
        "none",
        "--retention-days",
        "30",
    ];
    let mail = [
        "--smtp-url",
        "smtp://127.0.0.1:1",
        "--smtp-from",
        "tollgate@shop.example",
    ];
    let server = store.serve(&[&flags[..], &mail, &["--deactivate-after-days", "0"]].concat());
    let (status, made) = mail_to_shop(&server).unwrap();
    assert_eq!(status, 201, "{made}");

    let url = "smtp://u:hunter2@mail.example";
    let error = run(store.tollgate(&["serve"]).env("TOLLGATE_SMTP_URL", url)).failure(2);
    assert!(error.contains("TOLLGATE_SMTP_URL is given without smtp_from") && !error.contains("hunter2"));
    for (flag, bad) in [
        ("--retention-days", "0"),
        ("--sandbox-retries", "60,soon"),
        ("--deactivate-after-days", "-1"),
    ] {
        let error = run(&mut store.tollgate(&["serve", &format!("{flag}={bad}")])).failure(2);
        assert!(error.contains(&format!("{flag} must be")), "{error}");
    }
}

#[test]
fn exactly_one_store_must_be_named() {
    let error = run(&mut tollgate(&["serve"])).failure(2);
    assert!(
        error.contains("--data-dir") && error.contains("--database-url"),
        "{error}"
    );
    let url = "postgres://tollgate:hunter2@127.0.0.1:1/tollgate";
    for words in [&["serve"][..], &["workspace", "list"], &["key", "list"], &["migrate"]] {
        let mut command = tollgate(&[words, &["--data-dir", "data"]].concat());
        let error = run(command.env("TOLLGATE_DATABASE_URL", url)).failure(2);
        assert!(
            error.contains("--data-dir and TOLLGATE_DATABASE_URL") && !error.contains("hunter2"),
            "{error}"
        );
        let error = run(tollgate(words).env("TOLLGATE_DATABASE_URL", url)).failure(1);
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_address_that_is_taken_is_told_with_what_to_do() {
    let store = Store::fresh(On::Sqlite);
    let server = store.serve(&[]);
    let address = server.url.strip_prefix("http://").unwrap();
    let error = run(&mut store.tollgate(&["serve", "--listen", address])).failure(1);
    assert!(
        error.contains("is taken") && error.contains("tollgate serve --listen"),
        "{error}"
    );
}

#[test]
fn the_log_holds_no_secret_however_much_is_logged() {
    for on in [On::Sqlite, On::Postgres] {
        let store = Store::fresh(on);
        let key = store.full_key(&store.workspace("sandbox"));
        let mut server = store.serve(&["--log", "trace"]);
        let client = Client::new(&server.url, &key);
        assert_eq!(
            client.post("/client-tokens", &json!({ "name": "Logged" })).unwrap().0,
            201
        );
        assert_eq!(
            Client::new(&server.url, &format!("{key}x"))
                .get("/client-tokens")
                .unwrap()
                .0,
            403
        );
        server.signal("TERM");
        assert_eq!(server.ended().code(), Some(0));
        let secret = key.split('_').nth(4).unwrap();
        let log = server.log();
        assert!(log.contains("/client-tokens"), "much is logged: {log}");
        assert!(!log.contains(secret), "{on:?}: the log holds the key");
    }
}
