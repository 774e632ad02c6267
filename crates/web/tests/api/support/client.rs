//! A small HTTP/1.1 client that sends exactly what it is told, however wrong.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{Answer, Key};

/// Nothing takes this long, unless it hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request. What isn't said isn't sent, except `Host`, `Connection: close` and the length of a body.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    chunked: bool,
    from: Option<IpAddr>,
}

pub(crate) fn get(target: impl Into<String>) -> Request {
    request("GET", target)
}

pub(crate) fn post(target: impl Into<String>) -> Request {
    request("POST", target)
}

pub(crate) fn patch(target: impl Into<String>) -> Request {
    request("PATCH", target)
}

pub(crate) fn request(method: impl Into<String>, target: impl Into<String>) -> Request {
    Request {
        method: method.into(),
        target: target.into(),
        headers: Vec::new(),
        body: None,
        chunked: false,
        from: None,
    }
}

impl Request {
    /// With this API key.
    pub(crate) fn by(self, key: &Key) -> Self {
        self.header("Authorization", format!("Bearer {}", key.secret))
    }

    /// One more header; the same name may occur twice.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// A JSON body, with its content type.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(body.to_string())
    }

    /// A body of form fields.
    pub(crate) fn form(self, fields: impl AsRef<[u8]>) -> Self {
        self.header("Content-Type", "application/x-www-form-urlencoded")
            .bytes(fields)
    }

    /// A body that claims to be JSON.
    pub(crate) fn text(self, body: impl AsRef<[u8]>) -> Self {
        self.header("Content-Type", "application/json").bytes(body)
    }

    /// A body without a content type.
    pub(crate) fn bytes(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_owned());
        self
    }

    /// The body comes in pieces whose sum isn't announced.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// From this address of the machine.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.from = Some(address.parse().expect("an address"));
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name))
    }

    pub(crate) fn to_bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut add = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !self.has("host") {
            add("Host", host.as_bytes());
        }
        if !self.has("connection") {
            add("Connection", b"close");
        }
        for (name, value) in &self.headers {
            add(name, value);
        }
        match &self.body {
            Some(_) if self.chunked => add("Transfer-Encoding", b"chunked"),
            Some(body) if !self.has("content-length") => add("Content-Length", body.len().to_string().as_bytes()),
            _ => {}
        }
        bytes.extend_from_slice(b"\r\n");
        match &self.body {
            Some(body) if self.chunked => {
                for piece in body.chunks(60_000) {
                    bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                    bytes.extend_from_slice(piece);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
            Some(body) => bytes.extend_from_slice(body),
            None => {}
        }
        bytes
    }

    pub(crate) async fn send_to(self, address: SocketAddr) -> Answer {
        let bytes = self.to_bytes(&address.to_string());
        let received = exchange_from(self.from, address, &bytes).await;
        Answer::parse(&self.method, &self.target, &received)
            .unwrap_or_else(|| panic!("no answer to {} {}", self.method, self.target))
            .0
    }
}

/// Sends the bytes, and reads until the server closes the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    exchange_from(None, address, bytes).await
}

async fn exchange_from(from: Option<IpAddr>, address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let stream = connect(address, from).await.expect("the server accepts");
    let (mut reader, mut writer) = stream.into_split();
    let mut received = Vec::new();
    let send = async {
        // A server that refuses a body early doesn't read the rest of it; its answer counts.
        let _ = writer.write_all(bytes).await;
    };
    let receive = async {
        // A reset after the answer is no answer's loss either.
        let _ = reader.read_to_end(&mut received).await;
    };
    tokio::time::timeout(PATIENCE, async { tokio::join!(send, receive) })
        .await
        .expect("the server answers and closes the connection");
    received
}

async fn connect(address: SocketAddr, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let Some(from) = from else {
        return TcpStream::connect(address).await;
    };
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(address).await
}
