//! A receiver that answers as it is told, and remembers what it was sent. It speaks HTTP/1.1 by hand, so that it can
//! also break off, trickle and talk nonsense.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// Nothing here takes this long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests are kept.
pub(crate) const KEPT: usize = 1_000;

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) target: String,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    /// Which request it is, counted from 1.
    pub(crate) number: usize,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// 200, but not before [`Receiver::release`] lets it go.
    Held,
    /// The same with another status.
    HeldFor(u16),
    /// Nothing, for as long as the other side waits.
    Never,
    /// 200, and then the connection is closed without a word about it.
    ThenClosed,
    /// The connection is reset.
    Reset,
    /// The connection is closed without an answer.
    Closed,
    /// 200 and a body that never ends, as fast as it goes.
    Endless,
    /// 200 and a body of one byte a second.
    Trickle,
    /// One byte of the answer's head a second.
    SlowHead,
    /// 200 and half of the promised body.
    Half,
    /// No HTTP.
    Nonsense,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    pub(crate) fn with(status: u16, name: &'static str, value: impl Into<String>) -> Self {
        Self::Answer(status, vec![(name, value.into())], Vec::new())
    }
}

type Script = Box<dyn Fn(&Received) -> Reply + Send + Sync>;

struct Inner {
    script: Script,
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    connections: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    released: Semaphore,
}

/// Ends with its runtime.
#[derive(Clone)]
pub(crate) struct Receiver {
    scheme: &'static str,
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl Receiver {
    /// Answers each request as `script` says.
    pub(crate) async fn start(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Box::new(script)).await
    }

    /// The same over TLS.
    pub(crate) async fn with_tls(
        tls: TlsAcceptor,
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(tls), Box::new(script)).await
    }

    async fn listen(tls: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            scheme: if tls.is_some() { "https" } else { "http" },
            address: listener.local_addr().unwrap(),
            inner: Arc::new(Inner {
                script,
                received: Mutex::default(),
                count: watch::Sender::new(0),
                connections: AtomicUsize::new(0),
                at_once: AtomicUsize::new(0),
                most_at_once: AtomicUsize::new(0),
                released: Semaphore::new(0),
            }),
        };
        let inner = Arc::clone(&receiver.inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                inner.connections.fetch_add(1, Ordering::Relaxed);
                let (inner, tls) = (Arc::clone(&inner), tls.clone());
                tokio::spawn(async move {
                    // A connection that fails is the other side's affair.
                    let _ = match tls {
                        None => inner.serve(stream).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => inner.serve(stream).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        receiver
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("{}://{}{target}", self.scheme, self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The first requests, at most [`KEPT`].
    pub(crate) fn received(&self) -> Vec<Received> {
        self.inner.received.lock().unwrap().clone()
    }

    /// Waits for request `number` (from 1), and gives it.
    pub(crate) async fn request(&self, number: usize) -> Received {
        self.arrived(number).await;
        self.inner.received.lock().unwrap()[number - 1].clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn arrived(&self, number: usize) {
        let mut count = self.inner.count.subscribe();
        let arrived = tokio::time::timeout(PATIENCE, count.wait_for(|count| *count >= number)).await;
        assert!(arrived.is_ok(), "request {number} didn't come; {:?}", self.received());
    }

    /// Lets this many held requests go.
    pub(crate) fn release(&self, count: usize) {
        self.inner.released.add_permits(count);
    }

    pub(crate) fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::Relaxed)
    }

    /// How many requests were open at the same time at the most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.inner.most_at_once.load(Ordering::Relaxed)
    }
}

/// What can be done with a connection beside reading and writing.
trait Stream: AsyncRead + AsyncWrite + Unpin {
    fn reset_when_dropped(&self);
}

impl Stream for TcpStream {
    fn reset_when_dropped(&self) {
        self.set_zero_linger().unwrap();
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset_when_dropped(&self) {
        self.get_ref().0.reset_when_dropped();
    }
}

impl Inner {
    async fn serve(&self, stream: impl Stream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(received) = self.read(&mut stream).await? {
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            let reply = (self.script)(&received);
            self.keep(received);
            let goes_on = self.reply(&mut stream, reply).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            if !goes_on? {
                break;
            }
        }
        Ok(())
    }

    fn keep(&self, received: Received) {
        let mut kept = self.received.lock().unwrap();
        if kept.len() < KEPT {
            kept.push(received);
        }
        self.count.send_modify(|count| *count += 1);
    }

    async fn read(&self, stream: &mut BufReader<impl Stream>) -> io::Result<Option<Received>> {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            let before = headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            assert_eq!(before, None, "each header comes once: {name}");
        }
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let number = *self.count.borrow() + 1;
        Ok(Some(Received {
            target,
            headers,
            body: String::from_utf8(body).unwrap(),
            number,
        }))
    }

    /// Whether the connection goes on.
    async fn reply(&self, stream: &mut BufReader<impl Stream>, reply: Reply) -> io::Result<bool> {
        const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        const OPEN_END: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
        match reply {
            Reply::Answer(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head = format!("{head}{name}: {value}\r\n");
                }
                head.push_str("\r\n");
                stream.write_all(&[head.as_bytes(), &body].concat()).await?;
                return Ok(true);
            }
            Reply::Held => return Box::pin(self.reply(stream, Reply::HeldFor(200))).await,
            Reply::HeldFor(status) => {
                self.released.acquire().await.unwrap().forget();
                return Box::pin(self.reply(stream, Reply::status(status))).await;
            }
            Reply::Never => drop(stream.read_u8().await),
            Reply::ThenClosed => stream.write_all(EMPTY).await?,
            Reply::Reset => stream.get_ref().reset_when_dropped(),
            Reply::Closed => {}
            Reply::Endless => {
                stream.write_all(OPEN_END).await?;
                while stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
            }
            Reply::Trickle => {
                stream.write_all(OPEN_END).await?;
                while stream.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Reply::SlowHead => {
                for byte in EMPTY.chunks(1) {
                    stream.write_all(byte).await?;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Reply::Half => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf.")
                    .await?;
            }
            Reply::Nonsense => stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n").await?,
        }
        Ok(false)
    }
}
