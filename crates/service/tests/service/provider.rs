//! An OpenID Connect provider in the process: real signatures, and any mistake that is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::http::Response;
use openidconnect::{HttpRequest, HttpResponse};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tollgate_service::{Fetch, FetchFailed, OpenIdProvider, OpenIdStart};
use url::Url;

pub(crate) const ISSUER: &str = "https://id.example/realm";
pub(crate) const CLIENT_ID: &str = "tollgate";
const SECRET: &str = "the client's secret";
const KEY: &str = include_str!("provider_key.pem");

/// What it does; all of it may be changed while it runs.
#[derive(Clone)]
pub(crate) struct Manner {
    /// Claims of the ID token beside the usual ones, or in their place.
    pub(crate) claims: Value,
    /// What it tells whoever asks with the access token.
    pub(crate) user_info: Value,
    /// The name of its key.
    pub(crate) key_id: &'static str,
    /// In the token's head.
    pub(crate) algorithm: &'static str,
    pub(crate) breaks_signature: bool,
    pub(crate) is_down: bool,
    /// What it answers a code with, in the place of tokens.
    pub(crate) refusal: Option<&'static str>,
}

struct State {
    manner: Manner,
    /// Of the last visitor.
    nonce: String,
    challenge: String,
    /// How often each path was asked for.
    asked: HashMap<String, usize>,
}

#[derive(Clone)]
pub(crate) struct FakeProvider {
    state: Arc<Mutex<State>>,
    key: Arc<RsaKeyPair>,
}

impl FakeProvider {
    /// Vouches for this address.
    pub(crate) fn naming(email: &str) -> Self {
        let body: String = KEY.lines().skip(2).take_while(|line| !line.starts_with('-')).collect();
        let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
        let state = State {
            manner: Manner {
                claims: json!({ "email": email, "email_verified": true, "name": "Ada Lovelace" }),
                user_info: json!({}),
                key_id: "one",
                algorithm: "RS256",
                breaks_signature: false,
                is_down: false,
                refusal: None,
            },
            nonce: String::new(),
            challenge: String::new(),
            asked: HashMap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            key: Arc::new(key),
        }
    }

    /// As the service knows it.
    pub(crate) fn registered(&self) -> OpenIdProvider {
        let provider = self.clone();
        let fetch: Fetch = Arc::new(move |request| {
            let answer = provider.answer(&request);
            Box::pin(async { answer })
        });
        OpenIdProvider::new(ISSUER, CLIENT_ID, Some(SECRET.into()), fetch).unwrap()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.state.lock().unwrap().manner);
    }

    /// Adds a claim, or puts it in the place of the usual one.
    pub(crate) fn claim(&self, name: &str, value: impl Into<Value>) {
        self.change(|manner| manner.claims[name] = value.into());
    }

    /// How often this path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.asked.get(path).copied().unwrap_or_default()
    }

    /// Somebody comes to its page; gives the state that they take back with them.
    pub(crate) fn visit(&self, start: &OpenIdStart) -> String {
        let url = Url::parse(&start.url).unwrap();
        assert_eq!(url.path(), "/realm/authorize");
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(
            (query["client_id"].as_str(), query["response_type"].as_str()),
            (CLIENT_ID, "code")
        );
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        let mut state = self.state.lock().unwrap();
        query["nonce"].clone_into(&mut state.nonce);
        query["code_challenge"].clone_into(&mut state.challenge);
        query["state"].clone()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, FetchFailed> {
        let mut state = self.state.lock().unwrap();
        *state.asked.entry(request.uri().path().to_owned()).or_default() += 1;
        if state.manner.is_down {
            return Err(FetchFailed("connection refused".to_owned()));
        }
        let (status, body) = match request.uri().path() {
            "/realm/.well-known/openid-configuration" => (200, discovery()),
            "/realm/jwks" => (200, json!({ "keys": [self.public_key(state.manner.key_id)] })),
            "/realm/token" => match state.manner.refusal {
                Some(code) => (400, json!({ "error": code })),
                None => (200, self.tokens(&state, request)),
            },
            "/realm/userinfo" => (200, state.manner.user_info.clone()),
            other => panic!("nobody asks for {other}"),
        };
        let answer = Response::builder()
            .status(status)
            .header("content-type", "application/json");
        Ok(answer.body(body.to_string().into_bytes()).unwrap())
    }

    fn tokens(&self, state: &State, request: &HttpRequest) -> Value {
        let basic = STANDARD.encode(format!("{CLIENT_ID}:the+client%27s+secret"));
        assert_eq!(request.headers()["authorization"], format!("Basic {basic}"));
        let form: HashMap<String, String> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        assert_eq!(form["grant_type"], "authorization_code");
        let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        assert_eq!(verifier, state.challenge, "the one who came is the one who asks");
        json!({ "access_token": "a", "token_type": "Bearer", "id_token": self.id_token(state) })
    }

    fn id_token(&self, state: &State) -> String {
        let head = json!({ "alg": state.manner.algorithm, "kid": state.manner.key_id });
        let mut claims = json!({
            "iss": ISSUER,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "nonce": state.nonce,
            "iat": 1_767_225_600,
            "exp": 1_767_225_900,
        });
        for (name, value) in state.manner.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let mut signature = self.signature(state.manner.algorithm, signed.as_bytes());
        if state.manner.breaks_signature {
            signature[7] ^= 1;
        }
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn signature(&self, algorithm: &str, signed: &[u8]) -> Vec<u8> {
        match algorithm {
            "none" => Vec::new(),
            // By what both sides know: no proof that it is the provider's.
            "HS256" => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), signed)
                .as_ref()
                .to_vec(),
            _ => {
                let mut signature = vec![0; self.key.public().modulus_len()];
                let random = SystemRandom::new();
                self.key
                    .sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    fn public_key(&self, key_id: &str) -> Value {
        let public: ring::signature::RsaPublicKeyComponents<Vec<u8>> = self.key.public().into();
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": key_id,
            "n": URL_SAFE_NO_PAD.encode(public.n),
            "e": URL_SAFE_NO_PAD.encode(public.e),
        })
    }
}

fn discovery() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "jwks_uri": format!("{ISSUER}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256"],
    })
}
