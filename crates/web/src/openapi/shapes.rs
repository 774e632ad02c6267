//! The schemas of bodies, from the shapes that check them.

use serde_json::{Value, json};

use crate::extract::body::{Field, FieldKind, Shape};

pub(super) fn shape_schema(shape: &Shape) -> Value {
    let properties: serde_json::Map<String, Value> = shape
        .fields
        .iter()
        .map(|field| (field.name.to_owned(), field_schema(field)))
        .collect();
    let required: Vec<&str> = shape
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if shape.at_least > 0 {
        schema["minProperties"] = json!(shape.at_least);
    }
    schema
}

fn field_schema(field: &Field) -> Value {
    let mut schema = match &field.kind {
        FieldKind::Text(rule) => json!({ "type": "string", "minLength": rule.min, "maxLength": rule.max }),
        FieldKind::Choice(names) => json!({ "type": "string", "enum": names }),
        FieldKind::Flag => json!({ "type": "boolean" }),
        FieldKind::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        FieldKind::Names(values) => json!({
            "type": "array", "minItems": 1, "items": { "type": "string", "enum": values() },
        }),
        FieldKind::Pattern { pattern, .. } => json!({ "type": "string", "pattern": pattern }),
        FieldKind::Time => json!({ "type": "string", "format": "date-time" }),
        FieldKind::List(of) => json!({
            "type": "array", "minItems": of.fewest, "maxItems": of.most, "items": (of.schema)(),
        }),
        FieldKind::Object([shape]) => shape_schema(shape),
        FieldKind::Object(shapes) => {
            json!({ "anyOf": shapes.iter().map(|shape| shape_schema(shape)).collect::<Vec<_>>() })
        }
    };
    if let Some(kinds) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        if field.nullable {
            kinds.push(json!({ "type": "null" }));
        }
    } else if field.nullable {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(names) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            names.push(Value::Null);
        }
    }
    schema["description"] = field.description.into();
    schema
}
