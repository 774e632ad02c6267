//! Whether the dashboard's list of client tokens costs the same whatever the size of the store: of 100,000 tokens, against
//! one of 100, over HTTP, by somebody who signed in. The tokens that are shown have long names and were used in every hour
//! of seven days. And that no page loads more than 100 KiB, its style sheet and script included.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use rusqlite::Connection;
use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;
use tollgate_service::{Caller, NewPerson, Service};

use super::pages::{BATCH, fill};
use crate::Settings;
use crate::engine::{Engine, file};
use crate::postgres::{HOW, Processes, Schema};
use crate::report::{Goal, Report, table};
use crate::rounds::compare;
use crate::seed::{self, Rows};
use crate::server::{Server, ServerArgs};
use crate::site::{Site, Tenant, runtime};

const CLIENTS: usize = 4;
const LARGE: u64 = 100_000;
const SMALL: u64 = 100;
/// Most bytes that a page may load.
const LARGEST: usize = 100 * 1024;
/// The one filled last, which has the first place of the list.
const NEWEST: &str = "SELECT workspace_id, id FROM client_tokens ORDER BY id DESC LIMIT 100";

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let (large_dir, small_dir) = (settings.fresh_dir()?, settings.fresh_dir()?);
    let store = |dir: &std::path::Path, count| {
        let filled = Filled::new(ServerArgs::sqlite(dir.to_owned()), count)?;
        Engine::open(dir, filled.tenant.workspace)?.fill(count, BATCH)?;
        Connection::open(file(dir))?.execute_batch(&uses())?;
        Ok::<_, anyhow::Error>(filled)
    };
    let (large, small) = (store(large_dir.path(), LARGE)?, store(small_dir.path(), SMALL)?);
    measure("SQLite", settings, report, None, &[large, small])?;

    let Some(server) = settings.postgres.as_deref() else {
        report.not_run(
            "PostgreSQL, the dashboard's list of a large store against a small one",
            HOW,
        );
        return Ok(());
    };
    let (large_schema, small_schema) = (Schema::create(server, "large")?, Schema::create(server, "small")?);
    let store = |schema: &Schema, count| {
        let filled = Filled::new(ServerArgs::postgres(schema.url.clone()), count)?;
        schema.execute(&fill(&mut Rows::of(filled.tenant.workspace)?, count))?;
        schema.execute(&uses())?;
        // As the server does by itself after a while.
        for table in [
            "client_tokens",
            "client_token_usage",
            "client_token_last_uses",
            "events",
        ] {
            schema.execute(&format!("VACUUM (ANALYZE) {table}"))?;
        }
        Ok::<_, anyhow::Error>(filled)
    };
    let (large, small) = (store(&large_schema, LARGE)?, store(&small_schema, SMALL)?);
    let database = Processes::of(server)?;
    measure("PostgreSQL", settings, report, Some(&database), &[large, small])
}

/// A store with so many client tokens in it, and somebody who signed in.
struct Filled {
    args: ServerArgs,
    tenant: Tenant,
    /// The header's value.
    cookie: String,
    count: u64,
}

impl Filled {
    /// Without tokens yet.
    fn new(args: ServerArgs, count: u64) -> anyhow::Result<Self> {
        let (tenant, cookie) = runtime()?.block_on(async {
            let store = args.open().await?;
            let (tenant, operator) = Tenant::create_in(store.service()).await?;
            let cookie = sign_in(store.service(), &operator).await?;
            store.close().await;
            Ok::<_, anyhow::Error>((tenant, cookie))
        })?;
        Ok(Self {
            args,
            tenant,
            cookie,
            count,
        })
    }

    fn request(&self, path: &str) -> Vec<u8> {
        let cookie = &self.cookie;
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n").into_bytes()
    }
}

async fn sign_in(service: &Service, operator: &Caller) -> anyhow::Result<String> {
    let email = EmailAddress::parse("owner@example.com")?;
    let invitation = service.invite(operator, email, Role::Owner).await?;
    let person = NewPerson {
        name: "Owner".to_owned(),
        password: None,
    };
    let member = service
        .accept_invitation(&invitation.secret, Some(person), None)
        .await?;
    let link = service.issue_sign_in(operator, member.user).await?;
    let session = service.sign_in_by_link(&link.secret, None).await?;
    let workspace = operator.workspace().id;
    Ok(format!(
        "tollgate-session={}; tollgate-workspace={workspace}",
        session.reveal()
    ))
}

