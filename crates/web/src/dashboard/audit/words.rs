//! What happened, in a few words.

use tollgate_domain::event::{Actor, EventType};

/// `API key created`, for `api_key.created`.
pub(in crate::dashboard) fn happened(event_type: EventType) -> String {
    let words = event_type.name().replace(['.', '_'], " ");
    let words = words
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_words() {
        for (event_type, words) in [
            (EventType::ApiKeyCreated, "API key created"),
            (EventType::ClientTokenRevoked, "Client-side token revoked"),
            (EventType::NotificationSettingDeleted, "Destination deleted"),
            (EventType::SignedOutEverywhere, "User signed out everywhere"),
            (EventType::WorkspaceRenamed, "Workspace renamed"),
        ] {
            assert_eq!(happened(event_type), words);
        }
        assert_eq!(doer(Actor::CommandLine), "the command line");
    }
}
