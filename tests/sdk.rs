//! The official SDKs, unchanged, against a real server: their journeys on both stores, and the lines that `dev` prints.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{On, Server, Store, repository, run, tollgate};

#[test]
fn the_node_sdk_walks_its_journey_on_sqlite() {
    journey(On::Sqlite, node());
}

#[test]
fn the_node_sdk_walks_its_journey_on_postgres() {
    journey(On::Postgres, node());
}

#[test]
fn the_python_sdk_walks_its_journey_on_sqlite() {
    journey(On::Sqlite, python());
}

#[test]
fn the_python_sdk_walks_its_journey_on_postgres() {
    journey(On::Postgres, python());
}

/// What `scripts/test` has told of this; a test that can't run fails.
pub(crate) fn prepared(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable);
    value
        .unwrap_or_else(|| panic!("{variable} isn't set: run ./scripts/test, which installs the SDKs"))
        .into()
}

fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(repository().join("tests/sdk/node/journey.mjs"));
    command.env("TOLLGATE_TEST_NODE_MODULES", prepared("TOLLGATE_TEST_NODE_MODULES"));
    command
}

fn python() -> Command {
    let mut command = Command::new(prepared("TOLLGATE_TEST_PYTHON"));
    command.arg(repository().join("tests/sdk/python/journey.py"));
    command
}

fn journey(on: On, mut sdk: Command) {
    let store = Store::fresh(on);
    let workspace = store.workspace("sandbox");
    let tokens_only = store.key(&workspace, &["client_token.read", "client_token.write"]);
    let revoked = store.full_key(&workspace);
    store.said(&[
        "key",
        "revoke",
        &format!("apikey_{}", revoked.split('_').nth(3).unwrap()),
    ]);
    let server = store.serve(&[]);
    let walked = run(sdk
        .env("TOLLGATE_URL", &server.url)
        .env("TOLLGATE_KEY", store.full_key(&workspace))
        .env("TOLLGATE_KEY_TOKENS", tokens_only)
        .env("TOLLGATE_KEY_READ", store.key(&workspace, &["client_token.read"]))
        .env("TOLLGATE_KEY_REVOKED", revoked));
    println!("{}{}", walked.out, walked.err);
    assert_eq!(walked.code, Some(0), "{sdk:?} on {on:?}");
    assert!(
        walked.out.lines().filter(|line| line.starts_with("ok ")).count() > 5,
        "it walked"
    );
}

#[test]
fn what_dev_prints_for_the_node_sdk_runs_as_it_stands() {
    pasted("With the Node SDK", |lines, dir| {
        std::os::unix::fs::symlink(prepared("TOLLGATE_TEST_NODE_MODULES"), dir.join("node_modules")).unwrap();
        std::fs::write(dir.join("pasted.mjs"), lines).unwrap();
        let mut command = Command::new("node");
        command.arg(dir.join("pasted.mjs"));
        command
    });
}

#[test]
fn what_dev_prints_for_the_python_sdk_runs_as_it_stands() {
    pasted("With the Python SDK", |lines, _| {
        let mut command = Command::new(prepared("TOLLGATE_TEST_PYTHON"));
        command.arg("-c").arg(lines);
        command
    });
}

#[test]
fn what_dev_prints_for_curl_runs_as_it_stands() {
    pasted("With curl", |lines, _| {
        let mut command = Command::new("sh");
        command.arg("-c").arg(lines);
        command
    });
}

/// Runs the lines under `head` in the greeting of `dev`: they print the first token.
fn pasted(head: &str, command: impl Fn(&str, &Path) -> Command) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let words = ["dev", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
    let (_server, greeting) = Server::greeted(tollgate(&words));
    let below = greeting.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let lines: Vec<&str> = below
        .take_while(|line| line.starts_with("  "))
        .map(str::trim_start)
        .collect();
    let done = run(&mut command(&lines.join("\n"), dir.path()));
    let token = greeting
        .split_whitespace()
        .find(|word| word.starts_with("test_"))
        .unwrap();
    assert!(done.out.contains(token), "{lines:?} {done:?}");
}
