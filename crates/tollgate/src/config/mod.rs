//! The settings of `serve`: flags, then `TOLLGATE_…` environment variables, then a TOML file, in that order of
//! strength. Whatever isn't a setting, or isn't what the setting takes, is an error that says where it stands.

pub mod environment;
pub mod file;
mod mail;
pub mod setting;
mod sign_in;
pub mod store;
mod value;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use ipnet::IpNet;
use tollgate_delivery::Mailer;
use tollgate_domain::environment::Environment;
use tollgate_domain::retry_schedule::RetrySchedule;
use tollgate_service::Housekeeping;

pub use mail::{mailer_from_flags, public_url_from_flag};
pub use setting::{Given, Place, Setting};
pub use sign_in::{OpenId, SignIn};
pub use store::StoreAt;

use sign_in::GivenOpenId;

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
    /// When failed deliveries of sandbox workspaces are tried again.
    pub sandbox_retries: RetrySchedule,
    /// The same for live ones.
    pub live_retries: RetrySchedule,
    /// How long things are kept.
    pub housekeeping: Housekeeping,
    /// How client tokens are checked.
    pub verifier: tollgate_verifier::Settings,
    /// What sends mail, if anything does.
    pub mailer: Option<Mailer>,
    /// How people sign in to the dashboard.
    pub sign_in: SignIn,
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

        let deactivate_after = value::days(&with_default(&setting::DEACTIVATE_AFTER_DAYS), 0)?;
        let documented = || Ok(RetrySchedule::documented(Environment::Live));

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
            sandbox_retries: value::retries(&with_default(&setting::SANDBOX_RETRIES))?,
            live_retries: strongest(&setting::LIVE_RETRIES).map_or_else(documented, |given| value::retries(&given))?,
            housekeeping: Housekeeping {
                retention: value::days(&with_default(&setting::RETENTION_DAYS), 1)?,
                deactivate_after: (!deactivate_after.is_zero()).then_some(deactivate_after),
            },
            verifier: tollgate_verifier::Settings {
                max_age: value::index_age(
                    &with_default(&setting::INDEX_MAX_AGE_SECONDS),
                    &with_default(&setting::STALE_INDEX),
                )?,
            },
            mailer: mail::both_or_neither(strongest(&setting::SMTP_URL), strongest(&setting::SMTP_FROM))?,
            sign_in: sign_in::sign_in(
                &with_default(&setting::SIGN_IN_PASSWORDS),
                &with_default(&setting::SIGN_IN_PASSKEYS),
                GivenOpenId {
                    issuer: strongest(&setting::OPENID_ISSUER),
                    client_id: strongest(&setting::OPENID_CLIENT_ID),
                    client_secret: strongest(&setting::OPENID_CLIENT_SECRET),
                    name: strongest(&setting::OPENID_NAME),
                },
                &default_of(&setting::OPENID_NAME),
            )?,
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

/// The networks that `dev` opens, by the same rule as `serve`'s: this machine's own, and these.
pub fn allow_network_flags(texts: &[String]) -> Result<Vec<IpNet>, Invalid> {
    let given = Given::by_flag(&setting::ALLOW_NETWORK, texts);
    let mut networks = loopback();
    networks.extend(value::networks(
        &given.unwrap_or_else(|| default_of(&setting::ALLOW_NETWORK)),
    )?);
    Ok(networks)
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
