//! Verdicts: whether a client token lets somebody in, from facts alone.

use std::net::IpAddr;

use crate::client_token::TokenText;
use crate::environment::Environment;
use crate::id::{ClientTokenId, WorkspaceId};
use crate::origin::Presented;
use crate::restriction::{RestrictionKind, RestrictionKinds, Restrictions};
use crate::time::Timestamp;

/// What a verifier must know of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Which it is.
    pub id: ClientTokenId,
    /// What a front end presents.
    pub token: TokenText,
    /// Whether it is revoked.
    pub revoked: bool,
    /// When it is to be revoked; from this moment on it counts as revoked, whether or not that is written down yet.
    pub revoke_at: Option<Timestamp>,
    /// What it is narrowed to; `None` when it isn't.
    pub restrictions: Option<Box<Restrictions>>,
    /// Counts the token's changes: of two facts about one token, those with the higher version are the newer ones.
    pub version: i64,
}

/// The circumstances under which a token is presented.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The request's `Origin` header as it came: read only where a token restricts its origins.
    pub origin: Option<&'a str>,
    /// The request's `Referer` header as it came; stands in for a missing `Origin`.
    pub referer: Option<&'a str>,
    /// The address of whoever presents it, if known.
    pub client_address: Option<IpAddr>,
    /// What the route asks for, if anything.
    pub scope: Option<&'a str>,
    /// The environment that the asker wants, if either won't do.
    pub environment: Option<Environment>,
}

/// Why a token doesn't let somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denial {
    /// Nothing was presented.
    Missing,
    /// Not the shape of a token.
    Malformed,
    /// The checksum is wrong: mistyped, cut or invented.
    BadChecksum,
    /// Well-formed, and never issued here.
    Unknown,
    /// Revoked, or its time to be revoked has come.
    Revoked,
    /// Past its `expires_at`.
    Expired,
    /// Of the other environment than asked for.
    WrongEnvironment,
    /// The site isn't among its origins, or the request names none.
    OriginNotAllowed,
    /// The client's address isn't in its networks, or isn't known.
    NetworkNotAllowed,
    /// The route asks for a scope that it doesn't have.
    ScopeNotAllowed,
    /// Presented too often from this address.
    RateLimited {
        /// Seconds until the next one is let in, at least 1.
        retry_after_seconds: u32,
    },
    /// The store hasn't been heard of for too long to trust what is known of the token.
    IndexTooOld,
    /// What is known here is older than the asker asks for.
    IndexBehind,
}

impl Denial {
    /// A stable code for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "client_token_missing",
            Self::Malformed => "client_token_malformed",
            Self::BadChecksum => "client_token_bad_checksum",
            Self::Unknown => "client_token_unknown",
            Self::Revoked => "client_token_revoked",
            Self::Expired => "client_token_expired",
            Self::WrongEnvironment => "client_token_wrong_environment",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::NetworkNotAllowed => "network_not_allowed",
            Self::ScopeNotAllowed => "scope_not_allowed",
            Self::RateLimited { .. } => "client_token_rate_limited",
            Self::IndexTooOld => "index_too_old",
            Self::IndexBehind => "index_behind",
        }
    }
}

