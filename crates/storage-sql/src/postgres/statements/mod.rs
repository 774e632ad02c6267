//! The writer's SQL, prepared once for each connection.
//!
//! The arrays that become rows are those of [`columns`](super::columns), in the same order.

pub(super) mod usage;
pub(super) mod webhooks;

use futures_util::future::try_join_all;
use tokio_postgres::{Client, Error, Statement};

macro_rules! statements {
    ($($name:ident = $sql:expr,)*) => {
        pub(super) struct Statements {
            $(pub(super) $name: Statement,)*
        }

        impl Statements {
            pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
                $(let $name = $sql;)*
                let all: &[&str] = &[$($name.as_ref(),)*];
                let prepared = try_join_all(all.iter().map(|sql| client.prepare(sql))).await?; // all at once
                let mut prepared = prepared.into_iter();
                Ok(Self { $($name: prepared.next().expect("one for each"),)* })
            }
        }
    };
}

statements! {
    append = APPEND,
    head = super::reads::HEAD,
    lock_head = LOCK_HEAD,
    move_counters = MOVE_COUNTERS,
    client_token_versions = CLIENT_TOKEN_VERSIONS,
    api_key_versions = API_KEY_VERSIONS,
    idempotent_answers = IDEMPOTENT_ANSWERS,
    update_client_tokens = UPDATE_CLIENT_TOKENS,
    create_workspaces = CREATE_WORKSPACES,
    create_api_keys = CREATE_API_KEYS,
    update_api_keys = UPDATE_API_KEYS,
    touch_api_keys = TOUCH_API_KEYS,
    remember_answers = REMEMBER_ANSWERS,
    forget_answers = FORGET_ANSWERS,
    settings_seen = webhooks::SETTINGS_SEEN,
    create_settings = webhooks::CREATE_SETTINGS,
    update_settings = webhooks::UPDATE_SETTINGS,
    delete_settings = webhooks::DELETE_SETTINGS,
    lock_failing = webhooks::LOCK_FAILING,
    note_failing = webhooks::NOTE_FAILING,
    lock_notifications = webhooks::LOCK_NOTIFICATIONS,
    record_attempts = webhooks::RECORD_ATTEMPTS,
    log_attempts = webhooks::LOG_ATTEMPTS,
    replay = webhooks::REPLAY,
    lease = webhooks::lease(),
    prune_deleted = webhooks::PRUNE_DELETED,
    prune_old = webhooks::PRUNE_OLD,
    prune_attempts = webhooks::PRUNE_ATTEMPTS,
    prune_delivery_counts = webhooks::PRUNE_DELIVERY_COUNTS,
    prune_events = webhooks::PRUNE_EVENTS,
    prune_settings = webhooks::PRUNE_SETTINGS,
}

/// New client tokens, `$1` events with their notifications, and the counters, in one statement. Whoever sends it holds
/// the head's lock by a statement before, so that it sees the settings as they were committed before this place of the
/// sequence. The notification to listeners goes out with the commit.
pub(super) const APPEND: &str = "
    WITH head AS (
        UPDATE sequence_head SET sequence = sequence + $1 WHERE only_row = 1 RETURNING sequence
    ), new_client_tokens AS (
        INSERT INTO client_tokens
            (workspace_id, id, token, name, description, status, created_at, updated_at, revoked_at, version,
            restrictions, revoke_at)
        SELECT * FROM UNNEST($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::bigint[])
    ), event AS MATERIALIZED (
        SELECT head.sequence - $1 + given.place AS sequence, given.*
        FROM head, UNNEST($14::text[], $15::text[], $16::text[], $17::bigint[], $18::text[], $19::text[], $20::text[],
            $21::text[], $22::text[], $23::boolean[]) WITH ORDINALITY
            AS given (workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data, address, is_public,
                place)
    ), new_events AS (
        INSERT INTO events (sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data,
            address)
        SELECT sequence, workspace_id, id, type, occurred_at, subject_id, actor_kind, actor_id, data, address
        FROM event
    ), new_notifications AS (
        INSERT INTO notifications (workspace_id, id, setting_id, event_sequence, type, origin, status, times_attempted,
            occurred_at, due_at)
        SELECT event.workspace_id, 'ntf_' || substr(event.id, 5, 10)
                || substr(encode(sha256(convert_to(event.id || setting.id, 'UTF8')), 'hex'), 1, 16),
            setting.id, event.sequence, event.type, 'event', 'not_attempted', 0, event.occurred_at, event.occurred_at
        FROM event
        CROSS JOIN LATERAL (
            SELECT id FROM notification_settings
            WHERE workspace_id = event.workspace_id AND active = 1 AND deleted_at IS NULL
                AND traffic_source IN ('platform', 'all') AND strpos(subscribed_events, ' ' || event.type || ' ') > 0
            OFFSET 0
        ) AS setting
        WHERE event.is_public
        ORDER BY event.sequence, setting.id
        RETURNING workspace_id, setting_id
    ), moved AS (
        SELECT * FROM UNNEST($24::text[], $25::text[], $26::bigint[]) AS given (workspace_id, name, value)
        UNION ALL
        SELECT workspace_id, 'notifications.' || setting_id || '.not_attempted', count(*)
        FROM new_notifications GROUP BY workspace_id, setting_id
    ), moved_counters AS (
        INSERT INTO counters (workspace_id, name, value)
        SELECT workspace_id, name, sum(value)::bigint FROM moved
        GROUP BY workspace_id, name
        ORDER BY workspace_id COLLATE \"C\", name COLLATE \"C\"
        ON CONFLICT (workspace_id, name) DO UPDATE SET value = counters.value + excluded.value
    )
    SELECT sequence, pg_notify('tollgate_sequence',
        sequence || ' ' || current_schema() || CASE WHEN $1 > 0 THEN '' ELSE ' again' END)
    FROM head";

/// Every transaction that touches the sequence begins with this: commits of all nodes follow one another, so places become
/// visible in their order.
const LOCK_HEAD: &str = "SELECT sequence FROM sequence_head WHERE only_row = 1 FOR UPDATE";

/// Counters alone, where no place is given out.
const MOVE_COUNTERS: &str = "
    INSERT INTO counters (workspace_id, name, value)
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[]) AS moved (workspace_id, name, value)
    ORDER BY workspace_id COLLATE \"C\", name COLLATE \"C\"
    ON CONFLICT (workspace_id, name) DO UPDATE SET value = counters.value + excluded.value";

// What the next three see can't change before we commit: whoever changes it holds the head's lock, and we hold it now.

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
        created_at = new.created_at, updated_at = new.updated_at, revoked_at = new.revoked_at, version = new.version,
        restrictions = new.restrictions, revoke_at = new.revoke_at
    FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
        $9::bigint[], $10::bigint[], $11::text[], $12::bigint[])
        AS new (workspace_id, id, token, name, description, status, created_at, updated_at, revoked_at, version,
            restrictions, revoke_at)
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
