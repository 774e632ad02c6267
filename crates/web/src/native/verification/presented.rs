//! What a request presents: the client token and the circumstances, from whichever header a proxy or a browser puts
//! them in. Nothing is looked up here.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::http::HeaderMap;
use tollgate_domain::verdict::{Asked, Denial};

use crate::App;
use crate::extract::origin::forwarded_address;

use super::parameters::Parameters;

/// The parameter of a forwarded address that holds a token.
const TOKEN_PARAMETER: &str = "client_token";

/// What there is of the headers that matter, whoever parsed them.
#[derive(Default)]
pub(super) struct Carried<'a> {
    own: Place<'a>,
    compatible: Place<'a>,
    authorization: Place<'a>,
    original_uri: Place<'a>,
    forwarded_uri: Place<'a>,
    origin: Place<'a>,
    referer: Place<'a>,
    forwarded_for: Vec<&'a [u8]>,
}

/// A header that should occur once.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    first: Option<&'a [u8]>,
    again: bool,
}

impl<'a> Place<'a> {
    const fn add(&mut self, value: &'a [u8]) {
        if self.first.is_none() {
            self.first = Some(value);
        } else {
            self.again = true;
        }
    }

    /// Twice, or no text, is neither: what is behind the proxy could take the other one.
    fn once(self) -> Result<Option<&'a str>, Denial> {
        match self.first {
            None => Ok(None),
            Some(_) if self.again => Err(Denial::Malformed),
            Some(value) => std::str::from_utf8(value).map(Some).map_err(|_| Denial::Malformed),
        }
    }
}

impl<'a> Carried<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut carried = Self::default();
        for (name, value) in headers {
            carried.add(name.as_str(), value.as_bytes());
        }
        carried
    }

    /// One more header, its name in whatever case.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // By length first: most headers are none of these.
        match name.len() {
            21 if is("tollgate-client-token") => self.own.add(value),
            18 if is("paddle-clienttoken") => self.compatible.add(value),
            13 if is("authorization") => self.authorization.add(value),
            14 if is("x-original-uri") => self.original_uri.add(value),
            15 if is("x-forwarded-uri") => self.forwarded_uri.add(value),
            15 if is("x-forwarded-for") => self.forwarded_for.push(value),
            6 if is("origin") => self.origin.add(value),
            7 if is("referer") => self.referer.add(value),
            _ => {}
        }
    }

    /// The token of a request that a proxy asks about: from a header of its own, `Authorization: Bearer`, or the query of
    /// the address that was asked for.
    pub(super) fn token(&self) -> Result<Cow<'a, str>, Denial> {
        if let Some(token) = self.token_header()? {
            return Ok(Cow::Borrowed(token));
        }
        if let Some(token) = bearer(self.authorization)? {
            return Ok(Cow::Borrowed(token));
        }
        for place in [self.original_uri, self.forwarded_uri] {
            if let Some(uri) = place.once()?
                && let Some(token) = query_token(uri)?
            {
                return Ok(token);
            }
        }
        Err(Denial::Missing)
    }

    /// The token in a header of its own.
    pub(super) fn token_header(&self) -> Result<Option<&'a str>, Denial> {
        match self.own.once()? {
            Some(token) => Ok(Some(token)),
            None => self.compatible.once(),
        }
    }

    /// Under which circumstances it is presented.
    pub(super) fn asked(&self, app: &App, peer: SocketAddr, parameters: &'a Parameters<'_>) -> Asked<'a> {
        // What is there twice, or is no text, can't be read as an origin, and so is refused where origins are restricted.
        let site = |place: Place<'a>| place.once().unwrap_or(Some("null"));
        let hops = self.forwarded_for.iter().copied();
        Asked {
            origin: site(self.origin),
            referer: site(self.referer),
            client_address: Some(forwarded_address(&app.settings.trusted_proxies, peer, hops)),
            scope: parameters.scope.as_deref(),
            environment: parameters.environment,
        }
    }
}

/// Other schemes are no business of ours: the application behind the proxy may have a use for them.
fn bearer(authorization: Place<'_>) -> Result<Option<&str>, Denial> {
    let text = authorization
        .first
        .map(|value| std::str::from_utf8(value).map_err(|_| Denial::Malformed));
    match text.transpose()?.and_then(|text| text.split_once(' ')) {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") && authorization.again => Err(Denial::Malformed),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Ok(None),
    }
}

fn query_token(uri: &str) -> Result<Option<Cow<'_, str>>, Denial> {
    let Some((_, query)) = uri.split_once('?') else {
        return Ok(None);
    };
    let query = query.split('#').next().unwrap_or_default();
    let mut tokens = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == TOKEN_PARAMETER);
    match (tokens.next(), tokens.next()) {
        (None, _) => Ok(None),
        (Some((_, token)), None) => Ok(Some(token)),
        (Some(_), Some(_)) => Err(Denial::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(headers: &[(&str, &'static str)]) -> Result<Cow<'static, str>, Denial> {
        let mut carried = Carried::default();
        for (name, value) in headers {
            carried.add(name, value.as_bytes());
        }
        carried.token()
    }

    #[test]
    fn the_token_is_taken_from_the_first_place_that_has_one() {
        let places = [
            ("Tollgate-Client-Token", "one"),
            ("paddle-clienttoken", "two"),
            ("authorization", "Bearer three"),
            ("x-original-uri", "/pay?x=1&client_token=four#client_token=none"),
            ("x-forwarded-uri", "/pay?client_token=fi%76e"),
        ];
        for (from, expected) in ["one", "two", "three", "four", "five"].into_iter().enumerate() {
            assert_eq!(token(&places[from..]).unwrap(), expected);
        }
        assert_eq!(token(&[]), Err(Denial::Missing));
    }

    #[test]
    fn other_credentials_and_addresses_without_a_token_are_passed_over() {
        for other in [
            ("authorization", "Basic dXNlcjpwYXNz"),
            ("authorization", "Bearer"),
            ("x-original-uri", "/pay"),
            ("x-original-uri", "/pay?client_tokens=a"),
            ("cookie", "client_token=a"),
        ] {
            assert_eq!(token(&[other]), Err(Denial::Missing), "{other:?}");
        }
    }

    #[test]
    fn two_tokens_in_one_place_are_refused() {
        for pairs in [
            [("tollgate-client-token", "a"), ("tollgate-client-token", "b")],
            [("authorization", "Bearer a"), ("authorization", "Bearer b")],
            [("x-original-uri", "/?client_token=a&client_token=b"), ("accept", "*/*")],
        ] {
            assert_eq!(token(&pairs), Err(Denial::Malformed), "{pairs:?}");
        }
    }
}
