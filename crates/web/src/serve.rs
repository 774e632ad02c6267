//! What is answered on the socket: checks at once, everything else by the front door.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::App;
use crate::connections::serve_connections;
use crate::front_door;
use crate::native::Checks;
use crate::router::router;

/// How often addresses that sent nothing lately are forgotten, lest they fill the memory.
const FORGET: Duration = Duration::from_secs(10);

/// Serves until `stop`, then lets what is in flight finish.
pub async fn serve(listener: TcpListener, app: App, stop: CancellationToken) -> std::io::Result<()> {
    let router = router(&app);
    tokio::spawn(forget_idle_addresses(app.clone(), stop.clone()));
    let stopping = app.stopping.clone();
    let checks = Checks(app.clone());
    let service = move |peer: SocketAddr| {
        let (app, router) = (app.clone(), router.clone());
        service_fn(move |request: Request<Incoming>| {
            let (app, router) = (app.clone(), router.clone());
            async move { Ok::<_, Infallible>(front_door::answer(&app, router, peer, request.map(Body::new)).await) }
        })
    };
    serve_connections(listener, checks, service, stop, move || stopping.cancel()).await
}

/// What is kept of an address: that it used up a part of what it may send.
async fn forget_idle_addresses(app: App, stop: CancellationToken) {
    let Some(limiter) = &app.limiter else { return };
    while stop.run_until_cancelled(tokio::time::sleep(FORGET)).await.is_some() {
        limiter.retain_recent();
        limiter.shrink_to_fit();
    }
}
