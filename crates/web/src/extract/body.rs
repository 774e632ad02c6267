//! A JSON body, held against its shape. One [`Shape`] per body checks what comes in and describes it in the OpenAPI
//! document, so that the two can't differ.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use tollgate_domain::text::TextRule;
use tollgate_domain::time::Timestamp;

use crate::catalogue;
use crate::error::{ApiError, Problem};
use crate::extract::json;

/// Bytes; the same for every body.
pub(crate) const LARGEST: usize = 1024 * 1024;
/// How long a body may take to arrive.
const SLOWEST: Duration = Duration::from_secs(30);
/// How many problems an answer lists: a body of a megabyte can hold a hundred thousand.
pub(super) const MOST_PROBLEMS: usize = 50;
/// How much of an unknown property's name is repeated.
pub(super) const LONGEST_NAME: usize = 100;

/// What an object may hold.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
    /// Fewest properties of all that are optional.
    pub(crate) at_least: usize,
}

/// One property of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) kind: FieldKind,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
}

/// What a property's value may be.
#[derive(Debug)]
pub(crate) enum FieldKind {
    Text(TextRule),
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number within these.
    Whole {
        min: i64,
        max: i64,
    },
    /// A list of at least one of these.
    Names(fn() -> Vec<String>),
    /// A text of this pattern.
    Pattern {
        pattern: &'static str,
        matches: fn(&str) -> bool,
    },
    /// A moment, with its zone.
    Time,
    /// A list of texts, each held against a rule.
    List(&'static ListOf),
    /// An object of this shape, or of one of these; then the handler knows which, and asks [`Shape::check_at`].
    Object(&'static [&'static Shape]),
}

/// A list of texts.
#[derive(Debug)]
pub(crate) struct ListOf {
    pub(crate) fewest: usize,
    pub(crate) most: usize,
    /// What is wrong with one of them.
    pub(crate) check: fn(&str) -> Result<(), String>,
    /// The schema of one of them.
    pub(crate) schema: fn() -> Value,
}

/// The bytes of a body that may be there: read, limited, and JSON by its media type, but not looked at yet.
#[derive(Debug)]
pub(crate) struct RawBody(pub(crate) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let announced = parts
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let is_json = is_json(&parts.headers);
        // A body that is announced is refused before it is read.
        if announced.is_some_and(|length| length > 0) && !is_json {
            return Err(ApiError::new(&catalogue::UNSUPPORTED_MEDIA_TYPE));
        }
        if announced.is_some_and(|length| length > LARGEST as u64) {
            return Err(ApiError::new(&catalogue::PAYLOAD_TOO_LARGE));
        }
        let bytes = read(body).await?;
        if !bytes.is_empty() && !is_json {
            return Err(ApiError::new(&catalogue::UNSUPPORTED_MEDIA_TYPE));
        }
        Ok(Self(bytes))
    }
}

