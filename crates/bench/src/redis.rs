//! The other rival of a check: `redis-server`, answering GET, one at a time on each connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::rounds::Dice;

/// How to get it.
pub(crate) const HOW: &str = "it needs redis-server (Debian package redis-server)";
const PATIENCE: Duration = Duration::from_mins(2);

/// A server with so many keys in it. Dropping it ends the process.
pub(crate) struct Redis {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Redis {
    /// Whether there is one to start.
    pub(crate) fn is_there() -> bool {
        Command::new("redis-server").arg("--version").output().is_ok()
    }

    /// Starts one with `keys` values of 32 bytes, and waits until they are there. Nothing is written to a disk.
    pub(crate) fn start(keys: u64) -> anyhow::Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &free.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"])
            .stdout(Stdio::null())
            .spawn()
            .context("can't start redis-server")?;
        let server = Self { child, address: free };
        let mut stream = server.connected()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "DEBUG POPULATE {keys} key 32\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        ensure!(&answer == b"+OK\r\n", "redis-server did not take its keys");
        Ok(server)
    }

    fn connected(&self) -> anyhow::Result<TcpStream> {
        let began = Instant::now();
        loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => return Ok(stream),
                Err(error) if began.elapsed() > PATIENCE => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// Requests for values all over the store.
pub(crate) fn gets(keys: u64, count: usize, mut dice: Dice) -> Vec<Vec<u8>> {
    (0..count)
        .map(|_| {
            let key = format!("key:{}", dice.next() % keys);
            format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()).into_bytes()
        })
        .collect()
}

/// Where an answer's head ends, and the length of all; `None` while the head isn't whole.
pub(crate) fn measure(bytes: &[u8], expected: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(head) = bytes.windows(2).position(|window| window == b"\r\n") else {
        return Ok(None);
    };
    ensure!(
        bytes.starts_with(expected),
        "an unexpected answer: {}",
        String::from_utf8_lossy(bytes)
    );
    let digits = bytes[1..head].iter();
    let value = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    Ok(Some((head, head + 2 + value + 2)))
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("could not end redis-server: {error}");
        }
    }
}
