//! Ids in a path.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use tollgate_domain::id::{Id, Kind};

use crate::error::ApiError;

/// The text in the place of the id, percent-decoded; not yet known to be one. Parsed by the handler, since a body
/// that is no JSON is told of first.
pub(crate) struct PathId(String);

impl PathId {
    /// As the caller wrote it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id; 400 naming the path's `parameter` when it is none.
    pub(crate) fn parse<K: Kind>(&self, parameter: &str) -> Result<Id<K>, ApiError> {
        Id::parse(&self.0).map_err(|malformed| ApiError::bad_field(parameter, malformed.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        // What isn't UTF-8 after decoding is no id either.
        Ok(Self(text.map(|Path(text)| text).unwrap_or_default()))
    }
}

/// The texts in the places of several ids, as [`PathId`].
pub(crate) struct PathIds(Vec<(String, String)>);

impl PathIds {
    /// As the caller wrote it.
    pub(crate) fn text(&self, parameter: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| name == parameter);
        found.map_or("", |(_, text)| text)
    }

    /// The id; 400 naming the path's `parameter` when it is none.
    pub(crate) fn parse<K: Kind>(&self, parameter: &str) -> Result<Id<K>, ApiError> {
        Id::parse(self.text(parameter)).map_err(|malformed| ApiError::bad_field(parameter, malformed.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathIds {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let texts: Result<Path<Vec<(String, String)>>, PathRejection> = Path::from_request_parts(parts, state).await;
        Ok(Self(texts.map(|Path(texts)| texts).unwrap_or_default()))
    }
}
