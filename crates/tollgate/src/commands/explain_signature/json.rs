//! JSON with its members in the order of the text, and the ways in which programs write it.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deeper than any payload.
const DEEPEST: usize = 32;
/// The members of payloads and of the entities in them, in the order in which they are sent.
const SENT: [&str; 18] = [
    "event_id",
    "event_type",
    "occurred_at",
    "notification_id",
    "data",
    "id",
    "token",
    "name",
    "description",
    "status",
    "key",
    "permissions",
    "expires_at",
    "last_used_at",
    "created_at",
    "updated_at",
    "revoked_at",
    "rotatable",
];

/// A JSON value.
#[derive(Clone, Debug)]
pub(super) enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Text(String),
    /// A number, true, false or null, as it stands.
    Other(String),
}

/// In which order the members of objects are written.
#[derive(Clone, Copy)]
pub(super) enum Order {
    AsGiven,
    AsSent,
    Sorted,
}

/// How it is written.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Compact,
    /// A blank after each comma and colon.
    Spaced,
    /// Over several lines, each level in by so many blanks.
    Indented(usize),
    /// Everything beyond ASCII as \uXXXX.
    Ascii,
    /// The same, with blanks.
    SpacedAscii,
    /// Each / as \/.
    Slashed,
}

impl Order {
    pub(super) const ALL: [Self; 3] = [Self::AsGiven, Self::AsSent, Self::Sorted];

    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::AsGiven => "",
            Self::AsSent => ", with its members in another order",
            Self::Sorted => ", with its members sorted",
        }
    }
}

impl Style {
    pub(super) const ALL: [Self; 7] = [
        Self::Compact,
        Self::Spaced,
        Self::Indented(2),
        Self::Indented(4),
        Self::Ascii,
        Self::SpacedAscii,
        Self::Slashed,
    ];

    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::Compact => "without blanks and line breaks between its parts",
            Self::Spaced => "with a blank after each comma and colon",
            Self::Indented(_) => "indented over several lines",
            Self::Ascii => "without blanks, and with \\u escapes",
            Self::SpacedAscii => "with a blank after each comma and colon, and with \\u escapes",
            Self::Slashed => "without blanks, and with \\/ for each slash",
        }
    }

    const fn is_spaced(self) -> bool {
        matches!(self, Self::Spaced | Self::SpacedAscii)
    }
}

struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The value of a text; `None` when it isn't JSON, or deeper than any payload.
pub(super) fn parse(text: &str) -> Option<Json> {
    parse_within(text, DEEPEST)
}

fn parse_within(text: &str, depth: usize) -> Option<Json> {
    let deeper = |raw: &RawValue| parse_within(raw.get(), depth.checked_sub(1)?);
    Some(match text.trim_start().bytes().next()? {
        b'{' => {
            let Members(members) = serde_json::from_str(text).ok()?;
            let members = members.into_iter().map(|(name, raw)| Some((name, deeper(&raw)?)));
            Json::Object(members.collect::<Option<_>>()?)
        }
        b'[' => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
            Json::Array(items.iter().map(|raw| deeper(raw)).collect::<Option<_>>()?)
        }
        b'"' => Json::Text(serde_json::from_str(text).ok()?),
        _ => {
            let raw: Box<RawValue> = serde_json::from_str(text).ok()?;
            Json::Other(raw.get().to_owned())
        }
    })
}

impl Json {
    /// The same with the members of each object in this order.
    pub(super) fn ordered(&self, order: Order) -> Self {
        match self {
            Self::Object(members) => {
                let mut members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.ordered(order)))
                    .collect();
                match order {
                    Order::AsGiven => {}
                    Order::AsSent => members.sort_by_key(|(name, _)| SENT.iter().position(|sent| sent == name)),
                    Order::Sorted => members.sort_by(|(one, _), (other, _)| one.cmp(other)),
                }
                Self::Object(members)
            }
            Self::Array(items) => Self::Array(items.iter().map(|item| item.ordered(order)).collect()),
            other => other.clone(),
        }
    }

    pub(super) fn written(&self, style: Style) -> String {
        let mut text = String::new();
        self.write(&mut text, style, 0);
        text
    }

    fn write(&self, out: &mut String, style: Style, level: usize) {
        match self {
            Self::Object(members) => {
                let colon = if style.is_spaced() || matches!(style, Style::Indented(_)) {
                    ": "
                } else {
                    ":"
                };
                let member = |out: &mut String, (name, value): &(String, Self)| {
                    write_text(out, name, style);
                    out.push_str(colon);
                    value.write(out, style, level + 1);
                };
                write_all(out, ['{', '}'], members, style, level, member);
            }
            Self::Array(items) => {
                let item = |out: &mut String, item: &Self| item.write(out, style, level + 1);
                write_all(out, ['[', ']'], items, style, level, item);
            }
            Self::Text(text) => write_text(out, text, style),
            Self::Other(text) => out.push_str(text),
        }
    }
}

fn write_all<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: &[T],
    style: Style,
    level: usize,
    write: impl Fn(&mut String, &T),
) {
    let line = |out: &mut String, level: usize| {
        if let Style::Indented(width) = style {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * level));
        }
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(if style.is_spaced() { ", " } else { "," });
        }
        line(out, level + 1);
        write(out, item);
    }
    if !items.is_empty() {
        line(out, level);
    }
    out.push(close);
}

fn write_text(out: &mut String, text: &str, style: Style) {
    let quoted = serde_json::Value::from(text).to_string();
    match style {
        Style::Slashed => out.push_str(&quoted.replace('/', "\\/")),
        Style::Ascii | Style::SpacedAscii => {
            for character in quoted.chars() {
                if character.is_ascii() {
                    out.push(character);
                } else {
                    let units = character.encode_utf16(&mut [0; 2]).to_vec();
                    out.extend(units.into_iter().map(|unit| format!("\\u{unit:04x}")));
                }
            }
        }
        _ => out.push_str(&quoted),
    }
}
