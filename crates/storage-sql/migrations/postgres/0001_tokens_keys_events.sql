-- 0001: workspaces, client tokens, API keys, events, and the counters that spare counting rows.
-- Times are microseconds since 1970. Ids are stored as the wire shows them, so that a person can read the database.
-- No foreign keys: a workspace is never deleted, and every use-case has just looked up the one it writes for.
CREATE TABLE workspaces (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('sandbox', 'live')),
    created_at BIGINT NOT NULL
);

-- `token` has no unique index: 130 random bits don't repeat, and the index would cost every insert a random page.
CREATE TABLE client_tokens (
    workspace_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    token TEXT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    revoked_at BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX client_tokens_by_status ON client_tokens (workspace_id, status, id); -- the default list: active ones only

CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('sandbox', 'live')),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT,
    digest BYTEA NOT NULL, -- SHA-256 of the key's text; the text is nowhere
    status TEXT NOT NULL CHECK (status IN ('active', 'expired', 'revoked')),
    permissions TEXT NOT NULL, -- the names that were granted, separated by one blank
    expires_at BIGINT,
    expiring_announced_at BIGINT,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX api_keys_by_workspace ON api_keys (workspace_id, id);
CREATE INDEX api_keys_due ON api_keys (expires_at) WHERE status = 'active' AND expires_at IS NOT NULL;

-- The sequence that everything follows. `data` is the entity as the wire shows it, byte for byte.
CREATE TABLE events (
    sequence BIGINT NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    occurred_at BIGINT NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    data TEXT NOT NULL
);
CREATE UNIQUE INDEX events_by_id ON events (workspace_id, id);
CREATE INDEX events_by_type ON events (workspace_id, type, id);

-- One row: the last place given out. Taken first in every commit, so places become visible in their order.
CREATE TABLE sequence_head (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    sequence BIGINT NOT NULL
);
INSERT INTO sequence_head (only_row, sequence) VALUES (1, 0);

-- How many rows a filter lets through: 'client_tokens.active', 'api_keys', 'events.client_token.created', …
CREATE TABLE counters (
    workspace_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);
