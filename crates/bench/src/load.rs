//! The load: keep-alive connections that ask, wait for the answer, and ask again; on one thread, since it shares the
//! processors with the server. Requests are bytes made beforehand, of answers only status and length are looked at.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::rounds::Round;

/// The longest answer: a page of 200 is 100 KB.
const BUFFER: usize = 256 * 1024;
pub(crate) const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// How long nothing may come at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connections to one server, idle between rounds.
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    requests: Vec<Vec<u8>>,
    language: Language,
}

/// Looks for an answer at the beginning of the bytes, one that begins as expected.
type Measure = fn(&[u8], &[u8]) -> anyhow::Result<Option<(usize, usize)>>;

/// How answers are told apart.
#[derive(Clone, Copy)]
pub(crate) struct Language {
    /// What every answer begins with: `HTTP/1.1 201`
    pub(crate) expected: &'static [u8],
    /// What ends an answer's head.
    pub(crate) end_of_head: &'static [u8],
    /// Where the head ends, and the length of all; `None` while the head isn't whole.
    pub(crate) measure: Measure,
}

impl Language {
    /// HTTP, with this beginning of each answer.
    pub(crate) const fn http(expected: &'static [u8]) -> Self {
        Self {
            expected,
            end_of_head: END_OF_HEAD,
            measure,
        }
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    asked_at: Instant,
    next: usize,
    /// Where the head of the last answer ended, and its length: the next one is mostly the same.
    last: (usize, usize),
}

impl Load {
    /// Connects `count` times. Each connection sends `requests` in turn; the first ones start at different places.
    pub(crate) fn connect(
        address: SocketAddr,
        count: usize,
        requests: Vec<Vec<u8>>,
        expected: &'static [u8],
    ) -> anyhow::Result<Self> {
        Self::connect_in(Language::http(expected), address, count, requests)
    }

    /// The same, in another language than HTTP.
    pub(crate) fn connect_in(
        language: Language,
        address: SocketAddr,
        count: usize,
        requests: Vec<Vec<u8>>,
    ) -> anyhow::Result<Self> {
        ensure!(!requests.is_empty(), "nothing to ask");
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(count);
        for index in 0..count {
            // Connected before it is non-blocking, so that the first write can't come too early.
            let stream =
                std::net::TcpStream::connect(address).with_context(|| format!("can't connect to {address}"))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(index), Interest::READABLE)?;
            connections.push(Connection {
                stream,
                buffer: vec![0; BUFFER],
                filled: 0,
                asked_at: Instant::now(),
                next: index,
                last: (0, 0),
            });
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(count.max(8)),
            connections,
            requests,
            language,
        })
    }

    /// Asks on all connections for this long, then waits for the answers that are due.
    pub(crate) fn run(&mut self, length: Duration) -> anyhow::Result<Round> {
        let until = Instant::now() + length;
        self.run_while(|now, _| now < until)
    }

    /// Asks so often, on all connections; at least once on each.
    pub(crate) fn run_times(&mut self, times: u64) -> anyhow::Result<Round> {
        self.run_while(|_, asked| asked < times)
    }

    /// `more` decides, from the time and how often was asked, whether to ask again.
    fn run_while(&mut self, more: impl Fn(Instant, u64) -> bool) -> anyhow::Result<Round> {
        let began = Instant::now();
        let mut micros = Vec::with_capacity(1 << 16);
        for connection in &mut self.connections {
            connection.ask(&self.requests)?;
        }
        let mut due = self.connections.len();
        let mut asked = due as u64;
        while due > 0 {
            self.poll.poll(&mut self.events, Some(PATIENCE))?;
            ensure!(!self.events.is_empty(), "no answer within {} s", PATIENCE.as_secs());
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                if !connection.receive(self.language)? {
                    continue;
                }
                let now = Instant::now();
                micros.push(u32::try_from((now - connection.asked_at).as_micros()).unwrap_or(u32::MAX));
                if more(now, asked) {
                    connection.ask(&self.requests)?;
                    asked += 1;
                } else {
                    due -= 1;
                }
            }
        }
        Ok(Round {
            done: micros.len() as u64,
            seconds: began.elapsed().as_secs_f64(),
            processor: None,
            micros,
        })
    }
}

impl Connection {
    fn ask(&mut self, requests: &[Vec<u8>]) -> anyhow::Result<()> {
        let request = &requests[self.next % requests.len()];
        self.next += 1;
        self.asked_at = Instant::now();
        // Never more than a few hundred bytes in flight, so the socket takes them whole.
        let written = self.stream.write(request)?;
        ensure!(written == request.len(), "a request was cut");
        Ok(())
    }

    /// Reads what is there; `true` when the answer is whole.
    fn receive(&mut self, language: Language) -> anyhow::Result<bool> {
        loop {
            let free = self.buffer.len() - self.filled;
            let read = match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => bail!("the server closed a connection, or answers too long"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            self.filled += read;
            if self.is_whole(language)? {
                self.filled = 0;
                return Ok(true);
            }
            // A read that didn't fill the buffer has emptied the socket: what comes later rings again.
            if read < free {
                return Ok(false);
            }
        }
    }

    fn is_whole(&mut self, language: Language) -> anyhow::Result<bool> {
        let bytes = &self.buffer[..self.filled];
        let (head, length) = self.last;
        if bytes.len() == length
            && bytes.starts_with(language.expected)
            && bytes[head..].starts_with(language.end_of_head)
        {
            return Ok(true);
        }
        let Some((head, length)) = (language.measure)(bytes, language.expected)? else {
            return Ok(false);
        };
        self.last = (head, length);
        ensure!(bytes.len() <= length, "more than one answer");
        Ok(bytes.len() == length)
    }
}

/// Where the head of a message ends, and the length of head and body; `None` while its head isn't whole.
pub(crate) fn measure(bytes: &[u8], expected: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(head) = bytes
        .windows(END_OF_HEAD.len())
        .position(|window| window == END_OF_HEAD)
    else {
        return Ok(None);
    };
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    ensure!(bytes.starts_with(expected), "an unexpected answer: {}", shown());
    // It has no body, and so no length.
    if bytes.starts_with(b"HTTP/1.1 204") {
        return Ok(Some((head, head + END_OF_HEAD.len())));
    }
    let name = b"content-length: ";
    let at = bytes[..head]
        .windows(name.len())
        .position(|window| window.eq_ignore_ascii_case(name));
    let at = at.with_context(|| format!("an answer without a length: {}", shown()))?;
    let digits = bytes[at + name.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let body = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    Ok(Some((head, head + END_OF_HEAD.len() + body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 12\r\nx: y\r\n\r\n{\"data\": []}";
        let head = answer.len() - 4 - 12;
        assert_eq!(measure(answer, b"HTTP/1.1 201").unwrap(), Some((head, answer.len())));
        assert_eq!(measure(&answer[..30], b"HTTP/1.1 201").unwrap(), None);
        assert!(measure(answer, b"HTTP/1.1 200").is_err());
    }
}
