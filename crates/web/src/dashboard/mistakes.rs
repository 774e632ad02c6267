//! What is wrong with a form that was sent: what the use-cases and the shapes of bodies say, by what the form calls its
//! fields.

use axum::http::StatusCode;

use super::failure::Failure;
use super::problems;
use crate::endpoint::Surface;
use crate::error::{ApiError, Problem};

/// The words of the API for a text that is there and empty.
const BLANK: &str = "String length must be greater than or equal to 1";

/// What is wrong with a form; nothing at first.
#[derive(Clone, Debug, Default)]
pub(super) struct Mistakes {
    /// All of it, by the fields' labels; for the top of the form.
    pub(super) all: Vec<Problem>,
    /// By the fields' names.
    by_name: Vec<Problem>,
}

impl Mistakes {
    /// From a refusal; one that no other input would mend is a failure. `labels` are those of the form's fields.
    pub(super) fn of(error: ApiError, labels: &[(&'static str, &'static str)]) -> Result<Self, Failure> {
        if !matches!(
            error.entry.status_on(Surface::Plain),
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT
        ) {
            return Err(error.into());
        }
        if error.problems.is_empty() {
            return Ok(Self::one("", "This form", &error.detail()));
        }
        let mut mistakes = Self::default();
        for problem in error.problems {
            let missing = problem.message.strip_suffix(" is required");
            let (name, message) = match missing {
                Some(name) if problem.field == "(root)" => (name, "is needed"),
                // What is blank was left out.
                _ if problem.message == BLANK => (problem.field.as_str(), "is needed"),
                _ => (problem.field.as_str(), problem.message.as_str()),
            };
            let field = name.split('.').next().unwrap_or_default();
            let label = labels.iter().find(|(known, _)| *known == field);
            mistakes.add(field, label.map_or(name, |(_, label)| label), message);
        }
        Ok(mistakes)
    }

    /// This one alone.
    pub(super) fn one(name: &str, label: &str, message: &str) -> Self {
        let mut mistakes = Self::default();
        mistakes.add(name, label, message);
        mistakes
    }

    fn add(&mut self, name: &str, label: &str, message: &str) {
        self.all.push(Problem::new(label, message));
        self.by_name.push(Problem::new(name, message));
    }

    /// What is wrong with the field of this name.
    pub(super) fn at(&self, name: &str) -> Option<&str> {
        problems::of(&self.by_name, name)
    }
}

#[cfg(test)]
mod tests {
    use tollgate_domain::text;

    use super::*;
    use crate::catalogue;

    const LABELS: [(&str, &str); 2] = [("name", "Name"), ("events", "Event types")];

    #[test]
    fn mistakes_are_told_by_what_the_form_calls_its_fields() {
        let error = ApiError::bad_request(vec![
            Problem::new("(root)", "name is required"),
            Problem::new("address", text::NAME.check("").unwrap_err().to_string()),
            Problem::new("events.3", "must be one of these"),
        ]);
        let mistakes = Mistakes::of(error, &LABELS).unwrap();
        let told: Vec<_> = mistakes
            .all
            .iter()
            .map(|problem| (problem.field.as_str(), problem.message.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("Name", "is needed"),
                ("address", "is needed"),
                ("Event types", "must be one of these")
            ]
        );
        assert_eq!(mistakes.at("name"), Some("is needed"));
        assert_eq!(mistakes.at("events"), Some("must be one of these"));
        assert_eq!(mistakes.at("other"), None);
    }

    #[test]
    fn what_no_other_input_mends_is_no_mistake_of_the_form() {
        assert!(Mistakes::of(ApiError::not_found("It".to_owned()), &LABELS).is_err());
        let mistakes = Mistakes::of(ApiError::new(&catalogue::SETTING_CANNOT_BE_DUPLICATE), &LABELS).unwrap();
        assert_eq!(mistakes.all[0].field, "This form");
    }
}
