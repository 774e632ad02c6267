-- 0005: restrictions and scheduled revocations of client tokens, and their usage.
ALTER TABLE client_tokens ADD COLUMN restrictions TEXT; -- as JSON; NULL = none
ALTER TABLE client_tokens ADD COLUMN revoke_at INTEGER; -- NULL = not scheduled
CREATE INDEX client_tokens_to_revoke ON client_tokens (revoke_at) WHERE status = 'active' AND revoke_at IS NOT NULL;

-- Sums over all nodes. Hours are whole ones since 1970, days as well, both in UTC.
CREATE TABLE client_token_usage (
    workspace_id TEXT NOT NULL,
    client_token_id TEXT NOT NULL,
    hour INTEGER NOT NULL,
    allowed INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    -- Let in although a restriction that is only reported spoke against it.
    reported_allowed_origins INTEGER NOT NULL,
    reported_allowed_networks INTEGER NOT NULL,
    reported_scopes INTEGER NOT NULL,
    reported_expires_at INTEGER NOT NULL,
    reported_rate_limit INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, client_token_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_token_usage_by_hour ON client_token_usage (hour); -- to remove the old ones

-- Beside the tokens, so that a use doesn't rewrite a token's row. Never removed.
CREATE TABLE client_token_last_uses (
    workspace_id TEXT NOT NULL,
    client_token_id TEXT NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, client_token_id)
) STRICT, WITHOUT ROWID;

-- The most frequent ones of each token and day.
CREATE TABLE client_token_origins (
    workspace_id TEXT NOT NULL,
    client_token_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    origin TEXT NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, client_token_id, day, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_token_origins_by_day ON client_token_origins (day); -- to remove the old ones
