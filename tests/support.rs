//! What the journeys stand on: a fresh store, the program's words, and a running server that is gone afterwards.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tollgate_domain::permission::Permission;
use tollgate_storage::{Change, Outcome, Storage, Write};
use tollgate_storage_sql::postgres::{PostgresOptions, PostgresStore};
use tollgate_storage_sql::sqlite::{SqliteOptions, SqliteStore};

/// Each journey over the store does so on both.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// A store of its own, and where it is.
pub(crate) struct Store {
    variable: &'static str,
    value: String,
    dir: TempDir,
}

impl Store {
    pub(crate) fn fresh(on: On) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (variable, value) = match on {
            On::Sqlite => (
                "TOLLGATE_DATA_DIR",
                dir.path().join("data").to_str().unwrap().to_owned(),
            ),
            On::Postgres => ("TOLLGATE_DATABASE_URL", fresh_schema()),
        };
        Self { variable, value, dir }
    }

    /// The program with these words, told by the environment where the store is.
    pub(crate) fn tollgate(&self, words: &[&str]) -> Command {
        let mut command = tollgate(words);
        command.env(self.variable, &self.value);
        command
    }

    /// What the words print, without the line break.
    pub(crate) fn said(&self, words: &[&str]) -> String {
        run(&mut self.tollgate(words)).success()
    }

    /// A workspace's id.
    pub(crate) fn workspace(&self, environment: &str) -> String {
        self.said(&["workspace", "create", "--name", "Journey", "--environment", environment])
    }

    /// A new key's secret.
    pub(crate) fn key(&self, workspace: &str, permissions: &[&str]) -> String {
        let words = [
            "key",
            "create",
            "--name",
            "Journey",
            "--workspace",
            workspace,
            "--permission",
        ];
        self.said(&[&words, permissions].concat())
    }

    /// The secret of a key with all permissions.
    pub(crate) fn full_key(&self, workspace: &str) -> String {
        let all: Vec<&str> = Permission::all().map(Permission::name).collect();
        self.key(workspace, &all)
    }

    /// Writes to a SQLite store as another process of Tollgate would.
    pub(crate) fn commit(&self, write: Write) {
        let store = SqliteStore::open(Path::new(&self.value), SqliteOptions::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(store.commit(Change::silent(write))).unwrap();
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    }

    /// The store, as one more process that works on it has it.
    pub(crate) async fn open(&self) -> Arc<dyn Storage> {
        if self.variable == "TOLLGATE_DATA_DIR" {
            Arc::new(SqliteStore::open(Path::new(&self.value), SqliteOptions::default()).unwrap())
        } else {
            let opened = PostgresStore::open(&self.value, PostgresOptions::default()).await;
            Arc::new(opened.unwrap())
        }
    }

    /// A directory beside the store, for whatever a journey leaves.
    pub(crate) fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// A server on a free port, without a rate limit.
    pub(crate) fn serve(&self, flags: &[&str]) -> Server {
        let words = [
            "serve",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--requests-per-minute",
            "0",
        ];
        Server::start(self.tollgate(&[&words, flags].concat()))
    }
}

/// A schema of its own on the test server; it goes when the server does.
fn fresh_schema() -> String {
    let server = postgres();
    let schema = format!("journey_{:016x}", chance());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    });
    let joint = if server.contains('?') { '&' } else { '?' };
    format!("{server}{joint}options=-csearch_path%3D{schema}")
}

pub(crate) fn postgres() -> String {
    std::env::var("TOLLGATE_TEST_POSTGRES")
        .expect("TOLLGATE_TEST_POSTGRES names no server to test on: run ./scripts/test, which starts one")
}

/// A number that nobody foresees.
pub(crate) fn chance() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The program with these words, in an environment that says nothing to it.
pub(crate) fn tollgate(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(words).stdin(Stdio::null());
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("TOLLGATE_")) {
        command.env_remove(name);
    }
    command
}

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs to the end.
pub(crate) fn run(command: &mut Command) -> Done {
    let done = command.output().unwrap();
    Done {
        code: done.status.code(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

impl Done {
    /// What was printed, without the line break; it must have worked.
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.trim_end().to_owned()
    }

    /// The one JSON value that was printed.
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.success()).unwrap()
    }

    /// What was said on standard error; nothing may be on standard output, and this must be the exit code.
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        self.err
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    /// What it printed when it was ready.
    pub(crate) ready: Value,
    log: PathBuf,
    // Kept open, so that the server can go on printing.
    _out: BufReader<ChildStdout>,
    _dir: TempDir,
}

impl Server {
    /// Starts a command that prints a line of JSON when it is ready.
    pub(crate) fn start(command: Command) -> Self {
        let (mut server, line) = Self::start_until(command, |_| true);
        server.ready = serde_json::from_str(&line).unwrap();
        server.url = server.ready["url"].as_str().unwrap().to_owned();
        server
    }

    /// Starts `dev` as a person does; gives what it printed, too.
    pub(crate) fn greeted(command: Command) -> (Self, String) {
        let (mut server, greeting) = Self::start_until(command, |line| line.contains("Each request is a line below"));
        let url = greeting.split_whitespace().find(|word| word.starts_with("http://"));
        url.unwrap().clone_into(&mut server.url);
        (server, greeting)
    }

    fn start_until(mut command: Command, is_last: impl Fn(&str) -> bool) -> (Self, String) {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let errors = std::fs::File::create(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        loop {
            let before = printed.len();
            if out.read_line(&mut printed).unwrap() == 0 {
                let _ = child.kill();
                panic!(
                    "the server didn't start: {printed}{}",
                    std::fs::read_to_string(&log).unwrap()
                );
            }
            if is_last(&printed[before..]) {
                break;
            }
        }
        let server = Self {
            child,
            url: String::new(),
            ready: Value::Null,
            log,
            _out: out,
            _dir: dir,
        };
        (server, printed)
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Ends it without a warning, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended, ten seconds at most.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let asked_at = Instant::now();
        while asked_at.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the server goes on: {}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}
