//! The HTTP stack below every answer: accepts connections, speaks HTTP/1.1 and HTTP/2 over them, and ends gracefully. Knows
//! nothing of what is answered.

mod express;
mod idle;
mod lanes;
mod rarely;

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpStream as Socket};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use express::{Ended, ride};
pub use express::{Express, Head, NoExpress};
use idle::Busy;
use lanes::Lanes;

/// How long requests that are in flight get to finish when the server is stopped.
const GRACE: Duration = Duration::from_secs(20);
/// How long to wait when the machine has no more sockets to give.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves each connection by `express` where it can, else by a service of its own, made for its peer, until `stop`. Then
/// calls `stopping`, and lets what is in flight finish.
pub async fn serve_connections<S, B>(
    listener: TcpListener,
    express: impl Express,
    service: impl Fn(SocketAddr) -> S,
    stop: CancellationToken,
    stopping: impl FnOnce(),
) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    // A timer of hyper's for each request would cost a twentieth of a check: `idle` does with one for the connection.
    // Answers are small, and one plain write of head and body costs less than a list of two.
    builder.http1().header_read_timeout(None).writev(false);
    builder.http2().timer(TokioTimer::new());
    let in_flight = GracefulShutdown::new();
    let mut lanes = Lanes::start()?;

    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let connection = Connection {
            peer,
            builder: builder.clone(),
            watcher: in_flight.watcher(),
            stop: stop.clone(),
        };
        let (express, service, home) = (express.clone(), service(peer), Handle::current());
        let socket = prepared(stream, peer).into_std();
        lanes.next().spawn(async move {
            if let Err(error) = connection.serve(socket, &express, service, &home).await {
                tracing::debug!(%error, %peer, "connection ended");
            }
        });
    }

    drop(listener);
    stopping();
    if tokio::time::timeout(GRACE, in_flight.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish within {} s", GRACE.as_secs());
    }
    Ok(())
}

struct Connection {
    peer: SocketAddr,
    builder: Builder<TokioExecutor>,
    watcher: Watcher,
    stop: CancellationToken,
}

impl Connection {
    /// Answers what it can on this lane; the rest is hyper's, at home.
    async fn serve<S, B>(
        self,
        socket: io::Result<Socket>,
        express: &impl Express,
        service: S,
        home: &Handle,
    ) -> io::Result<()>
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let mut stream = TcpStream::from_std(socket?)?;
        let busy = Busy::new(service);
        let (requests, idle, peer) = (busy.requests(), busy.idle(), self.peer);
        let stop = &self.stop;
        let end = async move {
            let _ = stop.run_until_cancelled(idle.for_too_long()).await;
        };
        let read = match ride(&mut stream, peer, express, &requests, end).await? {
            Ended::Closed => return Ok(()),
            Ended::HandedOver(read) => read.freeze(),
        };
        let socket = stream.into_std()?;
        home.spawn(async move {
            if let Err(error) = self.go_on(socket, read, busy).await {
                tracing::debug!(%error, %peer, "connection ended");
            }
        });
        Ok(())
    }

    /// Goes on by hyper, which gets what was `read` first.
    async fn go_on<S, B>(self, socket: Socket, read: Bytes, busy: Busy<S>) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let (rest, write) = TcpStream::from_std(socket)?.into_split();
        let stream = tokio::io::join(io::Cursor::new(read).chain(rest), write);
        let idle = busy.idle();
        let connection = self.builder.serve_connection(TokioIo::new(stream), busy).into_owned();
        tokio::select! {
            biased;
            ended = self.watcher.watch(connection) => ended,
            () = idle.for_too_long() => {
                tracing::debug!(peer = %self.peer, "no request came for too long");
                Ok(())
            }
        }
    }
}

fn prepared(stream: TcpStream, peer: SocketAddr) -> TcpStream {
    // Answers are written whole, so waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "could not set TCP_NODELAY");
    }
    stream
}
