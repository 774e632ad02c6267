//! `tollgate serve`: a server for production.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;
use tollgate_delivery::Guard;

use super::runtime;
use crate::compose::{self, Background, Loaded, Store};
use crate::config::setting::{self, Setting};
use crate::config::{Config, Given, environment};
use crate::output::Output;
use crate::{logging, signals};

#[derive(Debug, Args)]
#[command(after_help = "\
Each setting is a flag, or an environment variable (--public-url is TOLLGATE_PUBLIC_URL), or a line of the file that \
--config names (public_url = \"…\"). A flag is stronger than a variable, a variable stronger than the file. The file \
tollgate.default.toml explains every setting.

Stops on SIGTERM or Ctrl-C, after the requests in flight are finished.

Examples:
  tollgate serve --data-dir /var/lib/tollgate --listen 0.0.0.0:8787
  TOLLGATE_DATABASE_URL=postgres://… tollgate serve --config /etc/tollgate.toml")]
pub(super) struct Serve {
    /// The address and port to listen on. [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The directory of the embedded database; it is made when it is missing. Give this or --database-url.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// The URL of a PostgreSQL database. Better given as TOLLGATE_DATABASE_URL, as other users of the machine can see
    /// flags.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// A TOML file with settings. [env: TOLLGATE_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The URL under which clients reach the server; links in answers begin with it. Needed behind a proxy that
    /// doesn't say what it was called.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// How many requests a client's address may make in a minute; 0 switches the limit off. [default: 240]
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<String>,
    /// A network whose proxies are believed when they say for whom they ask. May be repeated. [default: this machine]
    #[arg(long, value_name = "CIDR")]
    trusted_proxies: Vec<String>,
    /// A private network that webhooks may be sent into. May be repeated. [default: none]
    #[arg(long, value_name = "CIDR")]
    allow_network: Vec<String>,
    /// How many seconds to wait before each retry of a delivery that failed, in sandbox workspaces; `none` for no retry.
    /// [default: 60,240,540]
    #[arg(long, value_name = "SECONDS,…")]
    sandbox_retries: Option<String>,
    /// The same in live workspaces. [default: 60 retries within three days]
    #[arg(long, value_name = "SECONDS,…")]
    live_retries: Option<String>,
    /// For how many seconds client tokens are checked without news from the database. [default: 30]
    #[arg(long, value_name = "SECONDS")]
    index_max_age_seconds: Option<String>,
    /// What happens past that: `refuse` every client token, or `trust` what was known last. [default: refuse]
    #[arg(long, value_name = "refuse|trust")]
    stale_index: Option<String>,
    /// After how many days without a single success a webhook destination is switched off; 0 for never. [default: 5]
    #[arg(long, value_name = "DAYS")]
    deactivate_after_days: Option<String>,
    /// How many days to keep events, notifications and their logs. [default: 90]
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<String>,
    /// The mail server for email destinations, such as smtp://user:password@host:587?tls=required. Better given as
    /// TOLLGATE_SMTP_URL, as other users of the machine can see flags. [default: no mail]
    #[arg(long, value_name = "URL")]
    smtp_url: Option<String>,
    /// The address that mail comes from; needed with --smtp-url.
    #[arg(long, value_name = "ADDRESS")]
    smtp_from: Option<String>,
    /// Whether people sign in to the dashboard with passwords. [default: true]
    #[arg(long, value_name = "true|false")]
    sign_in_passwords: Option<String>,
    /// The same with passkeys. [default: true]
    #[arg(long, value_name = "true|false")]
    sign_in_passkeys: Option<String>,
    /// The OpenID Connect provider through which people sign in, such as https://id.example. [default: none]
    #[arg(long, value_name = "URL")]
    openid_issuer: Option<String>,
    /// The id under which Tollgate is registered there.
    #[arg(long, value_name = "ID")]
    openid_client_id: Option<String>,
    /// The secret that the provider gave for it. Better given as TOLLGATE_OPENID_CLIENT_SECRET, as other users of the
    /// machine can see flags.
    #[arg(long, value_name = "SECRET")]
    openid_client_secret: Option<String>,
    /// What people call the provider. [default: single sign-on]
    #[arg(long, value_name = "NAME")]
    openid_name: Option<String>,
    /// What the links to the explanations of errors begin with. [default: https://developer.paddle.com]
    #[arg(long, value_name = "URL")]
    documentation_url: Option<String>,
    /// How much to log: error, warn, info, debug or trace; info,tollgate::http=debug adds a line for each request.
    /// [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

impl Serve {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let file = self.config.clone().or_else(|| {
            let file = std::env::var_os(environment::CONFIG);
            file.filter(|file| !file.is_empty()).map(PathBuf::from)
        });
        let config = Config::resolve(self.given(), std::env::vars_os(), file.as_deref())?;
        logging::serve(&config.log);
        runtime()?.block_on(serve(config, output))
    }

    fn given(self) -> Vec<Given> {
        let one = |setting: &'static Setting, text: Option<String>| Given::by_flag(setting, text.as_slice());
        let given = [
            one(&setting::LISTEN, self.listen),
            one(&setting::DATA_DIR, self.data_dir),
            one(&setting::DATABASE_URL, self.database_url),
            one(&setting::PUBLIC_URL, self.public_url),
            one(&setting::REQUESTS_PER_MINUTE, self.requests_per_minute),
            Given::by_flag(&setting::TRUSTED_PROXIES, &self.trusted_proxies),
            Given::by_flag(&setting::ALLOW_NETWORK, &self.allow_network),
            one(&setting::SANDBOX_RETRIES, self.sandbox_retries),
            one(&setting::LIVE_RETRIES, self.live_retries),
            one(&setting::INDEX_MAX_AGE_SECONDS, self.index_max_age_seconds),
            one(&setting::STALE_INDEX, self.stale_index),
            one(&setting::DEACTIVATE_AFTER_DAYS, self.deactivate_after_days),
            one(&setting::RETENTION_DAYS, self.retention_days),
            one(&setting::SMTP_URL, self.smtp_url),
            one(&setting::SMTP_FROM, self.smtp_from),
            one(&setting::SIGN_IN_PASSWORDS, self.sign_in_passwords),
            one(&setting::SIGN_IN_PASSKEYS, self.sign_in_passkeys),
            one(&setting::OPENID_ISSUER, self.openid_issuer),
            one(&setting::OPENID_CLIENT_ID, self.openid_client_id),
            one(&setting::OPENID_CLIENT_SECRET, self.openid_client_secret),
            one(&setting::OPENID_NAME, self.openid_name),
            one(&setting::DOCUMENTATION_URL, self.documentation_url),
            one(&setting::LOG, self.log),
        ];
        given.into_iter().flatten().collect()
    }
}

async fn serve(config: Config, output: Output) -> anyhow::Result<()> {
    let stop = signals::stop_requested()?;
    // Before the database is touched: a server that can't listen shall change nothing.
    let listener = listen(config.listen, "tollgate serve --listen").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let store = Store::open(&config.store).await?;
    let is_new = store.service().workspaces().await?.is_empty();
    let loaded = Loaded::load(store, config.verifier).await?;
    output.result(&json!({ "url": url }), |out| {
        writeln!(out, "Tollgate {} listens on {url}", env!("CARGO_PKG_VERSION"))
    })?;
    if is_new {
        tracing::info!("there is no workspace yet: make one with `tollgate workspace create`, then a key for it");
    }
    let settings = tollgate_web::Settings {
        public_url: config.public_url,
        requests_per_minute: config.requests_per_minute,
        trusted_proxies: config.trusted_proxies,
        documentation_url: config.documentation_url,
        guard: Guard::new(config.allow_network),
        mailer: config.mailer.clone(),
        ..tollgate_web::Settings::default()
    };
    let background = Background {
        housekeeping: config.housekeeping,
        delivery: tollgate_delivery::Settings {
            sandbox_schedule: config.sandbox_retries,
            live_schedule: config.live_retries,
            ..tollgate_delivery::Settings::default()
        },
        mailer: config.mailer,
        sign_in: config.sign_in,
    };
    compose::serve(listener, loaded, settings, background, stop).await
}

/// Listens on `address`; when it is taken, says what to do about it. `flag` is the command with which another one is
/// chosen.
pub(super) async fn listen(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let error = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        return Err(error).with_context(|| format!("can't listen on {address}"));
    }
    let free = SocketAddr::new(address.ip(), address.port().wrapping_add(1).max(1024));
    bail!(
        "{address} is taken: another program listens there, maybe another Tollgate. Stop that one, or choose another \
         address:\n  {flag} {free}"
    )
}
