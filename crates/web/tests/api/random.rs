//! Random and mutilated requests: whatever comes, nothing answers 500, and every answer is one that is described.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_domain::environment::Environment;
use tollgate_web::endpoints;

use crate::support::{Answer, Request, SeededEntropy, Store, TestApp, at, get, post, request};

const REQUESTS: usize = 2_000;
const MUTILATED: usize = 500;

/// Where random requests come from.
struct Source {
    chance: SeededEntropy,
    ids: Vec<String>,
    authorizations: Vec<String>,
}

impl Source {
    async fn of(app: &TestApp, seed: u64) -> Self {
        let stranger = app.workspace("Another shop", Environment::Live).await.full_key().await;
        let powerless = app.home.key(&[]).await;
        let ids = vec![
            at(&app.token("Kiosk").await, "id").to_owned(),
            at(&app.revoked_token("Stall").await, "id").to_owned(),
            at(&app.token_by(&stranger, "Till").await, "id").to_owned(),
            app.key.id.to_string(),
            stranger.id.to_string(),
            "ctkn_01kjpx8smt1jx21jct317jay33".to_owned(),
            "apikey_01kjpx8smt1jx21jct317jay33".to_owned(),
            "evt_01kjpx8smt1jx21jct317jay33".to_owned(),
        ];
        let mut authorizations = vec![format!("Bearer {}", app.key.secret); 6];
        authorizations.extend([
            format!("bearer {}", stranger.secret),
            format!("Bearer {}", powerless.secret),
            format!("Basic {}", app.key.secret),
            format!("Bearer {}", &app.key.secret[..60]),
            String::new(),
        ]);
        Self {
            chance: SeededEntropy::new(seed),
            ids,
            authorizations,
        }
    }

    /// One time in `of`.
    fn happens(&self, of: usize) -> bool {
        self.chance.below(of) == 0
    }

    /// Any bytes, percent-encoded.
    fn encoded(&self) -> String {
        let mut text = String::new();
        for _ in 0..self.chance.below(12) {
            let _ = write!(text, "%{:02x}", self.chance.below(256));
        }
        text
    }

    fn id(&self) -> String {
        let mut id = self.chance.pick(&self.ids).clone();
        if self.happens(4) {
            let at = self.chance.below(id.len());
            id.replace_range(
                at..=at,
                *self.chance.pick(&["", "%00", "%ff", "Z", "_", "%2F", "..", "%20"]),
            );
        }
        if self.happens(10) { self.encoded() } else { id }
    }

