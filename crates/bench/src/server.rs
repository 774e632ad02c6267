//! The server that is measured: a process of its own, made by starting this program again.

use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use clap::Args;
use tokio_util::sync::CancellationToken;
use tollgate::compose::{Background, Loaded, Store, serve};
use tollgate_delivery::Guard;
use tollgate_storage_sql::postgres::PostgresOptions;
use tollgate_storage_sql::sqlite::SqliteOptions;

use crate::bare_server::Way;
use crate::credentials::facts;

/// Which store, and how it is run.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArgs {
    /// The directory of an embedded store.
    #[arg(long, required_unless_present = "postgres")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The URL of a PostgreSQL database.
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) postgres: Option<String>,
    /// Changes that share one commit, at most.
    #[arg(long)]
    max_batch: Option<usize>,
    /// Client tokens to be checked beside the store's: the first so many that `credentials` makes.
    #[arg(long, default_value_t = 0)]
    tokens: u64,
    /// The address and port to listen on.
    #[arg(long, default_value_t = ANY_PORT)]
    listen: SocketAddr,
}

/// Whichever is free.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl ServerArgs {
    pub(crate) const fn sqlite(data_dir: PathBuf) -> Self {
        Self {
            data_dir: Some(data_dir),
            postgres: None,
            max_batch: None,
            tokens: 0,
            listen: ANY_PORT,
        }
    }

    pub(crate) const fn postgres(url: String) -> Self {
        Self {
            data_dir: None,
            postgres: Some(url),
            max_batch: None,
            tokens: 0,
            listen: ANY_PORT,
        }
    }

    /// Every change in a commit of its own.
    pub(crate) fn one_by_one(self) -> Self {
        Self {
            max_batch: Some(1),
            ..self
        }
    }

    /// With so many more client tokens to be checked.
    pub(crate) fn with_tokens(self, tokens: u64) -> Self {
        Self { tokens, ..self }
    }

    /// Opens the store.
    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        if let Some(url) = &self.postgres {
            let mut options = PostgresOptions::default();
            options.max_batch = self.max_batch.unwrap_or(options.max_batch);
            return Store::postgres(url, options).await;
        }
        let mut options = SqliteOptions::default();
        options.max_batch = self.max_batch.unwrap_or(options.max_batch);
        Store::sqlite(self.data_dir.as_deref().context("no store is named")?, options).await
    }

    fn words(&self) -> Vec<String> {
        let mut words = vec!["server".to_owned()];
        if let Some(dir) = &self.data_dir {
            words.extend(["--data-dir".to_owned(), dir.display().to_string()]);
        }
        if let Some(url) = &self.postgres {
            words.extend(["--postgres".to_owned(), url.clone()]);
        }
        if let Some(max_batch) = self.max_batch {
            words.extend(["--max-batch".to_owned(), max_batch.to_string()]);
        }
        if self.tokens > 0 {
            words.extend(["--tokens".to_owned(), self.tokens.to_string()]);
        }
        words
    }
}

/// Serves until standard input ends, so that no server outlives who started it.
#[tokio::main]
pub(crate) async fn run(args: &ServerArgs) -> anyhow::Result<()> {
    let loaded = Loaded::load(args.open().await?, tollgate_verifier::Settings::default()).await?;
    for facts in facts(args.tokens)? {
        loaded.verification().apply(&facts);
    }
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    println!("listening on {}", listener.local_addr()?);

    let stop = CancellationToken::new();
    let at_end = stop.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        at_end.cancel();
    });
    let settings = tollgate_web::Settings {
        requests_per_minute: 0,
        guard: Guard::new(vec!["127.0.0.0/8".parse()?]), // where the receivers are
        ..tollgate_web::Settings::default()
    };
    serve(listener, loaded, settings, Background::default(), stop).await
}

/// A server that runs. Dropping it ends the process.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts one and waits until it listens.
    pub(crate) fn start(args: &ServerArgs) -> anyhow::Result<Self> {
        Self::start_by(&std::env::current_exe()?, args)
    }

    /// The same, by another build of this program.
    pub(crate) fn start_by(program: &Path, args: &ServerArgs) -> anyhow::Result<Self> {
        Self::start_words(program, &args.words(), None)
    }

    /// With one thread for all connections, as `redis-server` has.
    pub(crate) fn start_single(args: &ServerArgs) -> anyhow::Result<Self> {
        Self::start_words(&std::env::current_exe()?, &args.words(), Some(1))
    }

    /// The rival of a check ([`crate::bare_server`]).
    pub(crate) fn start_bare(way: Way) -> anyhow::Result<Self> {
        let way = match way {
            Way::Express => "express",
            Way::Hyper => "hyper",
        };
        let words = ["bare-server", "--way", way].map(str::to_owned);
        Self::start_words(&std::env::current_exe()?, &words, None)
    }

    fn start_words(program: &Path, words: &[String], threads: Option<usize>) -> anyhow::Result<Self> {
        let threads = threads.map(|threads| ("TOKIO_WORKER_THREADS", threads.to_string()));
        let mut child = Command::new(program)
            .args(words)
            .envs(threads)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start a server")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the server has no output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ");
        ensure!(address.is_some(), "the server did not start: it said {line:?}");
        let address = address.unwrap_or_default().parse().context("no address")?;
        Ok(Self { child, address })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("could not end a server: {error}");
        }
    }
}
