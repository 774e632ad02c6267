-- 0006: people, what they are members of, their sessions, and the links that are made for them. Secrets are nowhere: of
-- cookies and links there is SHA-256, of passwords Argon2id.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL, -- as it is shown
    email_folded TEXT NOT NULL UNIQUE, -- as it is compared
    name TEXT NOT NULL,
    password_hash TEXT, -- in the PHC format; NULL = no password
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    workspace_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE sessions (
    digest BLOB NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at); -- to remove those that are over

-- A link is here until it is used. What it is for decides which columns are NULL.
CREATE TABLE one_time_links (
    digest BLOB NOT NULL PRIMARY KEY,
    slot TEXT NOT NULL UNIQUE, -- what there is one link for at a time
    kind TEXT NOT NULL CHECK (kind IN ('invitation', 'reset', 'sign_in')),
    workspace_id TEXT,
    email TEXT,
    role TEXT,
    user_id TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_links_by_user ON one_time_links (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX one_time_links_by_end ON one_time_links (expires_at); -- to remove those that are over

-- Failures to sign in, under digests of email addresses and of networks.
CREATE TABLE sign_in_attempts (
    name TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_attempts_by_time ON sign_in_attempts (last_at); -- to remove those that are forgotten
