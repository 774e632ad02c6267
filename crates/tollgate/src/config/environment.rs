//! Settings from `TOLLGATE_…` environment variables.

use std::ffi::OsString;

use super::Invalid;
use super::setting::{ALL, Given, Place, Setting};

/// Names the configuration file, like `--config`.
pub const CONFIG: &str = "TOLLGATE_CONFIG";
/// The API key of the commands that ask a server; never a flag, which lists of processes would show.
pub const API_KEY: &str = "TOLLGATE_API_KEY";
/// The base URL of the server that these commands ask, like `--api-url`.
pub const API_URL: &str = "TOLLGATE_API_URL";
/// The secret that `tollgate explain-signature` checks with, better than its flag.
pub const ENDPOINT_SECRET: &str = "TOLLGATE_ENDPOINT_SECRET";

/// What other commands read, and tests.
const OF_OTHERS: [&str; 4] = [CONFIG, API_KEY, API_URL, ENDPOINT_SECRET];
const OF_TESTS: &str = "TOLLGATE_TEST_";

/// What the variables give; an unknown one is an error. An empty one counts as absent.
pub fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Vec<Given>, Invalid> {
    let mut given = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with("TOLLGATE_")) else {
            continue;
        };
        if let Some(setting) = ALL.into_iter().find(|setting| setting.variable() == name) {
            given.extend(one(setting, value)?);
        } else if !(OF_OTHERS.contains(&name) || name.starts_with(OF_TESTS) || is_service_link(name, &value)) {
            let known: Vec<String> = ALL.iter().map(|setting| setting.variable()).collect();
            return Err(Invalid(format!(
                "unknown setting {name} in the environment; the known ones are: {}, {}",
                known.join(", "),
                OF_OTHERS.join(", ")
            )));
        }
    }
    Ok(given)
}

/// What the variable of one setting gives.
pub fn one(setting: &'static Setting, value: OsString) -> Result<Option<Given>, Invalid> {
    let place = Place::Variable(setting.variable());
    let value = value
        .into_string()
        .map_err(|_| Invalid(format!("{place} must be {}; it isn't even UTF-8", setting.form)))?;
    Ok((!value.is_empty()).then(|| Given {
        setting,
        values: setting.split(&value),
        place,
    }))
}

/// What the flag gives, else the variable: for the commands that take only a few of the settings.
pub fn or_flag(setting: &'static Setting, flag: Option<&String>) -> Result<Option<Given>, Invalid> {
    match flag {
        Some(text) => Ok(Given::by_flag(setting, std::slice::from_ref(text))),
        None => std::env::var_os(setting.variable()).map_or(Ok(None), |value| one(setting, value)),
    }
}

/// Kubernetes tells each container of the services beside it: a service that is named `tollgate` gives
/// `TOLLGATE_SERVICE_HOST`, `TOLLGATE_PORT=tcp://…`, `TOLLGATE_PORT_8787_TCP_ADDR` and more, which are no settings.
fn is_service_link(name: &str, value: &OsString) -> bool {
    let is_address = value.to_str().is_some_and(|value| value.contains("://"));
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && is_address)
        || (name.contains("_PORT_") && ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| name.contains(protocol)))
}