pub(super) async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    match tokio::time::timeout(SLOWEST, to_bytes(body, LARGEST)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        // Too large, or broken off: whoever broke off doesn't read the answer.
        Ok(Err(_)) => Err(ApiError::new(&catalogue::PAYLOAD_TOO_LARGE)),
        Err(_) => Err(ApiError::new(&catalogue::REQUEST_TIMEOUT)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

impl RawBody {
    /// Parses the body and holds it against `shape`. No body at all is an empty object: both official clients leave
    /// it out when there is nothing to say.
    pub(crate) fn checked(&self, shape: &Shape) -> Result<Checked, ApiError> {
        let mut duplicates = Vec::new();
        let value = if self.0.is_empty() {
            Value::Object(Map::new())
        } else {
            json::parse(&self.0, &mut duplicates)?
        };
        if !duplicates.is_empty() {
            return Err(ApiError::bad_request(limited(duplicates)));
        }
        let Value::Object(object) = value else {
            let message = format!("Invalid type. Expected: object, given: {}", type_name(&value));
            return Err(ApiError::bad_field("(root)", message));
        };
        shape.check(object)
    }
}

fn limited(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.truncate(MOST_PROBLEMS);
    problems
}

/// An object that keeps to its shape.
#[derive(Debug)]
pub(crate) struct Checked(Map<String, Value>);

impl Checked {
    /// The text of a property; `None` when it is absent or null.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A flag; `None` when it is absent or null.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name)?.as_bool()
    }

    /// A whole number; `None` when it is absent or null.
    pub(crate) fn whole(&mut self, name: &str) -> Option<i64> {
        self.0.remove(name)?.as_i64()
    }

    /// Names, each once, in the order given; `None` when the property is absent or null.
    pub(crate) fn names(&mut self, name: &str) -> Option<Vec<String>> {
        let Value::Array(items) = self.0.remove(name)? else {
            return None;
        };
        let mut names: Vec<String> = Vec::new();
        for item in items {
            if let Value::String(name) = item
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        Some(names)
    }

    /// An object that may be null; the outer `None` when it is absent.
    pub(crate) fn nullable_object(&mut self, name: &str) -> Option<Option<Map<String, Value>>> {
        self.0.remove(name).map(|value| match value {
            Value::Object(object) => Some(object),
            _ => None,
        })
    }

    /// A moment that may be null; the outer `None` when it is absent.
    pub(crate) fn nullable_time(&mut self, name: &str) -> Option<Option<Timestamp>> {
        let time = self.nullable_text(name)?;
        Some(time.and_then(|text| Timestamp::parse(&text).ok()))
    }

    /// The text of a property that may be null; the outer `None` when it is absent.
    pub(crate) fn nullable_text(&mut self, name: &str) -> Option<Option<String>> {
        self.0.contains_key(name).then(|| self.text(name))
    }
}

impl Shape {
    pub(crate) fn check(&self, object: Map<String, Value>) -> Result<Checked, ApiError> {
        let mut problems = self.problems("(root)", "", &object);
        if problems.is_empty() && object.len() < self.at_least {
            problems.push(Problem::new(
                "(root)",
                format!("Must have at least {} properties", self.at_least),
            ));
        }
        if problems.is_empty() {
            Ok(Checked(object))
        } else {
            Err(ApiError::bad_request(limited(problems)))
        }
    }

    /// Holds an object in the property `place` of a body against this shape.
    pub(crate) fn check_at(&self, place: &str, object: &Map<String, Value>) -> Result<(), ApiError> {
        let problems = self.problems(place, &format!("{place}."), object);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::bad_request(limited(problems)))
        }
    }

    /// What is wrong with an object: the fields' names come after `prefix`, and `whole` is what the object is called.
    fn problems(&self, whole: &str, prefix: &str, object: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for field in self.fields {
            match object.get(field.name) {
                None if field.required => problems.push(Problem::new(whole, format!("{} is required", field.name))),
                None => {}
                Some(Value::Null) if field.nullable => {}
                Some(value) => {
                    let found = field.check(value).into_iter();
                    problems.extend(found.map(|found| Problem::new(format!("{prefix}{}", found.field), found.message)));
                }
            }
        }
        let unknown = object
            .keys()
            .filter(|name| self.fields.iter().all(|field| field.name != *name));
        for unknown in unknown.take(MOST_PROBLEMS) {
            let shown: String = unknown.chars().take(LONGEST_NAME).collect();
            problems.push(Problem::new(
                whole,
                format!("Additional property {shown} is not allowed"),
            ));
        }
        problems
    }
}

impl Field {
    /// What is wrong with a value: the field's own name, or the place in a list or an object.
    fn check(&self, value: &Value) -> Vec<Problem> {
        match (&self.kind, value) {
            (FieldKind::Object([shape]), Value::Object(object)) => {
                shape.problems(self.name, &format!("{}.", self.name), object)
            }
            (FieldKind::List(of), Value::Array(items)) => self.check_list(items, of),
            _ => self.check_one(value).into_iter().collect(),
        }
    }

