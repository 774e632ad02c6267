//! What of the trail is asked for: the fields of the form, in an address.

use std::time::Duration;

use tollgate_domain::event::{Actor, EventType};
use tollgate_domain::id::EventId;
use tollgate_domain::time::Timestamp;
use tollgate_storage::AuditPage;

use crate::dashboard::fields::Fields;

const DAY: Duration = Duration::from_hours(24);
const FIELDS: [&str; 5] = ["who", "type", "subject", "from", "to"];

/// As it was typed, and what it means.
pub(super) struct Filter {
    pub(super) who: String,
    pub(super) event_type: String,
    pub(super) subject: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Labels of what isn't understood, and so doesn't count.
    pub(super) ignored: Vec<&'static str>,
    pub(super) page: AuditPage,
}

impl Filter {
    /// With at most `limit` entries.
    pub(super) fn of(query: &Fields, limit: usize) -> Self {
        let text = |name: &str| query.text(name).trim().to_owned();
        let [who, event_type, subject, from, to] = FIELDS.map(text);
        let mut ignored = Vec::new();
        let actor = understood(&who, "who", &mut ignored, actor);
        let kind = understood(&event_type, "what", &mut ignored, EventType::from_name);
        let first = understood(&from, "from", &mut ignored, day);
        let last = understood(&to, "to", &mut ignored, day);
        let page = AuditPage {
            after: EventId::parse(query.text("after")).ok(),
            types: kind.into_iter().collect(),
            actor,
            subject: Some(subject.clone()).filter(|subject| !subject.is_empty()),
            from: first,
            // To its end.
            to: last.map(|day| day.plus(DAY).minus(Duration::from_millis(1))),
            ..AuditPage::newest(limit)
        };
        Self {
            who,
            event_type,
            subject,
            from,
            to,
            ignored,
            page,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        let AuditPage {
            types,
            actor,
            subject,
            from,
            to,
            ..
        } = &self.page;
        types.is_empty() && actor.is_none() && subject.is_none() && from.is_none() && to.is_none()
    }

    /// The same filter in an address: what stands behind the question mark, perhaps nothing.
    pub(super) fn query(&self) -> String {
        let values = [&self.who, &self.event_type, &self.subject, &self.from, &self.to];
        let given = FIELDS.into_iter().zip(values).filter(|(_, value)| !value.is_empty());
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(given)
            .finish()
    }
}

fn understood<T>(
    text: &str,
    label: &'static str,
    ignored: &mut Vec<&'static str>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let value = read(text);
    if value.is_none() {
        ignored.push(label);
    }
    value
}

/// `person:usr_…`, `api_key:apikey_…`, `command_line`, `clock`
fn actor(text: &str) -> Option<Actor> {
    match text.split_once(':') {
        Some((kind, id)) => Actor::from_parts(kind, Some(id)),
        None => Actor::from_parts(text, None),
    }
}

/// The same of an actor.
pub(super) fn who(actor: Actor) -> String {
    match actor.id() {
        Some(id) => format!("{}:{id}", actor.kind()),
        None => actor.kind().to_owned(),
    }
}

/// When a day, as browsers write it, begins in UTC.
fn day(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).ok().filter(|_| text.len() == 10)
}

#[cfg(test)]
mod tests {
    use tollgate_domain::id::{ApiKeyId, UserId};

    use super::*;

    #[test]
    fn a_filter_is_read_and_written_alike() {
        let person = Actor::Person(UserId::from_bits(3));
        for actor in [
            person,
            Actor::ApiKey(ApiKeyId::from_bits(4)),
            Actor::CommandLine,
            Actor::Clock,
        ] {
            assert_eq!(super::actor(&who(actor)), Some(actor));
        }
        let query = format!(
            "who={}&type=member.invited&subject=+ada%2Bb%40example.com&from=2026-03-02&to=2026-03-03&x=1",
            who(person)
        );
        let filter = Filter::of(&Fields::parse(query.as_bytes()), 30);
        assert!(filter.ignored.is_empty() && !filter.is_empty());
        let AuditPage {
            types,
            actor,
            subject,
            from,
            to,
            limit,
            ..
        } = &filter.page;
        assert_eq!(
            (&types[..], *actor, subject.as_deref(), *limit),
            (
                &[EventType::MemberInvited][..],
                Some(person),
                Some("ada+b@example.com"),
                30
            )
        );
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(
            (*from, *to),
            (Some(at("2026-03-02")), Some(at("2026-03-03T23:59:59.999Z")))
        );
        let again = Filter::of(&Fields::parse(filter.query().as_bytes()), 30);
        assert_eq!(again.query(), filter.query());
        assert_eq!(again.page.subject, filter.page.subject);
    }

    #[test]
    fn what_is_not_understood_is_said_and_does_not_count() {
        let query = b"who=somebody&type=nothing&from=yesterday&to=2026-02-30";
        let filter = Filter::of(&Fields::parse(query), 30);
        assert_eq!(filter.ignored, ["who", "what", "from", "to"]);
        assert!(filter.is_empty());
        assert!(
            Filter::of(&Fields::parse(b"who=&type=+&subject="), 30)
                .ignored
                .is_empty()
        );
        assert_eq!(Filter::of(&Fields::default(), 30).query(), "");
    }
}
