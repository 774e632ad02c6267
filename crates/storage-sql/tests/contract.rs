//! The contract of storage, kept by both stores.

use std::sync::Arc;

use tollgate_storage::contract::Fresh;
use tollgate_storage::{Storage, StorageError, contract_suite};
use tollgate_storage_sql::postgres::{PostgresOptions, PostgresStore};
use tollgate_storage_sql::sqlite::{SqliteOptions, SqliteStore};

contract_suite!(sqlite, fresh_sqlite_file());
contract_suite!(postgres, fresh_schema());

/// A database in a temporary directory of its own.
async fn fresh_sqlite_file() -> Fresh {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().to_owned();
    let open = move || {
        let path = path.clone();
        let open = tokio::task::spawn_blocking(move || SqliteStore::open(&path, SqliteOptions::default()));
        async move {
            let store: Arc<dyn Storage> = Arc::new(open.await.expect("opening doesn't panic")?);
            Ok::<_, StorageError>(store)
        }
    };
    Fresh {
        store: open().await.expect("a fresh store"),
        another: Box::new(move || Box::pin(open())),
        guard: Box::new(directory),
    }
}

/// A schema of its own on the test server; it goes when the server does.
async fn fresh_schema() -> Fresh {
    let server = std::env::var("TOLLGATE_TEST_POSTGRES")
        .expect("TOLLGATE_TEST_POSTGRES names no server to test on: run ./scripts/test, which starts one");
    let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls)
        .await
        .expect("the test server answers");
    let connection = tokio::spawn(connection);
    let name = "SELECT 'contract_' || replace(gen_random_uuid()::text, '-', '')";
    let name: String = client.query_one(name, &[]).await.expect("a name").get(0);
    let create = format!("CREATE SCHEMA {name}");
    client.batch_execute(&create).await.expect("a schema");
    drop(client);
    connection.await.expect("no panic").expect("a clean end");
    let joint = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{joint}options=-csearch_path%3D{name}");
    let open = move || {
        let url = url.clone();
        async move {
            let options = PostgresOptions {
                readers: 2, // many cases run at once, and the server's connections are limited
                ..PostgresOptions::default()
            };
            let store: Arc<dyn Storage> = Arc::new(PostgresStore::open(&url, options).await?);
            Ok::<_, StorageError>(store)
        }
    };
    Fresh {
        store: open().await.expect("a fresh store"),
        another: Box::new(move || Box::pin(open())),
        guard: Box::new(()),
    }
}
