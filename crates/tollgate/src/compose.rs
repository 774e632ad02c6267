//! The one place that names a backend: opens the store, puts the use-cases over it, and serves them.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;
use tollgate_delivery::{Delivery, Fetcher, Mailer, Sender};
use tollgate_domain::ambient::Clock as _;
use tollgate_domain::verdict::TokenFacts;
use tollgate_service::ambient::{OsEntropy, SystemClock};
use tollgate_service::{Fetch, FetchFailed, Housekeeping, OpenIdProvider, Service, Verification};
use tollgate_storage::Storage;
use tollgate_storage_sql::postgres::{self, PostgresOptions, PostgresStore};
use tollgate_storage_sql::sqlite::{self, SqliteOptions, SqliteStore};

use crate::config::{OpenId, SignIn, StoreAt};

/// The file that the embedded store keeps in its directory.
const SQLITE_FILE: &str = "tollgate.sqlite3";

/// An open store, and the use-cases over it.
pub struct Store {
    backend: Backend,
    service: Service,
}

enum Backend {
    Sqlite(SqliteStore),
    Postgres(Arc<PostgresStore>),
}

impl Store {
    /// Opens what `at` names; makes the directory and brings the schema up to date.
    pub async fn open(at: &StoreAt) -> anyhow::Result<Self> {
        match at {
            StoreAt::DataDir(dir) => Self::sqlite(dir, SqliteOptions::default()).await,
            StoreAt::DatabaseUrl(url) => Self::postgres(url.expose_secret(), PostgresOptions::default()).await,
        }
    }

    /// The same, but the embedded store must be there already: a mistyped directory shall not become an empty one.
    pub async fn open_existing(at: &StoreAt) -> anyhow::Result<Self> {
        if let StoreAt::DataDir(dir) = at
            && !dir.join(SQLITE_FILE).exists()
        {
            anyhow::bail!(
                "there is no Tollgate data in {dir}: check the directory, or begin there with\n  \
                 tollgate workspace create --data-dir {dir} --name NAME --environment sandbox",
                dir = dir.display()
            );
        }
        Self::open(at).await
    }

    /// The embedded store in `dir`.
    pub async fn sqlite(dir: &Path, options: SqliteOptions) -> anyhow::Result<Self> {
        let (path, shown) = (dir.to_owned(), dir.display());
        let store = spawn_blocking(move || SqliteStore::open(&path, options))
            .await?
            .with_context(|| format!("can't open the data in {shown}"))?;
        Ok(Self {
            service: service(Arc::new(store.clone())),
            backend: Backend::Sqlite(store),
        })
    }

    /// The PostgreSQL database of this URL.
    pub async fn postgres(url: &str, options: PostgresOptions) -> anyhow::Result<Self> {
        // A large future, that only this store needs.
        let store = Box::pin(PostgresStore::open(url, options))
            .await
            .context("can't open the PostgreSQL database")?;
        let store = Arc::new(store);
        let storage: Arc<dyn Storage> = store.clone();
        Ok(Self {
            service: service(storage),
            backend: Backend::Postgres(store),
        })
    }

    /// The use-cases.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The store itself.
    pub fn storage(&self) -> &dyn Storage {
        match &self.backend {
            Backend::Sqlite(store) => store,
            Backend::Postgres(store) => store.as_ref(),
        }
    }

    fn shared_storage(&self) -> Arc<dyn Storage> {
        match &self.backend {
            Backend::Sqlite(store) => Arc::new(store.clone()),
            Backend::Postgres(store) => Arc::clone(store) as Arc<dyn Storage>,
        }
    }

    /// Before deliveries begin: what a server that crashed had under way needn't wait for its leases to end.
    async fn begin_delivering(&self) {
        let Backend::Sqlite(store) = &self.backend else {
            return; // whose nodes can't tell which of them are gone
        };
        let store = store.clone();
        let begun = spawn_blocking(move || store.begin_delivering(SystemClock.now(), tollgate_delivery::LEASE));
        match begun
            .await
            .map_err(anyhow::Error::from)
            .map(|begun| begun.map_err(anyhow::Error::from))
        {
            Ok(Ok(0)) => {}
            Ok(Ok(again)) => tracing::info!(notifications = again, "deliveries that were cut off are made again"),
            Ok(Err(error)) | Err(error) => {
                tracing::warn!(%error, "deliveries that were cut off wait for their leases to end");
            }
        }
    }

