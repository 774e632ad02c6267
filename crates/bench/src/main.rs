//! Every benchmark of Tollgate, and its rival.
//!
//! Subject and rival take turns in short rounds, in random order, because a machine's speed drifts within a minute: what
//! counts is the median of the ratios of neighbouring rounds, with their spread. `docs/benchmarks.md` tells how to read
//! the table.

mod bare_client;
mod bare_server;
mod benches;
mod credentials;
mod engine;
mod load;
mod machine;
mod nginx;
mod postgres;
mod receiver;
mod recorded;
mod redis;
mod report;
mod rounds;
mod seed;
mod server;
mod shop;
mod site;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::Report;
use crate::rounds::Dice;

/// Measures Tollgate against its rivals on this machine.
///
/// Without a name runs all that has a goal, in a few minutes. Each benchmark prints a table; at the end stands one line for each
/// goal: the median ratio, its spread, and whether the goal is met.
#[derive(Debug, Parser)]
#[command(name = "tollgate-bench", version, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
struct Cli {
    /// What to measure; everything when nothing is named.
    names: Vec<Name>,
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    hidden: Option<Hidden>,
}

const AFTER_HELP: &str = "\
Examples:
  cargo run --release -p tollgate-bench
  cargo run --release -p tollgate-bench -- group-commit engine
  scripts/with-postgres cargo run --release -p tollgate-bench -- postgres

Use a quiet machine and the release profile. How to read the figures: docs/benchmarks.md.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// SQLite: durable creates over HTTP, against the same server that commits each request alone.
    GroupCommit,
    /// SQLite: durable creates over HTTP, against the bare engine inserting the same rows in batches.
    Engine,
    /// PostgreSQL: durable creates over HTTP, against pgbench inserting the same rows, a transaction each.
    Postgres,
    /// From start to ready, with an empty store and with many client tokens, and resident memory.
    Start,
    /// Durable creates over HTTP and deliveries, against another build of this program (`--other`).
    Builds,
    /// A page of 50 of 1,000,000 client tokens, against one of 1,000; on both stores.
    Pages,
    /// The dashboard's list of 100,000 client tokens, against that of 100; on both stores. And what pages load.
    Dashboard,
    /// From events accepted over HTTP to deliveries recorded, against HTTP clients that only send; on both stores.
    Deliveries,
    /// Checks of client tokens over HTTP, against a handler that looks at nothing, redis-server, and nginx with each.
    Authorize,
    /// 100,000 times a revocation, then at once a check of that token, under load: how many were let in.
    Revocations,
    /// What ten destinations that hang take from one that is well; on both stores.
    Isolation,
    /// A verdict on a client token, in nanoseconds; memory and time of loading 1 and 10 million of them.
    Verify,
    /// SQLite: resident memory with a million notifications waiting.
    Waiting,
}

/// How everything is measured.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Rounds of each side; their order is drawn.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Length of a round.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..))]
    round_ms: u64,
    /// What the order of the rounds is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The PostgreSQL server to measure on; everything happens in schemas of its own, which are dropped at the end.
    #[arg(long, value_name = "URL", env = "TOLLGATE_TEST_POSTGRES", hide_env_values = true)]
    postgres: Option<String>,
    /// Where databases are made, so which disk is measured [default: the directory for temporary files].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Another build of this program, for `builds`.
    #[arg(long, value_name = "FILE")]
    other: Option<PathBuf>,
    /// How many client tokens the large store of `pages` holds, and the smaller index of `authorize`; the larger one ten times
    /// as many.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    tokens: u64,
}

impl Settings {
    pub(crate) const fn round(&self) -> Duration {
        Duration::from_millis(self.round_ms)
    }

    /// The same order in every run with the same seed.
    pub(crate) const fn dice(&self) -> Dice {
        Dice::new(self.seed)
    }

    /// A directory on the disk that is measured; gone when dropped.
    pub(crate) fn fresh_dir(&self) -> anyhow::Result<tempfile::TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("tollgate-bench-");
        let dir = match &self.dir {
            Some(dir) => builder.tempdir_in(dir),
            None => builder.tempdir(),
        };
        dir.context("can't make a directory for a database")
    }
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// A server to measure; prints its address when it listens, and ends with its standard input.
    #[command(hide = true)]
    Server(server::ServerArgs),
    /// A receiver of webhooks; prints its addresses when it listens, and ends with its standard input.
    #[command(hide = true)]
    Receiver(receiver::ReceiverArgs),
    /// A server that answers everything with the same bytes; prints its address, and ends with its standard input.
    #[command(hide = true)]
    BareServer(bare_server::BareServerArgs),
    /// A client that only sends; each line of its standard input is a round.
    #[command(hide = true)]
    BareClient(bare_client::BareClientArgs),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.hidden {
        Some(Hidden::Server(args)) => server::run(&args),
        Some(Hidden::Receiver(args)) => receiver::run(&args),
        Some(Hidden::BareClient(args)) => bare_client::run(&args),
        Some(Hidden::BareServer(args)) => bare_server::run(&args),
        None => bench(&cli.names, &cli.settings),
    }
}

fn bench(names: &[Name], settings: &Settings) -> anyhow::Result<()> {
    let mut names = names.to_vec();
    if names.is_empty() {
        names.extend(Name::value_variants());
        names.retain(|name| *name != Name::Builds || settings.other.is_some());
    }
    machine::describe(settings)?;
    let mut report = Report::default();
    let mut failed = 0;
    for name in names {
        let ended = match name {
            Name::GroupCommit => benches::group_commit::run(settings, &mut report),
            Name::Engine => benches::engine::run(settings, &mut report),
            Name::Postgres => benches::postgres::run(settings, &mut report),
            Name::Builds => benches::builds::run(settings, &mut report),
            Name::Start => benches::start::run(settings, &mut report),
            Name::Pages => benches::pages::run(settings, &mut report),
            Name::Dashboard => benches::dashboard::run(settings, &mut report),
            Name::Deliveries => benches::deliveries::run(settings, &mut report),
            Name::Authorize => benches::authorize::run(settings, &mut report),
            Name::Revocations => benches::revocations::run(settings, &mut report),
            Name::Isolation => benches::isolation::run(settings, &mut report),
            Name::Verify => benches::verify::run(settings, &mut report),
            Name::Waiting => benches::waiting::run(settings, &mut report),
        };
        if let Err(error) = ended {
            failed += 1;
            report.figure(format!("{name:?} FAILED: {error:#}"));
        }
    }
    report.print_goals();
    anyhow::ensure!(failed == 0, "{failed} of the benchmarks failed");
    Ok(())
}
