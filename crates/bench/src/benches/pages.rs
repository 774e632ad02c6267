//! Whether a page costs the same whatever the size of the store: a page of 50 of a million client tokens, against one of
//! a thousand, over HTTP. The default filter, from the start and with a cursor.

use std::path::Path;

use crate::Settings;
use crate::engine::Engine;
use crate::postgres::{HOW, Processes, Schema};
use crate::report::{Goal, Report, table};
use crate::rounds::{Dice, compare};
use crate::seed::{self, DESCRIPTION, ID_TAIL, NAME, Rows, literal};
use crate::server::{Server, ServerArgs};
use crate::site::{Site, Tenant};

/// Connections that ask: enough that the server is never idle, so that its work is what is measured.
const CLIENTS: usize = 8;
const SMALL: u64 = 1_000;
/// Client tokens in one commit while a store is filled.
pub(super) const BATCH: u64 = 10_000;
/// Places spread over a store.
const PLACES: usize = 128;

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let (large_dir, small_dir) = (settings.fresh_dir()?, settings.fresh_dir()?);
    let store = |dir: &Path, count| {
        let args = ServerArgs::sqlite(dir.to_owned());
        let tenant = Tenant::create(&args)?;
        Engine::open(dir, tenant.workspace)?.fill(count, BATCH)?;
        Ok::<_, anyhow::Error>(Filled { args, tenant, count })
    };
    let (large, small) = (
        store(large_dir.path(), settings.tokens)?,
        store(small_dir.path(), SMALL)?,
    );
    measure("SQLite", settings, report, None, &[large, small])?;

    let Some(server) = settings.postgres.as_deref() else {
        report.not_run("PostgreSQL, pages of a large store against a small one", HOW);
        return Ok(());
    };
    let (large_schema, small_schema) = (Schema::create(server, "large")?, Schema::create(server, "small")?);
    let store = |schema: &Schema, count| {
        let args = ServerArgs::postgres(schema.url.clone());
        let tenant = Tenant::create(&args)?;
        schema.execute(&fill(&mut Rows::of(tenant.workspace)?, count))?;
        schema.execute("VACUUM (ANALYZE) client_tokens")?; // as the server does by itself after a while
        Ok::<_, anyhow::Error>(Filled { args, tenant, count })
    };
    let (large, small) = (store(&large_schema, settings.tokens)?, store(&small_schema, SMALL)?);
    let database = Processes::of(server)?;
    measure("PostgreSQL", settings, report, Some(&database), &[large, small])
}

/// A store with so many client tokens in it.
struct Filled {
    args: ServerArgs,
    tenant: Tenant,
    count: u64,
}

/// Which pages are asked for.
#[derive(Clone, Copy)]
enum From {
    Start,
    Middle,
    Anywhere,
}

impl From {
    const ALL: [Self; 3] = [Self::Start, Self::Middle, Self::Anywhere];

    const fn words(self) -> &'static str {
        match self {
            Self::Start => "from the start",
            Self::Middle => "from the middle",
            Self::Anywhere => "from 128 places",
        }
    }

    fn requests(self, store: &Filled, mut dice: Dice) -> Vec<Vec<u8>> {
        let after = |number: u64| {
            store
                .tenant
                .page_request(&format!("&after={}", seed::id("ctkn_", number)))
        };
        match self {
            Self::Start => vec![store.tenant.page_request("")],
            Self::Middle => vec![after(store.count / 2)],
            // A page of them is full everywhere: the last hundred stay out.
            Self::Anywhere => (0..PLACES)
                .map(|_| after(100 + dice.next() % (store.count - 100)))
                .collect(),
        }
    }
}

/// The processor time is the server's, and the database's where there is one.
fn measure(
    name: &str,
    settings: &Settings,
    report: &mut Report,
    database: Option<&Processes>,
    [large, small]: &[Filled; 2],
) -> anyhow::Result<()> {
    let length = settings.round() / 4;
    let (large_server, small_server) = (Server::start(&large.args)?, Server::start(&small.args)?);
    let round = |site: &mut Site| match database {
        Some(database) => database.add_to(|| site.round(length)),
        None => site.round(length),
    };
    for from in From::ALL {
        let requests = |store: &Filled| from.requests(store, settings.dice());
        let mut subject = Site::of_pages(&large_server, CLIENTS, requests(large))?;
        let mut rival = Site::of_pages(&small_server, CLIENTS, requests(small))?;
        let mut comparison = compare(
            settings,
            (&format!("of {} tokens", large.count), &mut || round(&mut subject)),
            (&format!("of {} tokens", small.count), &mut || round(&mut rival)),
        )?;
        table(
            &format!("{name}: a page of 50, {}, {CLIENTS} clients", from.words()),
            "pages",
            &mut comparison,
        );
        let times: Vec<f64> = comparison.ratios().iter().map(|rates| 1.0 / rates).collect();
        let goal = format!("{name}, time of a page {}, large store against small", from.words());
        report.goal(&goal, Goal::AtMost(1.2), &times);
    }
    Ok(())
}

/// Statements that put so many client tokens, their events and the counters into PostgreSQL's tables.
pub(super) fn fill(rows: &mut Rows, count: u64) -> String {
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
    let numbered = format!(
        "(SELECT number, '{ID_TAIL}' || lpad(number::text, 16, '0') AS tail FROM generate_series(0, {count} - 1) AS number)"
    );
    format!(
        "BEGIN;
         INSERT INTO client_tokens (workspace_id, id, token, name, description, status, created_at, updated_at, revoked_at,
             version)
         SELECT {workspace}, 'ctkn_' || tail, {token}, {name}, {description}, 'active', {at}, {at}, NULL, 1
         FROM {numbered} AS numbered;
         INSERT INTO events (sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data)
         SELECT head.sequence + 1 + number, {workspace}, 'evt_' || tail, 'client_token.created', {at}, 'ctkn_' || tail,
             'api_key', {actor}, {before_id} || 'ctkn_' || tail || {after_id}
         FROM sequence_head AS head, {numbered} AS numbered;
         UPDATE sequence_head SET sequence = sequence + {count};
         INSERT INTO counters (workspace_id, name, value) VALUES
             ({workspace}, 'client_tokens.active', {count}), ({workspace}, 'events.client_token.created', {count});
         COMMIT"
    )
}
