//! The rivals of a check: the same HTTP stack as the server's, which looks at nothing and answers with the same bytes each
//! time, on the way that checks go, or on the way of all other requests, by hyper. A process of its own, with the runtime
//! that the server has.

use std::convert::Infallible;
use std::future::ready;
use std::io::Read;
use std::net::SocketAddr;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tollgate_web::{Express, Head, NoExpress, serve_connections};

#[derive(Debug, Args)]
pub(crate) struct BareServerArgs {
    /// Which way requests go.
    #[arg(long)]
    way: Way,
}

/// Which way requests go.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Way {
    /// As checks do.
    Express,
    /// As all others do.
    Hyper,
}

/// As long as the answer to a good check.
const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\
    tollgate-token-id: ctkn_01kjpx8smt0000000000000001\r\n\
    tollgate-workspace-id: wsp_01kjpx8smt0000000000000001\r\n\
    tollgate-environment: sandbox\r\n\
    tollgate-sequence: 1000000\r\n\
    cache-control: no-store\r\n\
    date: Mon, 02 Mar 2026 09:15:04 GMT\r\n\r\n";

#[derive(Clone)]
struct Fixed;

impl Express for Fixed {
    fn may_be(&self, _: &[u8]) -> bool {
        true
    }

    fn answer(&self, _: SocketAddr, _: &Head<'_>, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(ANSWER);
        true
    }
}

/// Answers until standard input ends.
#[tokio::main]
pub(crate) async fn run(args: &BareServerArgs) -> anyhow::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("listening on {}", listener.local_addr()?);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let service = |_| service_fn(|_: Request<Incoming>| ready(Ok::<_, Infallible>(agrees())));
    let stop = CancellationToken::new();
    match args.way {
        Way::Express => serve_connections(listener, Fixed, service, stop, || {}).await?,
        Way::Hyper => serve_connections(listener, NoExpress, service, stop, || {}).await?,
    }
    Ok(())
}

fn agrees() -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}
