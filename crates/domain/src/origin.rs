//! Origins: which site a browser says it is on, and which ones a client token allows.
//!
//! Both sides are parsed as the URL standard has it and compared part by part; text is never compared with text. An
//! origin stops browsers, which tell it truthfully, not scripts, which tell what they like.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Longest pattern or origin that is read, in bytes: a host name of 253 characters with scheme and port fits.
pub const LONGEST: usize = 300;

/// A site: scheme, host and port. Web pages have `http` or `https`, the web views of mobile apps schemes of their own
/// (`capacitor://localhost`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: String,
    host: Host<String>,
    /// `None`: the scheme's own port.
    port: Option<u16>,
}

/// What a request says of where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Nothing.
    Nothing,
    /// Something that is no site: `null` (a sandboxed frame, a file), or text that can't be read.
    NoSite,
    /// This site.
    Site(Origin),
}

impl Origin {
    /// From the `Origin` header's value: scheme, host, perhaps a port, and nothing else.
    pub fn from_header(text: &str) -> Option<Self> {
        let is_bare = text.len() <= LONGEST && split(text)?.1.is_empty();
        is_bare.then(|| Self::of(&parsed(text)?))?
    }

    /// Of the page with this address, as the `Referer` header names it.
    pub fn of_page(text: &str) -> Option<Self> {
        Self::of(&parsed(text)?)
    }

    fn of(url: &Url) -> Option<Self> {
        // The origin of a file is nobody's.
        if url.scheme() == "file" {
            return None;
        }
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: match url.host()? {
                Host::Domain("") => return None,
                // Schemes of apps keep the case of their hosts.
                Host::Domain(name) => Host::Domain(name.to_ascii_lowercase()),
                Host::Ipv4(address) => Host::Ipv4(address),
                Host::Ipv6(address) => Host::Ipv6(address),
            },
            port: url.port(),
        })
    }
}

impl Presented {
    /// From the `Origin` header, else from `Referer`. A `null` origin is not made up for by the referrer.
    pub fn from_headers(origin: Option<&str>, referer: Option<&str>) -> Self {
        let site = match (origin, referer) {
            (Some(origin), _) => Origin::from_header(origin),
            (None, Some(referer)) => Origin::of_page(referer),
            (None, None) => return Self::Nothing,
        };
        site.map_or(Self::NoSite, Self::Site)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

fn parsed(text: &str) -> Option<Url> {
    split(text)?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_plain.then(|| Url::parse(text).ok())?
}

/// Host and port, and what follows them. The URL parser mends much that no browser sends, so that another host than the one that
/// stands there could be meant; what it would mend, and user-info, is refused before.
fn split(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_plain = scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !host.is_empty()
        && !host.contains(['@', '%', '*'])
        && !host.ends_with(':');
    is_plain.then_some((host, after))
}

/// Which sites a token allows: one, or all below a domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginPattern {
    /// With the host after the star, when there is one.
    origin: Origin,
    /// Whether one or more labels must stand before the host.
    below: bool,
}

/// Why a text is no pattern of origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginPatternError {
    /// Longer than [`LONGEST`].
    #[error("String length must be less than or equal to {LONGEST}")]
    TooLong,
    /// `null` stands for every sandboxed frame and every file at once.
    #[error("'null' can't be allowed: every sandboxed frame and every file has it")]
    Null,
    /// A star anywhere but as the whole first label.
    #[error("A star may only stand for the labels before a domain, as in https://*.example.com")]
    Star,
    /// A star before a single label or an address.
    #[error("A star needs a domain of two labels or more after it, as in https://*.example.com")]
    TooWide,
    /// A path, a query, user-info, or no URL at all.
    #[error("Not an origin: write a scheme and a host, perhaps a port, as in https://shop.example.com")]
    NotAnOrigin,
}

impl OriginPattern {
    /// From `https://shop.example.com`, `https://shop.example.com:8443` or `https://*.example.com`; upper case, default
    /// ports, a single slash at the end and letters beyond ASCII are read as a browser would.
    pub fn parse(text: &str) -> Result<Self, OriginPatternError> {
        if text.chars().count() > LONGEST {
            return Err(OriginPatternError::TooLong);
        }
        if text.eq_ignore_ascii_case("null") {
            return Err(OriginPatternError::Null);
        }
        let (scheme, rest) = text.split_once("://").ok_or(OriginPatternError::NotAnOrigin)?;
        let (below, host) = match rest.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, rest),
        };
        if host.contains('*') || scheme.contains('*') {
            return Err(OriginPatternError::Star);
        }
        let text = format!("{scheme}://{}", host.strip_suffix('/').unwrap_or(host));
        let origin = punycoded(&text)
            .and_then(|text| Origin::from_header(&text))
            .filter(|origin| is_named(&origin.host))
            .ok_or(OriginPatternError::NotAnOrigin)?;
        if below && !may_be_wide(&origin.host) {
            return Err(OriginPatternError::TooWide);
        }
        Ok(Self { origin, below })
    }

    /// Whether a page of this site may present the token.
    pub fn matches(&self, site: &Origin) -> bool {
        if site.scheme != self.origin.scheme || site.port != self.origin.port {
            return false;
        }
        if !self.below {
            return site.host == self.origin.host;
        }
        let (Host::Domain(host), Host::Domain(domain)) = (&site.host, &self.origin.host) else {
            return false;
        };
        host.strip_suffix(domain.as_str())
            .and_then(|before| before.strip_suffix('.'))
            .is_some_and(|labels| labels.split('.').all(|label| !label.is_empty()))
    }
}

/// Letters beyond ASCII as the host name system has them; what is ASCII stays.
fn punycoded(text: &str) -> Option<Cow<'_, str>> {
    if text.is_ascii() {
        return Some(Cow::Borrowed(text));
    }
    let (host, after) = split(text)?;
    let is_plain = |letter: char| !letter.is_ascii() || (letter.is_ascii_graphic() && letter != '\\');
    if !after.is_empty() || !host.chars().all(is_plain) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    url.has_host()
        .then(|| Cow::Owned(url.as_str().trim_end_matches('/').to_owned()))
}

/// Names without a label between two dots, or before the first: nobody is called that.
fn is_named(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name
            .strip_suffix('.')
            .unwrap_or(name)
            .split('.')
            .all(|label| !label.is_empty()),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

fn may_be_wide(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.trim_end_matches('.').contains('.'),
        Host::Ipv4(_) | Host::Ipv6(_) => false,
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.below {
            return self.origin.fmt(f);
        }
        write!(f, "{}://*.{}", self.origin.scheme, self.origin.host)?;
        match self.origin.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl Serialize for OriginPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OriginPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<'de, str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for OriginPattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "OriginPattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": LONGEST })
    }
}

#[cfg(test)]
mod tests;
