//! Where a request comes from and by which address it reached us, also behind a proxy that is trusted.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use ipnet::IpNet;

use crate::App;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: the peer's, or, when the peer is a trusted proxy, the last address in `X-Forwarded-For` that
/// isn't one.
pub(crate) fn client_address(app: &App, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let values = headers.get_all(&X_FORWARDED_FOR).into_iter().map(HeaderValue::as_bytes);
    forwarded_address(&app.settings.trusted_proxies, peer, values)
}

/// The same from the values of `X-Forwarded-For`, in their order.
pub(crate) fn forwarded_address<'a>(
    trusted: &[IpNet],
    peer: SocketAddr,
    values: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> IpAddr {
    let mut address = peer.ip().to_canonical();
    let texts = values.rev().filter_map(|value| std::str::from_utf8(value).ok());
    for hop in texts.flat_map(|value| value.rsplit(',')) {
        if !is_trusted(trusted, address) {
            break;
        }
        match hop_address(hop.trim()) {
            Some(earlier) => address = earlier.to_canonical(),
            None => break,
        }
    }
    address
}

/// Some proxies write the port too.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let with_port = || Some(hop.parse::<SocketAddr>().ok()?.ip());
    hop.parse().ok().or_else(with_port)
}

/// What the caller puts before a path to reach us, without a slash at its end: the setting, else what a trusted proxy
/// says, else the request itself.
pub(crate) fn base_url(app: &App, peer: SocketAddr, headers: &HeaderMap, uri: &Uri) -> String {
    if let Some(public_url) = &app.settings.public_url {
        return public_url.clone();
    }
    let proxied = is_trusted(&app.settings.trusted_proxies, peer.ip().to_canonical());
    let forwarded = |name: &str| {
        let value = headers.get(name).filter(|_| proxied)?.to_str().ok()?;
        Some(value.split(',').next().unwrap_or_default().trim()).filter(|value| !value.is_empty())
    };
    let host = forwarded("x-forwarded-host")
        .filter(|host| is_host(host))
        .or_else(|| headers.get(header::HOST)?.to_str().ok().filter(|host| is_host(host)))
        .or_else(|| uri.authority().map(Authority::as_str))
        .unwrap_or("localhost");
    let scheme = match forwarded("x-forwarded-proto") {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    };
    format!("{scheme}://{host}")
}

/// Whether an address can be built on it: a name or an IP address, perhaps with a port.
fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok() && !text.contains(['@', '%'])
}

fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}
