//! The PostgreSQL server that is measured on: a schema of its own for each store, and the processor time of the server.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use tokio_postgres::{Client, NoTls};

use crate::Settings;
use crate::machine::{processor_time, stat};
use crate::rounds::Round;
use crate::site::runtime;

/// What is said where no server is named.
pub(crate) const HOW: &str = "it needs a PostgreSQL server: scripts/with-postgres cargo run --release -p tollgate-bench, \
     or --postgres URL";

/// A schema; dropped with its tables when this is.
pub(crate) struct Schema {
    server: String,
    name: String,
    /// Leads to the server with this schema as the only one.
    pub(crate) url: String,
}

impl Schema {
    /// Makes a schema with a name that this process has to itself.
    pub(crate) fn create(server: &str, name: &str) -> anyhow::Result<Self> {
        let name = format!("tollgate_bench_{name}_{}", std::process::id());
        ask(server, async |client| {
            Ok(client.batch_execute(&format!("CREATE SCHEMA {name}")).await?)
        })?;
        let joint = if server.contains('?') { '&' } else { '?' };
        Ok(Self {
            url: format!("{server}{joint}options=-csearch_path%3D{name}"),
            server: server.to_owned(),
            name,
        })
    }

    /// Runs statements in the schema.
    pub(crate) fn execute(&self, sql: &str) -> anyhow::Result<()> {
        ask(&self.url, async |client| Ok(client.batch_execute(sql).await?))
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.name);
        if let Err(error) = ask(&self.server, async |client| Ok(client.batch_execute(&drop).await?)) {
            eprintln!("could not drop the schema {}: {error}", self.name);
        }
    }
}

/// Asks over a connection of its own.
pub(crate) fn ask<T>(url: &str, question: impl AsyncFnOnce(&Client) -> anyhow::Result<T>) -> anyhow::Result<T> {
    runtime()?.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .context("can't connect to PostgreSQL")?;
        let connection = tokio::spawn(connection);
        let answer = question(&client).await;
        drop(client);
        connection.await??;
        answer
    })
}

/// What the server says of itself that matters here.
pub(crate) fn describe(url: &str) -> anyhow::Result<String> {
    let sql = "SELECT format('PostgreSQL %s, fsync %s, synchronous_commit %s', current_setting('server_version'), \
               current_setting('fsync'), current_setting('synchronous_commit'))";
    ask(url, async |client| Ok(client.query_one(sql, &[]).await?.get(0)))
}

/// The server's processes, if they run on this machine.
pub(crate) struct Processes {
    postmaster: Option<u32>,
}

impl Processes {
    pub(crate) fn of(url: &str) -> anyhow::Result<Self> {
        let mine: i32 = ask(url, async |client| {
            Ok(client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0))
        })?;
        // The backend has ended by now, so a process of this server that lives is needed to find the parent of all.
        let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
        let checkpointer: Option<i32> = ask(url, async |client| {
            Ok(client.query_opt(sql, &[]).await?.map(|row| row.get(0)))
        })?;
        let checkpointer = checkpointer
            .filter(|pid| *pid != mine)
            .and_then(|pid| stat(u32::try_from(pid).ok()?).ok());
        let postmaster = checkpointer
            .filter(|stat| stat.name.starts_with("postgres"))
            .map(|stat| stat.parent);
        Ok(Self { postmaster })
    }

    /// Seconds of processor time that all of them have used, those that ended too; `None` on another machine.
    fn processor_time(&self) -> anyhow::Result<Option<f64>> {
        let Some(postmaster) = self.postmaster else {
            return Ok(None);
        };
        let mut sum = processor_time(postmaster)?;
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // Who ends meanwhile is counted with the parent, a moment later.
            if stat(pid).is_ok_and(|stat| stat.parent == postmaster) {
                sum += processor_time(pid).unwrap_or(0.0);
            }
        }
        Ok(Some(sum))
    }
}

impl Processes {
    /// Adds the database's processor time to the round's own.
    pub(crate) fn add_to(&self, round: impl FnOnce() -> anyhow::Result<Round>) -> anyhow::Result<Round> {
        let before = self.processor_time()?;
        let round = round()?;
        let database = self.processor_time()?.zip(before).map(|(after, before)| after - before);
        let processor = database.map(|database| database + round.processor.unwrap_or(0.0));
        Ok(Round { processor, ..round })
    }
}

/// PostgreSQL's own load generator, with a script of ours.
pub(crate) struct Pgbench {
    program: PathBuf,
    url: String,
    dir: tempfile::TempDir,
}

impl Pgbench {
    pub(crate) fn new(settings: &Settings, url: &str, script: &str) -> anyhow::Result<Self> {
        let dir = settings.fresh_dir()?;
        fs::write(dir.path().join("script"), script)?;
        Ok(Self {
            program: program()?,
            url: url.to_owned(),
            dir,
        })
    }

    /// A round with so many clients; whole seconds, at least one.
    pub(crate) fn round(&self, settings: &Settings, clients: usize) -> anyhow::Result<Round> {
        let seconds = settings.round().as_secs().max(1);
        let said = Command::new(&self.program)
            .args([
                "--no-vacuum",
                "--protocol=prepared",
                "--log",
                "--log-prefix=log",
                "--file=script",
            ])
            .arg(format!("--client={clients}"))
            .args(["--jobs=2", &format!("--time={seconds}"), &self.url])
            .current_dir(self.dir.path())
            .output()
            .context("can't run pgbench")?;
        let text = String::from_utf8_lossy(&said.stdout);
        let complaints = String::from_utf8_lossy(&said.stderr);
        ensure!(
            said.status.success(),
            "pgbench failed: {}",
            complaints.lines().next().unwrap_or_default()
        );
        let number = |after: &str| -> anyhow::Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(after));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse().ok())
                .with_context(|| format!("pgbench doesn't say {after:?}: {text}"))
        };
        let (done, rate) = (number("number of transactions actually processed:")?, number("tps =")?);
        let micros = self.micros()?;
        ensure!(!micros.is_empty(), "pgbench wrote no log");
        Ok(Round {
            done: micros.len() as u64,
            seconds: done / rate,
            processor: None,
            micros,
        })
    }

    /// What each transaction took, from the logs; removes them.
    fn micros(&self) -> anyhow::Result<Vec<u32>> {
        let mut micros = Vec::new();
        for entry in fs::read_dir(self.dir.path())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("log.") {
                let log = fs::read_to_string(entry.path())?;
                micros.extend(
                    log.lines()
                        .filter_map(|line| line.split(' ').nth(2)?.parse::<u32>().ok()),
                );
                fs::remove_file(entry.path())?;
            }
        }
        Ok(micros)
    }
}

/// The newest pgbench of Debian's folders, else the one on the path.
fn program() -> anyhow::Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let program = entry.path().join("bin/pgbench");
        let version = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(version) = version.filter(|_| program.exists()) {
            versions.push((version, program));
        }
    }
    if let Some((_, program)) = versions.into_iter().max() {
        return Ok(program);
    }
    if Command::new("pgbench").arg("--version").output().is_err() {
        bail!("pgbench is missing: it comes with PostgreSQL's server or client package");
    }
    Ok("pgbench".into())
}
