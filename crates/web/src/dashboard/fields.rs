//! What a form or a query holds: names with values, in their order. Read once by the gate; pages take what they know.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use super::failure::Failure;

/// Names and values, in the order given; a name may come several times.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

/// The fields of the form that was sent.
#[derive(Clone, Debug)]
pub(super) struct Form(pub(super) Fields);

/// The fields of the address's query.
#[derive(Clone, Debug)]
pub(super) struct Query(pub(super) Fields);

impl Fields {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        // Browsers send line breaks of a text area as two characters; the limits count one.
        let value = |text: std::borrow::Cow<'_, str>| text.replace("\r\n", "\n");
        let pairs = form_urlencoded::parse(encoded);
        Self(pairs.map(|(name, text)| (name.into_owned(), value(text))).collect())
    }

    /// The first value of this name; empty when there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        let first = self.0.iter().find(|(given, _)| given == name);
        first.map_or("", |(_, value)| value)
    }

    /// The first value of this name, unless it is blank: what was left empty in a form.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.trim().is_empty())
    }

    /// All values of this name.
    pub(super) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(given, _)| given == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// Whether a box of this name is ticked.
    pub(super) fn is_checked(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }

    /// These as an object for a [`Shape`](crate::extract::body::Shape): what is blank is left out.
    pub(super) fn object(&self, names: &[&str]) -> Map<String, Value> {
        let given = names.iter().filter_map(|name| Some((*name, self.optional(name)?)));
        given.map(|(name, text)| (name.to_owned(), text.into())).collect()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Form {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts
            .extensions
            .get::<Self>()
            .cloned()
            .unwrap_or(Self(Fields::default())))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let fields = Fields::parse(b"name=A+%26+B&scope=one&scope=two&empty=+&lines=a%0D%0A%0D%0A+b+&on=");
        assert_eq!(fields.text("name"), "A & B");
        assert_eq!(fields.text("absent"), "");
        assert_eq!(fields.list("scope").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(fields.optional("empty"), None);
        assert_eq!(fields.text("lines"), "a\n\n b ");
        assert!(fields.is_checked("on") && !fields.is_checked("off"));
        assert_eq!(fields.object(&["name", "empty", "absent"]).len(), 1);
    }
}
