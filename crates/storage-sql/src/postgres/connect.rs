//! Connections: from the URL to one that is set up as every query here expects.
//!
//! `sslmode` as in PostgreSQL's own URLs: `disable` never encrypts, `prefer` (the default) does when the server can,
//! `require` insists. Whenever TLS is used, the server's certificate must be trusted by this machine and name the
//! host; `SSL_CERT_FILE` names a file of other authorities to trust.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Notification, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tollgate_storage::StorageError;
use tracing::{debug, warn};

use super::failure::{Failure, unavailable};

/// What every connection is told first, in one round trip.
///
/// The plans: every query here has its index, and a plan that was made while a table was small is kept while it
/// grows, so plans that read or sort a whole table are ruled out from the start (and what then looks costly must not
/// be compiled). The time limit: whoever stops in the middle of a transaction would stop every node's writes.
/// `synchronous_commit`: an acknowledged change survives power loss, whatever the server's default; any stronger
/// setting than `on`, or one that somebody chose for their replicas, stays.
const SET_UP: &str = "
    SET default_transaction_isolation = 'read committed';
    SET default_transaction_deferrable = off;
    SET idle_in_transaction_session_timeout = '10s';
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET jit = off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// How long a new connection may take, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may leave what was sent unacknowledged, unless the URL says otherwise.
const SILENCE: Duration = Duration::from_secs(10);

type Connection = tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;
type Connected = (Client, JoinHandle<()>);

/// Makes connections to the database of one URL.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    /// Reads the URL; connects to nothing yet.
    pub(super) fn new(url: &str) -> Result<Self, StorageError> {
        let mut config: Config = url.parse().map_err(|error| unreadable_url(&error))?;
        if config.get_application_name().is_none() {
            config.application_name("tollgate");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_keepalives_interval().is_none() {
            config
                .keepalives_idle(SILENCE)
                .keepalives_interval(SILENCE / 4)
                .keepalives_retries(4);
        }
        let tls = tls(&config)?;
        Ok(Self { config, tls })
    }

    /// A connection that is set up, and the task that drives it; the task ends with the client.
    pub(super) async fn connect(&self) -> Result<Connected, tokio_postgres::Error> {
        self.connect_hearing(|_| {}).await
    }

    /// The same; what is notified on it is handed to `heard`.
    pub(super) async fn connect_hearing(
        &self,
        heard: impl FnMut(&Notification) + Send + 'static,
    ) -> Result<Connected, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        let driver = tokio::spawn(drive(connection, heard));
        client.batch_execute(SET_UP).await?;
        Ok((client, driver))
    }
}

impl deadpool_postgres::Connect for Connector {
    fn connect(
        &self,
        _: &Config, // the same that we hold
    ) -> Pin<Box<dyn Future<Output = Result<Connected, tokio_postgres::Error>> + Send + '_>> {
        Box::pin(Self::connect(self))
    }
}

impl Connector {
    /// What the pool wants beside the connector; it hands it back when it connects.
    pub(super) fn config(&self) -> Config {
        self.config.clone()
    }
}

async fn drive(mut connection: Connection, mut heard: impl FnMut(&Notification)) {
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    while let Some(message) = messages.next().await {
        match message {
            Ok(AsyncMessage::Notification(notification)) => heard(&notification),
            Ok(AsyncMessage::Notice(notice)) => debug!(message = notice.message(), "PostgreSQL notes"),
            Ok(_) => {}
            Err(error) => {
                warn!(error = %Failure::from(error), "a connection to PostgreSQL broke");
                return;
            }
        }
    }
}

/// The URL itself stays out of the error; so does what the parser took for the name of an option, as it can be the
/// second half of a password with a reserved character in it.
fn unreadable_url(error: &tokio_postgres::Error) -> StorageError {
    let reason = std::error::Error::source(error).map(ToString::to_string);
    let reason = match reason {
        Some(reason) if reason.starts_with("invalid value for option") => format!(" ({reason})"),
        _ => String::new(),
    };
    StorageError::Unavailable(
        format!(
            "the database's URL can't be read{reason}: write postgres://user:password@host:5432/database?sslmode=require, \
             with reserved characters of the password percent-encoded; sslmode is disable, prefer or require"
        )
        .into(),
    )
}

fn tls(config: &Config) -> Result<MakeRustlsConnect, StorageError> {
    // Another provider that the program has chosen before stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let by_network = config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)));
    let wanted = config.get_ssl_mode() != SslMode::Disable && by_network;
    if wanted {
        match MakeRustlsConnect::with_native_certs() {
            Ok((tls, errors)) => {
                for error in errors {
                    warn!(%error, "a certificate that this machine trusts can't be read");
                }
                return Ok(tls);
            }
            Err(_) if config.get_ssl_mode() == SslMode::Require => {
                return Err(unavailable(Failure::Plain(
                    "sslmode=require, but this machine trusts no certificate authority: install ca-certificates or set \
                     SSL_CERT_FILE",
                )));
            }
            Err(_) => warn!("this machine trusts no certificate authority: a server that speaks TLS will be refused"),
        }
    }
    Ok(MakeRustlsConnect::new(
        ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    ))
}
