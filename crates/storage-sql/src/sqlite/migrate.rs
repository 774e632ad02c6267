//! Bringing the file's schema up to date, whole or not at all, also when two processes try at once.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use tollgate_storage::StorageError;

use super::connection;
use super::rows::failed;
use crate::migrations;

/// Brings the database in `dir` to the latest version; gives the versions before and after.
pub fn migrate(dir: &Path) -> Result<(u32, u32), StorageError> {
    migrate_to(dir, migrations::LATEST)
}

/// Brings the database in `dir` to `version`, for tests of upgrades; gives the versions before and after.
pub fn migrate_to(dir: &Path, version: u32) -> Result<(u32, u32), StorageError> {
    run(&mut connection::open_directory(dir)?, version)
}

/// Brings an open database to the latest version.
pub(super) fn to_latest(connection: &mut Connection) -> Result<(u32, u32), StorageError> {
    run(connection, migrations::LATEST)
}

fn run(connection: &mut Connection, target: u32) -> Result<(u32, u32), StorageError> {
    // Looked at first without a write lock, so that a start beside a busy process waits for nobody.
    if found(connection).map_err(failed)? == target {
        return Ok((target, target));
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let before = found(&transaction).map_err(failed)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL) \
             STRICT, WITHOUT ROWID",
        )
        .map_err(failed)?;
    for migration in migrations::missing(before, target)? {
        transaction.execute_batch(migration.sqlite).map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO schema_version (version, applied_at) VALUES (?1, unixepoch('subsec') * 1000000)",
                [migration.version],
            )
            .map_err(failed)?;
        tracing::info!(version = migration.version, "schema migrated");
    }
    transaction.commit().map_err(failed)?;
    Ok((before, before.max(target)))
}

/// The version of the database; 0 when it is empty.
fn found(connection: &Connection) -> rusqlite::Result<u32> {
    let made: Option<i64> = connection
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    match made {
        None => Ok(0),
        Some(_) => connection.query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| {
            row.get(0)
        }),
    }
}

#[cfg(test)]
mod tests {
    use tollgate_domain::event::EventType;
    use tollgate_domain::id::ApiKeyId;
    use tollgate_domain::permission::{Permission, PermissionSet};
    use tollgate_domain::user::EmailAddress;
    use tollgate_storage::Storage;
    use tollgate_storage::contract::seed;

    use super::super::{SqliteOptions, SqliteStore};
    use super::*;

    #[tokio::test]
    async fn an_upgrade_leaves_each_key_what_it_was_granted() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(migrate_to(dir.path(), 1).unwrap(), (0, 1));
        connection::open(dir.path())
            .unwrap()
            .execute_batch(
                "INSERT INTO api_keys VALUES ('apikey_01khqw72q437v2n2wtbrraawbn', 'wsp_01khqw72q437v2n2wtbrraawbn', \
                 'sandbox', 'Integration', NULL, zeroblob(32), 'active', 'client_token.read client_token.write', NULL, NULL, \
                 NULL, 0, 0, 1)",
            )
            .unwrap();

        assert_eq!(migrate(dir.path()).unwrap(), (1, migrations::LATEST));

        let store = SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap();
        let id = ApiKeyId::parse("apikey_01khqw72q437v2n2wtbrraawbn").unwrap();
        let key = store.api_key(id).await.unwrap().unwrap();
        let granted: PermissionSet = [Permission::CLIENT_TOKEN_READ, Permission::CLIENT_TOKEN_WRITE]
            .into_iter()
            .collect();
        assert_eq!(key.permissions, granted);
    }

    #[tokio::test]
    async fn an_upgrade_leaves_each_client_token_as_it_was_unrestricted() {
        let dir = tempfile::tempdir().unwrap();
        migrate_to(dir.path(), 4).unwrap();
        let (workspace, token) = (seed::workspace(1), seed::client_token(&seed::workspace(1), 1));
        connection::open(dir.path())
            .unwrap()
            .execute_batch(&format!(
                "INSERT INTO client_tokens VALUES ('{}', '{}', '{}', '{}', NULL, 'active', {made}, {made}, NULL, 1)",
                workspace.id,
                token.id,
                token.token.as_str(),
                token.name,
                made = token.created_at.as_micros()
            ))
            .unwrap();

        assert_eq!(migrate(dir.path()).unwrap(), (4, migrations::LATEST));

        let store = SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap();
        assert_eq!(store.client_token(workspace.id, token.id).await.unwrap(), Some(token));
    }

    #[tokio::test]
    async fn an_upgrade_leaves_events_without_an_address_and_finds_invitations_by_theirs() {
        let dir = tempfile::tempdir().unwrap();
        migrate_to(dir.path(), 6).unwrap();
        let workspace = seed::workspace(1).id;
        connection::open(dir.path())
            .unwrap()
            .execute_batch(&format!(
                "INSERT INTO events VALUES (1, '{workspace}', 'evt_01khqw72q437v2n2wtbrraawbn', 'api_key.created', 5, 'x', \
                 'clock', NULL, '{{}}'); \
                 INSERT INTO one_time_links VALUES (zeroblob(32), 'invitation {workspace} ada@example.com', 'invitation', \
                 '{workspace}', 'Ada@example.com', 'owner', NULL, 5, 6)",
            ))
            .unwrap();

        assert_eq!(migrate(dir.path()).unwrap(), (6, migrations::LATEST));

        let store = SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap();
        let events = store.events_between(0, 1, &EventType::ALL).await.unwrap();
        assert_eq!((events.len(), events[0].1.address), (1, None));
        let email = EmailAddress::parse("ADA@example.com").unwrap();
        let invitations = store.invitations_to(&email).await.unwrap();
        assert_eq!((invitations.len(), invitations[0].made_by), (1, None));
    }

    #[test]
    fn a_newer_database_is_refused_with_both_versions() {
        let dir = tempfile::tempdir().unwrap();
        migrate(dir.path()).unwrap();
        connection::open(dir.path())
            .unwrap()
            .execute("INSERT INTO schema_version VALUES (900, 0)", [])
            .unwrap();
        let error = SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap_err();
        assert!(
            matches!(
                error,
                StorageError::SchemaTooNew {
                    found: 900,
                    known: migrations::LATEST
                }
            ),
            "{error}"
        );
        let message = error.to_string();
        assert!(
            message.contains("900") && message.contains(&migrations::LATEST.to_string()),
            "{message}"
        );
    }

    #[test]
    fn migrating_again_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(migrate(dir.path()).unwrap(), (0, migrations::LATEST));
        assert_eq!(migrate(dir.path()).unwrap(), (migrations::LATEST, migrations::LATEST));
    }
}
