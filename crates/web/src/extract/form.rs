//! A body of form fields, held against the same kind of shape as a JSON body. Fields that the shape lacks are passed
//! over, as OAuth has it.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use crate::catalogue;
use crate::error::{ApiError, Problem};
use crate::extract::body::{self, Checked, Shape};

/// The media type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The bytes of a form, not looked at yet.
#[derive(Debug)]
pub(crate) struct FormBody(pub(crate) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for FormBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        Self::read(&parts.headers, body).await
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.is_some_and(|value| {
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case(FORM)
    })
}

impl FormBody {
    /// The body of a request with these headers.
    pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, ApiError> {
        if !is_form(headers) {
            return Err(ApiError::new(&catalogue::FORM_EXPECTED));
        }
        Ok(Self(body::read(body).await?))
    }

    /// Holds the fields against `shape`.
    pub(crate) fn checked(&self, shape: &Shape) -> Result<Checked, ApiError> {
        let mut object = Map::new();
        let mut problems = Vec::new();
        for (name, value) in form_urlencoded::parse(&self.0) {
            if !shape.fields.iter().any(|field| field.name == name) {
                continue;
            }
            let name = name.into_owned();
            if object.contains_key(&name) {
                problems.push(Problem::new(name, "Given more than once"));
            } else {
                object.insert(name, Value::String(value.into_owned()));
            }
        }
        if problems.is_empty() {
            shape.check(object)
        } else {
            Err(ApiError::bad_request(problems))
        }
    }
}
