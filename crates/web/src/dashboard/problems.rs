//! What is wrong with what somebody typed, in words for people. The rules are those of the API.

use tollgate_domain::text::{TextError, TextRule};

use crate::error::Problem;

/// The first problem of this field.
pub(super) fn of<'a>(problems: &'a [Problem], field: &str) -> Option<&'a str> {
    let found = problems.iter().find(|problem| problem.field == field);
    found.map(|problem| problem.message.as_str())
}

/// What is wrong with a text that this rule holds for.
pub(super) fn of_text(rule: TextRule, field: &str, text: &str) -> Option<Problem> {
    let message = match rule.check(text) {
        // A blank name would be a link that nobody sees.
        Ok(()) if rule.min > 0 && text.trim().is_empty() => "Please fill this in.".to_owned(),
        Ok(()) => return None,
        Err(TextError::TooShort(_)) => "Please fill this in.".to_owned(),
        Err(TextError::TooLong(most)) => format!("At most {most} characters, please."),
        Err(TextError::Control(code)) => {
            format!("It holds a character that nobody can see (U+{code:04X}); please take it out.")
        }
    };
    Some(Problem::new(field, message))
}

#[cfg(test)]
mod tests {
    use tollgate_domain::text::NAME;

    use super::*;

    #[test]
    fn a_text_is_told_what_is_wrong_with_it() {
        for good in ["Ada", "<script>", "\u{202e}abc", &"🔑".repeat(150)] {
            assert_eq!(of_text(NAME, "name", good), None, "{good}");
        }
        for (bad, expected) in [
            ("", "Please fill this in."),
            (" \u{2003} ", "Please fill this in."),
            (&"🔑".repeat(151), "At most 150 characters, please."),
            (
                "a\u{7}",
                "It holds a character that nobody can see (U+0007); please take it out.",
            ),
        ] {
            let problems: Vec<Problem> = of_text(NAME, "name", bad).into_iter().collect();
            assert_eq!(of(&problems, "name"), Some(expected), "{bad:?}");
            assert_eq!(of(&problems, "description"), None);
        }
    }
}
