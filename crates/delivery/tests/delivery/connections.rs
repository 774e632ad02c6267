//! Connections: kept, given up, of either version of HTTP, and to no address that wasn't checked.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tollgate_delivery::{Guard, Names, Sender, Settings};
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;

use crate::receiver::{Receiver, Reply};
use crate::stage::{Stage, open_loopback, quick};

/// A certificate for loopback, and whoever believes it.
pub(crate) fn tls(protocols: &[&str]) -> (TlsAcceptor, RootCertStore) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), roots)
}

fn open_to(roots: RootCertStore) -> Sender {
    Sender::trusting(Guard::new(vec!["127.0.0.0/8".parse().unwrap()]), roots).unwrap()
}

fn one_at_a_time() -> Settings {
    Settings {
        per_destination: 1,
        ..quick()
    }
}

async fn until_delivered(stage: &Stage) {
    let all = stage
        .until(|notification| notification.status == NotificationStatus::Delivered)
        .await;
    assert!(all.iter().all(|notification| notification.times_attempted == 1));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (acceptor, roots) = tls(&[]);
    for (receiver, sender) in [
        (Receiver::start(|_| Reply::status(200)).await, open_loopback()),
        (
            Receiver::with_tls(acceptor, |_| Reply::status(200)).await,
            open_to(roots),
        ),
    ] {
        let stage = Stage::sqlite(Environment::Sandbox).await;
        stage.destination(&receiver.url("/")).await;
        stage.events(40).await;
        let _worker = stage.deliver_with(sender, one_at_a_time());
        until_delivered(&stage).await;
        assert_eq!((receiver.received().len(), receiver.connections()), (40, 1));
    }
}

#[tokio::test]
async fn a_kept_connection_that_turns_out_closed_costs_no_attempt() {
    for after in [1, 3] {
        let stage = Stage::sqlite(Environment::Sandbox).await;
        // Every so many requests, the connection is closed without a word.
        let receiver = Receiver::start(move |request| match request.number % after {
            0 => Reply::ThenClosed,
            _ => Reply::status(200),
        })
        .await;
        stage.destination(&receiver.url("/")).await;
        stage.events(60).await;
        let _worker = stage.deliver_with(open_loopback(), one_at_a_time());
        until_delivered(&stage).await;
        assert_eq!(receiver.received().len(), 60);
        assert!(receiver.connections() >= 60 / after);
    }
}

#[tokio::test]
async fn a_kept_connection_that_closes_under_a_request_costs_no_attempt() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|request| match request.number % 3 {
        0 => Reply::Closed,
        _ => Reply::status(200),
    })
    .await;
    stage.destination(&receiver.url("/")).await;
    stage.events(20).await;
    let _worker = stage.deliver_with(open_loopback(), one_at_a_time());
    until_delivered(&stage).await;
    assert_eq!((receiver.received().len(), receiver.connections()), (29, 10));
}

#[tokio::test]
async fn a_receiver_that_answers_once_and_then_resets_is_not_asked_for_ever() {
    let stage = Stage::sqlite(Environment::Sandbox).await;
    let receiver = Receiver::start(|request| match request.number {
        1 => Reply::status(200),
        _ => Reply::Reset,
    })
    .await;
    stage.destination(&receiver.url("/")).await;
    stage.events(2).await;
    let worker = stage.deliver_with(open_loopback(), one_at_a_time());
    stage.until(|notification| notification.times_attempted == 1).await;
    worker.stop().await;
    assert_eq!(
        receiver.received().len(),
        3,
        "one on the used connection, one on a new one"
    );
}

#[tokio::test]
async fn http_2_is_spoken_with_whoever_speaks_it() {
    let (acceptor, roots) = tls(&["h2", "http/1.1"]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/hooks", listener.local_addr().unwrap());
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    tokio::spawn({
        let (connections, requests) = (Arc::clone(&connections), Arc::clone(&requests));
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, requests) = (acceptor.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                    let answer = service_fn(|request: Request<Incoming>| {
                        let requests = Arc::clone(&requests);
                        async move {
                            assert_eq!(request.version(), Version::HTTP_2);
                            assert!(request.headers().contains_key("paddle-signature"));
                            request.into_body().collect().await.unwrap();
                            requests.fetch_add(1, Ordering::SeqCst);
                            Ok::<_, hyper::Error>(Response::new(Empty::<Bytes>::new()))
                        }
                    });
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(stream, answer).await;
                });
            }
        }
    });
    let stage = Stage::sqlite(Environment::Live).await;
    stage.destination(&url).await;
    stage.event().await;
    let _worker = stage.deliver_with(open_to(roots), quick());
    until_delivered(&stage).await;
    stage.events(100).await;
    until_delivered(&stage).await;
    assert_eq!(requests.load(Ordering::SeqCst), 101);
    assert_eq!(connections.load(Ordering::SeqCst), 1, "all on one connection");
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_not_followed_inside() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let public: IpAddr = "93.184.216.34".parse().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let names = Names::new({
        let asked = Arc::clone(&asked);
        move |name| {
            assert_eq!(name, "rebind.example");
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            async move { Ok(vec![if first { public } else { "127.0.0.1".parse().unwrap() }]) }
        }
    });
    let guard = Guard::default().with_names(names);
    let url = format!("http://rebind.example:{}/", receiver.port());
    guard.check(&url, false).await.unwrap();

    let stage = Stage::sqlite(Environment::Sandbox).await;
    stage.destination(&url).await;
    let _worker = stage.deliver_with(Sender::new(guard).unwrap(), quick());
    stage.event().await;
    let (_, log) = stage.attempted(1).await;
    assert_eq!(log[0].response_code, 0);
    let problem = log[0].problem.as_deref().unwrap();
    assert!(
        problem.contains("must be a public address; rebind.example is not"),
        "{problem}"
    );
    assert_eq!((asked.load(Ordering::SeqCst), receiver.connections()), (2, 0));
}

#[tokio::test]
async fn of_several_addresses_only_those_are_tried_that_may_be_reached() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let names = Names::new(|_| async {
        let addresses = ["10.0.0.1", "::1", "127.0.0.1"];
        Ok(addresses.map(|address| address.parse().unwrap()).to_vec())
    });
    let guard = Guard::new(vec!["127.0.0.1/32".parse().unwrap()]).with_names(names);
    let stage = Stage::sqlite(Environment::Sandbox).await;
    stage
        .destination(&format!("http://several.example:{}/", receiver.port()))
        .await;
    let _worker = stage.deliver_with(Sender::new(guard).unwrap(), quick());
    stage.event().await;
    until_delivered(&stage).await;
    assert!(
        stage.log(stage.only().await.id).await[0].duration_ms < 2_000,
        "none was tried in vain"
    );
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let names = Names::new(|_| async { Err("no such name".to_owned()) });
    let sender = Sender::new(Guard::default().with_names(names)).unwrap();
    let stage = Stage::sqlite(Environment::Sandbox).await;
    stage.destination("https://nobody.example/").await;
    let _worker = stage.deliver_with(sender, quick());
    stage.event().await;
    let (_, log) = stage.attempted(1).await;
    let problem = log[0].problem.as_deref();
    assert_eq!(problem, Some("no answer: could not resolve nobody.example"));
}
