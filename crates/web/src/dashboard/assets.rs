//! The style sheet and the scripts of the pages. Their addresses name their bytes, so that browsers keep them for good.

use std::sync::LazyLock;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;

use crate::App;
use crate::assets::{Asset, FOREVER};

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(CSS, include_str!("../../assets/dashboard/dashboard.css").to_owned()));
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        JAVASCRIPT,
        include_str!("../../assets/dashboard/dashboard.js").to_owned(),
    )
});

static PASSKEYS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        JAVASCRIPT,
        include_str!("../../assets/dashboard/passkeys.js").to_owned(),
    )
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "image/svg+xml",
        include_str!("../../assets/dashboard/icon.svg").to_owned(),
    )
});

/// Where the style sheet is.
pub(super) fn style() -> String {
    format!("/dashboard/assets/dashboard.{}.css", STYLE.short_hash())
}

/// Where the script is that every page has.
pub(super) fn script() -> String {
    format!("/dashboard/assets/dashboard.{}.js", SCRIPT.short_hash())
}

/// Where the script is that pages with passkeys have, too.
pub(super) fn passkeys() -> String {
    format!("/dashboard/assets/passkeys.{}.js", PASSKEYS.short_hash())
}

/// Where the icon of the browser's tab is.
pub(super) fn icon() -> String {
    format!("/dashboard/assets/icon.{}.svg", ICON.short_hash())
}

pub(super) fn router() -> Router<App> {
    let mut router = Router::new();
    for (path, asset) in [
        (style(), &STYLE),
        (script(), &SCRIPT),
        (passkeys(), &PASSKEYS),
        (icon(), &ICON),
    ] {
        router = router.route(
            &path,
            get(move |asked: HeaderMap| async move { asset.answer(&asked, FOREVER) }),
        );
    }
    router
}
