//! The schema, brought up to date by whichever node comes first; the others wait for it.

use tokio_postgres::Client;
use tollgate_storage::StorageError;
use tracing::info;

use super::connect::Connector;
use super::failure::{Failure, unavailable};
use crate::migrations;

/// Held while migrating; nodes of other schemas in the same database have a lock of their own.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('tollgate schema ' || current_schema(), 0))";

const CREATE_VERSIONS: &str = "CREATE TABLE schema_version (
    version BIGINT NOT NULL PRIMARY KEY,
    applied_at BIGINT NOT NULL -- microseconds since 1970
)";

/// `clock_timestamp` and not `now`: the server's clock at this statement.
const RECORD: &str = "INSERT INTO schema_version (version, applied_at)
    VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)";

/// Brings the schema of this database to [`crate::LATEST_SCHEMA_VERSION`]; answers the version before and after.
pub async fn migrate(url: &str) -> Result<(u32, u32), StorageError> {
    migrate_to(url, migrations::LATEST).await
}

/// The same up to `version` and no further, to rehearse the upgrade of an older database.
pub async fn migrate_to(url: &str, version: u32) -> Result<(u32, u32), StorageError> {
    bring_to(&Connector::new(url)?, version).await
}

pub(super) async fn bring_to(connector: &Connector, version: u32) -> Result<(u32, u32), StorageError> {
    let (mut client, _driver) = connector.connect().await.map_err(unavailable)?;
    let schema: Option<String> = client
        .query_one("SELECT current_schema()::text", &[])
        .await
        .map_err(unavailable)?
        .get(0);
    if schema.is_none() {
        return Err(unavailable(Failure::Plain(
            "no schema of the search_path exists: create it first, or leave search_path as it is",
        )));
    }
    client.query_one(LOCK, &[]).await.map_err(unavailable)?; // released when the connection ends, however it ends
    let from = found(&client).await?;
    let mut to = from;
    for migration in migrations::missing(from, version)? {
        let transaction = client.transaction().await.map_err(unavailable)?;
        transaction
            .batch_execute(migration.postgres)
            .await
            .map_err(unavailable)?;
        transaction
            .execute(RECORD, &[&i64::from(migration.version)])
            .await
            .map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)?;
        info!(version = migration.version, "the database's schema is migrated");
        to = migration.version;
    }
    Ok((from, to))
}

/// The version in the database; 0 in an empty one. Looks before it creates, since who may not create anything may
/// still start on a schema that is up to date.
async fn found(client: &Client) -> Result<u32, StorageError> {
    let exists: bool = client
        .query_one(
            "SELECT to_regclass(quote_ident(current_schema()) || '.schema_version') IS NOT NULL",
            &[],
        )
        .await
        .map_err(unavailable)?
        .get(0);
    if !exists {
        client.batch_execute(CREATE_VERSIONS).await.map_err(unavailable)?;
    }
    let version: i64 = client
        .query_one("SELECT coalesce(max(version), 0) FROM schema_version", &[])
        .await
        .map_err(unavailable)?
        .get(0);
    u32::try_from(version).map_err(|error| StorageError::Corrupt(format!("schema_version.version {version}: {error}")))
}
