//! Which events are forwarded: names with `*` for anything.

use tollgate_domain::event::EventType;

use crate::commands::Usage;

/// Patterns of event types; an event is wanted when one of them fits.
#[derive(Clone, Debug)]
pub(super) struct Filter(Vec<String>);

impl Filter {
    /// Everything when no pattern is given. A pattern that fits no event is a mistake.
    pub(super) fn parse(patterns: &[String]) -> Result<Self, Usage> {
        let unknown = |pattern: &&String| !EventType::ALL.iter().any(|known| fits(pattern, known.name()));
        if let Some(pattern) = patterns.iter().find(unknown) {
            let known: Vec<&str> = EventType::ALL.iter().map(|known| known.name()).collect();
            return Err(Usage(format!(
                "--event {pattern:?} fits no event; the events are: {}. A * stands for anything, as in 'client_token.*'",
                known.join(", ")
            )));
        }
        Ok(if patterns.is_empty() {
            Self(vec!["*".to_owned()])
        } else {
            Self(patterns.to_vec())
        })
    }

    pub(super) fn wants(&self, event_type: &str) -> bool {
        self.0.iter().any(|pattern| fits(pattern, event_type))
    }

    pub(super) fn patterns(&self) -> &[String] {
        &self.0
    }
}

/// Whether `name` is `pattern`, with anything in place of each `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            let mut ends = (0..=tail.len()).filter_map(|skipped| tail.get(skipped..));
            ends.any(|end| fits(rest, end))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, fit) in [
            ("*", "client_token.created", true),
            ("client_token.*", "client_token.created", true),
            ("client_token.*", "api_key.created", false),
            ("*.created", "api_key.created", true),
            ("*.created", "api_key.created_at", false),
            ("*_*.*d", "api_key.revoked", true),
            ("client_token", "client_token.created", false),
            ("client_token.created", "client_token.created", true),
            ("*", "é", true),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_fits_nothing_is_told_with_the_events() {
        for bad in ["client_tokens.*", "transaction.completed", "", "Client_Token.*"] {
            let error = Filter::parse(&["*".to_owned(), bad.to_owned()])
                .unwrap_err()
                .to_string();
            assert!(error.contains(&format!("{bad:?}")) && error.contains("client_token.revoked, api_key.created"));
        }
        assert!(Filter::parse(&[]).unwrap().wants("anything.new"));
    }
}
