//! A receiver of webhooks on this machine that can be told what to answer.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    /// `POST /hook HTTP/1.1`
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Delivered {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map_or_else(|| panic!("no {name} in {:?}", self.headers), |(_, value)| value)
    }
}

/// Listens until it is dropped with its runtime.
pub(crate) struct Receiver {
    address: SocketAddr,
    delivered: Arc<Mutex<Vec<Delivered>>>,
    answer: Arc<Mutex<String>>,
}

impl Receiver {
    /// Answers 200 without a body.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let receiver = Self {
            address: listener.local_addr().expect("an address"),
            delivered: Arc::default(),
            answer: Arc::default(),
        };
        receiver.answer(200, "");
        let (delivered, answer) = (Arc::clone(&receiver.delivered), Arc::clone(&receiver.answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (delivered, answer) = (Arc::clone(&delivered), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, &delivered, &answer).await });
            }
        });
        receiver
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, status: u16, body: &str) {
        *self.answer.lock() = format!(
            "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }

    /// Closes each connection without an answer from now on.
    pub(crate) fn hang_up(&self) {
        self.answer.lock().clear();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        self.delivered.lock().clone()
    }
}

/// One request, one answer.
async fn serve(mut stream: TcpStream, delivered: &Mutex<Vec<Delivered>>, answer: &Mutex<String>) {
    let mut received = Vec::new();
    loop {
        if let Some(request) = parse(&received) {
            delivered.lock().push(request);
            let answer = answer.lock().clone();
            let _ = stream.write_all(answer.as_bytes()).await;
            return;
        }
        match stream.read_buf(&mut received).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// The request, if it is whole.
fn parse(received: &[u8]) -> Option<Delivered> {
    let text = std::str::from_utf8(received).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    (body.len() == length.1.parse::<usize>().ok()?).then(|| Delivered {
        line,
        headers,
        body: body.to_owned(),
    })
}
