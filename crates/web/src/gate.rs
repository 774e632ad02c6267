//! What stands before each handler: how often, who, may they, and which version of the contract. In the contract's
//! order: rate limit, authentication, permission, then what the request itself says.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::Clock as _;
use tollgate_service::Caller;

use crate::App;
use crate::catalogue;
use crate::endpoint::{Access, Surface};
use crate::error::ApiError;
use crate::extract::origin::client_address;
use crate::front_door::Peer;

/// The gate of one endpoint.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) app: App,
    pub(crate) access: Access,
    pub(crate) surface: Surface,
}

/// Whoever passed the gate of an endpoint with [`Access::Optional`].
#[derive(Clone, Debug)]
pub(crate) struct MaybeCaller(pub(crate) Option<Caller>);

/// Whoever passed the gate with a credential. A handler that takes one can't be reached without.
#[derive(Clone, Debug)]
pub(crate) struct Known(pub(crate) Caller);

/// Lets the request through, or says why not.
pub(crate) async fn keep(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    if !gate.access.knows_keys() {
        return next.run(request).await;
    }
    match gate.admit(&mut request).await {
        Ok(()) => {
            let mut response = next.run(request).await;
            match response.extensions_mut().remove::<ApiError>() {
                Some(error) => error.into_response_on(gate.surface),
                None => response,
            }
        }
        Err(error) => error.into_response_on(gate.surface),
    }
}

impl Gate {
    async fn admit(&self, request: &mut Request) -> Result<(), ApiError> {
        let Peer(peer) = Peer::of(request);
        let address = client_address(&self.app, peer, request.headers());
        limit_rate(&self.app, address)?;
        let caller = match bearer(request.headers())? {
            Some(key) => Some(self.app.service.authenticate(key, Some(address)).await?),
            None if self.access == Access::Optional => None,
            None => return Err(ApiError::new(&catalogue::AUTHENTICATION_MISSING)),
        };
        if let (Access::Needs(permission), Some(caller)) = (self.access, &caller) {
            caller.require(permission)?;
        }
        check_version(request.headers())?;
        request.extensions_mut().insert(MaybeCaller(caller));
        Ok(())
    }
}

/// Refuses an address that has sent as many requests as it may.
pub(crate) fn limit_rate(app: &App, address: IpAddr) -> Result<(), ApiError> {
    let Some(limiter) = &app.limiter else {
        return Ok(());
    };
    limiter.check_key(&limited_as(address)).map_err(|until| {
        let wait = until.wait_time_from(limiter.clock().now());
        // Rounded up: whoever comes back after whole seconds isn't a moment too early.
        ApiError::too_many_requests(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    })
}

/// What shares a limit: an IPv4 address, or the /64 of an IPv6 address, which is what one customer gets at least.
fn limited_as(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// The credential in `Authorization: Bearer …`, whose scheme may be in any case.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let malformed = || ApiError::new(&catalogue::AUTHENTICATION_MALFORMED);
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(malformed());
    }
    let value = value.to_str().map_err(|_| malformed())?;
    let (scheme, credential) = value.split_once(' ').ok_or_else(malformed)?;
    let credential = credential.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || credential.is_empty() {
        return Err(malformed());
    }
    Ok(Some(credential))
}

/// `Paddle-Version` is absent or `1`. See Q2 of the contract.
fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut versions = headers.get_all("paddle-version").iter();
    if versions.all(|version| version.as_bytes().trim_ascii() == b"1") {
        return Ok(());
    }
    Err(ApiError::bad_field(
        "Paddle-Version",
        "must be one of the following: \"1\"",
    ))
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Absent only behind an open gate, where nobody was asked.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(None)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let MaybeCaller(caller) = MaybeCaller::from_request_parts(parts, state).await?;
        caller
            .map(Self)
            .ok_or_else(|| ApiError::new(&catalogue::AUTHENTICATION_MISSING))
    }
}
