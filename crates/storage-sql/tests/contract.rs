//! The contract of storage, kept by both stores.

use std::sync::Arc;

use tollgate_storage::contract::Fresh;
use tollgate_storage::{Storage, StorageError, contract_suite};
use tollgate_storage_sql::sqlite::{SqliteOptions, SqliteStore};

contract_suite!(sqlite, fresh_sqlite_file());

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
