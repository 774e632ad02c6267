//! JSON to a value, noting property names that occur twice in one object, since readers differ in which one counts.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::catalogue;
use crate::error::{ApiError, Problem};
use crate::extract::body::{LARGEST, LONGEST_NAME, MOST_PROBLEMS};

/// The value, with what occurs twice put to `duplicates`.
pub(super) fn parse(bytes: &[u8], duplicates: &mut Vec<Problem>) -> Result<Value, ApiError> {
    read(bytes, duplicates).map_err(|_| ApiError::new(&catalogue::INVALID_JSON))
}

/// The same, telling where it is no JSON.
pub(crate) fn read(bytes: &[u8], duplicates: &mut Vec<Problem>) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Unique {
        duplicates,
        path: String::new(),
    }
    .deserialize(&mut deserializer);
    value.and_then(|value| deserializer.end().map(|()| value))
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
