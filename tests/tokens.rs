//! `tollgate token`: a client of the HTTP API like any other.

use std::process::Command;

use tollgate_domain::ambient::Clock;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::usage::{Hour, UsageCounts, UsageDelta};
use tollgate_service::ambient::SystemClock;
use tollgate_storage::Write;

use crate::client::Client;
use crate::support::{On, Server, Store, run, tollgate};

/// A server, and the program's words with a key for it.
struct Shop {
    key: String,
    server: Server,
    workspace: String,
    store: Store,
}

impl Shop {
    fn open(permissions: &[&str]) -> Self {
        let store = Store::fresh(On::Sqlite);
        let workspace = store.workspace("live");
        Self {
            key: store.key(&workspace, permissions),
            server: store.serve(&[]),
            workspace,
            store,
        }
    }

    fn token(&self, words: &[&str]) -> Command {
        let mut command = tollgate(&[&["token"], words].concat());
        command
            .env("TOLLGATE_API_KEY", &self.key)
            .env("TOLLGATE_API_URL", &self.server.url);
        command
    }
}

#[test]
fn a_token_is_made_shown_changed_and_revoked() {
    let shop = Shop::open(&["client_token.write"]);
    let made = run(&mut shop.token(&["create", "--name", "Front end", "--description", "For the shop"]));
    assert!(
        made.out.starts_with("live_") && made.out.trim_end().len() == 32,
        "the token alone: {made:?}"
    );
    let id = made
        .err
        .split_whitespace()
        .find(|word| word.starts_with("ctkn_"))
        .unwrap()
        .trim_end_matches('.');

    let shown = run(&mut shop.token(&["get", id])).success();
    for part in [id, made.out.trim_end(), "Front end", "For the shop", "active"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    run(&mut shop.token(&["update", id, "--name", "New front end", "--description", ""])).success();
    let shown = run(&mut shop.token(&["get", id, "--json"])).json();
    assert_eq!(
        (&shown["name"], &shown["description"]),
        (&"New front end".into(), &serde_json::Value::Null)
    );
    let error = run(&mut shop.token(&["update", id])).failure(2);
    assert!(error.contains("--name"), "{error}");

    let said = run(&mut shop.token(&["revoke", id])).success();
    assert!(said.contains(id) && said.contains("is revoked"), "{said}");
    assert_eq!(run(&mut shop.token(&["get", id, "--json"])).json()["status"], "revoked");
}

/// The id that a remark tells.
fn id_in(remark: &str) -> &str {
    let mut words = remark.split_whitespace();
    words
        .find(|word| word.starts_with("ctkn_"))
        .unwrap()
        .trim_end_matches('.')
}

#[test]
fn a_token_is_restricted_reported_and_enforced() {
    let shop = Shop::open(&["client_token.write"]);
    let flags = [
        "create",
        "--name",
        "Front end",
        "--allow-origin",
        "https://shop.example",
        "--allow-origin",
        "https://*.shop.example.com",
        "--allow-network",
        "10.0.0.0/8",
        "--scope",
        "read",
        "--expires-at",
        "2099-01-31",
        "--rate-limit",
        "100/1m",
        "--report-only",
        "allowed_origins",
        "--report-only",
        "rate_limit",
    ];
    let made = run(&mut shop.token(&flags));
    let id = id_in(&made.err);
    let shown = run(&mut shop.token(&["get", id])).success();
    for line in [
        "allowed_origins   https://shop.example, https://*.shop.example.com (only reported)",
        "allowed_networks  10.0.0.0/8",
        "scopes            read",
        "expires_at        2099-01-31T00:00:00.000000Z",
        "rate_limit        100/60s (only reported)",
        "last_used_at      -",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in\n{shown}");
    }
    let list = run(&mut shop.token(&["list"])).success();
    let kinds = "allowed_origins,allowed_networks,scopes,expires_at,rate_limit";
    assert!(list.contains(kinds) && list.contains("LAST USED"), "{list}");

    let restrict = |flags: &[&str]| run(&mut shop.token(&[&["restrict", id, "--json"], flags].concat())).json();
    let enforced = restrict(&["--enforce", "--remove", "expires_at", "--remove", "scopes"]);
    assert_eq!(
        enforced["restrictions"],
        serde_json::json!({
            "allowed_origins": ["https://shop.example", "https://*.shop.example.com"],
            "allowed_networks": ["10.0.0.0/8"],
            "scopes": null,
            "expires_at": null,
            "rate_limit": { "requests": 100, "period_seconds": 60 },
            "report_only": [],
        })
    );
    let changed = restrict(&[
        "--allow-origin",
        "https://till.example",
        "--report-only",
        "allowed_origins",
    ]);
    assert_eq!(
        changed["restrictions"]["allowed_origins"],
        serde_json::json!(["https://till.example"])
    );
    assert_eq!(
        changed["restrictions"]["report_only"],
        serde_json::json!(["allowed_origins"])
    );
    assert_eq!(restrict(&["--remove-all"])["restrictions"], serde_json::Value::Null);

    for (wrong, said) in [
        (&[][..], "nothing to change"),
        (
            &["--scope", "read", "--remove", "scopes"],
            "scopes is both set and taken away",
        ),
        (&["--enforce", "--report-only", "scopes"], "cannot be used with"),
        (&["--remove-all", "--scope", "read"], "cannot be used with"),
        (&["--rate-limit", "100"], "100/60s"),
        (&["--report-only", "origins"], "allowed_origins"),
    ] {
        let error = run(&mut shop.token(&[&["restrict", id], wrong].concat())).failure(2);
        assert!(error.contains(said), "{said} in {error}");
    }
    let error = run(&mut shop.token(&["restrict", id, "--allow-network", "10.0.0.1/8"])).failure(1);
    assert!(
        error.contains("restrictions.allowed_networks.0") && error.contains("write 10.0.0.0/8"),
        "{error}"
    );
}

#[test]
fn a_token_is_rotated_and_the_old_one_revoked_later() {
    let shop = Shop::open(&["client_token.write"]);
    let made = run(&mut shop.token(&["create", "--name", "Front end", "--scope", "read"]));
    let (id, old) = (id_in(&made.err), made.out.trim_end());
    let rotated = run(&mut shop.token(&["rotate", id, "--revoke-at", "2099-01-31T12:00:00Z"])).success();
    for part in [old, id, "new token", "2099-01-31T12:00:00.000000Z", "never"] {
        assert!(rotated.contains(part), "{part} in {rotated}");
    }
    assert_eq!(
        run(&mut shop.token(&["list", "--json"]))
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let again = run(&mut shop.token(&["rotate", id, "--json"])).json();
    assert_ne!(again["successor"]["token"], again["old"]["token"]);
    assert_eq!(
        again["successor"]["restrictions"]["scopes"],
        serde_json::json!(["read"])
    );
    let in_seven_days = again["old"]["revoke_at"].as_str().unwrap();
    assert!(
        in_seven_days < "2099",
        "the default is sooner than what was scheduled: {in_seven_days}"
    );
    let soon = run(&mut shop.token(&["rotate", id, "--revoke-in", "12h", "--json"])).json();
    assert!(soon["old"]["revoke_at"].as_str().unwrap() < in_seven_days);

    for wrong in [
        &["--revoke-in", "7"][..],
        &["--revoke-in", "7d", "--revoke-at", "2099-01-01"],
    ] {
        run(&mut shop.token(&[&["rotate", id], wrong].concat())).failure(2);
    }
    let error = run(&mut shop.token(&["rotate", id, "--revoke-at", "2020-01-01"])).failure(1);
    assert!(error.contains("revoke_at: Must not be in the past"), "{error}");
}

#[test]
fn a_revocation_is_scheduled_and_withdrawn_and_comes_at_its_time() {
    let shop = Shop::open(&["client_token.write"]);
    let made = run(&mut shop.token(&["create", "--name", "Front end", "--revoke-at", "2099-01-31"]));
    let id = id_in(&made.err);
    let status = || run(&mut shop.token(&["get", id, "--json"])).json();
    assert_eq!(status()["revoke_at"], "2099-01-31T00:00:00.000000Z");
    let said = run(&mut shop.token(&["revoke", id, "--withdraw"])).success();
    assert!(said.contains("is not to be revoked"), "{said}");
    assert_eq!(status()["revoke_at"], serde_json::Value::Null);

    let scheduled = run(&mut shop.token(&["revoke", id, "--at", "2099-06-01"]));
    assert!(
        scheduled
            .out
            .contains("is to be revoked at 2099-06-01T00:00:00.000000Z")
            && scheduled.err.contains("Never used"),
        "{scheduled:?}"
    );
    assert_eq!(status()["status"], "active");
    run(&mut shop.token(&["revoke", id, "--at", "2099-01-01", "--withdraw"])).failure(2);

    let soon = run(&mut shop.token(&["revoke", id, "--in", "1s"])).success();
    assert!(soon.contains("is to be revoked at 20"), "{soon}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while status()["status"] == "active" {
        assert!(std::time::Instant::now() < deadline, "the clock doesn't revoke");
    }
    let revoked = status();
    assert!(
        revoked["revoked_at"].is_string() && revoked["revoke_at"].is_null(),
        "{revoked}"
    );
    let said = run(&mut shop.token(&["revoke", id, "--withdraw"])).success();
    assert!(said.contains("that stays so"), "{said}");
}

#[test]
fn usage_is_told_before_a_token_is_revoked() {
    let shop = Shop::open(&["client_token.write"]);
    let made = run(&mut shop.token(&["create", "--name", "Front end"]));
    let id = id_in(&made.err);
    let unused = run(&mut shop.token(&["usage", id])).success();
    assert!(unused.contains("Never used"), "{unused}");

    let now = SystemClock.now();
    shop.store.commit(Write::RecordUsage(vec![UsageDelta {
        workspace: WorkspaceId::parse(&shop.workspace).unwrap(),
        id: ClientTokenId::parse(id).unwrap(),
        hour: Hour::of(now),
        counts: UsageCounts {
            allowed: 42,
            refused: 7,
            reported: [3, 0, 0, 0, 0],
        },
        last_used_at: Some(now),
        origins: vec![("https://shop.example".to_owned(), 42)],
    }]));
    let usage = run(&mut shop.token(&["usage", id, "--hours"])).success();
    for part in [
        &format!("Last used at {now}"),
        "TIME",
        "last 24 hours",
        "42",
        "allowed_origins 3",
        "https://shop.example",
        &Hour::of(now).begins_at().to_string(),
    ] {
        assert!(usage.contains(part), "{part} in\n{usage}");
    }
    let json = run(&mut shop.token(&["usage", id, "--json"])).json();
    assert_eq!(json["totals"]["last_7_days"]["refused"], 7);

    let list = run(&mut shop.token(&["list"])).success();
    assert!(list.contains(&now.to_string()), "{list}");
    let revoked = run(&mut shop.token(&["revoke", id]));
    assert!(revoked.err.contains(&format!("Last used at {now}")), "{revoked:?}");
    assert!(revoked.out.contains("is revoked since"), "{revoked:?}");
}

#[test]
fn a_list_is_a_table_or_json_and_all_pages_on_demand() {
    let shop = Shop::open(&["client_token.write"]);
    let none = run(&mut shop.token(&["list"]));
    assert!(
        none.out.is_empty() && none.err.contains("tollgate token create"),
        "{none:?}"
    );
    assert_eq!(run(&mut shop.token(&["list", "--json"])).json(), serde_json::json!([]));

    let client = Client::new(&shop.server.url, &shop.key);
    for number in 0..420 {
        client
            .post(
                "/client-tokens",
                &serde_json::json!({ "name": format!("Token {number}") }),
            )
            .unwrap();
    }
    let first = run(&mut shop.token(&["list"]));
    assert!(
        first.out.starts_with("ID ") && first.out.contains("Token 419"),
        "{first:?}"
    );
    assert_eq!(first.out.lines().count(), 51);
    assert!(first.err.contains("--all"), "{first:?}");

    let all = run(&mut shop.token(&["list", "--all", "--json"])).json();
    let ids: std::collections::BTreeSet<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["id"].as_str().unwrap())
        .collect();
    assert_eq!((all.as_array().unwrap().len(), ids.len()), (420, 420));

    run(&mut shop.token(&["revoke", ids.first().unwrap()])).success();
    let revoked = run(&mut shop.token(&["list", "--status", "revoked", "--json"])).json();
    assert_eq!(revoked.as_array().unwrap().len(), 1);
    let both = run(&mut shop.token(&["list", "--status", "active,revoked", "--all"])).success();
    assert_eq!(both.lines().count(), 421);
    run(&mut shop.token(&["list", "--status", "archived"])).failure(2);
}

#[test]
fn a_refusal_is_printed_with_its_fields_and_request_id() {
    let shop = Shop::open(&["client_token.write"]);
    let error = run(&mut shop.token(&["create", "--name", &"x".repeat(151)])).failure(1);
    for part in ["name: String length must be less than or equal to 150", "request id: "] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let error = run(&mut shop.token(&["get", "ctkn_00000000000000000000000000"])).failure(1);
    assert!(error.contains("ctkn_00000000000000000000000000 not found."), "{error}");
    run(&mut shop.token(&["get", "live_x"])).failure(2);
    let reader = Shop::open(&["client_token.read"]);
    let error = run(&mut reader.token(&["create", "--name", "x"])).failure(1);
    assert!(error.contains("permitted") && error.contains("forbidden"), "{error}");
}

#[test]
fn the_key_is_only_taken_from_the_environment() {
    let error = run(&mut tollgate(&["token", "list"])).failure(2);
    assert!(
        error.contains("TOLLGATE_API_KEY") && error.contains("tollgate dev"),
        "{error}"
    );
    run(&mut tollgate(&["token", "list", "--api-key", "pdl_x"])).failure(2);
    let list = |key: &str, url: &str| run(tollgate(&["token", "list", "--api-url", url]).env("TOLLGATE_API_KEY", key));

    let error = list("pdl_hunter2", "http://127.0.0.1:1").failure(1);
    assert!(
        error.contains("can't reach http://127.0.0.1:1") && !error.contains("hunter2"),
        "{error}"
    );
    let error = list("pdl_x", "http://user:hunter2@127.0.0.1:1").failure(2);
    assert!(error.contains("--api-url") && !error.contains("hunter2"), "{error}");
    let error = list("pdl_hunter2\n", "http://127.0.0.1:1").failure(2);
    assert!(!error.contains("hunter2"), "{error}");
}
