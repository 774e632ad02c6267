//! The query of a check: what the asker wants of a token. A parameter that isn't known is an error, lest a mistyped
//! `scope` lets everybody in.

use std::borrow::Cow;

use tollgate_domain::environment::Environment;
use tollgate_domain::restriction::Scope;

use crate::endpoint::Parameter;
use crate::error::{ApiError, Problem};
use crate::extract::body::not_one_of;

/// What a check can be asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters<'a> {
    /// What the route asks of a token.
    pub(super) scope: Option<Cow<'a, str>>,
    /// The only environment that will do.
    pub(super) environment: Option<Environment>,
    /// The verdict must be as new as this place in the sequence.
    pub(super) min_seq: u64,
    /// Whether 429 is told as 403.
    pub(super) limit_is_forbidden: bool,
    /// For how many seconds to wait for another verdict than `allowed`.
    pub(super) wait_seconds: u64,
}

/// What one of the endpoints takes, beside what all do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A proxy.
    Proxy,
    /// The browser library.
    Browser,
}

const fn query(name: &'static str, description: &'static str, values: &'static [&'static str]) -> Parameter {
    Parameter {
        place: "query",
        name,
        description,
        values,
    }
}

const fn header(name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        place: "header",
        name,
        description,
        values: &[],
    }
}

const ENVIRONMENT: Parameter = query(
    "environment",
    "The only environment that will do.",
    &["sandbox", "live"],
);
const MIN_SEQ: Parameter = query(
    "min_seq",
    "A verdict at least as new as this place in the sequence; waited for up to a second.",
    &[],
);
const TOKEN: Parameter = header("Tollgate-Client-Token", "The token.");
const COMPATIBLE: Parameter = header(
    "Paddle-Clienttoken",
    "The token, where there is no `Tollgate-Client-Token`.",
);

/// What a proxy can ask with, as the OpenAPI document tells it.
pub(super) const OF_PROXIES: &[Parameter] = &[
    query("scope", "What the route asks of a token that has scopes.", &[]),
    ENVIRONMENT,
    query(
        "rate_limited_status",
        "403 for proxies that don't know 429.",
        &["403", "429"],
    ),
    MIN_SEQ,
    TOKEN,
    COMPATIBLE,
    header(
        "X-Original-URI",
        "The address asked for; its query may hold the token as `client_token`.",
    ),
    header("X-Forwarded-Uri", "The same."),
    header("Origin", "The site that the request comes from."),
    header("Referer", "The page that it comes from, where there is no `Origin`."),
    header(
        "X-Forwarded-For",
        "The client's address; believed from trusted proxies.",
    ),
];

/// The same of the browser library.
pub(super) const OF_BROWSERS: &[Parameter] = &[
    ENVIRONMENT,
    query(
        "wait_seconds",
        "How long to wait for another verdict than that the token is good; 25 at the most.",
        &[],
    ),
    MIN_SEQ,
    TOKEN,
    COMPATIBLE,
];

/// The longest wait of the browser library.
pub(super) const LONGEST_WAIT_SECONDS: u64 = 25;

impl<'a> Parameters<'a> {
    /// Reads a query; names whatever is wrong with it.
    pub(super) fn parse(query: Option<&'a str>, asker: Asker) -> Result<Self, ApiError> {
        let mut parameters = Self::default();
        let Some(query) = query else { return Ok(parameters) };
        let mut seen: Vec<Cow<'a, str>> = Vec::new();
        let mut problems = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if seen.contains(&name) {
                problems.push(Problem::new(name.into_owned(), "Given more than once"));
                continue;
            }
            if let Err(message) = parameters.set(&name, value, asker) {
                problems.push(Problem::new(name.clone(), message));
            }
            seen.push(name);
        }
        if problems.is_empty() {
            Ok(parameters)
        } else {
            Err(ApiError::bad_request(problems))
        }
    }

    fn set(&mut self, name: &str, value: Cow<'a, str>, asker: Asker) -> Result<(), String> {
        match (name, asker) {
            ("scope", Asker::Proxy) => {
                Scope::parse(&value).map_err(|error| error.to_string())?;
                self.scope = Some(value);
            }
            ("environment", _) => {
                let environment = Environment::from_name(&value);
                self.environment =
                    Some(environment.ok_or_else(|| not_one_of(&Environment::ALL.map(Environment::name)))?);
            }
            ("min_seq", _) => self.min_seq = whole(&value, u64::MAX)?,
            ("rate_limited_status", Asker::Proxy) => match value.as_ref() {
                "403" => self.limit_is_forbidden = true,
                "429" => {}
                _ => return Err(not_one_of(&["403", "429"])),
            },
            ("wait_seconds", Asker::Browser) => self.wait_seconds = whole(&value, LONGEST_WAIT_SECONDS)?,
            _ => return Err("Unknown parameter".to_owned()),
        }
        Ok(())
    }
}

fn whole(text: &str, most: u64) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number| *number <= most)
        .ok_or_else(|| format!("Must be a whole number from 0 to {most}"))
}
