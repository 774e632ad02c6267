//! What happened, in a few words.

use tollgate_domain::event::{Actor, EventType};

/// `API key created`, for `api_key.created`.
pub(in crate::dashboard) fn happened(event_type: EventType) -> String {
    let words = event_type.name().replace(['.', '_'], " ");
    let words = words
        .trim_start_matches("user ")
        .replace("sign in link", "sign-in link")
        .replace("api key", "API key")
        .replace("client token", "client-side token")
        .replace("notification setting", "destination");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Whoever did it, for what has no name or lost it.
pub(in crate::dashboard) fn doer(actor: Actor) -> String {
    match actor {
        Actor::CommandLine => "the command line".to_owned(),
        Actor::Clock => "the clock".to_owned(),
        Actor::ApiKey(_) | Actor::Person(_) => actor.to_string(),
    }
}

/// Whoever did it, in parts that each keep to themselves: a name that turns the reading around shall not turn the address
/// of email behind it.
pub(in crate::dashboard) struct Doer {
    pub(in crate::dashboard) name: String,
    /// Of a person.
    pub(in crate::dashboard) email: Option<String>,
}

impl Doer {
    /// From how the audit trail names them.
    pub(in crate::dashboard) fn of(actor: Actor, name: Option<String>) -> Self {
        let Some(name) = name else {
            return Self {
                name: doer(actor),
                email: None,
            };
        };
        let parts = name.strip_suffix('>').and_then(|name| name.rsplit_once(" <"));
        match (actor, parts) {
            (Actor::Person(_), Some((name, email))) => Self {
                name: name.to_owned(),
                email: Some(email.to_owned()),
            },
            _ => Self { name, email: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use tollgate_domain::id::{ApiKeyId, UserId};

    use super::*;

    #[test]
    fn each_type_has_words() {
        for (event_type, words) in [
            (EventType::ApiKeyCreated, "API key created"),
            (EventType::ClientTokenRevoked, "Client-side token revoked"),
            (EventType::NotificationSettingDeleted, "Destination deleted"),
            (EventType::SignedOutEverywhere, "Signed out everywhere"),
            (EventType::SignInLinkIssued, "Sign-in link issued"),
            (EventType::WorkspaceRenamed, "Workspace renamed"),
        ] {
            assert_eq!(happened(event_type), words);
        }
        assert_eq!(doer(Actor::CommandLine), "the command line");
    }

    #[test]
    fn a_person_is_told_apart_from_their_address() {
        let (person, key) = (
            Actor::Person(UserId::from_bits(1)),
            Actor::ApiKey(ApiKeyId::from_bits(1)),
        );
        for (actor, name, expected) in [
            (person, "Ada <ada@example.com>", ("Ada", Some("ada@example.com"))),
            (person, "A <b> <ada@example.com>", ("A <b>", Some("ada@example.com"))),
            (
                person,
                "\u{202e} <ada@example.com>",
                ("\u{202e}", Some("ada@example.com")),
            ),
            (key, "Shop <b>", ("Shop <b>", None)),
        ] {
            let doer = Doer::of(actor, Some(name.to_owned()));
            assert_eq!((doer.name.as_str(), doer.email.as_deref()), expected);
        }
        assert_eq!(Doer::of(Actor::Clock, None).name, "the clock");
    }
}
