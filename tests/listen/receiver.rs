//! A developer's server: takes one request on each connection, keeps what came, and answers as it is told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver as Queue, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tollgate_domain::ambient::Clock;
use tollgate_domain::signature::EndpointSecret;
use tollgate_service::ambient::SystemClock;

/// How long anything awaited may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// What is said with every answer but 200.
pub(super) const EXCUSE: &str = "not today";

/// Listens until dropped.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    came: Mutex<Queue<Request>>,
    answer: Arc<AtomicU16>,
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// With the query.
    pub(super) path: String,
    /// By their names in lower case.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
    /// In seconds since 1970.
    at: u64,
}

impl Receiver {
    pub(super) fn start() -> Self {
        Self::start_on("127.0.0.1:0".parse().unwrap())
    }

    pub(super) fn start_on(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (came, queue) = mpsc::channel();
        let (answer, is_ending) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicBool::new(false)));
        let thread = {
            let (answer, is_ending) = (Arc::clone(&answer), Arc::clone(&is_ending));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if is_ending.load(Ordering::SeqCst) {
                        return;
                    }
                    let _ = take(&stream.unwrap(), &came, answer.load(Ordering::SeqCst));
                }
            })
        };
        Self {
            address,
            came: Mutex::new(queue),
            answer,
            is_ending,
            thread: Some(thread),
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers with this from now on.
    pub(super) fn answer_with(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    /// What comes next.
    pub(super) fn next(&self) -> Request {
        self.came
            .lock()
            .unwrap()
            .recv_timeout(PATIENCE)
            .expect("a request comes")
    }

    /// That nothing came which wasn't looked at.
    pub(super) fn assert_nothing_more(&self) {
        let more = self.came.lock().unwrap().try_recv();
        assert!(more.is_err(), "{more:?}");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads a request, keeps it, and answers.
fn take(stream: &TcpStream, came: &Sender<Request>, status: u16) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let at = SystemClock.now().as_millis() / 1_000;
    let _ = came.send(Request {
        path,
        headers,
        body,
        at,
    });
    let says = if status == 200 { "" } else { EXCUSE };
    write!(
        &mut &*stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{says}",
        says.len()
    )
}

impl Request {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn event_id(&self) -> String {
        self.json()["event_id"].as_str().unwrap().to_owned()
    }

    /// That both schemes' signatures hold, and all headers of a delivery are there.
    pub(super) fn assert_signed_with(&self, secret: &str) {
        let secret = EndpointSecret::from_text(secret);
        let header = |name: &str| self.headers[name].as_str();
        assert_eq!(secret.check(header("paddle-signature"), &self.body, self.at), Ok(()));
        let seconds = header("webhook-timestamp").parse().unwrap();
        let standard = secret.standard_signature(header("webhook-id"), seconds, &self.body);
        assert_eq!(header("webhook-signature"), standard);
        assert_eq!(header("webhook-id"), self.event_id());
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(header("user-agent"), "Paddle");
    }
}
