//! A JSON body, held against its shape. One [`Shape`] per body checks what comes in and describes it in the OpenAPI
//! document, so that the two can't differ.

use std::fmt;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use tollgate_domain::text::TextRule;

use crate::catalogue;
use crate::error::{ApiError, Problem};

/// Bytes; the same for every body.
pub(crate) const LARGEST: usize = 1024 * 1024;
/// How long a body may take to arrive.
const SLOWEST: Duration = Duration::from_secs(30);
/// How many problems an answer lists: a body of a megabyte can hold a hundred thousand.
const MOST_PROBLEMS: usize = 50;
/// How much of an unknown property's name is repeated.
const LONGEST_NAME: usize = 100;

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
    /// An object that is looked at elsewhere.
    Object,
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

async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
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
            parse(&self.0, &mut duplicates)?
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

    /// The text of a property that may be null; the outer `None` when it is absent.
    pub(crate) fn nullable_text(&mut self, name: &str) -> Option<Option<String>> {
        self.0.contains_key(name).then(|| self.text(name))
    }
}

impl Shape {
    fn check(&self, mut object: Map<String, Value>) -> Result<Checked, ApiError> {
        let mut problems = Vec::new();
        let mut checked = Map::new();
        for field in self.fields {
            match object.remove(field.name) {
                None if field.required => problems.push(Problem::new("(root)", format!("{} is required", field.name))),
                None => {}
                Some(Value::Null) if field.nullable => {
                    checked.insert(field.name.to_owned(), Value::Null);
                }
                Some(value) => match field.check(&value) {
                    None => {
                        checked.insert(field.name.to_owned(), value);
                    }
                    Some(problem) => problems.push(problem),
                },
            }
        }
        for unknown in object.keys() {
            let shown: String = unknown.chars().take(LONGEST_NAME).collect();
            problems.push(Problem::new(
                "(root)",
                format!("Additional property {shown} is not allowed"),
            ));
        }
        if problems.is_empty() && checked.len() < self.at_least {
            problems.push(Problem::new(
                "(root)",
                format!("Must have at least {} properties", self.at_least),
            ));
        }
        if problems.is_empty() {
            Ok(Checked(checked))
        } else {
            Err(ApiError::bad_request(limited(problems)))
        }
    }
}

impl Field {
    /// What is wrong with a value, if anything: the field's own name, or the place in a list.
    fn check(&self, value: &Value) -> Option<Problem> {
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
            (FieldKind::Text(_) | FieldKind::Choice(_), _) => of_type("string"),
            (FieldKind::Flag, Value::Bool(_)) | (FieldKind::Object, Value::Object(_)) => None,
            (FieldKind::Flag, _) => of_type("boolean"),
            (FieldKind::Object, _) => of_type("object"),
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
            (FieldKind::Names(_), _) => of_type("array"),
        }
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

/// JSON to a value; property names that occur twice in one object are noted, since readers differ in which one counts.
fn parse(bytes: &[u8], duplicates: &mut Vec<Problem>) -> Result<Value, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Unique {
        duplicates,
        path: String::new(),
    }
    .deserialize(&mut deserializer);
    let value = value.and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|_| ApiError::new(&catalogue::INVALID_JSON))
}

/// Reads any JSON value at `path`.
struct Unique<'a> {
    duplicates: &'a mut Vec<Problem>,
    path: String,
}

impl Unique<'_> {
    fn below(&mut self, name: &str) -> Unique<'_> {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Unique {
            duplicates: self.duplicates,
            path,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.below(&array.len().to_string()))? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut properties: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = properties.next_key::<String>()? {
            let value = properties.next_value_seed(self.below(&name))?;
            if object.contains_key(&name) && self.duplicates.len() < MOST_PROBLEMS {
                let field = self.below(&name).path.chars().take(LONGEST_NAME).collect::<String>();
                self.duplicates
                    .push(Problem::new(field, "Property occurs more than once"));
            }
            object.insert(name, value);
        }
        if object.len() > LARGEST {
            return Err(A::Error::custom("too many properties"));
        }
        Ok(Value::Object(object))
    }
}