/// What the restrictions say, the rate limit aside: that one has to be counted, which facts can't.
///
/// `Ok` holds the kinds that would have refused if they were not only reported.
pub fn restrictions_allow(
    restrictions: &Restrictions,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<RestrictionKinds, Denial> {
    let mut reported = RestrictionKinds::NONE;
    let broken = [
        (
            RestrictionKind::ExpiresAt,
            Denial::Expired,
            restrictions.expires_at.is_some_and(|end| now >= end),
        ),
        (
            RestrictionKind::AllowedOrigins,
            Denial::OriginNotAllowed,
            restrictions.allowed_origins.as_ref().is_some_and(|allowed| {
                match Presented::from_headers(asked.origin, asked.referer) {
                    Presented::Site(site) => !allowed.iter().any(|pattern| pattern.matches(&site)),
                    Presented::Nothing | Presented::NoSite => true,
                }
            }),
        ),
        (
            RestrictionKind::AllowedNetworks,
            Denial::NetworkNotAllowed,
            restrictions.allowed_networks.as_ref().is_some_and(|allowed| {
                !asked
                    .client_address
                    .is_some_and(|address| allowed.iter().any(|network| network.contains(&address.to_canonical())))
            }),
        ),
        (
            RestrictionKind::Scopes,
            Denial::ScopeNotAllowed,
            match (&restrictions.scopes, asked.scope) {
                (Some(has), Some(asked)) => !has.iter().any(|scope| scope.as_str() == asked),
                _ => false,
            },
        ),
    ];
    for (kind, denial, is_broken) in broken {
        if is_broken && !restrictions.report_only.contains(kind) {
            return Err(denial);
        }
        if is_broken {
            reported = reported.with(kind);
        }
    }
    Ok(reported)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::origin::OriginPattern;
    use crate::restriction::Scope;

    fn now() -> Timestamp {
        Timestamp::parse("2026-03-02T09:00:00Z").unwrap()
    }

    fn everything() -> Restrictions {
        Restrictions {
            allowed_origins: Some(vec![
                OriginPattern::parse("https://shop.example").unwrap(),
                OriginPattern::parse("https://*.shop.example").unwrap(),
            ]),
            allowed_networks: Some(vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()]),
            scopes: Some(vec![Scope::parse("read").unwrap(), Scope::parse("write").unwrap()]),
            expires_at: Some(now().plus(Duration::from_secs(1))),
            rate_limit: None,
            report_only: RestrictionKinds::NONE,
        }
    }

    fn fitting() -> Asked<'static> {
        Asked {
            origin: Some("https://shop.example"),
            referer: None,
            client_address: "192.0.2.7".parse().ok(),
            scope: Some("write"),
            environment: None,
        }
    }

    fn from(address: &str) -> Asked<'static> {
        Asked {
            client_address: address.parse().ok(),
            ..fitting()
        }
    }

    #[test]
    fn what_keeps_every_restriction_is_let_in() {
        let allowed = |asked| restrictions_allow(&everything(), &asked, now());
        let fitting = fitting();
        for asked in [
            fitting,
            Asked {
                origin: Some("https://eu.shop.example:443"),
                ..fitting
            },
            Asked {
                origin: None,
                referer: Some("https://shop.example/cart"),
                ..fitting
            },
            Asked {
                scope: Some("read"),
                ..fitting
            },
            Asked {
                scope: None, // the route asks for none
                ..fitting
            },
            from("::ffff:192.0.2.7"),
            from("2001:db8:1::1"),
        ] {
            assert_eq!(allowed(asked), Ok(RestrictionKinds::NONE), "{asked:?}");
        }
        let nothing = restrictions_allow(&Restrictions::default(), &Asked::default(), now());
        assert_eq!(nothing, Ok(RestrictionKinds::NONE));
    }

    #[test]
    fn what_breaks_one_is_refused_for_it_or_reported() {
        let fitting = fitting();
        let later = now().plus(Duration::from_secs(1));
        let cases = [
            (fitting, later, Denial::Expired, RestrictionKind::ExpiresAt),
            (
                Asked {
                    origin: Some("https://evil.example"),
                    ..fitting
                },
                now(),
                Denial::OriginNotAllowed,
                RestrictionKind::AllowedOrigins,
            ),
            (
                Asked {
                    origin: None,
                    ..fitting
                },
                now(),
                Denial::OriginNotAllowed,
                RestrictionKind::AllowedOrigins,
            ),
            (
                Asked {
                    origin: Some("null"),
                    referer: Some("https://shop.example/"),
                    ..fitting
                },
                now(),
                Denial::OriginNotAllowed,
                RestrictionKind::AllowedOrigins,
            ),
            (
                from("192.0.3.1"),
                now(),
                Denial::NetworkNotAllowed,
                RestrictionKind::AllowedNetworks,
            ),
            (
                from("nowhere"),
                now(),
                Denial::NetworkNotAllowed,
                RestrictionKind::AllowedNetworks,
            ),
            (
                Asked {
                    scope: Some("admin"),
                    ..fitting
                },
                now(),
                Denial::ScopeNotAllowed,
                RestrictionKind::Scopes,
            ),
        ];
        for (asked, now, denial, kind) in cases {
            assert_eq!(restrictions_allow(&everything(), &asked, now), Err(denial), "{asked:?}");
            let reported = Restrictions {
                report_only: RestrictionKinds::NONE.with(kind),
                ..everything()
            };
            let only = Ok(RestrictionKinds::NONE.with(kind));
            assert_eq!(restrictions_allow(&reported, &asked, now), only, "{asked:?}");
        }
    }

    #[test]
    fn what_is_reported_does_not_hide_what_is_enforced() {
        let restrictions = Restrictions {
            report_only: [RestrictionKind::AllowedOrigins, RestrictionKind::Scopes]
                .into_iter()
                .collect(),
            ..everything()
        };
        let asked = Asked {
            origin: None,
            client_address: None,
            scope: Some("admin"),
            ..fitting()
        };
        assert_eq!(
            restrictions_allow(&restrictions, &asked, now()),
            Err(Denial::NetworkNotAllowed)
        );
        let inside = Asked {
            client_address: "192.0.2.7".parse().ok(),
            ..asked
        };
        assert_eq!(
            restrictions_allow(&restrictions, &inside, now()),
            Ok(restrictions.report_only)
        );
    }

    #[test]
    fn each_denial_has_a_code_of_its_own() {
        let all = [
            Denial::Missing,
            Denial::Malformed,
            Denial::BadChecksum,
            Denial::Unknown,
            Denial::Revoked,
            Denial::Expired,
            Denial::WrongEnvironment,
            Denial::OriginNotAllowed,
            Denial::NetworkNotAllowed,
            Denial::ScopeNotAllowed,
            Denial::RateLimited { retry_after_seconds: 1 },
            Denial::IndexTooOld,
            Denial::IndexBehind,
        ];
        let codes: std::collections::HashSet<_> = all.iter().map(|denial| denial.code()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(
            codes
                .iter()
                .all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        );
    }
}
