//! `tollgate token`: a client of the HTTP API like any other.

use std::process::Command;

use crate::client::Client;
use crate::support::{On, Server, Store, run, tollgate};

/// A server, and the program's words with a key for it.
struct Shop {
    key: String,
    server: Server,
    _store: Store,
}

impl Shop {
    fn open(permissions: &[&str]) -> Self {
        let store = Store::fresh(On::Sqlite);
        let key = store.key(&store.workspace("live"), permissions);
        Self {
            key,
            server: store.serve(&[]),
            _store: store,
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
