//! The settings of `serve`: flags, then `TOLLGATE_…` environment variables, then a TOML file, in that order of
//! strength. Whatever isn't a setting, or isn't what the setting takes, is an error that says where it stands.

pub mod environment;
pub mod file;
pub mod setting;
pub mod store;
mod value;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use ipnet::IpNet;

pub use setting::{Given, Place, Setting};
pub use store::StoreAt;

/// The configuration isn't usable: says what, where, and what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// This machine's own networks, which webhooks may be sent into while developing.
pub fn loopback() -> Vec<IpNet> {
    ["127.0.0.0/8", "::1/128"]
        .map(|network| network.parse().expect("a network"))
        .to_vec()
}

/// What `serve` runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where everything durable is.
    pub store: StoreAt,
    /// What clients call the server, without a slash at the end; what they say themselves when absent.
    pub public_url: Option<String>,
    /// How many requests an address may make in a minute; 0 is as many as it likes.
    pub requests_per_minute: u32,
    /// Who may say on whose behalf a request is made.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks that webhooks may be sent into although they aren't public.
    pub allow_network: Vec<IpNet>,
    /// What the links to the errors' pages begin with, without a slash at the end.
    pub documentation_url: String,
    /// Which parts log how much.
    pub log: String,
}

impl Config {
    /// From flags, the environment and the file, in that order of strength.
    pub fn resolve(
        flags: Vec<Given>,
        variables: impl Iterator<Item = (OsString, OsString)>,
        file: Option<&Path>,
    ) -> Result<Self, Invalid> {
        let environment = environment::read(variables)?;
        let file = file.map(file::read).transpose()?.unwrap_or_default();
        // The strongest first, so that the first one found holds.
        let given: Vec<Given> = flags.into_iter().chain(environment).chain(file).collect();
        let strongest = |setting: &'static Setting| given.iter().find(|given| given.setting == setting).cloned();
        let with_default = |setting: &'static Setting| strongest(setting).unwrap_or_else(|| default_of(setting));

        Ok(Self {
            listen: value::address(&with_default(&setting::LISTEN))?,
            store: StoreAt::exactly_one(strongest(&setting::DATA_DIR), strongest(&setting::DATABASE_URL))?,
            public_url: strongest(&setting::PUBLIC_URL)
                .as_ref()
                .map(value::base_url)
                .transpose()?,
            requests_per_minute: value::number(&with_default(&setting::REQUESTS_PER_MINUTE))?,
            trusted_proxies: value::networks(&with_default(&setting::TRUSTED_PROXIES))?,
            allow_network: value::networks(&with_default(&setting::ALLOW_NETWORK))?,
            documentation_url: value::base_url(&with_default(&setting::DOCUMENTATION_URL))?,
            log: value::log_filter(&with_default(&setting::LOG))?,
        })
    }
}

/// A URL that paths can be put after, without the slash at its end; `None` when it is no such URL.
pub fn base_url(text: &str) -> Option<String> {
    value::parse_base_url(text)
}

/// The address that `dev` listens on, by the same rule as `serve`'s.
pub fn listen_flag(text: &str) -> Result<SocketAddr, Invalid> {
    let given = Given::by_flag(&setting::LISTEN, &[text.to_owned()]);
    value::address(&given.unwrap_or_else(|| default_of(&setting::LISTEN)))
}

/// `TOLLGATE_LOG`, or `otherwise`: for the commands that have no other settings.
pub fn log_filter(otherwise: &str) -> Result<String, Invalid> {
    let given = std::env::var_os(setting::LOG.variable()).map(|value| environment::one(&setting::LOG, value));
    match given.transpose()?.flatten() {
        Some(given) => value::log_filter(&given),
        None => Ok(otherwise.to_owned()),
    }
}

fn default_of(setting: &'static Setting) -> Given {
    Given {
        setting,
        values: setting
            .default
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect(),
        place: Place::Default(setting.name),
    }
}

#[cfg(test)]
mod tests;
