//! `tollgate key` beside a running server: what the command line says holds there at once, or within a second.

use std::time::{Duration, Instant};

use tollgate_domain::ambient::Clock;
use tollgate_domain::time::Timestamp;
use tollgate_service::ambient::SystemClock;

use crate::client::Client;
use crate::support::{On, Store, run};

#[test]
fn a_running_server_follows_the_command_line_on_sqlite() {
    journey(On::Sqlite);
}

#[test]
fn a_running_server_follows_the_command_line_on_postgres() {
    journey(On::Postgres);
}

fn journey(on: On) {
    let store = Store::fresh(on);
    let server = store.serve(&[]);

    // The workspace and the key are made while the server runs, and work at once.
    let workspace = store.workspace("live");
    let words = [
        "key",
        "create",
        "--workspace",
        &workspace,
        "--name",
        "Shop",
        "--description",
        "For the shop",
    ];
    let made = run(&mut store.tollgate(&[&words[..], &["--permission", "client_tokens.read", "--json"]].concat()));
    let made = made.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(secret.starts_with("pdl_live_apikey_"), "{made}");
    assert_eq!(
        made["permissions"],
        serde_json::json!(["client_token.read"]),
        "the singular is stored"
    );
    let client = Client::new(&server.url, secret);
    assert_eq!(client.get("/client-tokens").unwrap().0, 200);
    assert_eq!(client.get("/events").unwrap().0, 403);

    // Other permissions take the place of the old ones.
    store.said(&[
        "key",
        "update",
        id,
        "--name",
        "Shop 2",
        "--description",
        "",
        "--permission",
        "notification.read",
    ]);
    let took = until(Duration::from_secs(1), || {
        client.get("/client-tokens").unwrap().0 == 403
    });
    println!("{on:?}: a permission was gone {took:?} after the command line had taken it");
    assert_eq!(client.get("/events").unwrap().0, 200);

    let listed = run(&mut store.tollgate(&["key", "list", "--workspace", &workspace, "--json"])).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["description"]),
        (&"Shop 2".into(), &serde_json::Value::Null)
    );
    assert_eq!(listed[0]["workspace_id"], workspace.as_str());
    assert!(listed[0].get("secret").is_none());
    assert!(!listed.to_string().contains(secret.split('_').nth(4).unwrap()));
    let table = store.said(&["key", "list"]);
    assert!(
        table.contains(id) && table.contains("notification.read") && table.starts_with("ID "),
        "{table}"
    );

    // A key in use, thus known to the server, is refused within a second.
    for _ in 0..20 {
        assert_eq!(client.get("/events").unwrap().0, 200);
    }
    let (revoked, refused_at) = std::thread::scope(|scope| {
        let refused = scope.spawn(|| {
            until(Duration::from_secs(20), || client.get("/events").unwrap().0 == 403);
            SystemClock.now()
        });
        let revoked = run(&mut store.tollgate(&["key", "revoke", id, "--json"])).json();
        (revoked, refused.join().unwrap())
    });
    assert_eq!(revoked["status"], "revoked");
    let revoked_at = Timestamp::parse(revoked["updated_at"].as_str().unwrap()).unwrap();
    let took = Duration::from_micros((refused_at.as_micros() - revoked_at.as_micros()).unsigned_abs());
    println!("{on:?}: the key was refused {took:?} after it was revoked");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let refused = client.get("/events").unwrap().1;
    assert_eq!(refused["error"]["code"], "invalid_token");
    assert!(
        store.said(&["key", "revoke", id]).contains("is revoked"),
        "again is fine"
    );
    let error = run(&mut store.tollgate(&["key", "update", id, "--name", "Late"])).failure(1);
    assert!(error.contains("revoked"), "{error}");
}

/// How long it took; `at_most` this long.
fn until(at_most: Duration, holds: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < at_most, "it took longer than {at_most:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    began.elapsed()
}

#[test]
fn a_key_ends_by_itself_when_it_was_told_to() {
    let store = Store::fresh(On::Sqlite);
    let workspace = store.workspace("sandbox");
    let server = store.serve(&[]);
    let create = |permission: &str, expires_at: &str| {
        let words = [
            "key",
            "create",
            "--name",
            "Brief",
            "--workspace",
            &workspace,
            "--permission",
            permission,
        ];
        run(&mut store.tollgate(&[&words[..], &["--expires-at", expires_at]].concat()))
    };
    let error = create("client_token.read", "2020-01-01").failure(1);
    assert!(error.contains("in the past"), "{error}");
    let error = create("client_token.read", "9000-01-01").failure(1);
    assert!(error.contains("a year"), "{error}");
    let error = create("client_token.read", "tomorrow").failure(2);
    assert!(error.contains("2026-03-02"), "it shows how a time is written: {error}");

    let expires_at = SystemClock.now().plus(Duration::from_millis(1500));
    let brief = create("client_token.read", &expires_at.to_string()).success();
    let client = Client::new(&server.url, &brief);
    assert_eq!(client.get("/client-tokens").unwrap().0, 200);
    until(Duration::from_secs(20), || {
        client.get("/client-tokens").unwrap().0 == 403
    });
    let took = SystemClock.now().as_micros() - expires_at.as_micros();
    println!("the key was refused {took} µs after its end");
    assert!((0..1_000_000).contains(&took), "{took} µs after its end");

    let reader = Client::new(&server.url, &store.key(&workspace, &["notification.read"]));
    let expired = || {
        reader.get("/events?event_type=api_key.expired").unwrap().1["data"]
            .as_array()
            .unwrap()
            .len()
    };
    until(Duration::from_secs(2), || expired() == 1);
}

#[test]
fn unknown_names_are_refused_with_the_known_ones() {
    let store = Store::fresh(On::Sqlite);
    let error = run(&mut store.tollgate(&["key", "list"])).failure(1);
    assert!(
        error.contains("there is no Tollgate data in") && error.contains("tollgate workspace create"),
        "{error}"
    );
    let workspace = store.workspace("sandbox");
    let create = |workspace: &str, permission: &str| {
        let words = [
            "key",
            "create",
            "--name",
            "x",
            "--workspace",
            workspace,
            "--permission",
            permission,
        ];
        run(&mut store.tollgate(&words))
    };
    let error = create(&workspace, "client_token.delete").failure(2);
    assert!(
        error.contains("client_token.delete") && error.contains("notification_setting.write"),
        "{error}"
    );
    for unknown in ["wsp_00000000000000000000000000", "Journey"] {
        let error = create(unknown, "client_token.read").failure(1);
        assert!(
            error.contains(unknown) && error.contains(&workspace) && error.contains("Journey"),
            "{error}"
        );
    }
    let error = run(&mut store.tollgate(&["key", "revoke", "apikey_00000000000000000000000000"])).failure(1);
    assert!(error.contains("tollgate key list"), "{error}");
    run(&mut store.tollgate(&["key", "revoke", "apikey_1"])).failure(2);
    let error = run(&mut store.tollgate(&["key", "update", "apikey_00000000000000000000000000"])).failure(2);
    assert!(error.contains("--permission"), "{error}");
}
