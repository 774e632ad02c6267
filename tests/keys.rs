//! `tollgate key` beside a running server: what the command line says holds there at once, or within a second.

use std::time::{Duration, Instant};

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
    let took = until(|| client.get("/client-tokens").unwrap().0 == 403);
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
    let said = store.said(&["key", "revoke", id]);
    let took = until(|| client.get("/events").unwrap().0 == 403);
    println!("{on:?}: the key was refused {took:?} after the command line had revoked it");
    assert!(said.contains("is revoked"), "{said}");
    let refused = client.get("/events").unwrap().1;
    assert_eq!(refused["error"]["code"], "invalid_token");
    assert!(
        store.said(&["key", "revoke", id]).contains("is revoked"),
        "again is fine"
    );
    let error = run(&mut store.tollgate(&["key", "update", id, "--name", "Late"])).failure(1);
    assert!(error.contains("revoked"), "{error}");
}

/// How long it took; a second at most.
fn until(holds: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(1), "it took longer than a second");
        std::thread::sleep(Duration::from_millis(1));
    }
    began.elapsed()
}

#[test]
fn an_expired_key_is_refused() {
    let store = Store::fresh(On::Sqlite);
    let workspace = store.workspace("sandbox");
    let words = [
        "key",
        "create",
        "--workspace",
        &workspace,
        "--name",
        "Brief",
        "--permission",
        "client_token.read",
    ];
    let create = |expires_at: &str| run(&mut store.tollgate(&[&words[..], &["--expires-at", expires_at]].concat()));
    let error = create("2020-01-01").failure(1);
    assert!(error.contains("in the past"), "{error}");
    let error = create("9000-01-01").failure(1);
    assert!(error.contains("a year"), "{error}");
    let error = create("tomorrow").failure(2);
    assert!(error.contains("2026-03-02"), "it shows how a time is written: {error}");
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
