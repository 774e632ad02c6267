//! Both stores, fresh for each test.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use tollgate_storage::Storage;
use tollgate_storage_sql::postgres::{PostgresOptions, PostgresStore};
use tollgate_storage_sql::sqlite::{SqliteOptions, SqliteStore};

/// Which store a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

/// A database of one test.
pub(crate) struct Database {
    place: Place,
    /// The temporary directory, gone with the test.
    _guard: Box<dyn Any + Send + Sync>,
}

enum Place {
    Directory(std::path::PathBuf),
    Url(String),
}

impl Store {
    /// An empty database: a directory of its own, or a schema of its own on the test server.
    pub(crate) async fn fresh(self) -> Database {
        match self {
            Self::Sqlite => {
                let directory = tempfile::tempdir().expect("a temporary directory");
                Database {
                    place: Place::Directory(directory.path().to_owned()),
                    _guard: Box::new(directory),
                }
            }
            Self::Postgres => Database {
                place: Place::Url(fresh_schema().await),
                _guard: Box::new(()),
            },
        }
    }
}

impl Database {
    /// A handle that shares nothing with another one but the database, as another process would have it.
    pub(crate) async fn open(&self) -> Arc<dyn Storage> {
        match &self.place {
            Place::Directory(path) => Arc::new(open_sqlite(path).await),
            Place::Url(url) => {
                let options = PostgresOptions {
                    readers: 2, // many tests run at once, and the server's connections are limited
                    ..PostgresOptions::default()
                };
                Arc::new(PostgresStore::open(url, options).await.expect("the store opens"))
            }
        }
    }
}

async fn open_sqlite(path: &Path) -> SqliteStore {
    let path = path.to_owned();
    let open = tokio::task::spawn_blocking(move || SqliteStore::open(&path, SqliteOptions::default()));
    open.await.expect("opening doesn't panic").expect("the store opens")
}

/// The URL of a new schema; it goes when the server does.
async fn fresh_schema() -> String {
    let server = std::env::var("TOLLGATE_TEST_POSTGRES")
        .expect("TOLLGATE_TEST_POSTGRES names no server to test on: run ./scripts/test, which starts one");
    let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls)
        .await
        .expect("the test server answers");
    let connection = tokio::spawn(connection);
    let name = "SELECT 'api_' || replace(gen_random_uuid()::text, '-', '')";
    let name: String = client.query_one(name, &[]).await.expect("a name").get(0);
    let create = format!("CREATE SCHEMA {name}");
    client.batch_execute(&create).await.expect("a schema");
    drop(client);
    connection.await.expect("no panic").expect("a clean end");
    let joint = if server.contains('?') { '&' } else { '?' };
    format!("{server}{joint}options=-csearch_path%3D{name}")
}
