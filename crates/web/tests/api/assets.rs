//! `/js/…` and `/paddle/…`: the scripts that pages load.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha384};

use crate::support::{Store, TestApp, at, get, request};

const LIBRARY: &str = include_str!("../../../../clients/js/tollgate.js");
const STAND_IN: &str = include_str!("../../../../clients/paddle-js/paddle.js");

/// The address that stands for the library's bytes alone.
async fn pinned(app: &TestApp) -> String {
    let manifest = app.send(get("/js/v1/manifest.json")).await;
    format!("/js/v1/{}", at(manifest.json(), "file"))
}

async fn addresses(app: &TestApp) -> [String; 4] {
    [
        "/js/v1/tollgate.js".to_owned(),
        pinned(app).await,
        "/js/v1/manifest.json".to_owned(),
        "/paddle/v2/paddle.js".to_owned(),
    ]
}

pub(crate) async fn a_page_of_any_site_may_load_the_scripts(store: Store) {
    let app = TestApp::start(store).await;
    for (address, text) in [
        ("/js/v1/tollgate.js", LIBRARY),
        (&pinned(&app).await, LIBRARY),
        ("/paddle/v2/paddle.js", STAND_IN),
    ] {
        let answer = app.send(get(address).header("Origin", "https://shop.example")).await;
        assert_eq!((answer.status, answer.body_text()), (200, text), "{address}");
        for (name, value) in [
            ("content-type", "text/javascript; charset=utf-8"),
            ("access-control-allow-origin", "*"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {address}");
        }
    }
}

pub(crate) async fn the_library_may_be_new_soon_and_its_pinned_address_never_changes(store: Store) {
    let app = TestApp::start(store).await;
    let [everyday, pinned, manifest, stand_in] = addresses(&app).await;
    for (address, expected) in [
        (everyday, "public, max-age=300"),
        (pinned, "public, max-age=31536000, immutable"),
        (manifest, "no-cache"),
        (stand_in, "public, max-age=300"),
    ] {
        let answer = app.send(get(&address)).await;
        assert_eq!(answer.header("cache-control"), Some(expected), "{address}");
    }
}

pub(crate) async fn the_manifest_tells_the_hash_that_a_browser_checks(store: Store) {
    let app = TestApp::start(store).await;
    let manifest = app.send(get("/js/v1/manifest.json")).await;
    assert_eq!(manifest.header("content-type"), Some("application/json"));
    assert_eq!(manifest.header("access-control-allow-origin"), Some("*"));
    let library = app.send(get(pinned(&app).await)).await;
    let hash = STANDARD.encode(Sha384::digest(&library.body));
    assert_eq!(at(manifest.json(), "integrity"), format!("sha384-{hash}"));
}

pub(crate) async fn another_versions_address_leads_nowhere(store: Store) {
    let app = TestApp::start(store).await;
    for file in [
        "tollgate.0123456789abcdef.js",
        "tollgate..js",
        "tollgate",
        "manifest.js",
        "%2e%2e",
        "..%2ftollgate.js",
        "%ff",
    ] {
        let answer = app.send(get(format!("/js/v1/{file}"))).await;
        answer.is_error("invalid_url");
    }
    for path in [
        "/js",
        "/js/v1",
        "/js/v2/tollgate.js",
        "/js/v1/tollgate.js/",
        "/paddle/paddle.js",
    ] {
        app.send(get(path)).await.is_error("invalid_url");
    }
}

pub(crate) async fn who_has_a_file_is_told_so_and_gets_it_when_it_changed(store: Store) {
    let app = TestApp::start(store).await;
    for address in addresses(&app).await {
        let first = app.send(get(&address)).await;
        let tag = first.header("etag").expect("a tag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 18, "{tag}");
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            let again = app.send(get(&address).header("If-None-Match", known)).await;
            assert_eq!((again.status, again.body_text()), (304, ""));
            for name in [
                "etag",
                "cache-control",
                "access-control-allow-origin",
                "cross-origin-resource-policy",
            ] {
                assert_eq!(again.header(name), first.header(name), "{name} of {address}");
            }
        }
        for unknown in ["\"other\"", &tag[1..17], "", "\u{e9}"] {
            let again = app.send(get(&address).header("If-None-Match", unknown)).await;
            assert_eq!(
                (again.status, again.body_text()),
                (200, first.body_text()),
                "{unknown:?}"
            );
        }
    }
}

pub(crate) async fn head_tells_what_get_would(store: Store) {
    let app = TestApp::start(store).await;
    for address in addresses(&app).await {
        let got = app.send(get(&address)).await;
        let head = app.send(request("HEAD", &address)).await;
        assert_eq!((head.status, head.body_text()), (200, ""));
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.header(name), got.header(name), "{name} of {address}");
        }
        let length = got.body.len().to_string();
        assert_eq!(head.header("content-length"), Some(&*length));
        app.send(request("POST", &address)).await.is_error("method_not_allowed");
    }
}
