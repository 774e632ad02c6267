//! Random and mutilated requests: whatever comes, nothing answers 500, and every answer is one that is described.

mod source;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::random::source::Source;
use crate::support::{Answer, Store, TestApp, get, post};

const REQUESTS: usize = 3_000;
const MUTILATED: usize = 500;
/// A source that only makes rubbish would prove little.
const HOPED_FOR: [u16; 12] = [200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 415, 501];

pub(crate) async fn random_requests_are_answered_as_described_and_never_with_500(store: Store) {
    let mut statuses = BTreeMap::new();
    // Some seeds delete what others replay.
    for seed in 7..12 {
        let app = TestApp::with_deliveries(store, |_| {}).await;
        let source = Source::of(&app, seed).await;
        for _ in 0..REQUESTS {
            let request = source.request();
            let answer = app.send(request.clone()).await;
            assert!(
                answer.status < 500 || answer.status == 501,
                "{request:?}: {}",
                answer.status
            );
            *statuses.entry(answer.status).or_insert(0) += 1;
        }
        if HOPED_FOR.iter().all(|status| statuses.contains_key(status)) {
            return;
        }
    }
    panic!("not all of {HOPED_FOR:?} in {statuses:?}");
}

pub(crate) async fn mutilated_requests_harm_nobody_but_their_sender(store: Store) {
    let app = TestApp::with_deliveries(store, |_| {}).await;
    let source = Source::of(&app, 8).await;
    for _ in 0..MUTILATED {
        let whole = post("/client-tokens").by(&app.key).text(r#"{"name":"Kiosk"}"#);
        let whole = if source.happens(2) { source.request() } else { whole };
        let mut bytes = whole.to_bytes(&app.address.to_string());
        source.mutilate(&mut bytes);
        if let Some(status) = status_of(&app, &bytes).await {
            assert!(
                status < 500 || [501, 505].contains(&status),
                "{status} for {}",
                bytes.escape_ascii()
            );
        }
    }
    app.send(get("/health/ready")).await;
    app.get("/client-tokens").await.data(200);
}

/// The status of the first answer, if there is one. A sender that the server still waits for ends its sending.
async fn status_of(app: &TestApp, bytes: &[u8]) -> Option<u16> {
    const PATIENCE: Duration = Duration::from_millis(50);
    let mut stream = TcpStream::connect(app.address).await.expect("the server accepts");
    let _ = stream.write_all(bytes).await;
    let mut received = Vec::new();
    if tokio::time::timeout(PATIENCE, stream.read_to_end(&mut received))
        .await
        .is_err()
    {
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut received).await;
    }
    Answer::parse("", "", &received).map(|(answer, _)| answer.status)
}
