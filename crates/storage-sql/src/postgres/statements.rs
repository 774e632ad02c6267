//! The writer's SQL, prepared once for each connection.
//!
//! The arrays that become rows are those of [`columns`](super::columns), in the same order.

use tokio_postgres::{Client, Error, Statement};

pub(super) struct Statements {
    pub(super) append: Statement,
    pub(super) lock_head: Statement,
    pub(super) client_token_versions: Statement,
    pub(super) api_key_versions: Statement,
    pub(super) idempotent_answers: Statement,
    pub(super) update_client_tokens: Statement,
    pub(super) create_workspaces: Statement,
    pub(super) create_api_keys: Statement,
    pub(super) update_api_keys: Statement,
    pub(super) touch_api_keys: Statement,
    pub(super) remember_answers: Statement,
    pub(super) forget_answers: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
        let (append, lock_head, client_token_versions, api_key_versions, idempotent_answers, update_client_tokens) = tokio::try_join!(
            client.prepare(APPEND),
            client.prepare(LOCK_HEAD),
            client.prepare(CLIENT_TOKEN_VERSIONS),
            client.prepare(API_KEY_VERSIONS),
            client.prepare(IDEMPOTENT_ANSWERS),
            client.prepare(UPDATE_CLIENT_TOKENS),
        )?;
        let (create_workspaces, create_api_keys, update_api_keys, touch_api_keys, remember_answers, forget_answers) = tokio::try_join!(
            client.prepare(CREATE_WORKSPACES),
            client.prepare(CREATE_API_KEYS),
            client.prepare(UPDATE_API_KEYS),
            client.prepare(TOUCH_API_KEYS),
            client.prepare(REMEMBER_ANSWERS),
            client.prepare(FORGET_ANSWERS),
        )?;
        Ok(Self {
            append,
            lock_head,
            client_token_versions,
            api_key_versions,
            idempotent_answers,
            update_client_tokens,
            create_workspaces,
            create_api_keys,
            update_api_keys,
            touch_api_keys,
            remember_answers,
            forget_answers,
        })
    }
}

/// New client tokens, `$1` events and the counters, in one statement, which is a transaction of its own when it stands
/// alone. Every part reads `head`, so the head is taken before anything else is written: that makes commits of all
/// nodes follow one another, so places become visible in their order, and no two nodes can wait for each other.
/// The notification goes out with the commit, see the listener.
const APPEND: &str = "
    WITH head AS (
        UPDATE sequence_head SET sequence = sequence + $1 WHERE only_row = 1 RETURNING sequence
    ), new_client_tokens AS (
        INSERT INTO client_tokens
            (workspace_id, id, token, name, description, status, created_at, updated_at, revoked_at, version)
        SELECT token.*
        FROM head, UNNEST($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bigint[]) AS token
    ), new_events AS (
        INSERT INTO events (sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data)
        SELECT head.sequence - $1 + event.place, event.workspace_id, event.id, event.type, event.occurred_at,
            event.subject_id, event.actor_kind, event.actor_id, event.data
        FROM head, UNNEST($12::text[], $13::text[], $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[],
            $19::text[]) WITH ORDINALITY
            AS event (workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data, place)
    ), moved_counters AS (
        INSERT INTO counters (workspace_id, name, value)
        SELECT moved.* FROM head, UNNEST($20::text[], $21::text[], $22::bigint[]) AS moved
        ON CONFLICT (workspace_id, name) DO UPDATE SET value = counters.value + excluded.value
    )
    SELECT sequence, pg_notify('tollgate_sequence', sequence || ' ' || current_schema()) FROM head";

/// The other transactions begin with this, for the same order.
const LOCK_HEAD: &str = "SELECT sequence FROM sequence_head WHERE only_row = 1 FOR UPDATE";

// What the next three see can't change before we commit: every writer holds the head's lock, and we hold it now.

const CLIENT_TOKEN_VERSIONS: &str = "
    SELECT stored.version
    FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS wanted (workspace_id, id, place)
    LEFT JOIN client_tokens AS stored ON stored.workspace_id = wanted.workspace_id AND stored.id = wanted.id
    ORDER BY wanted.place";

const API_KEY_VERSIONS: &str = "
    SELECT stored.version
    FROM UNNEST($1::text[]) WITH ORDINALITY AS wanted (id, place)
    LEFT JOIN api_keys AS stored ON stored.id = wanted.id
    ORDER BY wanted.place";

const IDEMPOTENT_ANSWERS: &str = "
    SELECT stored.key IS NOT NULL AS answered, stored.request_digest, stored.answer, stored.expires_at
    FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS wanted (api_key_id, key, place)
    LEFT JOIN idempotent_answers AS stored ON stored.api_key_id = wanted.api_key_id AND stored.key = wanted.key
    ORDER BY wanted.place";

const UPDATE_CLIENT_TOKENS: &str = "
    UPDATE client_tokens AS stored
    SET token = new.token, name = new.name, description = new.description, status = new.status,
        created_at = new.created_at, updated_at = new.updated_at, revoked_at = new.revoked_at, version = new.version
    FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
        $9::bigint[], $10::bigint[])
        AS new (workspace_id, id, token, name, description, status, created_at, updated_at, revoked_at, version)
    WHERE stored.workspace_id = new.workspace_id AND stored.id = new.id";

const CREATE_WORKSPACES: &str = "
    INSERT INTO workspaces (id, name, environment, created_at)
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[])";

const CREATE_API_KEYS: &str = "
    INSERT INTO api_keys (id, workspace_id, environment, name, description, digest, status, permissions, expires_at,
        expiring_announced_at, created_at, updated_at, version, last_used_at)
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[],
        $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])";

const UPDATE_API_KEYS: &str = "
    UPDATE api_keys AS stored
    SET workspace_id = new.workspace_id, environment = new.environment, name = new.name,
        description = new.description, digest = new.digest, status = new.status, permissions = new.permissions,
        expires_at = new.expires_at, expiring_announced_at = new.expiring_announced_at,
        created_at = new.created_at, updated_at = new.updated_at, version = new.version
    FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
        $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
        AS new (id, workspace_id, environment, name, description, digest, status, permissions, expires_at,
            expiring_announced_at, created_at, updated_at, version)
    WHERE stored.id = new.id";

/// Only forward: `greatest` passes over NULL.
const TOUCH_API_KEYS: &str = "
    UPDATE api_keys AS stored SET last_used_at = greatest(stored.last_used_at, touched.used_at)
    FROM UNNEST($1::text[], $2::bigint[]) AS touched (id, used_at)
    WHERE stored.id = touched.id";

/// What is there already is forgotten, or we would not be here.
const REMEMBER_ANSWERS: &str = "
    INSERT INTO idempotent_answers (api_key_id, key, request_digest, answer, expires_at)
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[])
    ON CONFLICT (api_key_id, key) DO UPDATE
    SET request_digest = excluded.request_digest, answer = excluded.answer, expires_at = excluded.expires_at";

const FORGET_ANSWERS: &str = "
    DELETE FROM idempotent_answers WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotent_answers WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))";
