//! The model's audit trail.

use tollgate_domain::event::Event;
use tollgate_domain::id::EventKind;
use tollgate_domain::time::Timestamp;

use crate::{AuditPage, Searched};

/// The page of a workspace's events, which come newest first.
pub(super) fn trail(events: Vec<&Event>, asked: &AuditPage, look_through: usize) -> Searched<EventKind, Event> {
    let searches = asked.subject.is_some() || asked.actor.is_some();
    let mut found = Vec::new();
    for (looked_at, event) in (1..).zip(events.into_iter().filter(|event| is_walked(asked, event))) {
        if fits(asked, event) {
            found.push(event.clone());
        }
        if found.len() > asked.limit {
            break;
        }
        if searches && looked_at == look_through {
            return Searched::cut_short(found, event.id);
        }
    }
    Searched::from_one_more(found, asked.limit, |event| event.id)
}

/// What an index has: the time, and the entity, or else the actor.
fn is_walked(asked: &AuditPage, event: &Event) -> bool {
    let (made_at, millis) = (event.id.made_at_millis(), Timestamp::as_millis);
    let walked = match (&asked.subject, asked.actor) {
        (Some(subject), _) => event.subject == *subject,
        (None, Some(actor)) => event.actor == actor,
        (None, None) => true,
    };
    walked
        && asked.after.is_none_or(|after| event.id < after)
        && asked.from.is_none_or(|from| millis(from) <= made_at)
        && asked.to.is_none_or(|to| made_at <= millis(to))
}

fn fits(asked: &AuditPage, event: &Event) -> bool {
    asked.actor.is_none_or(|actor| event.actor == actor)
        && (asked.types.is_empty() || asked.types.contains(&event.event_type))
}
