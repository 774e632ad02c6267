//! The other commands, by their words: outputs, exit codes and errors.

use serde_json::json;

use crate::support::{On, Store, run, tollgate};

#[test]
fn help_and_version_are_there() {
    let version = run(&mut tollgate(&["--version"])).success();
    assert_eq!(version, format!("tollgate {}", env!("CARGO_PKG_VERSION")));
    let help = run(&mut tollgate(&["--help"])).success();
    for word in [
        "dev",
        "serve",
        "workspace",
        "key",
        "user",
        "token",
        "listen",
        "trigger",
        "explain-signature",
        "migrate",
        "openapi",
    ] {
        assert!(help.contains(&format!("\n  {word} ")), "{word} in {help}");
        let help = run(&mut tollgate(&[word, "--help"])).success();
        assert!(help.contains("Usage: tollgate "), "{help}");
    }
    for words in [
        &[][..],
        &["frobnicate"],
        &["key"],
        &["key", "create"],
        &["workspace", "create", "--environment", "x"],
    ] {
        run(&mut tollgate(words)).failure(2);
    }
}

#[test]
fn a_workspace_is_made_and_listed_on_sqlite() {
    workspaces(On::Sqlite);
}

#[test]
fn a_workspace_is_made_and_listed_on_postgres() {
    workspaces(On::Postgres);
}

fn workspaces(on: On) {
    let store = Store::fresh(on);
    let made = run(&mut store.tollgate(&["workspace", "create", "--name", "Shop", "--environment", "live"]));
    assert_eq!(
        (made.err.as_str(), made.out.lines().count()),
        ("", 1),
        "the id alone: {made:?}"
    );
    let live = made.success();
    let id = live.strip_prefix("wsp_").unwrap();
    assert_eq!(id.len(), 26);
    let words = [
        "workspace",
        "create",
        "--name",
        "Trial",
        "--environment",
        "sandbox",
        "--json",
    ];
    let sandbox = run(&mut store.tollgate(&words)).json();
    assert_eq!(
        (&sandbox["name"], &sandbox["environment"]),
        (&json!("Trial"), &json!("sandbox"))
    );

    let listed = run(&mut store.tollgate(&["workspace", "list", "--json"])).json();
    assert_eq!(listed[0]["id"], json!(live), "oldest first");
    assert_eq!(listed[1], sandbox);
    let table = store.said(&["workspace", "list"]);
    assert!(
        table.starts_with("ID ") && table.contains(&live) && table.contains("Trial"),
        "{table}"
    );

    for name in ["", "a\nb", &"x".repeat(151)] {
        run(&mut store.tollgate(&["workspace", "create", "--name", name, "--environment", "live"])).failure(2);
    }
}

#[test]
fn a_database_is_migrated_once_on_sqlite() {
    migrations(On::Sqlite);
}

#[test]
fn a_database_is_migrated_once_on_postgres() {
    migrations(On::Postgres);
}

fn migrations(on: On) {
    let store = Store::fresh(on);
    let first = run(&mut store.tollgate(&["migrate", "--json"])).json();
    assert_eq!(first["from"], 0);
    let latest = first["to"].as_u64().unwrap();
    assert!(latest >= 2);
    let again = store.said(&["migrate"]);
    assert!(again.contains(&format!("schema version {latest} already")), "{again}");
}

#[test]
fn openapi_is_the_document_that_a_server_gives() {
    let printed = run(&mut tollgate(&["openapi"])).json();
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"));
    let server = Store::fresh(On::Sqlite);
    let server = server.serve(&[]);
    let given: serde_json::Value = ureq::get(format!("{}/openapi.json", server.url))
        .call()
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    assert_eq!(printed, given);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let script = format!(
        "{} openapi | head -c 1; echo \" ${{PIPESTATUS[0]}}\"",
        env!("CARGO_BIN_EXE_tollgate")
    );
    let done = run(std::process::Command::new("bash").args(["-c", &script]));
    assert_eq!(done.success(), "{ 0");
}

#[test]
fn cargo_run_means_this_program() {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let members = metadata["workspace_default_members"].as_array().unwrap();
    assert_eq!(members.len(), 1, "{members:?}");
    assert!(members[0].as_str().unwrap().contains("crates/tollgate"), "{members:?}");
}
