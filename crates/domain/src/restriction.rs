//! Restrictions: what a client token is narrowed to. Each is enforced, or only reported: then nothing is refused, and
//! what would have been is counted.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::origin::OriginPattern;
use crate::time::Timestamp;

/// Most origins of a token.
pub const MOST_ORIGINS: usize = 50;
/// Most networks of a token.
pub const MOST_NETWORKS: usize = 50;
/// Most scopes of a token.
pub const MOST_SCOPES: usize = 20;
/// Longest scope, in characters.
pub const LONGEST_SCOPE: usize = 64;
/// Most requests of a rate limit.
pub const MOST_REQUESTS: u32 = 1_000_000;
/// Longest period of a rate limit, in seconds: a day.
pub const LONGEST_PERIOD: u32 = 86_400;

/// What can be restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionKind {
    /// Which sites.
    AllowedOrigins,
    /// Which client addresses.
    AllowedNetworks,
    /// Which routes.
    Scopes,
    /// Until when.
    ExpiresAt,
    /// How often.
    RateLimit,
}

impl RestrictionKind {
    /// All, in the order they are shown.
    pub const ALL: [Self; 5] = [
        Self::AllowedOrigins,
        Self::AllowedNetworks,
        Self::Scopes,
        Self::ExpiresAt,
        Self::RateLimit,
    ];

    /// As on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllowedOrigins => "allowed_origins",
            Self::AllowedNetworks => "allowed_networks",
            Self::Scopes => "scopes",
            Self::ExpiresAt => "expires_at",
            Self::RateLimit => "rate_limit",
        }
    }

    /// From its [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Some kinds of restrictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RestrictionKinds(u8);

impl RestrictionKinds {
    /// None.
    pub const NONE: Self = Self(0);

    /// These and `kind`.
    #[must_use]
    pub const fn with(self, kind: RestrictionKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether `kind` is among them.
    pub const fn contains(self, kind: RestrictionKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in the order they are shown.
    pub fn iter(self) -> impl Iterator<Item = RestrictionKind> {
        RestrictionKind::ALL
            .into_iter()
            .filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<RestrictionKind> for RestrictionKinds {
    fn from_iter<I: IntoIterator<Item = RestrictionKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for RestrictionKinds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for RestrictionKinds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<RestrictionKind>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl JsonSchema for RestrictionKinds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RestrictionKinds".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<RestrictionKind>::json_schema(generator)
    }
}

/// A name that a proxy asks for on a route: 1 to [`LONGEST_SCOPE`] of `a-z 0-9 _ . : -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Scope(String);

/// A text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Does not match pattern '^[a-z0-9_.:-]{{1,64}}$'")]
pub struct ScopeError;

impl Scope {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.:-".contains(&byte);
        if (1..=LONGEST_SCOPE).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ScopeError)
        }
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<'de, str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Scope {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z0-9_.:-]{1,64}$" })
    }
}

/// How often a token may be presented from one client address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RateLimit {
    /// At most so many, 1 to [`MOST_REQUESTS`] …
    pub requests: NonZeroU32,
    /// … in so many seconds, 1 to [`LONGEST_PERIOD`].
    pub period_seconds: NonZeroU32,
}

/// What a token is narrowed to; `None` = not in this respect. Lists that are there have at least one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Restrictions {
    /// Pages of these sites; a request that names no site is refused.
    pub allowed_origins: Option<Vec<OriginPattern>>,
    /// Client addresses in these networks.
    #[schemars(with = "Option<Vec<String>>")]
    pub allowed_networks: Option<Vec<IpNet>>,
    /// Routes whose proxy asks for one of these, and routes that ask for none.
    pub scopes: Option<Vec<Scope>>,
    /// Before this moment.
    pub expires_at: Option<Timestamp>,
    /// So often from one client address.
    pub rate_limit: Option<RateLimit>,
    /// Which of these are only reported.
    pub report_only: RestrictionKinds,
}

impl Restrictions {
    /// Whether the token isn't narrowed at all. What is only reported counts as narrowing: somebody wants to see it.
    pub const fn is_empty(&self) -> bool {
        self.allowed_origins.is_none()
            && self.allowed_networks.is_none()
            && self.scopes.is_none()
            && self.expires_at.is_none()
            && self.rate_limit.is_none()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_travel_by_name_in_the_order_they_are_shown() {
        let all: RestrictionKinds = RestrictionKind::ALL.into_iter().rev().collect();
        assert_eq!(
            serde_json::to_value(all).unwrap(),
            json!([
                "allowed_origins",
                "allowed_networks",
                "scopes",
                "expires_at",
                "rate_limit"
            ])
        );
        for kind in RestrictionKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(RestrictionKind::from_name(kind.name()), Some(kind));
            let only = RestrictionKinds::NONE.with(kind);
            let read: RestrictionKinds = serde_json::from_value(json!([kind.name(), kind.name()])).unwrap();
            assert_eq!(read, only);
            let held: Vec<_> = RestrictionKind::ALL
                .into_iter()
                .filter(|other| only.contains(*other))
                .collect();
            assert_eq!(held, [kind]);
        }
        assert_eq!(RestrictionKind::from_name("origins"), None);
        assert!(RestrictionKinds::NONE.is_empty());
    }

    #[test]
    fn unknown_kinds_are_refused() {
        for wrong in [
            json!(["allowed_origins", "colours"]),
            json!(["Scopes"]),
            json!("scopes"),
            json!([1]),
        ] {
            assert!(
                serde_json::from_value::<RestrictionKinds>(wrong.clone()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn restrictions_travel_whole() {
        let wire = json!({
            "allowed_origins": ["https://shop.example", "https://*.shop.example"],
            "allowed_networks": ["192.0.2.0/24", "2001:db8::/32"],
            "scopes": ["read", "orders:write"],
            "expires_at": "2026-03-02T09:15:04.000000Z",
            "rate_limit": { "requests": 60, "period_seconds": 1 },
            "report_only": ["scopes"],
        });
        let read: Restrictions = serde_json::from_value(wire.clone()).unwrap();
        assert!(!read.is_empty());
        assert_eq!(serde_json::to_value(&read).unwrap(), wire);
        let nothing: Restrictions = serde_json::from_value(json!({})).unwrap();
        assert_eq!(nothing, Restrictions::default());
        assert!(nothing.is_empty());
    }

    #[test]
    fn what_is_no_restriction_is_refused() {
        for wrong in [
            json!({ "allowed_origins": ["shop.example"] }),
            json!({ "allowed_networks": ["192.0.2.0/33"] }),
            json!({ "allowed_networks": ["192.0.2.1"] }),
            json!({ "scopes": ["Read"] }),
            json!({ "expires_at": "soon" }),
            json!({ "rate_limit": { "requests": 0, "period_seconds": 1 } }),
            json!({ "rate_limit": { "requests": 1, "period_seconds": 0 } }),
            json!({ "rate_limit": { "requests": 1 } }),
            json!({ "report_only": ["everything"] }),
        ] {
            assert!(
                serde_json::from_value::<Restrictions>(wrong.clone()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn scopes_are_told_from_other_text() {
        for scope in ["a", "orders:write", "v1.read_all-2", &"a".repeat(LONGEST_SCOPE)] {
            assert_eq!(Scope::parse(scope).unwrap().as_str(), scope);
        }
        for text in ["", "A", "a b", "a,b", "a/b", "\u{e4}", &"a".repeat(LONGEST_SCOPE + 1)] {
            assert_eq!(Scope::parse(text), Err(ScopeError), "{text:?}");
        }
    }
}
