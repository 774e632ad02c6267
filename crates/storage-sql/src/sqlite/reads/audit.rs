//! The audit trail.

use rusqlite::{Connection, Row, ToSql, named_params};
use tollgate_domain::event::Event;
use tollgate_domain::id::{EventKind, WorkspaceId};
use tollgate_storage::{AuditPage, Searched};

use super::{distinct, one_more, quoted};
use crate::audit::{Walk, actor, span};
use crate::sqlite::rows;

pub(in crate::sqlite) fn trail(
    connection: &Connection,
    workspace: WorkspaceId,
    asked: &AuditPage,
    look_through: usize,
) -> rusqlite::Result<Searched<EventKind, Event>> {
    let (from, before) = span(asked);
    let (workspace, limit) = (workspace.to_string(), one_more(asked.limit));
    let of_types = |sql: &str, event_type: Option<&str>| {
        let mut parameters: Vec<(&str, &dyn ToSql)> = vec![
            (":workspace", &workspace),
            (":from", &from),
            (":before", &before),
            (":limit", &limit),
        ];
        if let Some(event_type) = &event_type {
            parameters.push((":type", event_type));
        }
        connection
            .prepare_cached(sql)?
            .query_map(parameters.as_slice(), rows::event)?
            .collect::<rusqlite::Result<Vec<Event>>>()
    };
    let id = |event: &Event| event.id;
    match Walk::of(asked) {
        Walk::All => {
            let events = of_types(&walk_sql(ALL, "*"), None)?;
            Ok(Searched::from_one_more(events, asked.limit, id))
        }
        // Each type walks its own index from the cursor on; the few walks are merged here.
        Walk::Types => {
            let sql = walk_sql(BY_TYPE, "*");
            let mut merged = Vec::new();
            for event_type in distinct(&asked.types) {
                merged.append(&mut of_types(&sql, Some(event_type.name()))?);
            }
            merged.sort_unstable_by_key(|event| std::cmp::Reverse(event.id));
            Ok(Searched::from_one_more(merged, asked.limit, id))
        }
        Walk::Actor => {
            let caused_by = asked.actor.map(actor);
            let sql = looking_sql(asked, BY_ACTOR);
            let parameters = named_params! {
                ":workspace": workspace, ":from": from, ":before": before, ":by": caused_by, ":actor": None::<String>,
                ":limit": rows::limit(look_through),
            };
            look(connection, &sql, parameters, (asked.limit, look_through))
        }
        Walk::Subject => {
            let sql = looking_sql(asked, BY_SUBJECT);
            let parameters = named_params! {
                ":workspace": workspace, ":from": from, ":before": before, ":by": asked.subject,
                ":actor": asked.actor.map(actor), ":limit": rows::limit(look_through),
            };
            look(connection, &sql, parameters, (asked.limit, look_through))
        }
    }
}

/// An index, and what is asked of it beside the workspace and the span. Named, as SQLite would rather take the one by ids
/// for all of them.
type Way = (&'static str, &'static str);

const ALL: Way = ("events_by_id", "");
const BY_TYPE: Way = ("events_by_type", "AND type = :type");
const BY_ACTOR: Way = ("events_by_actor", "AND coalesce(actor_id, actor_kind) = :by");
const BY_SUBJECT: Way = ("events_by_subject", "AND subject_id = :by");

fn walk_sql((index, by): Way, columns: &str) -> String {
    format!(
        "SELECT {columns} FROM events INDEXED BY {index} WHERE workspace_id = :workspace AND id >= :from AND id < :before \
         {by} ORDER BY id DESC LIMIT :limit"
    )
}

/// Every row of a walk, and whether it is one that is asked for.
fn looking_sql(asked: &AuditPage, way: Way) -> String {
    let types = if asked.types.is_empty() {
        "1".to_owned()
    } else {
        format!("type IN ({})", quoted(&distinct(&asked.types)))
    };
    let fits = format!("*, {types} AND (:actor IS NULL OR coalesce(actor_id, actor_kind) = :actor) AS fits");
    walk_sql(way, &fits)
}

/// Looks at one row after the other until there is one more than the page holds, or no row is left that may be looked at.
fn look(
    connection: &Connection,
    sql: &str,
    parameters: &[(&str, &dyn ToSql)],
    (limit, look_through): (usize, usize),
) -> rusqlite::Result<Searched<EventKind, Event>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        looked_at += 1;
        if fits(row)? {
            found.push(rows::event(row)?);
        }
        if found.len() > limit {
            break;
        }
        if looked_at == look_through {
            return Ok(Searched::cut_short(found, rows::id(row, "id")?));
        }
    }
    Ok(Searched::from_one_more(found, limit, |event| event.id))
}

fn fits(row: &Row<'_>) -> rusqlite::Result<bool> {
    row.get("fits")
}

#[cfg(test)]
mod tests {
    use tollgate_domain::event::{Actor, EventType};

    use super::*;
    use crate::migrations;

    #[test]
    fn pages_run_along_an_index() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in migrations::ALL {
            connection.execute_batch(migration.sqlite).unwrap();
        }
        let asked = AuditPage {
            types: vec![EventType::SignedIn],
            actor: Some(Actor::Clock),
            ..AuditPage::newest(50)
        };
        for (sql, index) in [
            (walk_sql(ALL, "*"), "events_by_id"),
            (walk_sql(BY_TYPE, "*"), "events_by_type"),
            (looking_sql(&asked, BY_ACTOR), "events_by_actor"),
            (looking_sql(&asked, BY_SUBJECT), "events_by_subject"),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            for number in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(number, "1").unwrap();
            }
            let plan = statement.raw_query().mapped(|row| row.get("detail"));
            let plan: Vec<String> = plan.collect::<Result<_, _>>().unwrap();
            let [only] = &plan[..] else { panic!("{sql}: {plan:?}") };
            assert!(
                only.starts_with(&format!("SEARCH events USING INDEX {index} (")),
                "{only}"
            );
            assert!(only.contains("id>? AND id<?"), "{only}");
        }
    }
}
