//! The scripts that pages load: the browser library, at an address for every day and at one whose bytes never change, and
//! the stand-in for the start-up of Paddle.js.
//!
//! Pages of any site may load them, which a check of their integrity needs, too.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha384};

use crate::catalogue;
use crate::endpoint::{Access, Answer, Endpoint, Surface};
use crate::error::ApiError;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// How much of the hash stands in addresses and tags: 64 bits tell versions apart.
const SHORT: usize = 8;

/// A browser asks again after five minutes, so that a new version is everywhere by then.
const EVERY_DAY: &str = "public, max-age=300";
/// The address names the bytes.
pub(crate) const FOREVER: &str = "public, max-age=31536000, immutable";
/// Asked for each time, since what it names may be gone with the next version.
const ALWAYS_ASK: &str = "no-cache";

static LIBRARY: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(JAVASCRIPT, include_str!("../../../clients/js/tollgate.js").to_owned()));
static STAND_IN: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        JAVASCRIPT,
        include_str!("../../../clients/paddle-js/paddle.js").to_owned(),
    )
});
static MANIFEST: LazyLock<Asset> = LazyLock::new(|| {
    let manifest = json!({ "file": pinned_name(), "integrity": LIBRARY.integrity });
    Asset::new("application/json", manifest.to_string())
});

/// A file, and what follows from its bytes.
pub(crate) struct Asset {
    content_type: &'static str,
    text: String,
    /// Lower-case hexadecimal.
    short_hash: String,
    /// As HTML's `integrity` has it.
    integrity: String,
}

impl Asset {
    pub(crate) fn new(content_type: &'static str, text: String) -> Self {
        let hash = Sha384::digest(text.as_bytes());
        let mut short_hash = String::with_capacity(2 * SHORT);
        for byte in &hash[..SHORT] {
            let _ = write!(short_hash, "{byte:02x}");
        }
        Self {
            content_type,
            text,
            short_hash,
            integrity: format!("sha384-{}", STANDARD.encode(hash)),
        }
    }

    /// Lower-case hexadecimal, for the file's name.
    pub(crate) fn short_hash(&self) -> &str {
        &self.short_hash
    }

    /// 200 with the file; 304 for a browser that has it.
    pub(crate) fn answer(&'static self, asked: &HeaderMap, cache_control: &'static str) -> Response {
        let tag = format!("\"{}\"", self.short_hash);
        let mut response = if is_known(asked, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, self.content_type)], self.text.as_bytes()).into_response()
        };
        let tag = HeaderValue::try_from(tag).expect("hexadecimal digits in quotes");
        let headers = response.headers_mut();
        headers.insert(header::ETAG, tag);
        for (name, value) in [
            (header::CACHE_CONTROL, cache_control),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        response
    }
}

/// Whether `If-None-Match` names this tag, as weak or strong, or takes any.
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// The library's name below `/js/v1/` that stands for these bytes alone.
fn pinned_name() -> String {
    format!("tollgate.{}.js", LIBRARY.short_hash)
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let open = (Surface::Plain, Access::Open);
    let script = || Answer::Raw("JavaScript");
    let unchanged = (304, "The browser has it already.");
    vec![
        Endpoint::new(
            (Method::GET, "/js/v1/tollgate.js"),
            open,
            library,
            ("browserLibrary", "The browser library"),
            script(),
        )
        .otherwise(unchanged.0, unchanged.1),
        Endpoint::new(
            (Method::GET, "/js/v1/manifest.json"),
            open,
            manifest,
            (
                "browserLibraryManifest",
                "The name of the browser library that stands for these bytes alone, and their hash for `integrity`",
            ),
            Answer::Raw("`{\"file\": …, \"integrity\": …}`; `file` is relative to this address"),
        )
        .otherwise(unchanged.0, unchanged.1),
        Endpoint::new(
            (Method::GET, "/js/v1/{file}"),
            open,
            pinned_library,
            ("pinnedBrowserLibrary", "The browser library, as the manifest names it"),
            script(),
        )
        .otherwise(unchanged.0, unchanged.1)
        .errors(&[&catalogue::INVALID_URL]),
        Endpoint::new(
            (Method::GET, "/paddle/v2/paddle.js"),
            open,
            stand_in,
            ("paddleJs", "A stand-in for the start-up of Paddle.js"),
            script(),
        )
        .otherwise(unchanged.0, unchanged.1),
    ]
}

async fn library(asked: HeaderMap) -> Response {
    LIBRARY.answer(&asked, EVERY_DAY)
}

async fn manifest(asked: HeaderMap) -> Response {
    MANIFEST.answer(&asked, ALWAYS_ASK)
}

/// 404 for the name of another version: those bytes aren't here.
async fn pinned_library(file: Result<Path<String>, PathRejection>, asked: HeaderMap) -> Result<Response, ApiError> {
    match file {
        Ok(Path(file)) if file == pinned_name() => Ok(LIBRARY.answer(&asked, FOREVER)),
        _ => Err(ApiError::new(&catalogue::INVALID_URL)),
    }
}

async fn stand_in(asked: HeaderMap) -> Response {
    STAND_IN.answer(&asked, EVERY_DAY)
}
