//! The three ways to ask whether a client token is good.

pub(crate) mod authorize;
pub(crate) mod client;
pub(crate) mod introspect;

use serde_json::{Value, json};

use crate::support::{Answer, Request, TestApp, at, get};

/// A token of the native surface with these restrictions.
async fn restricted(app: &TestApp, restrictions: Value) -> Value {
    let body = json!({ "name": "Kiosk", "restrictions": restrictions });
    app.post("/tollgate/client-tokens", &body).await.data(201).clone()
}

/// A check of this token as a proxy asks for it.
fn check(token: &Value) -> Request {
    get("/tollgate/authorize").header("Tollgate-Client-Token", at(token, "token"))
}

/// The code of a refusal: the same in header and body.
fn code(answer: &Answer) -> &str {
    let code = answer.header("tollgate-denial").expect("every refusal has one");
    assert_eq!(at(&answer.json()["error"], "code"), code);
    code
}

impl Answer {
    /// Status and code of a refusal.
    #[track_caller]
    fn is_refused(&self, status: u16, expected: &str) {
        assert_eq!((self.status, code(self)), (status, expected), "{}", self.body_text());
        assert_eq!(self.header("www-authenticate").is_some(), status == 401);
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }
}
