//! A quick receiver for many requests: keeps connections, counts what it took, and answers as it is told.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What to do with a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reply {
    Status(u16),
    /// Closes the connection without an answer.
    Closed,
    /// Says nothing until the other side gives up.
    Never,
}

#[derive(Default)]
struct Taken {
    /// How often each event was answered with 200.
    accepted: Mutex<HashMap<String, usize>>,
    changed: Condvar,
}

/// Listens until the program ends.
pub(super) struct Receiver {
    url: String,
    taken: Arc<Taken>,
}

impl Receiver {
    /// `script` is asked for each request.
    pub(super) fn start(script: impl Fn() -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (taken, script) = (Arc::new(Taken::default()), Arc::new(script));
        let shared = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (taken, script) = (Arc::clone(&shared), Arc::clone(&script));
                // A connection that breaks is the sender's affair.
                std::thread::spawn(move || drop(serve(&stream.unwrap(), &taken, script.as_ref())));
            }
        });
        Self { url, taken }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How often each event was accepted.
    pub(super) fn accepted(&self) -> HashMap<String, usize> {
        self.taken.accepted.lock().unwrap().clone()
    }

    /// Waits until so many different events were accepted; gives how long it took.
    pub(super) fn until(&self, events: usize, patience: Duration) -> Duration {
        let began = Instant::now();
        let accepted = self.taken.accepted.lock().unwrap();
        let (accepted, waited) = self
            .taken
            .changed
            .wait_timeout_while(accepted, patience, |accepted| accepted.len() < events)
            .unwrap();
        assert!(!waited.timed_out(), "{} of {events} events came", accepted.len());
        began.elapsed()
    }
}

fn serve(stream: &TcpStream, taken: &Taken, script: &impl Fn() -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        match script() {
            Reply::Status(status) => {
                if status == 200 {
                    let body: Value = serde_json::from_slice(&body).unwrap();
                    let event = body["event_id"].as_str().unwrap().to_owned();
                    *taken.accepted.lock().unwrap().entry(event).or_default() += 1;
                    taken.changed.notify_all();
                }
                write!(&mut &*stream, "HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n\r\n")?;
            }
            Reply::Closed => return Ok(()),
            Reply::Never => {
                let _ = reader.read(&mut [0]);
                return Ok(());
            }
        }
    }
}