    /// Finishes what is queued, then closes.
    pub async fn close(self) {
        match self.backend {
            Backend::Sqlite(store) => {
                if let Err(error) = spawn_blocking(move || store.close()).await {
                    tracing::error!(%error, "could not close the store");
                }
            }
            Backend::Postgres(store) => store.close().await,
        }
    }
}

/// A store whose client tokens are in memory, so that they can be checked.
pub struct Loaded {
    store: Store,
    verification: Arc<Verification>,
}

impl Loaded {
    /// Takes all client tokens of `store` into memory.
    pub async fn load(store: Store, settings: tollgate_verifier::Settings) -> anyhow::Result<Self> {
        let loading = Verification::load(store.shared_storage(), Arc::new(SystemClock), &OsEntropy, settings);
        let verification = loading.await.context("can't load the client tokens")?;
        Ok(Self { store, verification })
    }

    /// The checks.
    pub const fn verification(&self) -> &Arc<Verification> {
        &self.verification
    }
}

fn service(storage: Arc<dyn Storage>) -> Service {
    Service::new(storage, Arc::new(SystemClock), Arc::new(OsEntropy))
}

/// What a server does beside answering requests.
#[derive(Clone, Debug, Default)]
pub struct Background {
    /// How long things are kept.
    pub housekeeping: Housekeeping,
    /// How deliveries are made.
    pub delivery: tollgate_delivery::Settings,
    /// Where mail goes out, if it does.
    pub mailer: Option<Mailer>,
    /// How people sign in to the dashboard.
    pub sign_in: SignIn,
}

/// Serves, checks and delivers over a store until `stop`, finishes what is in flight, and closes the store.
pub async fn serve(
    listener: TcpListener,
    Loaded { store, verification }: Loaded,
    settings: tollgate_web::Settings,
    background: Background,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let sender = Sender::new(settings.guard.clone()).context("can't read this machine's certificates")?;
    let delivery = Delivery::new(
        store.shared_storage(),
        (Arc::new(SystemClock), Arc::new(OsEntropy)),
        (sender, background.mailer),
        background.delivery,
    );
    let openid = background.sign_in.openid.map(provider).transpose()?;
    // What is changed here is known to the checks at once.
    let knowing = Arc::clone(&verification);
    let service = store
        .service()
        .clone()
        .with_sign_in(background.sign_in.methods, openid)
        .with_token_watch(Arc::new(move |_, facts: &TokenFacts| knowing.apply(facts)));
    store.begin_delivering().await;
    // The tasks live a little longer than the requests that may need them.
    let requests_done = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let (following, done) = (service.clone(), requests_done.clone());
    tasks.spawn(async move { following.follow_api_keys(done).await });
    let (keeping, done) = (service.clone(), requests_done.clone());
    tasks.spawn(async move { keeping.keep_house(background.housekeeping, done).await });
    tasks.spawn(delivery.run(requests_done.clone()));
    tasks.spawn(Arc::clone(&verification).run(requests_done.clone()));

    let app = tollgate_web::App::new(service, verification, settings);
    let served = tollgate_web::serve(listener, app, stop).await;

    requests_done.cancel();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task of the server failed");
        }
    }
    store.close().await;
    served.context("the server could not go on")
}

/// The provider, whom nothing is asked until somebody signs in.
fn provider(settings: OpenId) -> anyhow::Result<OpenIdProvider> {
    let fetcher = Fetcher::new().context("can't read this machine's certificates")?;
    let fetch: Fetch = Arc::new(move |request| {
        let fetcher = fetcher.clone();
        Box::pin(async move {
            let answer = fetcher.fetch(request).await;
            answer.map_err(|error| FetchFailed(error.to_string()))
        })
    });
    OpenIdProvider::new(&settings.issuer, &settings.client_id, settings.client_secret, fetch)
        .context("the sign-in provider's issuer is no URL")
}

/// Brings the schema of `at` up to date; the versions before and after.
pub async fn migrate(at: &StoreAt) -> anyhow::Result<(u32, u32)> {
    match at {
        StoreAt::DataDir(dir) => {
            let (path, shown) = (dir.clone(), dir.display());
            spawn_blocking(move || sqlite::migrate(&path))
                .await?
                .with_context(|| format!("can't migrate the data in {shown}"))
        }
        StoreAt::DatabaseUrl(url) => postgres::migrate(url.expose_secret())
            .await
            .context("can't migrate the PostgreSQL database"),
    }
}
