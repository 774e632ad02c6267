//! What a request presents: the client token and the circumstances, from whichever header a proxy or a browser puts
//! them in. Nothing is looked up here.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderName, header};
use tollgate_domain::verdict::{Asked, Denial};

use crate::App;
use crate::extract::origin::client_address;

use super::parameters::Parameters;

/// Headers that hold nothing but the token, the preferred one first.
const TOKEN_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("tollgate-client-token"),
    HeaderName::from_static("paddle-clienttoken"),
];
/// Where proxies put the address that was asked for.
const URI_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-forwarded-uri"),
];
/// The parameter of that address that holds a token.
const TOKEN_PARAMETER: &str = "client_token";

/// The token of a request that a proxy asks about: from a header of its own, `Authorization: Bearer`, or the query of the
/// address that was asked for.
pub(super) fn token(headers: &HeaderMap) -> Result<Cow<'_, str>, Denial> {
    if let Some(token) = token_header(headers)? {
        return Ok(token);
    }
    if let Some(token) = bearer(headers)? {
        return Ok(token);
    }
    for name in &URI_HEADERS {
        if let Some(uri) = headers.get(name).and_then(|value| value.to_str().ok())
            && let Some(token) = query_token(uri)?
        {
            return Ok(token);
        }
    }
    Err(Denial::Missing)
}

/// The token in a header of its own. Two of them are none: what is behind the proxy could take the other one.
pub(super) fn token_header(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, Denial> {
    for name in &TOKEN_HEADERS {
        let mut values = headers.get_all(name).iter();
        if let Some(value) = values.next() {
            let text = value.to_str().map_err(|_| Denial::Malformed)?;
            return match values.next() {
                None => Ok(Some(Cow::Borrowed(text))),
                Some(_) => Err(Denial::Malformed),
            };
        }
    }
    Ok(None)
}

/// Other schemes are no business of ours: the application behind the proxy may have a use for them.
fn bearer(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, Denial> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| Denial::Malformed)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => match values.next() {
            None => Ok(Some(Cow::Borrowed(token.trim()))),
            Some(_) => Err(Denial::Malformed),
        },
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

/// Under which circumstances it is presented.
pub(super) fn asked<'a>(
    app: &App,
    peer: SocketAddr,
    headers: &'a HeaderMap,
    parameters: &'a Parameters<'_>,
) -> Asked<'a> {
    // Text that is none can't be read as an origin either, and so is refused where origins are restricted.
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("null"));
    Asked {
        origin: text(header::ORIGIN),
        referer: text(header::REFERER),
        client_address: Some(client_address(app, peer, headers)),
        scope: parameters.scope.as_deref(),
        environment: parameters.environment,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn the_token_is_taken_from_the_first_place_that_has_one() {
        let places: [(&str, &str); 5] = [
            ("tollgate-client-token", "one"),
            ("paddle-clienttoken", "two"),
            ("authorization", "Bearer three"),
            ("x-original-uri", "/pay?x=1&client_token=four#client_token=none"),
            ("x-forwarded-uri", "/pay?client_token=fi%76e"),
        ];
        for (from, expected) in ["one", "two", "three", "four", "five"].into_iter().enumerate() {
            assert_eq!(token(&headers(&places[from..])).unwrap(), expected);
        }
        assert_eq!(token(&headers(&[])), Err(Denial::Missing));
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
            assert_eq!(token(&headers(&[other])), Err(Denial::Missing), "{other:?}");
        }
    }

    #[test]
    fn two_tokens_in_one_place_are_refused() {
        for pairs in [
            [("tollgate-client-token", "a"), ("tollgate-client-token", "b")],
            [("authorization", "Bearer a"), ("authorization", "Bearer b")],
            [("x-original-uri", "/?client_token=a&client_token=b"), ("accept", "*/*")],
        ] {
            assert_eq!(token(&headers(&pairs)), Err(Denial::Malformed), "{pairs:?}");
        }
    }
}
