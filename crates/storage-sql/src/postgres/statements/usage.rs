//! The SQL of client tokens' usage.

/// Until the transaction ends; other schemas in the same database have one of their own.
pub(in crate::postgres) const LOCK: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('tollgate usage ' || current_schema(), 0))";

// "From this id to this id, in the order of ids" is what only the primary key gives unsorted; the index by status would
// be read for a whole workspace.

pub(in crate::postgres) const COUNT: &str = "
    INSERT INTO client_token_usage AS stored (workspace_id, client_token_id, hour, allowed, refused,
        reported_allowed_origins, reported_allowed_networks, reported_scopes, reported_expires_at, reported_rate_limit)
    SELECT workspace_id, id, hour, sum(allowed)::bigint, sum(refused)::bigint, sum(origins)::bigint,
        sum(networks)::bigint, sum(scopes)::bigint, sum(expiry)::bigint, sum(rate)::bigint
    FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::bigint[])
        AS given (workspace_id, id, hour, allowed, refused, origins, networks, scopes, expiry, rate)
    CROSS JOIN LATERAL (
        SELECT FROM client_tokens WHERE workspace_id = given.workspace_id AND id BETWEEN given.id AND given.id
        ORDER BY client_tokens.id LIMIT 1
    ) AS there
    WHERE allowed + refused + origins + networks + scopes + expiry + rate > 0
    GROUP BY workspace_id, id, hour
    ORDER BY workspace_id COLLATE \"C\", id COLLATE \"C\", hour
    ON CONFLICT (workspace_id, client_token_id, hour) DO UPDATE
    SET allowed = stored.allowed + excluded.allowed, refused = stored.refused + excluded.refused,
        reported_allowed_origins = stored.reported_allowed_origins + excluded.reported_allowed_origins,
        reported_allowed_networks = stored.reported_allowed_networks + excluded.reported_allowed_networks,
        reported_scopes = stored.reported_scopes + excluded.reported_scopes,
        reported_expires_at = stored.reported_expires_at + excluded.reported_expires_at,
        reported_rate_limit = stored.reported_rate_limit + excluded.reported_rate_limit";

pub(in crate::postgres) const TOUCH: &str = "
    INSERT INTO client_token_last_uses AS stored (workspace_id, client_token_id, last_used_at)
    SELECT workspace_id, id, max(used_at)
    FROM UNNEST($1::text[], $2::text[], $3::bigint[]) AS given (workspace_id, id, used_at)
    CROSS JOIN LATERAL (
        SELECT FROM client_tokens WHERE workspace_id = given.workspace_id AND id BETWEEN given.id AND given.id
        ORDER BY client_tokens.id LIMIT 1
    ) AS there
    WHERE used_at IS NOT NULL
    GROUP BY workspace_id, id
    ORDER BY workspace_id COLLATE \"C\", id COLLATE \"C\"
    ON CONFLICT (workspace_id, client_token_id) DO UPDATE SET last_used_at = excluded.last_used_at
    WHERE excluded.last_used_at > stored.last_used_at";

pub(in crate::postgres) const ADD_ORIGINS: &str = "
    INSERT INTO client_token_origins AS stored (workspace_id, client_token_id, day, origin, uses)
    SELECT workspace_id, id, day, origin, sum(uses)::bigint
    FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
        AS given (workspace_id, id, day, origin, uses)
    CROSS JOIN LATERAL (
        SELECT FROM client_tokens WHERE workspace_id = given.workspace_id AND id BETWEEN given.id AND given.id
        ORDER BY client_tokens.id LIMIT 1
    ) AS there
    GROUP BY workspace_id, id, day, origin
    ORDER BY workspace_id COLLATE \"C\", id COLLATE \"C\", day, origin COLLATE \"C\"
    ON CONFLICT (workspace_id, client_token_id, day, origin) DO UPDATE SET uses = stored.uses + excluded.uses";

pub(in crate::postgres) const DROP_RARE_ORIGINS: &str = "
    DELETE FROM client_token_origins WHERE ctid = ANY (ARRAY(
        SELECT rare.ctid
        FROM (SELECT DISTINCT * FROM UNNEST($1::text[], $2::text[], $3::bigint[]) AS given (workspace_id, id, day)) AS given
        CROSS JOIN LATERAL (
            SELECT ctid FROM client_token_origins
            WHERE workspace_id = given.workspace_id AND client_token_id = given.id AND day = given.day
            ORDER BY uses DESC, origin OFFSET $4
        ) AS rare))";

pub(in crate::postgres) const PRUNE_HOURS: &str = "
    DELETE FROM client_token_usage WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM client_token_usage WHERE hour < $1 ORDER BY hour LIMIT $2))";

pub(in crate::postgres) const PRUNE_ORIGINS: &str = "
    DELETE FROM client_token_origins WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM client_token_origins WHERE day < $1 ORDER BY day LIMIT $2))";
