//! What every answer under `/dashboard` carries.

use tollgate_domain::role::Role;

use crate::support::{Answer, Store, TestApp, get};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn is_hardened(answer: &Answer) {
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{}", answer.target);
    }
}

pub(crate) async fn pages_are_framed_nowhere_and_run_scripts_of_ours_only(store: Store) {
    let app = TestApp::start(store).await;
    let person = app.person(Role::Owner).await;
    for target in ["/dashboard/client-tokens", "/dashboard/nowhere", "/dashboard/"] {
        let answer = app.visit(person.page(target)).await;
        is_hardened(&answer);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{target}"
        );
    }
    let page = app.visit(get("/dashboard/sign-in")).await;
    is_hardened(&page);
    let text = page.body_text();
    for element in ["<style", "style=\"", "onclick", "javascript:"] {
        assert!(!text.contains(element), "{element}");
    }
    let refused = app
        .visit(person.form("/dashboard/workspace", "").header("Origin", "null"))
        .await;
    is_hardened(&refused);
}

pub(crate) async fn style_and_script_are_kept_for_good_under_names_of_their_bytes(store: Store) {
    let app = TestApp::start(store).await;
    let page = app.visit(get("/dashboard/sign-in")).await;
    for (before, kind) in [
        (r#"rel="stylesheet" href=""#, "text/css; charset=utf-8"),
        (r#"type="module" src=""#, "text/javascript; charset=utf-8"),
        (r#"type="image/svg+xml" href=""#, "image/svg+xml"),
    ] {
        let text = page.body_text();
        let (_, rest) = text.split_once(before).expect("an asset");
        let path = rest.split('"').next().expect("its address");
        let asset = app.visit(get(path)).await;
        assert_eq!((asset.status, asset.header("content-type")), (200, Some(kind)));
        assert_eq!(
            asset.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
    }
}

pub(crate) async fn cookies_are_kept_to_encrypted_connections_off_loopback(store: Store) {
    let app = TestApp::start(store).await;
    let on_loopback = app.visit(get("/dashboard/sign-in")).await;
    let cookie = on_loopback.header("set-cookie").expect("a cookie");
    assert!(
        cookie.starts_with("tollgate-visitor=") && !cookie.contains("Secure"),
        "{cookie}"
    );
    let elsewhere = get("/dashboard/sign-in").header("Host", "tollgate.example.com");
    let elsewhere = app.visit(elsewhere).await;
    let cookie = elsewhere.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-tollgate-visitor="), "{cookie}");
    for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert!(elsewhere.body_text().contains("opened over plain HTTP"));
    let proxied = get("/dashboard/sign-in")
        .header("Host", "tollgate.example.com")
        .header("X-Forwarded-Proto", "https");
    assert!(!app.visit(proxied).await.body_text().contains("opened over plain HTTP"));
}
