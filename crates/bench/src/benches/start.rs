//! From start to ready, and resident memory: of the program `tollgate` where it lies beside this one, else of this
//! program's own server, which is the same but for the command line.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rusqlite::Connection;
use tollgate_domain::ambient::Clock;
use tollgate_service::ambient::SystemClock;

use crate::Settings;
use crate::credentials::facts;
use crate::load::Load;
use crate::machine::resident_memory;
use crate::report::{Report, spread};
use crate::rounds::median;
use crate::seed::{DESCRIPTION, NAME};
use crate::server::ServerArgs;
use crate::site::{CLIENTS, Tenant};

/// Starts that are measured.
const STARTS: usize = 15;
/// Starts with many client tokens.
const LOADS: usize = 5;
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two knocks at a port that nobody listens on yet: nobody tells when that changes.
const KNOCK: Duration = Duration::from_micros(50);
/// How long memory is loaded.
const LOADED: Duration = Duration::from_secs(3);

pub(crate) fn run(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let program = Program::find()?;
    let (mut starts, mut idle, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let dir = settings.fresh_dir()?;
        let (running, took) = program.start(dir.path())?;
        starts.push(took.as_secs_f64() * 1e3);
        let memory = resident_memory(running.child.id())?;
        idle.push(memory.total);
        own.push(memory.own);
    }

    let dir = settings.fresh_dir()?;
    let tenant = Tenant::create(&ServerArgs::sqlite(dir.path().to_owned()))?;
    let (running, _) = program.start(dir.path())?;
    let mut load = Load::connect(running.address, CLIENTS, vec![tenant.create_request()], b"HTTP/1.1 201")?;
    let round = load.run(LOADED)?;
    let loaded = resident_memory(running.child.id())?;

    let loads = with_tokens(&program, settings)?;
    let (start, soonest, latest) = median(&starts);
    let (idle, least, most) = median(&idle);
    let (own, ..) = median(&own);
    println!("\nStart and memory of {}, SQLite", program.name());
    println!(
        "  ready with an empty store after {start:.1} ms ({})",
        spread(soonest, latest, 1)
    );
    println!(
        "  resident memory, idle: {idle:.1} MiB ({}), of which {own:.1} MiB are not the program's file",
        spread(least, most, 1)
    );
    println!(
        "  resident memory, after {} creates by {CLIENTS} clients: {:.1} MiB, of which {:.1} MiB are not the program's file",
        round.done, loaded.total, loaded.own
    );
    let (load, quickest, slowest) = median(&loads);
    let line = format!(
        "start to ready with {} client tokens: {load:.2} s ({}), all of them in memory to be checked",
        settings.tokens,
        spread(quickest, slowest, 2)
    );
    println!("  {line}");
    report.figure(line);
    report.figure(format!(
        "start to ready {start:.1} ms, resident memory {idle:.1} MiB idle, {:.1} MiB loaded ({})",
        loaded.total,
        program.name()
    ));
    Ok(())
}

/// Seconds from start to ready with so many client tokens.
fn with_tokens(program: &Program, settings: &Settings) -> anyhow::Result<Vec<f64>> {
    let dir = settings.fresh_dir()?;
    let tenant = Tenant::create(&ServerArgs::sqlite(dir.path().to_owned()))?;
    let mut store = Connection::open(dir.path().join("tollgate.sqlite3"))?;
    let filling = store.transaction()?;
    {
        let mut insert = filling.prepare(
            "INSERT INTO client_tokens (workspace_id, id, token, name, description, status, created_at, updated_at,
                 revoked_at, version)
             VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?6, NULL, 1)",
        )?;
        let (workspace, now) = (tenant.workspace.to_string(), SystemClock.now().as_micros());
        for facts in facts(settings.tokens)? {
            let (id, token) = (facts.id.to_string(), facts.token.as_str());
            insert.execute((&workspace, id, token, NAME, DESCRIPTION, now))?;
        }
    }
    filling.commit()?;
    drop(store);
    let mut seconds = Vec::with_capacity(LOADS);
    for _ in 0..LOADS {
        let (_running, took) = program.start(dir.path())?;
        seconds.push(took.as_secs_f64());
    }
    Ok(seconds)
}

/// What is started.
enum Program {
    Tollgate(PathBuf),
    Own(PathBuf),
}

struct Running {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn find() -> anyhow::Result<Self> {
        let own = std::env::current_exe()?;
        let tollgate = own.with_file_name("tollgate");
        Ok(if tollgate.is_file() {
            Self::Tollgate(tollgate)
        } else {
            Self::Own(own)
        })
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Tollgate(_) => "the program tollgate",
            Self::Own(_) => "the benchmark's own server",
        }
    }

    /// Starts on a free port, and waits until it is ready.
    fn start(&self, dir: &Path) -> anyhow::Result<(Running, Duration)> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = match self {
            Self::Tollgate(program) => {
                let mut command = Command::new(program);
                command.args(["serve", "--requests-per-minute", "0"]);
                command
            }
            Self::Own(program) => {
                let mut command = Command::new(program);
                command.arg("server");
                command
            }
        };
        command
            .arg("--data-dir")
            .arg(dir)
            .args(["--listen", &address.to_string()]);
        let began = Instant::now();
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let running = Running { child, address };
        while !is_ready(address)? {
            ensure!(began.elapsed() < PATIENCE, "not ready within {} s", PATIENCE.as_secs());
            std::thread::sleep(KNOCK);
        }
        Ok((running, began.elapsed()))
    }
}

fn is_ready(address: SocketAddr) -> anyhow::Result<bool> {
    let mut stream = match TcpStream::connect(address) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(false),
        Err(error) => bail!("can't connect to {address}: {error}"),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .context("no answer whether it is ready")?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

impl Drop for Running {
    fn drop(&mut self) {
        // What it holds is in a directory that goes, too.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("could not end a server: {error}");
        }
    }
}
