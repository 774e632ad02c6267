//! Notification settings, notifications and their attempts.
//!
//! Rows are locked in the same order everywhere: the head, notifications by their keys, counters by theirs, settings by
//! theirs. Leases and pruning pass over notifications that somebody else has locked. So no two transactions wait for
//! each other, though recording takes no head.
//!
//! A plan that was made while a table was small stays while it grows, so how a row is found isn't left to the planner:
//! by `LATERAL` with `OFFSET 0` or a lock, which makes one look-up for each row that is wanted, or by the `ctid` of a row
//! that is locked already.

/// What the use-case saw of a workspace's settings, and whether the one that it means is there. Can't change before we
/// commit: whoever changes settings holds the head's lock.
pub(in crate::postgres) const SETTINGS_SEEN: &str = "
    SELECT stored.*
    FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS wanted (workspace_id, id, place)
    CROSS JOIN LATERAL (
        SELECT coalesce(string_agg(setting.id || ' ' || setting.version, ' ' ORDER BY setting.id), '') AS seen,
            count(*) FILTER (WHERE setting.id = wanted.id) > 0 AS present
        FROM notification_settings AS setting
        WHERE setting.workspace_id = wanted.workspace_id AND setting.workspace_id > '' AND setting.deleted_at IS NULL
    ) AS stored
    ORDER BY wanted.place";

pub(in crate::postgres) const CREATE_SETTINGS: &str = "
    INSERT INTO notification_settings (id, workspace_id, description, type, destination, active, api_version,
        include_sensitive_fields, traffic_source, subscribed_events, secret, previous_secret, previous_secret_until,
        created_at, updated_at, version)
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[],
        $16::bigint[])";

pub(in crate::postgres) const UPDATE_SETTINGS: &str = "
    UPDATE notification_settings AS stored
    SET description = new.description, destination = new.destination,
        failing_since = CASE WHEN new.active = 1 AND stored.active = 0 THEN NULL ELSE stored.failing_since END,
        active = new.active, api_version = new.api_version, include_sensitive_fields = new.include_sensitive_fields,
        traffic_source = new.traffic_source, subscribed_events = new.subscribed_events, secret = new.secret,
        previous_secret = new.previous_secret, previous_secret_until = new.previous_secret_until,
        updated_at = new.updated_at, version = new.version
    FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[])
        AS new (id, workspace_id, description, type, destination, active, api_version, include_sensitive_fields,
            traffic_source, subscribed_events, secret, previous_secret, previous_secret_until, created_at, updated_at,
            version)
    WHERE stored.id = new.id";

/// What belongs to it is removed by and by.
pub(in crate::postgres) const DELETE_SETTINGS: &str =
    "UPDATE notification_settings SET deleted_at = updated_at, active = 0 WHERE id = ANY ($1::text[])";

/// The settings that [`NOTE_FAILING`] changes.
pub(in crate::postgres) const LOCK_FAILING: &str = "
    SELECT FROM (
        SELECT * FROM UNNEST($1::text[], $2::boolean[], $3::bigint[]) AS given (id, anew, since)
        ORDER BY id COLLATE \"C\"
    ) AS noted
    CROSS JOIN LATERAL (
        SELECT FROM notification_settings
        WHERE id = noted.id AND CASE WHEN noted.anew THEN failing_since IS DISTINCT FROM noted.since
            ELSE failing_since IS NULL END
        FOR NO KEY UPDATE
    ) AS stored";

/// Since when every attempt has failed: anew after a success among the attempts, or only if it wasn't known. They are
/// locked by a statement before, so that this one sees them as they are.
pub(in crate::postgres) const NOTE_FAILING: &str = "
    UPDATE notification_settings AS stored SET failing_since = changed.since
    FROM (
        SELECT found.at, noted.since
        FROM UNNEST($1::text[], $2::boolean[], $3::bigint[]) AS noted (id, anew, since)
        CROSS JOIN LATERAL (
            SELECT ctid AS at FROM notification_settings
            WHERE id = noted.id AND CASE WHEN noted.anew THEN failing_since IS DISTINCT FROM noted.since
                ELSE failing_since IS NULL END
            OFFSET 0
        ) AS found
    ) AS changed
    WHERE stored.ctid = changed.at";

/// The notifications that a batch attempts or replays, where they are there; `place` is which of the wanted, `at` where it
/// stands as long as the lock is held.
pub(in crate::postgres) const LOCK_NOTIFICATIONS: &str = "
    SELECT wanted.place, stored.at, stored.setting_id, stored.status, coalesce((
        SELECT deleted_at IS NULL FROM notification_settings WHERE id = stored.setting_id), FALSE) AS shown
    FROM (
        SELECT * FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS given (workspace_id, id, place)
        ORDER BY workspace_id COLLATE \"C\", id COLLATE \"C\"
    ) AS wanted
    CROSS JOIN LATERAL (
        SELECT ctid::text AS at, setting_id, status FROM notifications
        WHERE workspace_id = wanted.workspace_id AND id = wanted.id
        FOR NO KEY UPDATE
    ) AS stored";

pub(in crate::postgres) const RECORD_ATTEMPTS: &str = "
    UPDATE notifications AS stored
    SET status = new.status, times_attempted = stored.times_attempted + 1,
        last_attempt_at = greatest(stored.last_attempt_at, new.attempted_at),
        delivered_at = coalesce(stored.delivered_at, new.delivered_at), retry_at = new.retry_at, due_at = new.retry_at
    FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS new (at, status, attempted_at, delivered_at, retry_at)
    WHERE stored.ctid = new.at::tid";

pub(in crate::postgres) const LOG_ATTEMPTS: &str = "
    INSERT INTO delivery_attempts (notification_id, id, response_code, response_content_type, response_body, problem,
        attempted_at, duration_ms)
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[],
        $8::bigint[])";

