//! The contract of storage, kept by both stores.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;
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

/// A schema of its own in the database that `TOLLGATE_TEST_POSTGRES` names.
async fn fresh_schema() -> Fresh {
    let schema = Schema::create().await;
    let url = schema.url();
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
        guard: Box::new(schema),
    }
}

/// A schema that is dropped with this value.
struct Schema(String);

impl Schema {
    async fn create() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let schema = Self(format!("contract_{}_{number}", std::process::id()));
        execute(&server(), &format!("CREATE SCHEMA {}", schema.0)).await;
        schema
    }

    /// The server's URL, with this schema for all that is named without one.
    fn url(&self) -> String {
        let server = server();
        let separator = if server.contains('?') { '&' } else { '?' };
        format!("{server}{separator}options=-csearch_path%3D{}", self.0)
    }
}

impl Drop for Schema {
    /// Also after a failure, when the test's runtime can't be waited in.
    fn drop(&mut self) {
        let statement = format!("DROP SCHEMA {} CASCADE", self.0);
        let drop = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(execute(&server(), &statement));
        };
        if std::thread::spawn(drop).join().is_err() {
            eprintln!("schema {} is left behind", self.0);
        }
    }
}

fn server() -> String {
    std::env::var("TOLLGATE_TEST_POSTGRES")
        .expect("TOLLGATE_TEST_POSTGRES names no PostgreSQL server: run ./scripts/test, which starts one")
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the server of the tests answers");
    tokio::spawn(connection);
    client
}

async fn execute(url: &str, statement: &str) {
    connect(url).await.batch_execute(statement).await.expect(statement);
}

/// Table, column, type as SQLite names it, whether it may be NULL.
type Column = (String, String, String, bool);

#[tokio::test(flavor = "multi_thread")]
async fn both_stores_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (sqlite_columns(), postgres_columns().await);
    let only = |of: &BTreeSet<Column>, and: &BTreeSet<Column>| of.difference(and).cloned().collect::<Vec<_>>();
    assert_eq!(only(&sqlite, &postgres), [], "only in SQLite");
    assert_eq!(only(&postgres, &sqlite), [], "only in PostgreSQL");
    assert!(
        sqlite
            .iter()
            .any(|(table, column, ..)| (table.as_str(), column.as_str()) == ("events", "sequence"))
    );
}

fn sqlite_columns() -> BTreeSet<Column> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    drop(SqliteStore::open(directory.path(), SqliteOptions::default()).expect("a fresh store"));
    let database = rusqlite::Connection::open(directory.path().join("tollgate.sqlite3")).expect("the store's file");
    let mut columns = database
        .prepare(
            "SELECT tables.name, columns.name, columns.type, columns.\"notnull\" = 0 \
             FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )
        .expect("a query");
    let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    columns
        .expect("an answer")
        .map(|column| column.expect("a column"))
        .collect()
}

async fn postgres_columns() -> BTreeSet<Column> {
    let schema = Schema::create().await;
    drop(
        PostgresStore::open(&schema.url(), PostgresOptions::default())
            .await
            .expect("a fresh store"),
    );
    let columns = connect(&schema.url())
        .await
        .query(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
             FROM information_schema.columns WHERE table_schema = $1",
            &[&schema.0],
        )
        .await
        .expect("an answer");
    let named = |data_type: String| match data_type.as_str() {
        "bigint" => "INTEGER".to_owned(),
        "text" => "TEXT".to_owned(),
        "bytea" => "BLOB".to_owned(),
        _ => data_type,
    };
    columns
        .iter()
        .map(|row| (row.get(0), row.get(1), named(row.get(2)), row.get(3)))
        .collect()
}