    fn check_one(&self, value: &Value) -> Option<Problem> {
        let of_type = |expected: &str| {
            Some(Problem::new(
                self.name,
                format!("Invalid type. Expected: {expected}, given: {}", type_name(value)),
            ))
        };
        match (&self.kind, value) {
            (FieldKind::Text(rule), Value::String(text)) => rule
                .check(text)
                .err()
                .map(|error| Problem::new(self.name, error.to_string())),
            (FieldKind::Choice(names), Value::String(text)) => {
                (!names.contains(&text.as_str())).then(|| Problem::new(self.name, not_one_of(names)))
            }
            (FieldKind::Pattern { pattern, matches }, Value::String(text)) => {
                (!matches(text)).then(|| Problem::new(self.name, format!("Does not match pattern '{pattern}'")))
            }
            (FieldKind::Time, Value::String(text)) => {
                (!is_date_time(text)).then(|| Problem::new(self.name, "Does not match format 'date-time'"))
            }
            (FieldKind::Text(_) | FieldKind::Choice(_) | FieldKind::Pattern { .. } | FieldKind::Time, _) => {
                of_type("string")
            }
            (FieldKind::Flag, Value::Bool(_)) | (FieldKind::Object(_), Value::Object(_)) => None,
            (FieldKind::Flag, _) => of_type("boolean"),
            (FieldKind::Object(_), _) => of_type("object"),
            (FieldKind::Whole { min, max }, Value::Number(number)) if !number.is_f64() => match number.as_i64() {
                Some(number) if number < *min => Some(Problem::new(
                    self.name,
                    format!("Must be greater than or equal to {min}"),
                )),
                Some(number) if number <= *max => None,
                _ => Some(Problem::new(self.name, format!("Must be less than or equal to {max}"))),
            },
            (FieldKind::Whole { .. }, _) => of_type("integer"),
            (FieldKind::Names(known), Value::Array(items)) => self.check_names(items, &known()),
            (FieldKind::Names(_) | FieldKind::List(_), _) => of_type("array"),
        }
    }

    fn check_list(&self, items: &[Value], of: &ListOf) -> Vec<Problem> {
        if items.len() < of.fewest {
            let or_null = if self.nullable { ", or be null" } else { "" };
            let message = format!("Array must have at least {} items{or_null}", of.fewest);
            return vec![Problem::new(self.name, message)];
        }
        if items.len() > of.most {
            return vec![Problem::new(
                self.name,
                format!("Array must have at most {} items", of.most),
            )];
        }
        let problem = |(place, item): (usize, &Value)| {
            let message = match item {
                Value::String(text) => (of.check)(text).err()?,
                other => format!("Invalid type. Expected: string, given: {}", type_name(other)),
            };
            Some(Problem::new(format!("{}.{place}", self.name), message))
        };
        items.iter().enumerate().filter_map(problem).collect()
    }

    fn check_names(&self, items: &[Value], known: &[String]) -> Option<Problem> {
        if items.is_empty() {
            return Some(Problem::new(self.name, "Array must have at least 1 items"));
        }
        items.iter().enumerate().find_map(|(place, item)| {
            let place = format!("{}.{place}", self.name);
            let Value::String(name) = item else {
                let message = format!("Invalid type. Expected: string, given: {}", type_name(item));
                return Some(Problem::new(place, message));
            };
            let is_known = known.iter().any(|known| known == name);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            (!is_known).then(|| Problem::new(place, not_one_of(&known)))
        })
    }
}

/// RFC 3339 with a zone, as the contract's own times.
fn is_date_time(text: &str) -> bool {
    let time = text.get(10..).unwrap_or_default();
    time.contains(['Z', '+', '-']) && Timestamp::parse(text).is_ok()
}

/// The contract's own words for a value outside an enumeration.
pub(crate) fn not_one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("must be one of the following: {}", quoted.join(", "))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
