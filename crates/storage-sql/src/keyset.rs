//! Where a page begins and which way it runs, in SQL: the same in both stores.

use tollgate_domain::id::{EventId, Kind};
use tollgate_storage::{Order, Page};

/// How an order compares with the cursor, and what SQL calls it.
pub(crate) const fn words(order: Order) -> (&'static str, &'static str) {
    match order {
        Order::Ascending => (">", "ASC"),
        Order::Descending => ("<", "DESC"),
    }
}

/// The cursor's text; without one, a text before or behind every id, which are a-z, 0-9 and the underscore.
pub(crate) fn cursor<K: Kind>(page: &Page<K>) -> String {
    match (page.after, page.order) {
        (Some(id), _) => id.to_string(),
        (None, Order::Ascending) => String::new(),
        (None, Order::Descending) => "~".to_owned(),
    }
}

/// The first and the last id that a notification of this event can have, replays aside: its own begins with the event's
/// time.
pub(crate) fn own_ids(event: EventId) -> (String, String) {
    let time = &event.tail()[..10];
    let with = |rest: &str| format!("ntf_{time}{}", rest.repeat(16));
    (with("0"), with("z"))
}
