-- 0001: workspaces, client tokens, API keys, events, and the counters that spare counting rows.
-- Times are microseconds since 1970. Ids are stored as the wire shows them, so that a person can read the database.
-- No foreign keys: a workspace is never deleted, and every use-case has just looked up the one it writes for.
CREATE TABLE workspaces (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('sandbox', 'live')),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `token` has no unique index: 130 random bits don't repeat, and the index would cost every insert a random page.
CREATE TABLE client_tokens (
    workspace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    token TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revoked_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_tokens_by_status ON client_tokens (workspace_id, status, id); -- the default list: active ones only

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('sandbox', 'live')),
    name TEXT NOT NULL,
    description TEXT,
    digest BLOB NOT NULL, -- SHA-256 of the key's text; the text is nowhere
    status TEXT NOT NULL CHECK (status IN ('active', 'expired', 'revoked')),
    permissions TEXT NOT NULL, -- the names that were granted, separated by one blank
    expires_at INTEGER,
    expiring_announced_at INTEGER,
    last_used_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_workspace ON api_keys (workspace_id, id);
CREATE INDEX api_keys_due ON api_keys (expires_at) WHERE status = 'active' AND expires_at IS NOT NULL;

-- The sequence that everything follows. `data` is the entity as the wire shows it, byte for byte.
CREATE TABLE events (
    sequence INTEGER NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    subject_id TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_by_id ON events (workspace_id, id);
CREATE INDEX events_by_type ON events (workspace_id, type, id);

-- One row: the last place given out. Taken first in every commit, so places become visible in their order.
CREATE TABLE sequence_head (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sequence_head (only_row, sequence) VALUES (1, 0);

-- How many rows a filter lets through: 'client_tokens.active', 'api_keys', 'events.client_token.created', …
CREATE TABLE counters (
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT, WITHOUT ROWID;
