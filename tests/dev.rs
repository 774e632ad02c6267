//! `tollgate dev`, as a developer meets it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::client::Client;
use crate::support::{Server, run, tollgate};

fn dev(dir: &Path) -> Server {
    dev_on("127.0.0.1:0", dir)
}

fn dev_on(address: &str, dir: &Path) -> Server {
    let dir = dir.to_str().unwrap();
    Server::start(tollgate(&["dev", "--json", "--listen", address, "--data-dir", dir]))
}

#[test]
fn starting_again_keeps_the_key_and_the_token() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("data");
    let mut first = dev(&dir);
    let key = first.ready["api_key"].as_str().unwrap().to_owned();
    let token = first.ready["client_token"].as_str().unwrap().to_owned();
    assert!(
        key.starts_with("pdl_sdbx_apikey_") && token.starts_with("test_"),
        "{key} {token}"
    );
    let (status, listed) = Client::new(&first.url, &key).get("/client-tokens").unwrap();
    assert_eq!(
        (status, listed["data"][0]["token"].as_str()),
        (200, Some(token.as_str()))
    );

    let file = dir.join("dev-key");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), key);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(dir.join(".gitignore")).unwrap(), "*\n");

    first.signal("INT");
    assert_eq!(first.ended().code(), Some(0));
    let second = dev(&dir);
    assert_eq!(
        (&second.ready["api_key"], &second.ready["client_token"]),
        (&key.clone().into(), &token.into())
    );
    assert_eq!(second.ready["workspace_id"], first.ready["workspace_id"]);
    assert_eq!(
        Client::new(&second.url, &key)
            .all("/client-tokens?status=active", "id")
            .len(),
        1,
        "none was added"
    );
}

#[test]
fn a_key_that_no_longer_works_is_replaced_in_the_same_workspace() {
    let home = tempfile::tempdir().unwrap();
    let mut first = dev(home.path());
    let key = first.ready["api_key"].as_str().unwrap().to_owned();
    first.kill();
    let id = format!("apikey_{}", key.split('_').nth(3).unwrap());
    run(&mut tollgate(&[
        "key",
        "revoke",
        &id,
        "--data-dir",
        home.path().to_str().unwrap(),
    ]))
    .success();

    let second = dev(home.path());
    assert_ne!(second.ready["api_key"], first.ready["api_key"]);
    assert_eq!(second.ready["workspace_id"], first.ready["workspace_id"]);
    assert_eq!(second.ready["client_token"], first.ready["client_token"]);
    assert!(second.log().contains("a new one takes its place"), "{}", second.log());
}

#[test]
fn the_greeting_has_all_that_a_developer_needs() {
    let home = tempfile::tempdir().unwrap();
    let words = [
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        home.path().to_str().unwrap(),
    ];
    let (server, greeting) = Server::greeted(tollgate(&words));
    for part in [
        "pdl_sdbx_apikey_",
        "test_",
        "curl -H",
        "@paddle/paddle-node-sdk",
        "paddle_billing",
        "tollgate listen --forward-to http://",
        &server.url,
    ] {
        assert!(greeting.contains(part), "{part} in\n{greeting}");
    }
    let key = greeting
        .split_whitespace()
        .find(|word| word.starts_with("pdl_"))
        .unwrap();
    let (status, _) = Client::new(&server.url, key)
        .get("/client-tokens?after=ctkn_00000000000000000000000000")
        .unwrap();
    assert_eq!(status, 200);
    let log = server.log();
    let line = log
        .lines()
        .find(|line| line.starts_with("GET /client-tokens 200 "))
        .unwrap();
    assert!(line.ends_with(" ms"), "{line}");
    assert!(!log.contains(key), "{log}");
}

#[test]
fn an_address_that_is_taken_is_told_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let first = dev(home.path());
    let address = first.url.strip_prefix("http://").unwrap();
    let other = home.path().join("other");
    let error = run(&mut tollgate(&[
        "dev",
        "--listen",
        address,
        "--data-dir",
        other.to_str().unwrap(),
    ]))
    .failure(1);
    assert!(
        error.contains(&format!("{address} is taken")) && error.contains("tollgate dev --listen 127.0.0.1:"),
        "{error}"
    );
    assert!(!other.exists(), "nothing was made");
}

#[test]
fn an_address_that_others_reach_is_warned_of() {
    let home = tempfile::tempdir().unwrap();
    let server = dev_on("0.0.0.0:0", home.path());
    assert!(server.log().contains("warning: 0.0.0.0:"), "{}", server.log());
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    let local = dev(&home.path().join("local"));
    assert!(!local.log().contains("warning"), "{}", local.log());
}

#[test]
fn mail_and_private_networks_are_opened_on_demand() {
    let home = tempfile::tempdir().unwrap();
    let setting = |kind: &str, destination: &str| {
        serde_json::json!({
            "description": "On demand",
            "type": kind,
            "destination": destination,
            "subscribed_events": ["client_token.revoked"],
        })
    };
    let dir = home.path().to_str().unwrap();
    let words = ["dev", "--json", "--listen", "127.0.0.1:0", "--data-dir", dir];
    for (flags, status) in [(&[][..], 400), (&["--allow-network", "10.0.0.0/8"], 201)] {
        let mut command = tollgate(&[&words, flags].concat());
        if status == 201 {
            command
                .env("TOLLGATE_SMTP_URL", "smtp://127.0.0.1:1")
                .env("TOLLGATE_SMTP_FROM", "tollgate@shop.example");
        }
        let server = Server::start(command);
        let client = Client::new(&server.url, server.ready["api_key"].as_str().unwrap());
        for (kind, destination, expected) in [
            ("url", "http://10.0.0.1/", status),
            ("email", "shop@shop.example", status),
            ("url", &format!("http://127.0.0.1:{status}/"), 201),
        ] {
            let (answered, body) = client
                .post("/notification-settings", &setting(kind, destination))
                .unwrap();
            assert_eq!(answered, expected, "{destination} {body}");
        }
    }
    let error = run(&mut tollgate(&["dev", "--allow-network", "x"])).failure(2);
    assert!(error.contains("--allow-network must be networks"), "{error}");
    let error = run(&mut tollgate(&["dev", "--smtp-from", "a@b.example"])).failure(2);
    assert!(error.contains("--smtp-from is given without smtp_url"), "{error}");
}
