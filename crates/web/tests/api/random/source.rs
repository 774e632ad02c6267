//! Where random requests come from: the table of endpoints, things that exist, and a seed.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tollgate_domain::environment::Environment;
use tollgate_web::endpoints;

use crate::support::{NOWHERE, Request, SeededEntropy, TestApp, at, request};

/// Where random requests come from.
pub(super) struct Source {
    chance: SeededEntropy,
    ids: Vec<String>,
    authorizations: Vec<String>,
    /// A destination that takes everything.
    setting: String,
}

impl Source {
    pub(super) async fn of(app: &TestApp, seed: u64) -> Self {
        let stranger = app.workspace("Another shop", Environment::Live).await.full_key().await;
        let powerless = app.home.key(&[]).await;
        let setting = json!({
            "description": "Shop backend",
            "type": "url",
            "destination": format!("{NOWHERE}/random"),
            "subscribed_events": ["client_token.created"],
            "traffic_source": "all",
        });
        let setting = app.post("/notification-settings", &setting).await;
        let setting = at(setting.data(201), "id").to_owned();
        let simulation =
            json!({ "notification_setting_id": setting, "type": "api_key.expired", "name": "Kiosk", "payload": {} });
        let simulation = app.post("/simulations", &simulation).await;
        let simulation = at(simulation.data(201), "id").to_owned();
        let runs = format!("/simulations/{simulation}/runs");
        let run = at(app.post(&runs, &json!({})).await.data(201), "id").to_owned();
        let event = app.get(&format!("{runs}/{run}/events")).await.column("id")[0].to_owned();
        let ids = vec![
            setting.clone(),
            simulation,
            run,
            event,
            "ntf_01kjpx8smt1jx21jct317jay33".to_owned(),
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
            setting,
        }
    }

    /// One time in `of`.
    pub(super) fn happens(&self, of: usize) -> bool {
        self.chance.below(of) == 0
    }

    fn word(&self, of: &[&'static str]) -> &'static str {
        of[self.chance.below(of.len())]
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
            id.replace_range(at..=at, self.word(&["", "%00", "%ff", "Z", "_", "%2F", "..", "%20"]));
        }
        if self.happens(10) { self.encoded() } else { id }
    }

    fn path(&self, template: &str) -> String {
        let mut path = template.to_owned();
        while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
            path.replace_range(from..=to, &self.id());
        }
        if self.happens(15) {
            path.push_str(self.word(&["/", "//", "/x", "/%2e%2e", ";a=b", "%3F", "/.", "."]));
        }
        if self.happens(15) {
            path.insert_str(0, self.word(&["/", "//", "/tollgate", "/.", "/%2F"]));
        }
        path
    }

    fn query(&self) -> String {
        let mut query = String::from("?");
        for _ in 0..self.chance.below(5) {
            let name = self.word(&[
                "after",
                "per_page",
                "order_by",
                "status",
                "event_type",
                "id",
                "include",
                "search",
                "from",
                "x",
                "%00",
                "",
            ]);
            let value = match self.chance.below(5) {
                0 => self.encoded(),
                1 => self.id(),
                2 => self
                    .word(&["0", "-1", "1", "200", "9999999999999999999999", "1e9", " 5"])
                    .replace(' ', "+"),
                3 => self
                    .word(&["id[ASC]", "id%5Bdesc%5D", "id", "[", "name[ASC]"])
                    .to_owned(),
                _ => self
                    .word(&["active", "revoked", "active,revoked", ",", "client_token.created"])
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
            4 => json!(self.word(&["active", "revoked", "", "Kiosk", "🔑", "\u{0}", "\u{202e}", "é"])),
            5 => json!("🔑".repeat(self.chance.below(600))),
            6 => json!(self.id()),
            7 => Value::Array((0..self.chance.below(4)).map(|_| self.value(depth - 1)).collect()),
            _ => {
                let mut object = Map::new();
                for _ in 0..self.chance.below(4) {
                    let name = self.word(&["name", "description", "status", "id", "token", "", "\u{0}", "a.b"]);
                    object.insert(name.to_owned(), self.value(depth - 1));
                }
                Value::Object(object)
            }
        }
    }

    fn body(&self) -> Vec<u8> {
        let object = |name: &str| json!({ name: self.value(1) });
        let value = match self.chance.below(8) {
            0 => json!({ "name": "Kiosk" }),
            5 => json!({ "notification_setting_id": self.setting, "type": self.event_type(), "name": "Kiosk" }),
            6 => json!({ "type": self.event_type(), "payload": self.value(1) }),
            7 => json!({ "payload": { "id": self.id(), "status": self.value(0), "created_at": self.value(0) } }),
            1 => object("name"),
            2 => object("status"),
            3 => json!({ "name": "Kiosk", "description": self.value(0) }),
            _ => self.value(3),
        };
        let mut body = value.to_string().into_bytes();
        if self.happens(4) {
            self.mutilate(&mut body);
        }
        body
    }

    fn event_type(&self) -> &'static str {
        self.word(&["client_token.revoked", "api_key.expiring", "subscription_renewal", ""])
    }

    /// Changes, removes or repeats some bytes.
    pub(super) fn mutilate(&self, bytes: &mut Vec<u8>) {
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

    pub(super) fn request(&self) -> Request {
        let mut endpoints = endpoints();
        if self.happens(3) {
            endpoints.retain(|endpoint| endpoint.method != "GET"); // there are few of them, and much to get wrong
        }
        let endpoint = self.chance.pick(&endpoints);
        let method = if self.happens(5) {
            self.word(&[
                "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", "get",
            ])
        } else {
            endpoint.method.as_str()
        };
        let query = if self.happens(2) { String::new() } else { self.query() };
        let mut request = request(method, self.path(endpoint.path) + &query);
        if !self.happens(12) {
            request = request.header("Authorization", self.chance.pick(&self.authorizations));
        }
        for (name, values) in [
            ("Paddle-Version", &["1", "1", "1", "2", "é", ""][..]),
            ("Skip-Count", &["true", "false", "é"]),
            ("X-Forwarded-Host", &["shop.example", "é", "", "a,b", "\"<>\""]),
            ("X-Forwarded-Proto", &["https", "é", ""]),
            ("X-Forwarded-For", &["1.2.3.4", "x", ",,", "::1"]),
            ("X-Transaction-ID", &["x"]),
            ("Accept", &["text/html", "*/*"]),
            ("Host", &["shop.example", "é", "", "a b"]),
        ] {
            if self.happens(8) {
                request = request.header(name, self.word(values));
            }
        }
        if self.happens(2) {
            request = request.header("Idempotency-Key", self.word(&["a", "a", "b", "c d", "é"]));
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
            request = request.header("Content-Type", self.word(&kinds));
        }
        request = request.bytes(self.body());
        if self.happens(6) { request.chunked() } else { request }
    }
}
