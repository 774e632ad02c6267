//! A receiver of webhooks, as cheap as one can be made: one thread, no more of a request looked at than where it ends, and
//! one answer for all. It is a process of its own, since it shares the processors with who sends.
//!
//! It listens on several ports, each a destination of its own to who sends. `POST /` is taken; `POST /hang` never gets an
//! answer; `GET /<number>` is answered when that many were taken altogether, with their number.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

use crate::load::{END_OF_HEAD, measure};
use crate::machine::processor_time;

/// The longest request: a payload is half a KiB, its head another.
const BUFFER: usize = 16 * 1024;
const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// How long what was sent may be under way.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Args)]
pub(crate) struct ReceiverArgs {
    /// On how many ports to listen.
    #[arg(long, default_value_t = 1)]
    ports: usize,
}

/// Receives until standard input ends.
pub(crate) fn run(args: &ReceiverArgs) -> anyhow::Result<()> {
    let mut poll = Poll::new()?;
    let mut listeners = Vec::with_capacity(args.ports);
    for index in 0..args.ports {
        let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
        poll.registry()
            .register(&mut listener, Token(index), Interest::READABLE)?;
        println!("listening on {}", listener.local_addr()?);
        listeners.push(listener);
    }
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });

    let mut events = Events::with_capacity(1_024);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    let mut taken = Taken::default();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let Some(index) = event.token().0.checked_sub(listeners.len()) else {
                accept(
                    &listeners[event.token().0],
                    listeners.len(),
                    poll.registry(),
                    &mut connections,
                    &mut free,
                )?;
                continue;
            };
            let Some(connection) = &mut connections[index] else {
                continue;
            };
            // Whoever sends may close when it likes, and however it likes.
            if !connection.receive(&mut taken).unwrap_or(false) {
                connections[index] = None;
                free.push(index);
            }
        }
        taken.tell()?;
    }
}

fn accept(
    listener: &TcpListener,
    before: usize,
    registry: &Registry,
    connections: &mut Vec<Option<Connection>>,
    free: &mut Vec<usize>,
) -> anyhow::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        stream.set_nodelay(true)?;
        let index = free.pop().unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        registry.register(&mut stream, Token(before + index), Interest::READABLE)?;
        connections[index] = Some(Connection {
            stream: Some(stream),
            buffer: Vec::new(),
            filled: 0,
            last: (0, 0),
        });
    }
}

/// How many were taken, and who waits for that.
#[derive(Default)]
struct Taken {
    count: u64,
    waiting: Vec<(u64, TcpStream)>,
}

impl Taken {
    /// Answers those who waited for as many as there are.
    fn tell(&mut self) -> anyhow::Result<()> {
        let count = self.count;
        let body = count.to_string();
        for (_, mut stream) in self.waiting.extract_if(.., |(wanted, _)| *wanted <= count) {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )?;
        }
        Ok(())
    }
}

struct Connection {
    /// Absent when it was handed over to [`Taken`].
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    filled: usize,
    /// Where the head of the last request ended, and its length: the next one is mostly the same.
    last: (usize, usize),
}

impl Connection {
    /// Reads what is there; whether more may come.
    fn receive(&mut self, taken: &mut Taken) -> anyhow::Result<bool> {
        self.buffer.resize(BUFFER, 0);
        while let Some(stream) = &mut self.stream {
            let room = self.buffer.len() - self.filled;
            let read = match stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(false),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error.into()),
            };
            self.filled += read;
            if self.is_whole()? {
                self.filled = 0;
                self.answer(taken)?;
            }
            // A read that didn't fill the buffer has emptied the socket: what comes later rings again.
            if read < room {
                return Ok(self.stream.is_some());
            }
        }
        Ok(false)
    }

    fn is_whole(&mut self) -> anyhow::Result<bool> {
        let bytes = &self.buffer[..self.filled];
        let (head, length) = self.last;
        if bytes.len() == length && bytes.starts_with(b"POST /") && bytes[head..].starts_with(END_OF_HEAD) {
            return Ok(true);
        }
        if bytes.starts_with(b"GET /") {
            return Ok(bytes.ends_with(END_OF_HEAD));
        }
        let Some((head, length)) = measure(bytes, b"POST /")? else {
            return Ok(false);
        };
        self.last = (head, length);
        ensure!(bytes.len() <= length, "more than one request");
        Ok(bytes.len() == length)
    }

    fn answer(&mut self, taken: &mut Taken) -> anyhow::Result<()> {
        if let Some(target) = self.buffer.strip_prefix(b"GET /") {
            let digits = target.iter().take_while(|byte| byte.is_ascii_digit());
            let wanted = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
            taken.waiting.extend(self.stream.take().map(|stream| (wanted, stream)));
        } else if !self.buffer.starts_with(b"POST /hang")
            && let Some(stream) = &mut self.stream
        {
            taken.count += 1;
            let written = stream.write(TAKEN)?;
            ensure!(written == TAKEN.len(), "an answer was cut");
        }
        Ok(())
    }
}

/// A receiver that runs. Dropping it ends the process.
pub(crate) struct Receiver {
    child: Child,
    /// One for each port.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Receiver {
    /// Starts one and waits until it listens.
    pub(crate) fn start(ports: usize) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["receiver", "--ports", &ports.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start a receiver")?;
        let mut output = BufReader::new(child.stdout.take().context("the receiver has no output")?);
        let mut addresses = Vec::with_capacity(ports);
        for _ in 0..ports {
            let mut line = String::new();
            output.read_line(&mut line)?;
            let address = line.trim().strip_prefix("listening on ");
            ensure!(address.is_some(), "the receiver did not start: it said {line:?}");
            addresses.push(address.unwrap_or_default().parse().context("no address")?);
        }
        Ok(Self { child, addresses })
    }

    /// Waits until so many were taken since the start; their number.
    pub(crate) fn taken(&self, at_least: u64) -> anyhow::Result<u64> {
        let mut stream = std::net::TcpStream::connect(self.addresses[0])?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /{at_least} HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        match stream.read_to_string(&mut answer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                bail!("{at_least} requests did not come within {} s", PATIENCE.as_secs())
            }
            result => result?,
        };
        let count = answer.rsplit('\n').next().unwrap_or_default();
        count.parse().with_context(|| format!("no count: {answer:?}"))
    }

    /// Seconds that it used.
    pub(crate) fn processor_time(&self) -> anyhow::Result<f64> {
        processor_time(self.child.id())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("could not end a receiver: {error}");
        }
    }
}
