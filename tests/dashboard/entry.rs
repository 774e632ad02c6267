//! Signing in by passkey, in Chromium with an authenticator of its own, and through an OpenID Connect provider that is a
//! process of its own.

use std::process::Command;

use super::stage::{Stage, Things};
use crate::sdk::prepared;
use crate::support::{On, Server, repository};

#[test]
fn passkeys_are_added_used_and_removed_on_sqlite() {
    passkeys(On::Sqlite);
}

#[test]
fn passkeys_are_added_used_and_removed_on_postgres() {
    passkeys(On::Postgres);
}

fn passkeys(on: On) {
    Stage::with(on, Things::None, &[]).by_name().walk("passkeys");
}

#[test]
fn without_passwords_people_join_and_sign_in_by_passkey_on_sqlite() {
    without_passwords(On::Sqlite);
}

#[test]
fn without_passwords_people_join_and_sign_in_by_passkey_on_postgres() {
    without_passwords(On::Postgres);
}

fn without_passwords(on: On) {
    let stage = Stage::with(on, Things::None, &["--sign-in-passwords", "false"]);
    stage.by_name().walk("without-passwords");
}

#[test]
fn whom_the_provider_vouches_for_signs_in_on_sqlite() {
    openid(On::Sqlite);
}

#[test]
fn whom_the_provider_vouches_for_signs_in_on_postgres() {
    openid(On::Postgres);
}

fn openid(on: On) {
    let modules = "TOLLGATE_TEST_BROWSER_MODULES";
    let mut provider = Command::new("node");
    provider.arg(repository().join("tests/dashboard/provider.mjs"));
    provider.env(modules, prepared(modules));
    let provider = Server::start(provider);
    let flags = [
        "--openid-issuer",
        &provider.url,
        "--openid-client-id",
        "tollgate",
        "--openid-client-secret",
        "a secret of the provider",
        "--openid-name",
        "Example ID",
        "--log",
        "info,tollgate::http=debug",
    ];
    let mut stage = Stage::with(on, Things::None, &flags).by_name();
    stage.tell("provider", provider.url.as_str());
    stage.walk("openid");
    let log = stage.log();
    assert!(log.contains("/dashboard/sign-in/openid/return"), "requests are logged");
    for secret in ["code=", "state=", "a secret of the provider"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
