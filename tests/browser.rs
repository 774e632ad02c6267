//! The browser library and the stand-in for Paddle.js: the library's own tests, and both in Chromium against a real
//! server.

use std::process::Command;

use crate::sdk::prepared;
use crate::support::{On, Store, repository, run};

#[test]
fn the_browser_library_passes_its_own_tests() {
    let tests = repository().join("clients/js/test");
    let mut files: Vec<_> = std::fs::read_dir(tests)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".test.mjs"))
        .collect();
    files.sort();
    let tested = run(Command::new("node").args(["--test", "--test-reporter=tap"]).args(files));
    println!("{}{}", tested.out, tested.err);
    assert_eq!(tested.code, Some(0));
    let passed = tested.out.lines().find_map(|line| line.strip_prefix("# pass "));
    assert!(passed.unwrap().parse::<u32>().unwrap() > 30, "they ran");
}

#[test]
fn pages_in_chromium_walk_their_journey_on_sqlite() {
    journey(On::Sqlite);
}

#[test]
fn pages_in_chromium_walk_their_journey_on_postgres() {
    journey(On::Postgres);
}

fn journey(on: On) {
    let store = Store::fresh(on);
    let workspace = store.workspace("sandbox");
    let server = store.serve(&[]);
    let walked = run(Command::new("node")
        .arg(repository().join("tests/browser/journey.mjs"))
        .env("TOLLGATE_URL", &server.url)
        .env("TOLLGATE_KEY", store.key(&workspace, &["client_token.write"]))
        .env(
            "TOLLGATE_TEST_BROWSER_MODULES",
            prepared("TOLLGATE_TEST_BROWSER_MODULES"),
        )
        .env("TOLLGATE_TEST_CHROMIUM", prepared("TOLLGATE_TEST_CHROMIUM")));
    println!("{}{}", walked.out, walked.err);
    assert_eq!(walked.code, Some(0), "on {on:?}");
    assert!(
        walked.out.lines().filter(|line| line.starts_with("ok ")).count() > 10,
        "it walked"
    );
}
