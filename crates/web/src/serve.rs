//! The socket: accepts connections, speaks HTTP/1.1 and HTTP/2 over them, and ends gracefully.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use futures_util::future::{self, ready};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::App;
use crate::front_door;
use crate::native::at_once;
use crate::router::router;

/// How long a client may take to send a request's head.
const SLOWEST_HEAD: Duration = Duration::from_secs(30);
/// How long requests that are in flight get to finish when the server is stopped.
const GRACE: Duration = Duration::from_secs(20);
/// How long to wait when the machine has no more sockets to give.
const PAUSE: Duration = Duration::from_millis(50);

/// How often addresses that sent nothing lately are forgotten, lest they fill the memory.
const FORGET: Duration = Duration::from_secs(10);

/// Serves until `stop`, then lets what is in flight finish.
pub async fn serve(listener: TcpListener, app: App, stop: CancellationToken) -> std::io::Result<()> {
    let router = router(&app);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOWEST_HEAD);
    builder.http2().timer(TokioTimer::new());
    let in_flight = GracefulShutdown::new();
    tokio::spawn(forget_idle_addresses(app.clone(), stop.clone()));

    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let service = {
            let (app, router) = (app.clone(), router.clone());
            service_fn(move |request: hyper::Request<Incoming>| {
                // A check is answered here and now; whatever else there is goes in by the front door.
                if let Some(answer) = at_once(&app, peer, &request) {
                    return future::Either::Left(ready(Ok::<_, Infallible>(answer.map(Either::Left))));
                }
                let (app, router) = (app.clone(), router.clone());
                future::Either::Right(async move {
                    let answer = front_door::answer(&app, router, peer, request.map(Body::new)).await;
                    Ok(answer.map(Either::Right))
                })
            })
        };
        let connection = builder
            .serve_connection(TokioIo::new(prepared(stream, peer)), service)
            .into_owned();
        let connection = in_flight.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "connection ended");
            }
        });
    }

    drop(listener);
    app.stopping.cancel();
    if tokio::time::timeout(GRACE, in_flight.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish within {} s", GRACE.as_secs());
    }
    Ok(())
}

/// What is kept of an address: that it used up a part of what it may send.
async fn forget_idle_addresses(app: App, stop: CancellationToken) {
    let Some(limiter) = &app.limiter else { return };
    while stop.run_until_cancelled(tokio::time::sleep(FORGET)).await.is_some() {
        limiter.retain_recent();
        limiter.shrink_to_fit();
    }
}

fn prepared(stream: TcpStream, peer: SocketAddr) -> TcpStream {
    // Answers are written whole, so waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "could not set TCP_NODELAY");
    }
    stream
}
