//! What a backlog takes in memory: a server with a million notifications waiting for a receiver, after some thousand of
//! them were delivered, against the same with hardly more waiting than those.

use anyhow::Context;
use rusqlite::Connection;
use tollgate_service::NewClientToken;

use crate::Settings;
use crate::machine::resident_memory;
use crate::receiver::Receiver;
use crate::report::{Goal, Report};
use crate::seed::{DESCRIPTION, NAME};
use crate::server::{Server, ServerArgs};
use crate::shop::tenant;
use crate::site::runtime;

/// How many wait.
const MANY: u64 = 1_000_000;
const FEW: u64 = 60_000;
/// Deliveries until memory is looked at.
const DELIVERED: u64 = 50_000;

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let (few, many) = (measure(settings, FEW)?, measure(settings, MANY)?);
    report.figure(format!(
        "SQLite, {MANY} notifications waiting: {many:.1} MiB resident after {DELIVERED} deliveries; with {FEW} {few:.1} MiB"
    ));
    report.goal(
        "SQLite, memory with a million waiting, against few",
        Goal::AtMost(1.25),
        &[many / few],
    );
    Ok(())
}

/// MiB that a server has resident at most, with so many waiting.
fn measure(settings: &Settings, waiting: u64) -> anyhow::Result<f64> {
    let dir = settings.fresh_dir()?;
    let receiver = Receiver::start(1)?;
    let args = ServerArgs::sqlite(dir.path().to_owned());
    let destinations = vec![format!("http://{}/", receiver.addresses[0])];
    runtime()?.block_on(async {
        let store = args.open().await?;
        let (_, operator) = tenant(store.service(), &destinations).await?;
        let new = NewClientToken {
            name: NAME.to_owned(),
            description: Some(DESCRIPTION.to_owned()),
            ..NewClientToken::default()
        };
        store.service().create_client_token(&operator, new, None).await?;
        store.close().await;
        anyhow::Ok(())
    })?;
    fill(&Connection::open(dir.path().join("tollgate.sqlite3"))?, waiting)?;
    let server = Server::start(&args)?;
    let mut most = 0_f64;
    for tenth in 1..=10 {
        receiver.taken(DELIVERED / 10 * tenth)?;
        most = most.max(resident_memory(server.pid())?.total);
    }
    println!("\nSQLite, {waiting} waiting: {most:.1} MiB resident at most until {DELIVERED} were delivered");
    Ok(most)
}

/// Copies the one notification there is.
fn fill(store: &Connection, copies: u64) -> anyhow::Result<()> {
    let sql = "WITH RECURSIVE copy (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < ?1) \
               INSERT INTO notifications SELECT workspace_id, 'ntf_01kjpx8smt' || format('%016d', number), setting_id, \
               event_sequence, type, origin, status, times_attempted, occurred_at, last_attempt_at, delivered_at, \
               replayed_at, retry_at, due_at FROM notifications, copy";
    store
        .execute(sql, [i64::try_from(copies)?])
        .context("can't make notifications")?;
    Ok(())
}
