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
