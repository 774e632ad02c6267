//! What sharing transactions gains on PostgreSQL: the server, against pgbench inserting the same rows, a transaction
//! each, both with 64 clients.
//!
//! The rival is as quick as one can make it: one prepared statement, so one round trip and no BEGIN and COMMIT. Its place in
//! the sequence is a database sequence's, which locks nobody out. It is measured twice: with the counters, which
//! Tollgate writes in the same commit and for which all transactions wait for one another, and without.

use crate::Settings;
use crate::postgres::{HOW, Pgbench, Processes, Schema, ask, describe};
use crate::report::{Goal, Report, table};
use crate::rounds::compare;
use crate::seed::{DESCRIPTION, ID_TAIL, NAME, Rows, literal};
use crate::server::ServerArgs;
use crate::site::{CLIENTS, Site, Tenant};

const GOAL: &str = "PostgreSQL, against pgbench with the same rows";

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let Some(server) = settings.postgres.as_deref() else {
        report.not_run(GOAL, HOW);
        return Ok(());
    };
    println!("\n{}", describe(server)?);
    let (ours, theirs) = (Schema::create(server, "subject")?, Schema::create(server, "rival")?);
    let args = ServerArgs::postgres(ours.url.clone());
    let mut subject = Site::of_creates(&args, &Tenant::create(&args)?)?;
    let tenant = Tenant::create(&ServerArgs::postgres(theirs.url.clone()))?;
    theirs.execute("CREATE SEQUENCE places START 1000")?;
    let processes = Processes::of(server)?;

    for (counters, what) in [(true, "the same rows"), (false, "the same rows but the counters")] {
        let mut rows = Rows::of(tenant.workspace)?;
        let rival = Pgbench::new(settings, &theirs.url, &script(&mut rows, counters))?;
        let mut comparison = compare(
            settings,
            ("tollgate (processor time: and the database's)", &mut || {
                processes.add_to(|| subject.round(settings.round()))
            }),
            ("pgbench (processor time: the database's)", &mut || {
                processes.add_to(|| rival.round(settings, CLIENTS))
            }),
        )?;
        let heading = format!("PostgreSQL: durable creates, {CLIENTS} clients, against pgbench inserting {what}");
        table(&heading, "creates", &mut comparison);
        if counters {
            report.goal(GOAL, Goal::AtLeast(3.0), comparison.ratios());
        } else {
            report.ratio("PostgreSQL, against pgbench without the counters", comparison.ratios());
        }
    }
    let sql = "SELECT count(*)::float8 / count(DISTINCT xmin::text) FROM client_tokens";
    let batch: f64 = ask(&ours.url, async |client| Ok(client.query_one(sql, &[]).await?.get(0)))?;
    println!("  tollgate put {batch:.1} creates in a transaction on average");
    Ok(())
}

fn script(rows: &mut Rows, counters: bool) -> String {
    let (before_id, after_id) = rows.data_around_id();
    let (before_id, after_id) = (literal(before_id), literal(after_id));
    let row = rows.next();
    let (workspace, token, actor, at) = (
        literal(&row.workspace),
        literal(&row.token),
        literal(&row.actor),
        row.at,
    );
    let (name, description) = (literal(NAME), literal(DESCRIPTION));
    let counters = if counters {
        format!(
            ", counted AS (INSERT INTO counters (workspace_id, name, value) VALUES \
             ({workspace}, 'client_tokens.active', 1), ({workspace}, 'events.client_token.created', 1) \
             ON CONFLICT (workspace_id, name) DO UPDATE SET value = counters.value + excluded.value)"
        )
    } else {
        String::new()
    };
    format!(
        "WITH place AS MATERIALIZED (SELECT nextval('places') AS place), \
         named AS MATERIALIZED (SELECT place, '{ID_TAIL}' || lpad(place::text, 16, '0') AS tail FROM place), \
         token AS (INSERT INTO client_tokens (workspace_id, id, token, name, description, status, created_at, updated_at, \
         revoked_at, version) SELECT {workspace}, 'ctkn_' || tail, {token}, {name}, {description}, 'active', {at}, {at}, NULL, 1 \
         FROM named){counters} \
         INSERT INTO events (sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data) \
         SELECT place, {workspace}, 'evt_' || tail, 'client_token.created', {at}, 'ctkn_' || tail, 'api_key', {actor}, \
         {before_id} || 'ctkn_' || tail || {after_id} FROM named;\n"
    )
}