pub(in crate::postgres) const REPLAY: &str = "
    WITH replay AS (
        SELECT at::tid AS at, id, time
        FROM UNNEST($1::text[], $2::text[], $3::bigint[]) AS given (at, id, time)
    ), noted AS (
        UPDATE notifications AS stored SET replayed_at = replay.time FROM replay WHERE stored.ctid = replay.at
    )
    INSERT INTO notifications (workspace_id, id, setting_id, event_sequence, type, origin, status, times_attempted,
        occurred_at, due_at)
    SELECT stored.workspace_id, replay.id, stored.setting_id, stored.event_sequence, stored.type, 'replay',
        'not_attempted', 0, stored.occurred_at, replay.time
    FROM replay JOIN notifications AS stored ON stored.ctid = replay.at";

/// Takes what is due in each of these queues. A notification that another node has locked is another node's; one that
/// it has just released is looked at again as it is now, and is no longer due.
pub(in crate::postgres) fn lease() -> String {
    format!(
        "
    WITH wanted AS (
        SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
            AS given (setting_id, now, until, most, place)
    ), due AS MATERIALIZED (
        SELECT wanted.place, wanted.until, queue.at, queue.due_at
        FROM wanted
        CROSS JOIN LATERAL (
            SELECT ctid AS at, due_at FROM notifications
            WHERE setting_id = wanted.setting_id AND due_at <= wanted.now
            ORDER BY due_at
            LIMIT wanted.most
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS queue
        WHERE (SELECT active = 1 AND deleted_at IS NULL FROM notification_settings WHERE id = wanted.setting_id)
    ), leased AS (
        UPDATE notifications AS stored SET due_at = due.until
        FROM due WHERE stored.ctid = due.at
        RETURNING due.place, due.due_at AS was_due_at, stored.*
    )
    SELECT n.place, {}
    FROM leased AS n
    CROSS JOIN LATERAL (SELECT * FROM events WHERE sequence = n.event_sequence OFFSET 0) AS e
    ORDER BY n.place, n.was_due_at, n.id",
        crate::postgres::rows::NOTIFICATION
    )
}

/// At most `$1` notifications of settings that are gone.
pub(in crate::postgres) const PRUNE_DELETED: &str = "
    DELETE FROM notifications
    WHERE ctid = ANY (ARRAY(
        SELECT doomed.ctid
        FROM notification_settings AS setting
        CROSS JOIN LATERAL (
            SELECT ctid FROM notifications
            WHERE workspace_id = setting.workspace_id AND setting_id = setting.id AND setting_id > ''
            ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS doomed
        WHERE setting.deleted_at IS NOT NULL
        LIMIT $1))
    RETURNING workspace_id, id, setting_id, status";

/// At most `$2` notifications with ids before `$1`. An id begins with the time it was made at, so the primary key finds
/// the oldest.
pub(in crate::postgres) const PRUNE_OLD: &str = "
    DELETE FROM notifications
    WHERE ctid = ANY (ARRAY(
        SELECT doomed.ctid
        FROM workspaces AS workspace
        CROSS JOIN LATERAL (
            SELECT ctid FROM notifications
            WHERE workspace_id = workspace.id AND id < $1
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
        ) AS doomed
        LIMIT $2))
    RETURNING workspace_id, id, setting_id, status";

/// A statement of its own after the notifications are locked, so that it sees whatever was recorded until then.
pub(in crate::postgres) const PRUNE_ATTEMPTS: &str =
    "DELETE FROM delivery_attempts WHERE notification_id = ANY ($1::text[])";

/// At most `$2` counters of attempts in the hours before the one whose counters begin with `$1`.
pub(in crate::postgres) const PRUNE_DELIVERY_COUNTS: &str = "
    DELETE FROM counters
    WHERE ctid = ANY (ARRAY(
        SELECT doomed.ctid
        FROM workspaces AS workspace
        CROSS JOIN LATERAL (
            SELECT ctid FROM counters
            WHERE workspace_id = workspace.id AND name >= 'deliveries.' AND name < $1
            ORDER BY name LIMIT $2 FOR UPDATE SKIP LOCKED
        ) AS doomed
        LIMIT $2))";

/// Of the first `$2` events that weren't replayed those that happened before `$1` and that no notification is left of:
/// its notifications have ids that begin with the event's time.
pub(in crate::postgres) const PRUNE_EVENTS: &str = "
    DELETE FROM events
    WHERE sequence = ANY (ARRAY(
        SELECT oldest.sequence
        FROM (
            SELECT sequence, workspace_id, id, occurred_at FROM events
            WHERE NOT coalesce((
                SELECT TRUE FROM notifications WHERE origin = 'replay' AND event_sequence = events.sequence LIMIT 1
            ), FALSE)
            ORDER BY sequence LIMIT $2
        ) AS oldest
        WHERE oldest.occurred_at < $1 AND NOT coalesce((
            SELECT TRUE FROM notifications
            WHERE workspace_id = oldest.workspace_id AND event_sequence = oldest.sequence
                AND id > 'ntf_' || substr(oldest.id, 5, 10) AND id < 'ntf_' || substr(oldest.id, 5, 10) || '~'
            LIMIT 1
        ), FALSE)))
    RETURNING workspace_id, type";

/// Settings that are gone and of which nothing is left.
pub(in crate::postgres) const PRUNE_SETTINGS: &str = "
    DELETE FROM notification_settings AS setting
    WHERE deleted_at IS NOT NULL AND NOT coalesce((
        SELECT TRUE FROM notifications
        WHERE workspace_id = setting.workspace_id AND setting_id = setting.id AND setting_id > ''
        LIMIT 1
    ), FALSE)";
