//! Behind real proxies, each with exactly the configuration that docs/proxies gives. The configurations name fixed ports,
//! so each journey has a network of its own.

use std::process::Command;

use crate::support::{repository, run};

fn behind(proxy: &str) {
    let python = std::env::var("TOLLGATE_TEST_PYTHON")
        .expect("TOLLGATE_TEST_PYTHON names no Python: run ./scripts/test, which installs what is needed");
    let path = std::env::var("PATH").unwrap_or_default();
    let repository = repository();
    // A network of one's own, and servers that give up their rights, need somebody who has some.
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            r#"[ "$(id -u)" = 0 ] || sudo=sudo; exec $sudo unshare --net --kill-child "$@""#,
            "sh",
        ])
        .arg(python)
        .arg(repository.join("tests/proxies/check.py"))
        .args([
            env!("CARGO_BIN_EXE_tollgate").as_ref(),
            repository.join("docs/proxies").as_os_str(),
        ])
        .arg(proxy)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"));
    println!("{}", run(&mut command).success());
}

#[test]
fn nginx_lets_pass_and_refuses_as_documented() {
    behind("nginx");
}

#[test]
fn caddy_lets_pass_and_refuses_as_documented() {
    behind("caddy");
}

#[test]
fn haproxy_lets_pass_and_refuses_as_documented() {
    behind("haproxy");
}

#[test]
fn apache_lets_pass_and_refuses_as_documented() {
    behind("apache");
}
