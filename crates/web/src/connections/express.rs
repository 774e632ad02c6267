//! Requests that their head alone decides, answered as soon as it is read: no task, no map of headers, one read and one
//! write. Whatever isn't plainly such a request goes to hyper, with every byte that was read.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;

use bytes::BytesMut;
use httparse::{Header, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::idle::Requests;
use super::rarely::Rarely;

/// The longest head that is looked at here.
const LONGEST_HEAD: usize = 8 * 1024;
/// The most headers.
const MOST_HEADERS: usize = 48;
/// Bytes that are gathered before they are written, when requests come many at a time.
const MOST_WAITING: usize = 64 * 1024;

/// A request's head: `GET` or `HEAD` of HTTP/1.1, without a body.
pub struct Head<'a> {
    /// `GET` or `HEAD`.
    pub method: &'a str,
    /// Path and query, as they came.
    pub target: &'a str,
    /// In their order.
    pub headers: &'a [Header<'a>],
    /// Whether the connection ends after the answer, which then has to say so.
    pub closes: bool,
}

/// Answers from a head alone.
pub trait Express: Clone + Send + Sync + 'static {
    /// Whether a request that begins like this may be one to answer; sooner or later `false` for every other one.
    fn may_be(&self, begins: &[u8]) -> bool;

    /// Appends the whole answer to `out`, or says `false`: then hyper gets the request.
    fn answer(&self, peer: SocketAddr, head: &Head<'_>, out: &mut Vec<u8>) -> bool;
}

/// No request is such a one.
#[derive(Clone, Copy)]
pub struct NoExpress;

impl Express for NoExpress {
    fn may_be(&self, _: &[u8]) -> bool {
        false
    }

    fn answer(&self, _: SocketAddr, _: &Head<'_>, _: &mut Vec<u8>) -> bool {
        false
    }
}

/// How a ride ended.
pub(super) enum Ended {
    /// The connection is over.
    Closed,
    /// This was read, and is hyper's.
    HandedOver(BytesMut),
}

/// Answers what it can, until something comes that it can't, the connection ends, or `end` does.
pub(super) async fn ride(
    stream: &mut TcpStream,
    peer: SocketAddr,
    express: &impl Express,
    requests: &Requests,
    end: impl Future<Output = ()>,
) -> io::Result<Ended> {
    let end = Rarely::new(end);
    tokio::pin!(end);
    let mut read = BytesMut::with_capacity(LONGEST_HEAD);
    let mut out = Vec::new();
    loop {
        let next = answer_all(peer, express, requests, &mut read, &mut out);
        let written = write_at_once(stream, &out)?;
        if written < out.len() {
            // Somebody who doesn't read what is answered doesn't keep the connection for ever.
            tokio::select! {
                biased;
                written = stream.write_all(&out[written..]) => written?,
                () = &mut end => return Ok(Ended::Closed),
            }
        }
        out.clear();
        match next {
            Next::More => {}
            Next::Again => continue,
            Next::Close => {
                stream.shutdown().await?;
                return Ok(Ended::Closed);
            }
            Next::HandOver => return Ok(Ended::HandedOver(read)),
        }
        read.reserve(LONGEST_HEAD);
        let came = tokio::select! {
            biased;
            came = stream.read_buf(&mut read) => came?,
            () = &mut end => return Ok(Ended::Closed),
        };
        if came == 0 {
            return Ok(Ended::Closed);
        }
    }
}

/// How much the connection takes without waiting: mostly all, and then there is nothing to wait for.
fn write_at_once(stream: &TcpStream, out: &[u8]) -> io::Result<usize> {
    if out.is_empty() {
        return Ok(0);
    }
    match stream.try_write(out) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}

enum Next {
    /// The head isn't whole.
    More,
    /// There may be another one.
    Again,
    Close,
    HandOver,
}

/// Answers the heads that are whole, and drops them from `read`.
fn answer_all(
    peer: SocketAddr,
    express: &impl Express,
    requests: &Requests,
    read: &mut BytesMut,
    out: &mut Vec<u8>,
) -> Next {
    loop {
        if out.len() > MOST_WAITING {
            return Next::Again;
        }
        if read.is_empty() {
            return Next::More;
        }
        if !express.may_be(read) {
            return Next::HandOver;
        }
        let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut []);
        let length = match request.parse_with_uninit_headers(read, &mut headers) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if read.len() < LONGEST_HEAD => return Next::More,
            // Too long, or broken: hyper knows what to say.
            Ok(Status::Partial) | Err(_) => return Next::HandOver,
        };
        let Some(head) = plain(&request) else {
            return Next::HandOver;
        };
        let closes = head.closes;
        if !express.answer(peer, &head, out) {
            return Next::HandOver;
        }
        requests.answered();
        bytes::Buf::advance(read, length);
        if closes {
            return Next::Close;
        }
    }
}

/// The head, if there is nothing about it that needs more than an answer.
fn plain<'a>(request: &'a httparse::Request<'_, 'a>) -> Option<Head<'a>> {
    let (method, target) = (request.method?, request.path?);
    if request.version != Some(1) || !matches!(method, "GET" | "HEAD") || !target.starts_with('/') {
        return None;
    }
    let mut closes = false;
    for header in request.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        // By length first: most headers are none of these.
        match header.name.len() {
            10 if is("connection") => {
                let value = header.value;
                if value.eq_ignore_ascii_case(b"close") {
                    closes = true;
                } else if !value.eq_ignore_ascii_case(b"keep-alive") && !value.is_empty() {
                    return None;
                }
            }
            14 if is("content-length") && header.value != b"0" => return None,
            6 if is("expect") => return None,
            7 if is("upgrade") => return None,
            17 if is("transfer-encoding") => return None,
            _ => {}
        }
    }
    Some(Head {
        method,
        target,
        headers: request.headers,
        closes,
    })
}
