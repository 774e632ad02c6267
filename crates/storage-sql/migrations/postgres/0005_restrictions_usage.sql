-- 0005: restrictions and scheduled revocations of client tokens, and their usage.
ALTER TABLE client_tokens ADD COLUMN restrictions TEXT; -- as JSON; NULL = none
ALTER TABLE client_tokens ADD COLUMN revoke_at BIGINT; -- NULL = not scheduled
CREATE INDEX client_tokens_to_revoke ON client_tokens (revoke_at) WHERE status = 'active' AND revoke_at IS NOT NULL;

-- Sums over all nodes. Hours are whole ones since 1970, days as well, both in UTC.
CREATE TABLE client_token_usage (
    workspace_id TEXT COLLATE "C" NOT NULL,
    client_token_id TEXT COLLATE "C" NOT NULL,
    hour BIGINT NOT NULL,
    allowed BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    -- Let in although a restriction that is only reported spoke against it.
    reported_allowed_origins BIGINT NOT NULL,
    reported_allowed_networks BIGINT NOT NULL,
    reported_scopes BIGINT NOT NULL,
    reported_expires_at BIGINT NOT NULL,
    reported_rate_limit BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, client_token_id, hour)
);
CREATE INDEX client_token_usage_by_hour ON client_token_usage (hour); -- to remove the old ones

-- Beside the tokens, so that a use doesn't rewrite a token's row. Never removed.
CREATE TABLE client_token_last_uses (
    workspace_id TEXT COLLATE "C" NOT NULL,
    client_token_id TEXT COLLATE "C" NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, client_token_id)
);

-- The most frequent ones of each token and day.
CREATE TABLE client_token_origins (
    workspace_id TEXT COLLATE "C" NOT NULL,
    client_token_id TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    uses BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, client_token_id, day, origin)
);
CREATE INDEX client_token_origins_by_day ON client_token_origins (day); -- to remove the old ones
