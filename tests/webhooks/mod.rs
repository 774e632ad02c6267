//! Webhooks from the real binary to receivers as people write them, and to worse ones.

mod chaos;
mod isolation;
mod mail;
mod receiver;
mod rotation;
mod script;
mod sdks;

use serde_json::{Value, json};

use crate::client::Client;
use crate::support::{On, Server, Store};

/// A server that may send into loopback, and its API.
struct Stage {
    api: Client,
    server: Server,
    store: Store,
}

impl Drop for Stage {
    /// The server goes before its store.
    fn drop(&mut self) {
        self.server.kill();
    }
}

impl Stage {
    fn start(on: On, flags: &[&str]) -> Self {
        let store = Store::fresh(on);
        let key = store.full_key(&store.workspace("sandbox"));
        let server = store.serve(&[&["--allow-network", "127.0.0.0/8"], flags].concat());
        let api = Client::new(&server.url, &key);
        Self { api, server, store }
    }

    /// The API of another workspace.
    fn another(&self) -> Client {
        let key = self.store.full_key(&self.store.workspace("sandbox"));
        Client::new(&self.server.url, &key)
    }

    /// A destination that wants all that happens to client tokens.
    fn destination(&self, url: &str) -> Value {
        destination(&self.api, "url", url).unwrap()
    }

    fn token(&self, name: &str) -> Value {
        let (status, body) = self.api.post("/client-tokens", &json!({ "name": name })).unwrap();
        assert_eq!(status, 201, "{body}");
        body["data"].clone()
    }

    /// The data of a successful answer.
    fn got(&self, path: &str) -> Value {
        let (status, body) = self.api.get(path).unwrap();
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }
}

/// The new destination, or the error.
fn destination(api: &Client, kind: &str, destination: &str) -> Result<Value, Value> {
    let body = json!({
        "description": "Journey",
        "type": kind,
        "destination": destination,
        "subscribed_events": ["client_token.created", "client_token.updated", "client_token.revoked"],
    });
    let (status, mut body) = api.post("/notification-settings", &body).unwrap();
    match status {
        201 => Ok(body["data"].take()),
        _ => Err(body["error"].take()),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