/// Statements, the same on both stores, by which each token was used now and the newest ones in every hour of seven days.
fn uses() -> String {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let (hour, micros) = (since.as_secs() / 3600, since.as_micros());
    let counts = "7 + 13 * n, 1, 1, 0, 0, 0, 0";
    let long = "\"&".repeat(75);
    format!(
        "BEGIN;
         UPDATE client_tokens SET name = '{long}' WHERE id IN (SELECT id FROM ({NEWEST}) AS newest);
         WITH RECURSIVE ago (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM ago WHERE n < 2)
         INSERT INTO client_token_usage SELECT workspace_id, id, {hour} - n, {counts} FROM client_tokens CROSS JOIN ago;
         WITH RECURSIVE ago (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM ago WHERE n < 167)
         INSERT INTO client_token_usage SELECT workspace_id, id, {hour} - n, {counts} FROM ({NEWEST}) AS newest CROSS JOIN ago;
         WITH RECURSIVE place (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM place WHERE n < 19)
         INSERT INTO client_token_origins SELECT workspace_id, id, {hour} / 24, 'https://' || n || '.example.com', 9 + n
         FROM ({NEWEST}) AS newest CROSS JOIN place;
         INSERT INTO client_token_last_uses SELECT workspace_id, id, {micros} FROM client_tokens;
         COMMIT"
    )
}

/// The processor time is the server's, and the database's where there is one.
fn measure(
    name: &str,
    settings: &Settings,
    report: &mut Report,
    database: Option<&Processes>,
    [large, small]: &[Filled; 2],
) -> anyhow::Result<()> {
    let length = settings.round() / 2;
    let (large_server, small_server) = (Server::start(&large.args)?, Server::start(&small.args)?);
    sizes(name, report, &large_server, large)?;
    let round = |site: &mut Site| match database {
        Some(database) => database.add_to(|| site.round(length)),
        None => site.round(length),
    };
    for (words, query) in [("from the start", ""), ("the active ones", "?status=active")] {
        let path = format!("/dashboard/client-tokens{query}");
        let site = |server: &Server, store: &Filled| Site::of_pages(server, CLIENTS, vec![store.request(&path)]);
        let (mut subject, mut rival) = (site(&large_server, large)?, site(&small_server, small)?);
        let mut comparison = compare(
            settings,
            (&format!("of {} tokens", large.count), &mut || round(&mut subject)),
            (&format!("of {} tokens", small.count), &mut || round(&mut rival)),
        )?;
        let heading = format!("{name}: the dashboard's list, {words}, {CLIENTS} clients");
        table(&heading, "pages", &mut comparison);
        let times: Vec<f64> = comparison.ratios().iter().map(|rates| 1.0 / rates).collect();
        let goal = format!("{name}, time of the dashboard's list, {words}, large store against small");
        report.goal(&goal, Goal::AtMost(1.5), &times);
    }
    Ok(())
}

/// What a page loads when nothing of it is kept yet; the largest one of the store is told.
fn sizes(name: &str, report: &mut Report, server: &Server, store: &Filled) -> anyhow::Result<()> {
    let newest = seed::id("ctkn_", store.count - 1);
    let pages = ["", "/new", "/{id}", "/{id}/edit", "/{id}/revoke"];
    let paths = pages.map(|page| format!("/dashboard/client-tokens{page}").replace("{id}", &newest));
    let list = load(server.address, &store.request(&paths[0]))?;
    let mut beside = 0;
    for asset in list.split('"').filter(|part| part.starts_with("/dashboard/assets/")) {
        beside += load(server.address, &store.request(asset))?.len();
    }
    ensure!(beside > 0, "the page names neither style sheet nor script");
    println!("\n{name}: what pages load, style sheet and script ({beside} bytes) included");
    let mut largest = 0;
    for path in paths {
        let bytes = load(server.address, &store.request(&path))?.len() + beside;
        println!("  {path:<64} {bytes:>7} bytes");
        largest = largest.max(bytes);
    }
    let verdict = if largest <= LARGEST { "met" } else { "NOT MET" };
    report.figure(format!(
        "{name}, the largest page about client tokens: {largest} bytes; goal at most {LARGEST}: {verdict}"
    ));
    ensure!(largest <= LARGEST, "a page loads {largest} bytes");
    Ok(())
}

/// The body of an answer.
fn load(address: SocketAddr, request: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the server closed the connection");
        answer.extend_from_slice(&buffer[..read]);
        if let Some((head, length)) = crate::load::measure(&answer, b"HTTP/1.1 200")?
            && answer.len() >= length
        {
            let body = answer.split_off(head + crate::load::END_OF_HEAD.len());
            return String::from_utf8(body).context("a page is no text");
        }
    }
}
