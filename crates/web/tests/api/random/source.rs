//! Where random requests come from: the table of endpoints, things that exist, and a seed.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tollgate_domain::environment::Environment;
use tollgate_domain::notification::NotificationStatus;
use tollgate_web::{Endpoint, endpoints};

use crate::support::{RECEIVER, Request, SeededEntropy, TestApp, at, request};

/// Where random requests come from.
pub(super) struct Source {
    chance: SeededEntropy,
    ids: Vec<String>,
    authorizations: Vec<String>,
    /// What the endpoints take.
    document: Value,
}

impl Source {
    pub(super) async fn of(app: &TestApp, seed: u64) -> Self {
        let stranger = app.workspace("Another shop", Environment::Live).await.full_key().await;
        let powerless = app.home.key(&[]).await;
        let setting = app.setting(&json!({ "traffic_source": "all" })).await;
        app.token("Booth").await;
        let notification = app.newest_notification().await;
        app.attempted(&notification, NotificationStatus::Delivered).await;
        let simulation = json!({ "notification_setting_id": setting["id"], "type": "api_key.expired", "name": "Kiosk", "payload": {} });
        let simulation = app.post("/simulations", &simulation).await.data(201).clone();
        let runs = format!("/simulations/{}/runs", at(&simulation, "id"));
        let run = at(app.post(&runs, &json!({})).await.data(201), "id").to_owned();
        let event = app.get(&format!("{runs}/{run}/events")).await.column("id")[0].to_owned();
        let ids = vec![
            at(&simulation, "id").to_owned(),
            run,
            event,
            at(&app.token("Kiosk").await, "id").to_owned(),
            at(&app.revoked_token("Stall").await, "id").to_owned(),
            at(&app.token_by(&stranger, "Till").await, "id").to_owned(),
            at(&setting, "id").to_owned(),
            at(&notification, "id").to_owned(),
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
            document: tollgate_web::openapi(),
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
            // Mostly of the right kind: there are many.
            let kind = template_kind(&path[from + 1..to]);
            let fitting: Vec<&String> = self.ids.iter().filter(|id| id.starts_with(kind)).collect();
            let id = match fitting.as_slice() {
                [] => self.id(),
                _ if self.happens(3) => self.id(),
                fitting => (*self.chance.pick(fitting)).clone(),
            };
            path.replace_range(from..=to, &id);
        }
        if self.happens(15) {
            path.push_str(self.word(&["/", "//", "/x", "/%2e%2e", ";a=b", "%3F", "/.", "."]));
        }
        if self.happens(15) {
            path.insert_str(0, self.word(&["/", "//", "/tollgate", "/.", "/%2F"]));
        }
        path
    }

    /// What the document says of an endpoint.
    fn operation(&self, endpoint: &Endpoint) -> &Value {
        &self.document["paths"][endpoint.path][endpoint.method.as_str().to_ascii_lowercase()]
    }

    fn query(&self, endpoint: &Endpoint) -> String {
        let parameters = self.operation(endpoint)["parameters"].as_array();
        let described = parameters.into_iter().flatten();
        let mut known: Vec<&Value> = described.filter(|parameter| parameter["in"] == "query").collect();
        let others = ["after", "per_page", "order_by", "status", "x", "%00", ""].map(|name| json!({ "name": name }));
        known.extend(&others);
        let mut query = String::from("?");
        for _ in 0..self.chance.below(5) {
            let parameter = *self.chance.pick(&known);
            let name = at(parameter, "name");
            let value = match self.chance.below(6) {
                _ if name == "wait_seconds" => self.word(&["0", "-1", "x", "31", ""]).to_owned(), // nobody has time
                0 => self.encoded(),
                1 => self.id(),
                2 => self
                    .word(&["0", "-1", "1", "200", "9999999999999999999999", "1e9", " 5"])
                    .replace(' ', "+"),
                3 => self
                    .word(&["id[ASC]", "id%5Bdesc%5D", "id", "[", "name[ASC]"])
                    .to_owned(),
                4 => self
                    .word(&["active", "2026-03-02", "2026-03-02T09:15:04%2B01:00", ",", "true"])
                    .to_owned(),
                _ => match parameter["schema"]["items"]["enum"].as_array() {
                    Some(names) => self.chance.pick(names).as_str().expect("a name").to_owned(),
                    None => self.word(&["active", "revoked", "ctkn_", "%25"]).to_owned(),
                },
            };
            let _ = write!(query, "{name}={value}&");
        }
        query
    }

    /// What this schema would take, mostly.
    fn plausible(&self, schema: &Value) -> Value {
        if let Some(names) = schema["enum"].as_array() {
            return self.chance.pick(names).clone();
        }
        if let Some(schemas) = schema["anyOf"].as_array() {
            return self.plausible(self.chance.pick(schemas));
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            let kind = pattern.trim_start_matches('^').split('[').next().unwrap_or_default();
            let fitting: Vec<&String> = self.ids.iter().filter(|id| id.starts_with(kind)).collect();
            return match fitting.as_slice() {
                [] => json!("test_da3059212d9a85cee360c0488e1"),
                fitting => json!(self.chance.pick(fitting)),
            };
        }
        match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
            Some("boolean") => json!(self.happens(2)),
            Some("integer") => json!(self.chance.below(3)),
            Some("array") => json!([self.plausible(&schema["items"]), self.plausible(&schema["items"])]),
            Some("string") if schema["format"] == "date-time" => {
                json!(self.word(&["2026-03-02T09:15:04.218733Z", "2026-03-02", "now"]))
            }
            Some("object") if schema["properties"].is_object() => self.properties(schema),
            Some("string") => match self.chance.below(3) {
                0 => json!(self.id()),
                1 => json!(format!("{RECEIVER}/{}", self.chance.next())),
                _ => json!("Kiosk"),
            },
            _ => self.value(1),
        }
    }

    /// A body that has much of what this endpoint takes.
    fn fitting(&self, endpoint: &Endpoint) -> Value {
        let schema = &self.operation(endpoint)["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let schema = &self.document["components"]["schemas"][name.unwrap_or_default()];
        self.properties(schema)
    }

    /// Much of what this schema of an object has.
    fn properties(&self, schema: &Value) -> Value {
        let mut object = Map::new();
        let required = schema["required"].as_array();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.is_some_and(|names| names.iter().any(|required| required == name));
            if !self.happens(if is_required { 20 } else { 2 }) {
                object.insert(name.clone(), self.plausible(property));
            }
        }
        Value::Object(object)
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

    fn body(&self, endpoint: &Endpoint) -> Vec<u8> {
        let value = match self.chance.below(4) {
            0 => self.value(3),
            1 => {
                let mut value = self.fitting(endpoint);
                value[self.word(&["name", "description", "status", "x"])] = self.value(1);
                value
            }
            _ => self.fitting(endpoint),
        };
        let mut body = value.to_string().into_bytes();
        if self.happens(4) {
            self.mutilate(&mut body);
        }
        body
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
        let query = if self.happens(2) {
            String::new()
        } else {
            self.query(endpoint)
        };
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
        request = request.bytes(self.body(endpoint));
        if self.happens(6) { request.chunked() } else { request }
    }
}

/// What the id in this place of a path begins with.
fn template_kind(parameter: &str) -> &'static str {
    match parameter {
        "client_token_id" => "ctkn_",
        "api_key_id" => "apikey_",
        "notification_setting_id" => "ntfset_",
        "notification_id" => "ntf_",
        "simulation_id" => "ntfsim_",
        "simulation_run_id" => "ntfsimrun_",
        "simulation_event_id" => "ntfsimevt_",
        _ => "",
    }
}
