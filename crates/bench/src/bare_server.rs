//! The rival of a check: the same HTTP stack as the server's, whose handler looks at nothing and answers with the
//! same few bytes. A process of its own, with the runtime that the server has.

use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;

use bytes::Bytes;
use clap::Args;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tollgate_web::serve_connections;

#[derive(Debug, Args)]
pub(crate) struct BareServerArgs {
    /// Answers with nothing but the status, as an upstream of nginx that always agrees.
    #[arg(long)]
    plain: bool,
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
    let plain = args.plain;
    let service =
        move |_| service_fn(move |_: Request<Incoming>| std::future::ready(Ok::<_, Infallible>(answer(plain))));
    serve_connections(listener, service, CancellationToken::new(), || {}).await?;
    Ok(())
}

fn answer(plain: bool) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    if !plain {
        let fixed = [
            (
                HeaderName::from_static("tollgate-token-id"),
                "ctkn_01kjpx8smt0000000000000001",
            ),
            (
                HeaderName::from_static("tollgate-workspace-id"),
                "wsp_01kjpx8smt0000000000000001",
            ),
            (HeaderName::from_static("tollgate-environment"), "sandbox"),
            (HeaderName::from_static("tollgate-sequence"), "1000000"),
            (CACHE_CONTROL, "no-store"),
        ];
        let headers = answer.headers_mut();
        headers.reserve(6);
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    answer
}