    fn path(&self) -> String {
        let endpoints = endpoints();
        let mut path = self.chance.pick(&endpoints).path.to_owned();
        if let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
            path.replace_range(from..=to, &self.id());
        }
        if self.happens(15) {
            path.push_str(
                *self
                    .chance
                    .pick(&["/", "//", "/x", "/%2e%2e", ";a=b", "%3F", "/.", "."]),
            );
        }
        if self.happens(15) {
            path.insert_str(0, *self.chance.pick(&["/", "//", "/tollgate", "/.", "/%2F"]));
        }
        path
    }

    fn query(&self) -> String {
        let mut query = String::from("?");
        for _ in 0..self.chance.below(5) {
            let name = self
                .chance
                .pick(&["after", "per_page", "order_by", "status", "event_type", "x", "%00", ""]);
            let value = match self.chance.below(5) {
                0 => self.encoded(),
                1 => self.id(),
                2 => (*self
                    .chance
                    .pick(&["0", "-1", "1", "200", "9999999999999999999999", "1e9", " 5"]))
                .replace(' ', "+"),
                3 => (*self.chance.pick(&["id[ASC]", "id%5Bdesc%5D", "id", "[", "name[ASC]"])).to_owned(),
                _ => (*self
                    .chance
                    .pick(&["active", "revoked", "active,revoked", ",", "client_token.created"]))
                .to_owned(),
            };
            let _ = write!(query, "{name}={value}&");
        }
        query
    }

    /// Any JSON value.
    fn value(&self, depth: usize) -> Value {
        match self.chance.below(if depth == 0 { 7 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.happens(2)),
            2 => json!(self.chance.next()),
            3 => json!(1.5e300),
            4 => json!(
                *self
                    .chance
                    .pick(&["active", "revoked", "", "Kiosk", "🔑", "\u{0}", "\u{202e}", "é"])
            ),
            5 => json!("🔑".repeat(self.chance.below(600))),
            6 => json!(self.id()),
            7 => Value::Array((0..self.chance.below(4)).map(|_| self.value(depth - 1)).collect()),
            _ => {
                let mut object = serde_json::Map::new();
                for _ in 0..self.chance.below(4) {
                    let name = *self
                        .chance
                        .pick(&["name", "description", "status", "id", "token", "", "\u{0}", "a.b"]);
                    object.insert(name.to_owned(), self.value(depth - 1));
                }
                Value::Object(object)
            }
        }
    }

    fn body(&self) -> Vec<u8> {
        let object = |name: &str| json!({ name: self.value(1) });
        let value = match self.chance.below(4) {
            0 => object("name"),
            1 => object("status"),
            2 => json!({ "name": "Kiosk", "description": self.value(0) }),
            _ => self.value(3),
        };
        let mut body = value.to_string().into_bytes();
        if self.happens(4) {
            self.mutilate(&mut body);
        }
        body
    }

    /// Changes, removes or repeats some bytes.
    fn mutilate(&self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.chance.below(4) {
            if bytes.is_empty() {
                return;
            }
            let place = self.chance.below(bytes.len());
            match self.chance.below(4) {
                0 => bytes[place] = self.chance.next().to_le_bytes()[0],
                1 => {
                    bytes.remove(place);
                }
                2 => bytes.insert(place, *self.chance.pick(b"\0\r\n\" :{}[],\\\xff%/")),
                _ => {
                    let repeated = bytes[place..].iter().take(20).copied().collect::<Vec<u8>>();
                    bytes.splice(place..place, repeated);
                }
            }
        }
    }

    fn request(&self) -> Request {
        let method = *self.chance.pick(&[
            "GET", "GET", "GET", "POST", "POST", "POST", "PATCH", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE",
            "BREW", "get",
        ]);
        let query = if self.happens(2) { String::new() } else { self.query() };
        let mut request = request(method, self.path() + &query);
        if !self.happens(12) {
            request = request.header("Authorization", self.chance.pick(&self.authorizations));
        }
        for (name, values) in [
            ("Paddle-Version", &["1", "1", "1", "2", "é", ""][..]),
            ("Skip-Count", &["true", "false", "é"]),
            ("Idempotency-Key", &["a", "b", "c d", "", "é"]),
            ("X-Forwarded-Host", &["shop.example", "é", "", "a,b", "\"<>\""]),
            ("X-Forwarded-Proto", &["https", "é", ""]),
            ("X-Forwarded-For", &["1.2.3.4", "x", ",,", "::1"]),
            ("X-Transaction-ID", &["x"]),
            ("Accept", &["text/html", "*/*"]),
            ("Host", &["shop.example", "é", "", "a b"]),
        ] {
            if self.happens(8) {
                request = request.header(name, self.chance.pick(values));
            }
        }
        if self.happens(3) && method == "GET" {
            return request;
        }
        if !self.happens(8) {
            let kinds = [
                "application/json",
                "application/json",
                "application/json; charset=utf-8",
                "text/plain",
                "é",
            ];
            request = request.header("Content-Type", self.chance.pick(&kinds));
        }
        request = request.bytes(self.body());
        if self.happens(6) { request.chunked() } else { request }
    }
}

pub(crate) async fn random_requests_are_answered_as_described_and_never_with_500(store: Store) {
    let app = TestApp::start(store).await;
    let source = Source::of(&app, 7).await;
    let mut statuses = std::collections::BTreeMap::new();
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
    // A source that only makes rubbish would prove little.
    for status in [200, 201, 400, 401, 403, 404, 405, 409, 415, 501] {
        assert!(statuses.contains_key(&status), "no {status} in {statuses:?}");
    }
}

pub(crate) async fn mutilated_requests_harm_nobody_but_their_sender(store: Store) {
    let app = TestApp::start(store).await;
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
