//! The schema's history: forward only, the same numbers in both stores, embedded in the program.
//!
//! A migration that shipped is never edited. Own code of a few lines rather than a crate: the ones there are neither
//! take PostgreSQL's advisory lock nor name both versions when the database is newer than the program.

use tollgate_storage::StorageError;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    pub(crate) version: u32,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// All of them, oldest first.
pub(crate) const ALL: [Migration; 9] = [
    Migration {
        version: 1,
        sqlite: include_str!("../migrations/sqlite/0001_tokens_keys_events.sql"),
        postgres: include_str!("../migrations/postgres/0001_tokens_keys_events.sql"),
    },
    Migration {
        version: 2,
        sqlite: include_str!("../migrations/sqlite/0002_idempotent_answers.sql"),
        postgres: include_str!("../migrations/postgres/0002_idempotent_answers.sql"),
    },
    Migration {
        version: 3,
        sqlite: include_str!("../migrations/sqlite/0003_webhooks.sql"),
        postgres: include_str!("../migrations/postgres/0003_webhooks.sql"),
    },
    Migration {
        version: 4,
        sqlite: include_str!("../migrations/sqlite/0004_simulations.sql"),
        postgres: include_str!("../migrations/postgres/0004_simulations.sql"),
    },
    Migration {
        version: 5,
        sqlite: include_str!("../migrations/sqlite/0005_restrictions_usage.sql"),
        postgres: include_str!("../migrations/postgres/0005_restrictions_usage.sql"),
    },
    Migration {
        version: 6,
        sqlite: include_str!("../migrations/sqlite/0006_people.sql"),
        postgres: include_str!("../migrations/postgres/0006_people.sql"),
    },
    Migration {
        version: 7,
        sqlite: include_str!("../migrations/sqlite/0007_audit.sql"),
        postgres: include_str!("../migrations/postgres/0007_audit.sql"),
    },
    Migration {
        version: 8,
        sqlite: include_str!("../migrations/sqlite/0008_passkeys_identities.sql"),
        postgres: include_str!("../migrations/postgres/0008_passkeys_identities.sql"),
    },
    Migration {
        version: 9,
        sqlite: include_str!("../migrations/sqlite/0009_api_keys_by_status.sql"),
        postgres: include_str!("../migrations/postgres/0009_api_keys_by_status.sql"),
    },
];

/// The version that this program works with.
pub const LATEST: u32 = ALL[ALL.len() - 1].version;

/// The steps from version `found` to version `target`; an error when the database is newer than this program.
pub(crate) fn missing(found: u32, target: u32) -> Result<impl Iterator<Item = Migration>, StorageError> {
    if found > LATEST {
        return Err(StorageError::SchemaTooNew { found, known: LATEST });
    }
    Ok(ALL
        .into_iter()
        .filter(move |migration| migration.version > found && migration.version <= target))
}
